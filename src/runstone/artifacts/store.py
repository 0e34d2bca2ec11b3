"""What every artifact store can do, whatever keeps the bytes."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from runstone.errors import NoSuchRange
from runstone.model import ArtifactEntry


class Chunks(Protocol):
    """Bytes that come one piece at a time; close it, read to its end or not."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the pieces, once."""
        ...

    async def aclose(self) -> None:
        """Let go of what is held open; a second time does nothing."""
        ...


class Found(NamedTuple):
    """What is known of an artifact without reading it."""

    size_bytes: int
    etag: str
    """Changes with the bytes; in its quotes, ready for the `ETag` header."""

    modified_ms: int


class Download(NamedTuple):
    """Bytes `start` to `end` (exclusive) of an artifact."""

    found: Found
    start: int
    end: int
    chunks: Chunks


class PartUpload(NamedTuple):
    """An upload in parts that has begun."""

    upload_id: str
    urls: tuple[str, ...]
    """
    Where the sender PUTs part 1, 2 and so on, for a while.

    Empty where the store has no URLs: the parts come by `put_part`.
    """


class Part(NamedTuple):
    """A part that was sent."""

    number: int
    """From 1."""

    etag: str
    """What the store answered to it."""


class Store(Protocol):
    """
    Bytes by path, below one root.

    Every path goes through `paths.clean` here, so a caller may pass what a
    client sent.  All methods may be called at once; each raises `UnsafePath`
    for a bad path, `Unavailable` when it may work later, and `Unusable` when
    the store cannot be used as it is set up.
    """

    @property
    def gives_urls(self) -> bool:
        """Whether clients can reach the bytes without us: `download_url` works."""
        ...

    async def list(self, path: str | None = None) -> tuple[ArtifactEntry, ...]:
        """
        List the direct children of a folder, by path.

        A file, and what does not exist, has none (MLflow's rule).
        """
        ...

    async def open(
        self, path: str, *, start: int | None = None, end: int | None = None
    ) -> Download:
        """
        Open an artifact for reading, in constant memory; close its chunks.

        Args:
            path: The artifact.

            start: First byte; below 0, so many bytes before the end.

            end: First byte that is not wanted; past the end means the end.

        Raises:
            ArtifactNotFound: There is none, or it is a folder.
            NoSuchRange: There is no such byte.
        """
        ...

    async def find(self, path: str) -> Found:
        """
        Describe an artifact without reading it.

        Raises:
            ArtifactNotFound: There is none, or it is a folder.
        """
        ...

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """
        Write an artifact, in constant memory, and return its bytes.

        The artifact appears whole, in place of an older one, or not at all:
        if *chunks* raises or the task is cancelled, nothing is left.

        Raises:
            Conflict: A folder has this name, or a file the name of a folder.
        """
        ...

    async def begin_parts(self, path: str, *, count: int) -> PartUpload:
        """
        Begin an upload in so many parts; nothing is seen before it is finished.

        Raises:
            TooLarge: There are over `limits.UPLOAD_PARTS`.
        """
        ...

    async def put_part(
        self, upload_id: str, number: int, chunks: AsyncIterator[bytes]
    ) -> str:
        """
        Write a part, in place of an older one, and return its ETag.

        Raises:
            NotBuilt: This store has URLs for its parts.
            UploadNotFound: There is no such upload, or it is over.
        """
        ...

    async def finish_parts(
        self, path: str, upload_id: str, sent: Sequence[Part]
    ) -> None:
        """
        Let the artifact appear whole, in place of an older one.

        Raises:
            InvalidInput: A part is missing, changed or out of order.
            UploadNotFound: There is no such upload of this path, or it is over.
        """
        ...

    async def abort_parts(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts; gone is fine."""
        ...

    async def sweep(self, *, before_ms: int) -> int:
        """Remove uploads that nobody wrote to since; return how many."""
        ...

    async def delete(self, path: str | None) -> None:
        """
        Delete an artifact, or a folder with all it holds; gone is fine.

        None, or an empty path, empties the whole root.
        """
        ...

    async def download_url(self, path: str, *, expires_seconds: int) -> str:
        """
        Return a URL that anyone may GET the artifact from, for a while.

        Raises:
            NotBuilt: This store has no such URLs; use `open`.
        """
        ...

    async def upload_url(self, path: str, *, expires_seconds: int) -> str:
        """
        Return a URL that anyone may PUT the artifact to, for a while.

        Raises:
            NotBuilt: This store has no such URLs; use `put`.
        """
        ...


def span(
    path: str, size_bytes: int, start: int | None, end: int | None
) -> tuple[int, int]:
    """
    Return the first byte and the one after the last of what was asked for.

    Raises:
        NoSuchRange: There is no byte in it.
    """
    if start is None and end is None:
        return 0, size_bytes

    first = start or 0
    if first < 0:
        first = max(0, size_bytes + first)
    stop = size_bytes if end is None else min(end, size_bytes)
    if first >= stop:
        raise NoSuchRange(path, size_bytes)

    return first, stop
