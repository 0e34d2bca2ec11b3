"""
Bytes to typed messages and back: requests, replies, routes.

Endpoints are three acts: read, do, reply.  The type of a message is its
validation; there is no second schema.
"""

import re
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Mapping,
    Sequence,
)
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import msgspec

from runstone import errors, limits
from runstone.artifacts.store import Chunks


T = TypeVar("T")
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Scope: TypeAlias = Mapping[str, Any]

Int64: TypeAlias = Annotated[
    int, msgspec.Meta(ge=limits.INT64_MIN, le=limits.INT64_MAX)
]
Needed: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
"""Text that must be there: to protobuf an empty one is a missing one."""

JSON: Final = b"application/json"


class Right(StrEnum):
    """What a caller must be allowed to do; every route names one."""

    PUBLIC = "public"
    READ = "read"
    EDIT = "edit"


class Request:
    """One HTTP request."""

    __slots__ = ("_headers", "_receive", "app", "method", "params", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive, app: object) -> None:
        self.scope = scope
        self.app = app
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.params: Mapping[str, str] = {}
        self._receive = receive
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def header(self, name: bytes) -> str:
        """Return the first header of this (lower-case) name, or ""."""
        return str(self._headers.get(name, b""), "latin-1")

    def query(self) -> dict[str, list[str]]:
        """
        Return every value of every query parameter.

        Raises:
            InvalidInput: There are too many.
        """
        found: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                str(self.scope["query_string"], "latin-1"),
                keep_blank_values=True,
                max_num_fields=20_000,
            )
        except ValueError:
            raise errors.InvalidInput("Too many query parameters") from None
        for key, value in pairs:
            found.setdefault(key, []).append(value)

        return found

    async def body(self) -> bytes:
        """
        Return the whole body.

        Raises:
            BodyTooLarge: It is over the limit; the rest is not read.
            EncodedBody: It is compressed.
            Unavailable: The client went away before the end.
        """
        self._require_plain()

        return await self._gathered()

    async def inflated_body(self) -> bytes:
        """
        Return the whole body, also one that is compressed by gzip or deflate.

        Raises:
            BodyTooLarge: It is over the limit, compressed or not.
            EncodedBody: It is compressed by something else.
            InvalidInput: It is not what its encoding says.
            Unavailable: The client went away before the end.
        """
        encoding = self._encoding()
        if encoding not in INFLATED:
            return await self.body()

        return inflated(await self._gathered(), encoding)

    async def _gathered(self) -> bytes:
        announced = self.header(b"content-length")
        if announced.isdecimal() and int(announced[:18]) > limits.BODY_BYTES:
            raise BodyTooLarge("The body", int(announced[:18]), limits.BODY_BYTES)
        parts = []
        size = 0
        more = True
        while more:
            part, more = await self._next()
            parts.append(part)
            size += len(part)
            if size > limits.BODY_BYTES:
                raise BodyTooLarge("The body", size, limits.BODY_BYTES)

        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        """
        Yield the body as it comes, for uploads of any size.

        Raises:
            EncodedBody: It is compressed.
            Unavailable: The client went away before the end.
        """
        self._require_plain()
        more = True
        while more:
            chunk, more = await self._next()
            if chunk:
                yield chunk

    def _encoding(self) -> str:
        return self.header(b"content-encoding").strip().lower()

    def _require_plain(self) -> None:
        encoding = self._encoding()
        if encoding not in ("", "identity"):
            raise EncodedBody(
                f"A body with Content-Encoding {encoding[:50]!r} is not taken; send it "
                "as it is, without that header"
            )

    async def _next(self) -> tuple[bytes, bool]:
        """Return what came next of the body, and whether more is to come."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise errors.Unavailable("The client went away during the upload")

        return message.get("body", b""), message.get("more_body", False)

    async def gone(self) -> None:
        """Wait until the client has gone away, or has its reply."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


INFLATED: Final = {"gzip": (31,), "deflate": (15, -15)}
"""Encodings that we undo where we say so; for each the forms it has in zlib."""


def inflated(body: bytes, encoding: str) -> bytes:
    """
    Undo a compression, and stop where the result grows over the limit.

    Raises:
        BodyTooLarge: It does.
        InvalidInput: This is not what the encoding says, or not all of it.
    """
    for form in INFLATED[encoding]:
        stream = zlib.decompressobj(form)
        try:
            found = stream.decompress(body, limits.BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(found) > limits.BODY_BYTES:
            raise BodyTooLarge("The inflated body", len(found), limits.BODY_BYTES)
        if stream.eof and not stream.unused_data:
            return found

    raise errors.InvalidInput(f"The body is not valid {encoding}")


class BodyTooLarge(errors.TooLarge):
    """The body of a request is over the limit."""


class EncodedBody(errors.InvalidInput):
    """The body of a request is compressed."""


class Reply(NamedTuple):
    """One HTTP response; `body` is bytes, or chunks that are still to come."""

    body: bytes | Chunks = b"{}"
    status: int = 200
    content_type: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()
    size_bytes: int | None = None
    """Length of chunks, or of what a HEAD asked about; else it is the body's."""


Endpoint: TypeAlias = Callable[[Request], Awaitable[Reply]]


class Route(NamedTuple):
    """
    One way in.

    A `{name}` in the path matches one segment, `{name:path}` the rest of it.
    """

    method: str
    path: str
    endpoint: Endpoint
    right: Right
    takes: type | None = None
    """Type of the body, or of the query of a GET."""


class Router:
    """Finds the route of a request: exact paths by a dict, the others in turn."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            if "{" in route.path:
                self._patterns.append((pattern(route.path), route))
            else:
                self._exact[route.method, route.path] = route

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route and what its `{names}` matched, or None."""
        route = self._exact.get((method, path))
        if route is not None:
            return route, {}
        for compiled, candidate in self._patterns:
            if candidate.method == method and (match := compiled.fullmatch(path)):
                return candidate, match.groupdict()

        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that this path has."""
        exact = {method for method, known in self._exact if known == path}
        matched = {
            route.method
            for compiled, route in self._patterns
            if compiled.fullmatch(path)
        }

        return sorted(exact | matched)


def pattern(path: str) -> re.Pattern[str]:
    """Compile a path with `{names}`."""
    parts = re.split(r"\{(\w+)(:path)?\}", path)
    text = re.escape(parts[0])
    for name, rest, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text += f"(?P<{name}>{'.*' if rest else '[^/]+'})" + re.escape(literal)

    return re.compile(text, re.DOTALL)


async def read(request: Request, kind: type[T]) -> T:
    """
    Read a message: from the JSON body, or from the query of a GET.

    Numbers may come as strings and NaN as "NaN", as protobuf's JSON has them; a
    null is a field that is not there.  Fields that *kind* does not have are ignored.

    Raises:
        InvalidInput: It is not JSON, or a field is missing or does not fit.
    """
    if request.method in {"GET", "HEAD"}:
        return from_query(request.query(), kind)
    body = await request.body()
    if body and "json" not in request.header(b"content-type"):
        raise errors.InvalidInput(
            "Content-Type must be application/json; send the header "
            "'Content-Type: application/json'"
        )

    return decode(body or b"{}", kind)


def decode(body: bytes, kind: type[T]) -> T:
    """
    Read a message from JSON.

    Raises:
        InvalidInput: It is not JSON, or a field is missing or does not fit.
    """
    try:
        return _decoder(kind).decode(body)
    except msgspec.ValidationError:
        return _second_reading(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(f"The body is not valid JSON: {error}") from None
    except RecursionError:
        raise _too_deep() from None


def _second_reading(body: bytes, kind: type[T]) -> T:
    """
    Read what did not fit at once: with nulls, or as JSON in a JSON string.

    Source: `_get_normalized_request_json` in `mlflow/server/handlers.py`, 3.18.
    """
    try:
        sent = msgspec.json.decode(body)
        if isinstance(sent, str):
            sent = msgspec.json.decode(sent)
        return msgspec.convert(_without_nulls(sent) or {}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.InvalidInput(f"The body is not valid JSON: {error}") from None
    except RecursionError:
        raise _too_deep() from None


def _without_nulls(sent: object) -> object:
    if isinstance(sent, dict):
        return {k: _without_nulls(v) for k, v in sent.items() if v is not None}
    if isinstance(sent, list):
        return [_without_nulls(item) for item in sent]

    return sent


def from_query(query: Mapping[str, list[str]], kind: type[T]) -> T:
    """
    Make a message of query parameters; a list is a parameter given repeatedly.

    Raises:
        InvalidInput: A field is missing or does not fit.
    """
    lists = _list_fields(kind)  # type: ignore[arg-type]  # every class can be hashed
    flat = {key: query[key] if key in lists else query[key][-1] for key in query}
    try:
        return msgspec.convert(flat, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None


def reply(message: object) -> Reply:
    """Send a message as JSON."""
    return Reply(_encode(message))


_encode = msgspec.json.Encoder().encode


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind, strict=False)

    return _decoders[kind]


@lru_cache(maxsize=512)
def _list_fields(kind: Hashable) -> frozenset[str]:
    return frozenset(
        field.encode_name
        for field in msgspec.structs.fields(kind)  # type: ignore[arg-type]  # a Struct class
        if "list[" in str(field.type)
    )


def lacking(name: str) -> errors.InvalidInput:
    """Say that a field is missing, in the words that MLflow's clients look for."""
    return errors.InvalidInput(
        f"Missing value for required parameter '{name}'. See the API docs for more "
        "information about request parameters."
    )


def _too_deep() -> errors.InvalidInput:
    return errors.InvalidInput("The body is nested too deeply")


def _misfit(text: str) -> errors.InvalidInput:
    """Say msgspec's error in the words that MLflow's clients look for."""
    problem, _, place = text.partition(" - at ")
    where = place.strip("`").removeprefix("$").removeprefix(".")
    missing = re.match(r"Object missing required field `(\w+)`", problem)
    if missing:
        return lacking(f"{where}.{missing[1]}" if where else missing[1])
    if problem == "Expected `str` of length >= 1":
        return lacking(where)

    return errors.InvalidInput(
        f"Invalid value for parameter '{where or 'body'}' supplied: {problem}"
    )
