"""Bytes to typed messages: what fits, what does not, and how that is said."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from runstone import errors, limits
from runstone.server.http import (
    BodyTooLarge,
    Int64,
    Needed,
    Reply,
    Request,
    Right,
    Route,
    Router,
    from_query,
    pattern,
    read,
    reply,
)


class Inner(msgspec.Struct):
    """One of a list."""

    key: Needed


class Message(msgspec.Struct):
    """What the tests send."""

    name: Needed
    step: Int64 = 0
    value: float = 0.0
    names: list[str] = []
    inner: list[Inner] = []


def request(*parts: bytes, method: str = "POST", **headers: str) -> Request:
    """Make a request whose body comes in *parts*."""
    kind = {"content_type": "application/json"} | headers
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": kind.pop("query", "").encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in kind.items()
        ],
    }
    waiting = [
        {"type": "http.request", "body": part, "more_body": place < len(parts)}
        for place, part in enumerate(parts or (b"",), start=1)
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return Request(scope, receive, object())


def take(*parts: bytes, **more: str) -> Message:
    """Read a message."""
    return asyncio.run(read(request(*parts, **more), Message))


def test_numbers_may_come_as_text() -> None:
    """Protobuf's JSON writes int64 and NaN so, and MLflow's clients use it."""
    found = take(b'{"name": "x", "step": "7", "value": "-Infinity"}')

    assert found == Message("x", 7, float("-inf"))
    assert take(b'{"name": "x", "value": "NaN"}').value != 0


def test_a_body_may_come_in_pieces() -> None:
    """A reader that took the first for the whole would fail only under load."""
    assert take(b'{"na', b'me": "', b'x"}').name == "x"


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "x", "step": null, "names": null, "more": null}',
        b'"{\\"name\\": \\"x\\"}"',
        b'{"name": "x", "colour": {"a": [1, 2]}}',
    ],
)
def test_what_old_clients_send_is_understood(body: bytes) -> None:
    """A null is no value, JSON may be wrapped in JSON, a new field is none of ours."""
    assert take(body) == Message("x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Missing value for required parameter 'name'"),
        (b"null", "Missing value for required parameter 'name'"),
        (b'{"name": ""}', "Missing value for required parameter 'name'"),
        (b'{"name": null}', "Missing value for required parameter 'name'"),
        (b'{"name": "x", "inner": [{}]}', "required parameter 'inner[0].key'"),
        (b'{"name": 5}', "Invalid value for parameter 'name' supplied"),
        (b'{"name": "x", "step": 1.5}', "Invalid value for parameter 'step'"),
        (b'{"name": "x", "step": 9223372036854775808}', "parameter 'step'"),
        (b'{"name": "x", "value": NaN}', "not valid JSON"),
        (b'{"name": "x"', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'"x"', "not valid JSON"),
        (b'{"not name": "\xff"}', "not valid JSON"),
        (b'{"name": "\xed\xa0\x80"}', "not valid"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"inner": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_does_not_fit_is_named(body: bytes, words: str) -> None:
    """The words are those that MLflow's clients look for."""
    with pytest.raises(errors.InvalidInput) as caught:
        take(body)

    assert words in str(caught.value)


def test_a_form_of_a_web_page_is_no_message() -> None:
    """A page of another site can send a form without asking, but never JSON."""
    with pytest.raises(errors.InvalidInput, match="application/json"):
        take(b'{"name": "x"}', content_type="text/plain")


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_body_over_the_limit_is_not_read(pieces: int) -> None:
    """Nobody fills the memory of the server."""
    part = b" " * (limits.BODY_BYTES // pieces + 1)

    with pytest.raises(BodyTooLarge):
        take(*[part] * pieces)


def test_a_query_repeats_what_is_a_list() -> None:
    """As MLflow's clients send run_ids; the last of two single values counts."""
    query = "name=a&name=b&names=x&names=y&names=&step=5&other=1"

    found = take(method="GET", query=query)

    assert found == Message("b", 5, names=["x", "y", ""])


@pytest.mark.parametrize("query", ["", "name=", "name=x&step=one", "name=x&step=1.5"])
def test_a_query_that_does_not_fit_is_refused(query: str) -> None:
    """By the same rules as a body."""
    with pytest.raises(errors.InvalidInput, match=r"parameter '(name|step)'"):
        take(method="GET", query=query)


def test_a_query_of_very_many_parameters_is_refused() -> None:
    """Splitting it would take the server's time."""
    with pytest.raises(errors.InvalidInput, match="Too many"):
        take(method="GET", query="a=&" * 20_001)


def test_from_query_takes_one_value_as_a_list() -> None:
    """One run is a list of one."""
    assert from_query({"name": ["x"], "names": ["one"]}, Message).names == ["one"]


def test_an_upload_that_ends_early_is_not_taken_for_whole() -> None:
    """Half a file that looks whole is worse than none."""

    async def all_of(upload: Request) -> bytes:
        return b"".join([chunk async for chunk in upload.chunks()])

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    broken = Request(request().scope, gone, object())

    assert asyncio.run(all_of(request(b"abc", b"def"))) == b"abcdef"
    with pytest.raises(errors.Unavailable):
        asyncio.run(all_of(broken))


def test_a_reply_is_json() -> None:
    """Whatever its type."""
    assert json.loads(bytes(reply(Message("x")).body))["name"] == "x"  # type: ignore[arg-type]  # bytes here


async def nothing(_request: Request) -> Reply:
    """Answer nothing."""
    return Reply()


def test_a_route_is_found_by_method_and_path() -> None:
    """Exact paths first, then names, then the rest of the path."""
    exact = Route("GET", "/a/b", nothing, Right.READ)
    named = Route("GET", "/a/{name}", nothing, Right.READ)
    rest = Route("PUT", "/a/{path:path}", nothing, Right.EDIT)
    router = Router([exact, named, rest])

    assert router.find("GET", "/a/b") == (exact, {})
    assert router.find("GET", "/a/c") == (named, {"name": "c"})
    assert router.find("PUT", "/a/c/d\n") == (rest, {"path": "c/d\n"})
    assert router.find("GET", "/a/c/d") is None
    assert router.find("POST", "/a/b") is None
    assert router.methods("/a/b") == ["GET", "PUT"]
    assert router.methods("/b") == []


def test_a_dot_of_a_path_is_a_dot() -> None:
    """`/api/2.0` is not `/api/2x0`."""
    assert pattern("/api/2.0/{x}").fullmatch("/api/2x0/y") is None
