"""
An artifact as an HTTP reply: parts, conditions, and nothing that could run.

Source: RFC 9110, sections 13 (conditions) and 14 (ranges); RFC 6266 (names).
"""

import mimetypes
import re
from typing import Final
from urllib.parse import quote

from runstone import errors, limits
from runstone.artifacts import paths
from runstone.artifacts.staging import CHUNK_BYTES
from runstone.artifacts.store import Chunks, Download, Found, Store
from runstone.server import errors as wire_errors
from runstone.server.http import Reply, Request


OCTETS: Final = b"application/octet-stream"

SHOWN: Final = frozenset(
    {
        "application/json",
        "application/zip",
        "audio/mpeg",
        "audio/x-wav",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/webm",
    }
)
"""Types that are named as they are; none of them can hold a script."""


async def download(request: Request, store: Store, path: str) -> Reply:
    """
    Reply with an artifact, or the part of it that the request asks for.

    Raises:
        ArtifactNotFound: There is none.
        UnsafePath: The path is none of a client's.
    """
    key = paths.clean(path)
    if request.method == "HEAD":
        return _described(request, key, await store.find(key))

    start, end = _range(request.header(b"range"))
    try:
        opened = await store.open(key, start=start, end=end)
        condition = request.header(b"if-range").strip()
        if condition and start is not None and condition != opened.found.etag:
            # It is another file by now: the part would not fit what they have.
            await opened.chunks.aclose()
            start, end = None, None
            opened = await store.open(key)
    except errors.NoSuchRange as error:
        whole = f"bytes */{error.size_bytes}".encode()
        return wire_errors.answer(error)._replace(headers=[(b"content-range", whole)])

    if _is_known(request, opened.found):
        await opened.chunks.aclose()
        return _unchanged(opened.found)

    return await _sent(key, opened, is_part=start is not None)


async def _sent(key: str, opened: Download, *, is_part: bool) -> Reply:
    headers = _headers(key, opened.found)
    if is_part:
        place = f"bytes {opened.start}-{opened.end - 1}/{opened.found.size_bytes}"
        headers.append((b"content-range", place.encode()))

    size_bytes = opened.end - opened.start
    body: bytes | Chunks = opened.chunks
    if size_bytes <= CHUNK_BYTES:
        body = b"".join([chunk async for chunk in opened.chunks])
        await opened.chunks.aclose()

    return Reply(body, 206 if is_part else 200, _kind(key), headers, size_bytes)


def _described(request: Request, key: str, found: Found) -> Reply:
    if _is_known(request, found):
        return _unchanged(found)

    return Reply(b"", 200, _kind(key), _headers(key, found), found.size_bytes)


def _unchanged(found: Found) -> Reply:
    return Reply(b"", 304, headers=[(b"etag", _ascii(found.etag))])


def _headers(key: str, found: Found) -> list[tuple[bytes, bytes]]:
    return [
        (b"etag", _ascii(found.etag)),
        (b"accept-ranges", b"bytes"),
        # It may be kept, but a newer one may lie under the same path.
        (b"cache-control", b"private, no-cache"),
        # What users upload is a download, never a page of ours.
        (b"content-disposition", attachment(key)),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
    ]


def _is_known(request: Request, found: Found) -> bool:
    """Say whether the caller has this very version (If-None-Match)."""
    sent = request.header(b"if-none-match")
    if not sent:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in sent.split(",")]

    return found.etag in tags or tags == ["*"]


def _range(header: str) -> tuple[int | None, int | None]:
    """Read one range of bytes; anything else means the whole."""
    match = re.fullmatch(r"(?i:bytes)=(\d{0,18})-(\d{0,18})", header.strip(" \t"))
    if match is None or not (match[1] or match[2]):
        return None, None

    first, last = match[1], match[2]
    if not first:
        # The last 0 bytes are no range of anything.
        return -int(last) or limits.INT64_MAX, None
    if last and int(last) < int(first):
        return None, None

    return int(first), int(last) + 1 if last else None


def _kind(key: str) -> bytes:
    """Name the type of a file; what a browser could run is plain bytes or text."""
    guessed, packed = mimetypes.guess_type(f"./{key}")
    if packed or guessed is None:
        return OCTETS
    if guessed in SHOWN:
        return guessed.encode()

    return b"text/plain; charset=utf-8" if guessed.startswith("text/") else OCTETS


def attachment(key: str) -> bytes:
    """Name a download: in letters that every client knows, and as it is called."""
    name = key.rsplit("/", 1)[-1]
    plain = re.sub(r"[^\w.\- ]", "_", name, flags=re.ASCII)
    exact = quote(name, safe="")

    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}".encode()


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")
