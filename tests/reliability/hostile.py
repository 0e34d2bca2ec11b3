"""What nobody should send: messages that almost fit their types, and worse."""

import json
import types
import typing
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


# No path names anything real: should a guard fail where tests run as root, the
# machine must not be what notices.
ODD_TEXTS = (
    "",
    "0",
    "\0",
    "a\0b",
    "\ud800",
    "NaN",
    "null",
    "-1",
    "9" * 30,
    "9" * 5000,
    "1e999",
    "\uff11\uff12",
    "²",
    "../../runstone-escaped",
    "..\\..\\x",
    "/nonexistent/runstone-escaped",
    "%2e%2e/",
    "a/../b",
    "s3://bucket/x",
    "file:///nonexistent/runstone-escaped",
    "' OR 1=1 --",
    "metrics.loss > 0",
    "metrics.`",
    "(((((",
    "params.a LIKE '%_%_%_%_%'",
    "attributes.start_time DESC",
    "ACTIVE_ONLY",
    "2",
    "FINISHED",
    "loss",
    "mlflow.runName",
    "실험\u202e\ufeff",
    "\U0001f9ea" * 20,
    "x" * 251,
    "{{7*7}}",
    "<script>",
    "\r\nSet-Cookie: a=b",
)
ODD_NUMBERS = (
    0,
    1,
    -1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    -(2**63) - 1,
    10**400,
    0.5,
    -0.0,
    1e308,
    5e-324,
)
RAW_BODIES = (
    b"",
    b"{",
    b"}",
    b"[]",
    b"null",
    b'"x"',
    b"1",
    b"\xff\xfe\x00",
    b'{"run_id": "\xff"}',
    b'{"run_id": "\xed\xa0\x80"}',
    b'{"key": 1e999}',
    b'{"value": NaN}',
    b'{"value": Infinity}',
    b'{"a": 1, "a": 2, "run_id": "x", "run_id": 3}',
    b'{"run_id": "' + b"\\u0000" * 10 + b'"}',
    b'{"run_id": "\\ud800"}',
    b"[" * 100_000,
    b'{"metrics": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b"{" + b",".join(b'"k%d": 1' % i for i in range(20_000)) + b"}",
    b'{"run_id": "' + b"x" * 1_000_000 + b'"}',
    b" " * 100_000 + b"{}",
    b"\xef\xbb\xbf{}",
    b'{"run_id":"a"}{"run_id":"b"}',
    b'{"experiment_id": ' + b"9" * 5_000 + b"}",
)
CONTENT_TYPES = (
    b"application/json",
    b"application/json",
    b"application/json; charset=utf-16",
    b"text/plain",
    b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded",
    b"\xff\xfe",
    b"",
)

texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=20)
numbers = st.sampled_from(ODD_NUMBERS) | st.integers() | st.floats(allow_nan=False)
anything: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def messages(kind: type, known: dict[str, list[str]]) -> SearchStrategy[Any]:
    """
    Make messages of a type, good ones and ones with something wrong.

    Args:
        kind: A struct.

        known: Values that lead somewhere, by field name: ids of real runs.
    """
    return st.one_of(
        _struct(kind, known, wrong=False), _struct(kind, known, wrong=True)
    )


def bodies(kind: type | None, known: dict[str, list[str]]) -> SearchStrategy[bytes]:
    """Make bodies for a route."""
    raw = st.sampled_from(RAW_BODIES) | st.binary(max_size=50)
    if kind is None:
        return raw

    good = messages(kind, known).map(encoded)
    torn = st.builds(
        lambda body, cut: body[: len(body) * cut // 10], good, st.integers(0, 9)
    )

    return st.one_of(good, good, good, good, torn, raw)


def queries(kind: type | None, known: dict[str, list[str]]) -> SearchStrategy[bytes]:
    """Make query strings for a route."""
    raw = st.sampled_from((b"", b"&&&==", b"%ff=%zz&%00", b"a=1&a=2", b"\xff=\xff"))
    if kind is None:
        return raw | st.binary(max_size=30)

    return st.one_of(*[messages(kind, known).map(as_query)] * 5, raw)


def encoded(message: object) -> bytes:
    """Write JSON as a careless client would: lone surrogates and huge numbers too."""
    return json.dumps(message, ensure_ascii=True, allow_nan=True).encode()


def as_query(message: dict[str, Any]) -> bytes:
    """Write a message as a query, lists as repeated parameters."""
    from urllib.parse import urlencode

    flat = {
        key: value if isinstance(value, list) else [value]
        for key, value in message.items()
    }
    words = [
        (key.encode(errors="surrogatepass"), str(item).encode(errors="surrogatepass"))
        for key, values in flat.items()
        for item in values
    ]

    return urlencode(words).encode()


def _struct(
    kind: type, known: dict[str, list[str]], *, wrong: bool
) -> SearchStrategy[dict[str, Any]]:
    fields = {}
    for field in msgspec.structs.fields(kind):
        fit = _fitting(field.type, field.encode_name, known)
        fields[field.encode_name] = st.one_of(fit, fit, anything) if wrong else fit
    needed = {
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if not wrong and (field.required or "id" in field.encode_name)
    }

    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name not in needed},
    )


def _fitting(kind: Any, name: str, known: dict[str, list[str]]) -> SearchStrategy[Any]:  # noqa: ANN401, PLR0911  # any annotation
    if name in known and kind in (str, str | None):
        return st.sampled_from(known[name]) | st.sampled_from(known[name]) | texts
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _fitting(arguments[0], name, known)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_fitting(argument, name, known) for argument in arguments))
    if origin in (list, dict):
        inner = _fitting(arguments[-1], name, known)
        is_list = origin is list
        return st.lists(inner, max_size=4) if is_list else st.dictionaries(texts, inner)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        # Not before it is drawn: a struct may hold others of its own kind.
        return st.deferred(lambda: _struct(kind, known, wrong=True))
    if kind is int:
        return st.integers(-3, 1000) | numbers
    if kind is float:
        return numbers | st.sampled_from(("NaN", "Infinity", "-Infinity"))

    plain = {str: texts, bool: st.booleans(), type(None): st.none(), Any: anything}

    return plain.get(kind, texts)
