"""Artifacts in S3, or in anything that speaks its protocol."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from runstone.artifacts import paths
from runstone.artifacts.parts import require_count
from runstone.artifacts.s3parts import Signer
from runstone.artifacts.s3settings import client_options, connection
from runstone.artifacts.store import Chunks, Download, Found, Part, PartUpload, span
from runstone.errors import (
    ArtifactNotFound,
    InvalidInput,
    NotBuilt,
    RunstoneError,
    Unavailable,
    UnsafePath,
    Unusable,
)
from runstone.model import ArtifactEntry


if TYPE_CHECKING:
    from obstore import BytesStream, ObjectMeta
    from obstore.store import S3Store as Bucket


PART_BYTES = 16 * 1024 * 1024
"""
One part of a large upload.

S3 takes 10,000 parts, so this bounds an artifact to 160 GB; an upload holds
a few parts in memory.  Source: Amazon S3 User Guide, "multipart upload limits".
"""

SMALL_BYTES = 4 * 1024 * 1024
"""An upload up to this size is one request."""

CHUNK_BYTES = 1024 * 1024
EXPIRES_SECONDS = 7 * 24 * 3600
"""Longest life of a presigned URL; S3: 7 days."""

_PARTS_AT_ONCE = 2
_KEYS_AT_ONCE = 1_000


class S3Store:
    """
    Implement `Store` below a prefix of a bucket.

    Which server, region and credentials: from the environment, by the names
    that AWS's own tools and MLflow read (`AWS_*`, `MLFLOW_S3_*`).

    Raises:
        Unusable: The `s3` extra is missing, or the settings make no sense.
    """

    def __init__(self, uri: str, *, environ: Mapping[str, str] | None = None) -> None:
        known = os.environ if environ is None else environ
        self._bucket = _connect(uri, known)
        self._signer = Signer(uri, known)

    gives_urls = True

    async def list(self, path: str | None = None) -> tuple[ArtifactEntry, ...]:
        """List the direct children of a folder, by path; a file has none."""
        key = paths.clean_folder(path)
        try:
            found = await self._bucket.list_with_delimiter_async(key or None)
        except _failures() as error:
            raise _translated(key, error) from error

        folders = [
            ArtifactEntry(name, is_folder=True, size_bytes=None)
            for name in found["common_prefixes"]
        ]
        files = [
            ArtifactEntry(entry["path"], is_folder=False, size_bytes=entry["size"])
            for entry in found["objects"]
            # Some tools mark a folder with an empty object of its name.
            if entry["path"] != key
        ]

        return tuple(sorted(e for e in folders + files if paths.is_clean(e.path)))

    async def open(
        self, path: str, *, start: int | None = None, end: int | None = None
    ) -> Download:
        """Open an artifact, or a part of it, for reading; close its chunks."""
        key = paths.clean(path)
        try:
            if start is None and end is None:
                return await self._whole(key)

            meta = await self._bucket.head_async(key)
            first, stop = span(key, meta["size"], start, end)

            return _download(meta, first, stop, await self._part(key, first, stop))
        except _failures() as error:
            raise _translated(key, error) from error

    async def find(self, path: str) -> Found:
        """Describe an artifact without reading it."""
        key = paths.clean(path)
        try:
            return _found(await self._bucket.head_async(key))
        except _failures() as error:
            raise _translated(key, error) from error

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """Write an artifact, whole or not at all, and return its bytes."""
        key = paths.clean(path)
        upload = _Upload(chunks)
        first = await upload.take(SMALL_BYTES)
        try:
            if len(first) < SMALL_BYTES:
                await self._bucket.put_async(key, first, use_multipart=False)
            else:
                await self._bucket.put_async(
                    key,
                    upload.all(first),
                    use_multipart=True,
                    chunk_size=PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except FileNotFoundError as error:
            raise Unusable("The bucket does not exist; create it first") from error
        except _failures() as error:
            if error is upload.failure:
                raise
            raise _translated(key, error) from error

        return upload.total_bytes

    async def begin_parts(self, path: str, *, count: int) -> PartUpload:
        """Begin an upload in parts; return a URL for each."""
        require_count(count)

        return await asyncio.to_thread(self._signer.begin, paths.clean(path), count)

    async def put_part(
        self,
        upload_id: str,
        number: int,
        chunks: AsyncIterator[bytes],  # noqa: ARG002  # for stores without URLs
    ) -> str:
        """Raise NotBuilt: each part has a URL of the bucket."""
        raise NotBuilt(
            f"Part {number} of {upload_id[:64]!r} goes to the URL that was given for "
            "it, not through the server"
        )

    async def finish_parts(
        self, path: str, upload_id: str, sent: Sequence[Part]
    ) -> None:
        """Let the artifact appear, made of these parts."""
        key = paths.clean(path)
        await asyncio.to_thread(self._signer.finish, key, upload_id, sent)

    async def abort_parts(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts; gone is fine."""
        await asyncio.to_thread(self._signer.abort, paths.clean(path), upload_id)

    async def sweep(self, *, before_ms: int) -> int:  # noqa: ARG002  # for other stores
        """
        Do nothing: a rule of the bucket does this.

        Source: Amazon S3 User Guide, AbortIncompleteMultipartUpload.
        """
        return 0

    async def delete(self, path: str | None) -> None:
        """Delete an artifact, a folder, or (None) all; gone is fine."""
        key = paths.clean_folder(path)
        try:
            if key:
                await self._delete_file(key)
            async for page in self._bucket.list(key or None, chunk_size=_KEYS_AT_ONCE):
                await self._delete_keys([entry["path"] for entry in page])
        except _failures() as error:
            raise _translated(key, error) from error

    async def download_url(self, path: str, *, expires_seconds: int) -> str:
        """Return a URL that anyone may GET the artifact from, for a while."""
        return await self._signed("GET", path, expires_seconds)

    async def upload_url(self, path: str, *, expires_seconds: int) -> str:
        """Return a URL that anyone may PUT the artifact to, for a while."""
        return await self._signed("PUT", path, expires_seconds)

    async def _whole(self, key: str) -> Download:
        result = await self._bucket.get_async(key)
        size_bytes = result.meta["size"]
        chunks = _ObjectChunks(result.stream(CHUNK_BYTES), key, skip=0, left=size_bytes)

        return _download(result.meta, 0, size_bytes, chunks)

    async def _part(self, key: str, first: int, stop: int) -> Chunks:
        skip = 0
        try:
            result = await self._bucket.get_async(key, options={"range": (first, stop)})
        except _failures() as error:
            # Some servers answer a range with 200 and perhaps the whole.
            if "non-partial" not in str(error):
                raise
            result = await self._bucket.get_async(key)
            skip = first

        stream = result.stream(CHUNK_BYTES)

        return _ObjectChunks(stream, key, skip=skip, left=stop - first)

    async def _delete_file(self, key: str) -> None:
        # Some servers fail to delete a key that is not there but has keys below.
        with suppress(FileNotFoundError):
            await self._bucket.head_async(key)
            await self._bucket.delete_async(key)

    async def _delete_keys(self, keys: Sequence[str]) -> None:
        with suppress(FileNotFoundError):
            await self._bucket.delete_async(keys)

    async def _signed(
        self, method: Literal["GET", "PUT"], path: str, expires_seconds: int
    ) -> str:
        import obstore  # noqa: PLC0415  # the `s3` extra

        key = paths.clean(path)
        if not 1 <= expires_seconds <= EXPIRES_SECONDS:
            raise InvalidInput(
                f"expiration is {expires_seconds} s, expected 1 to {EXPIRES_SECONDS}"
            )

        expires = timedelta(seconds=expires_seconds)
        try:
            return await obstore.sign_async(self._bucket, method, key, expires)
        except _failures() as error:
            raise _translated(key, error) from error


class _Upload:
    """The chunks of one upload, counted, in pieces that suit the store."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = aiter(chunks)
        self.total_bytes = 0
        self.failure: BaseException | None = None
        """What the chunks raised: the sender's fault, not the store's."""

    async def take(self, least_bytes: int) -> bytes:
        """Return at least so many bytes, or fewer at the end."""
        taken: list[bytes] = []
        taken_bytes = 0
        try:
            async for chunk in self._chunks:
                taken.append(chunk)
                taken_bytes += len(chunk)
                if taken_bytes >= least_bytes:
                    break
        except BaseException as error:
            self.failure = error
            raise
        self.total_bytes += taken_bytes

        return b"".join(taken)

    async def all(self, first: bytes) -> AsyncIterator[bytes]:
        """Yield what was taken first, then the rest."""
        yield first
        while data := await self.take(CHUNK_BYTES):
            yield data


class _ObjectChunks:
    """Bytes *skip* to *skip* + *left* of a response's body."""

    def __init__(
        self, stream: "BytesStream", path: str, *, skip: int, left: int
    ) -> None:
        self._stream: BytesStream | None = stream
        self._path = path
        self._skip = skip
        self._left = left

    def __aiter__(self) -> "_ObjectChunks":
        return self

    async def __anext__(self) -> bytes:
        while self._left and self._stream is not None:
            chunk = await self._next(self._stream)
            wanted = chunk[self._skip : self._skip + self._left]
            self._skip = max(0, self._skip - len(chunk))
            self._left -= len(wanted)
            if wanted:
                return wanted

        self._stream = None
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Drop the response; a second time does nothing."""
        self._stream = None

    async def _next(self, stream: "BytesStream") -> bytes:
        try:
            return bytes(await anext(stream))
        except StopAsyncIteration:
            raise Unavailable(f"{self._path!r} ended early; ask again") from None
        except _failures() as error:
            raise _translated(self._path, error) from error


def _download(meta: "ObjectMeta", start: int, end: int, chunks: Chunks) -> Download:
    return Download(_found(meta), start, end, chunks)


def _found(meta: "ObjectMeta") -> Found:
    tag = (meta["e_tag"] or "").strip('"')
    return Found(
        size_bytes=meta["size"],
        etag=f'"{tag}"',
        modified_ms=int(meta["last_modified"].timestamp() * 1000),
    )


def _connect(uri: str, environ: Mapping[str, str]) -> "Bucket":
    try:
        from obstore.store import S3Store as Bucket  # noqa: PLC0415  # the `s3` extra
    except ImportError as error:
        raise Unusable(
            f"{uri} needs the s3 extra: pip install 'runstone[s3]'"
        ) from error

    split = urlsplit(uri)
    config = connection(split.netloc, environ)
    try:
        return Bucket(
            split.netloc,
            prefix=split.path.strip("/") or None,
            config=config,
            client_options=client_options(environ),
            # The caller is waiting: a store that is away is said soon.
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=20)},
        )
    except _failures() as error:
        raise Unusable(f"{uri} cannot be used: {_first_line(error)}") from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what the library raises."""
    from obstore.exceptions import BaseError  # noqa: PLC0415  # the `s3` extra

    return BaseError, OSError, ValueError


def _translated(path: str, error: Exception) -> RunstoneError:
    from obstore import exceptions  # noqa: PLC0415  # the `s3` extra

    text = str(error)
    refusals = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    # A listing that fails has no class of its own, only its status in the text.
    if isinstance(error, refusals) or "code: 403" in text:
        return Unusable(
            "The object store refused us; check AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and the rights of that key on the bucket"
        )
    if isinstance(error, FileNotFoundError):
        return ArtifactNotFound(path)
    if "code: 404" in text:
        return Unusable("The bucket does not exist; create it first")
    if isinstance(error, exceptions.InvalidPathError):
        return UnsafePath(path, "the object store cannot keep this name")

    return Unavailable(f"The object store failed at {path!r}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
