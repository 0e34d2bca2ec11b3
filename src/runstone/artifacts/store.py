"""What every artifact store can do, whatever keeps the bytes."""

from collections.abc import AsyncIterator
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


class Download(NamedTuple):
    """Bytes `start` to `end` (exclusive) of an artifact of `size_bytes`."""

    size_bytes: int
    start: int
    end: int
    etag: str
    """Changes with the bytes; in its quotes, ready for the `ETag` header."""

    modified_ms: int
    chunks: Chunks


class Store(Protocol):
    """
    Bytes by path, below one root.

    Every path goes through `paths.clean` here, so a caller may pass what a
    client sent.  All methods may be called at once; each raises `UnsafePath`
    for a bad path, `Unavailable` when it may work later, and `Unusable` when
    the store cannot be used as it is set up.

    There are no multipart uploads: MLflow's clients ask for them only where
    `mlflow/server-info` offers them, and else send one plain PUT, which is
    streamed here (`http_artifact_repo.py`, MLflow 3.18).
    """

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

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """
        Write an artifact, in constant memory, and return its bytes.

        The artifact appears whole, in place of an older one, or not at all:
        if *chunks* raises or the task is cancelled, nothing is left.

        Raises:
            Conflict: A folder has this name, or a file the name of a folder.
        """
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
