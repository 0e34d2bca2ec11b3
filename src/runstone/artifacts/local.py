"""Artifacts on this machine's disk, below one folder."""

import asyncio
import io
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from runstone.artifacts import parts, paths
from runstone.artifacts.folders import READ, walk
from runstone.artifacts.staging import CHUNK_BYTES, Pace, Staged, fill, told
from runstone.artifacts.store import Download, Found, Part, PartUpload, span
from runstone.errors import ArtifactNotFound, NotBuilt, Unavailable
from runstone.model import ArtifactEntry


class LocalStore:
    """
    Implement `Store` below a folder, which is made by the first `put`.

    Links below the root are neither followed nor listed.  A finished `put` is
    in the system's cache, not yet forced to the disk: it survives the death
    of this process, not a power cut in the same second (as with MLflow).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pace = Pace()

    gives_urls = False

    async def list(self, path: str | None = None) -> tuple[ArtifactEntry, ...]:
        """List the direct children of a folder, by path; a file has none."""
        return await asyncio.to_thread(_list, self.root, paths.clean_folder(path))

    async def open(
        self, path: str, *, start: int | None = None, end: int | None = None
    ) -> Download:
        """Open an artifact, or a part of it, for reading; close its chunks."""
        return await asyncio.to_thread(_open, self.root, paths.clean(path), start, end)

    async def find(self, path: str) -> Found:
        """Describe an artifact without reading it."""
        return await asyncio.to_thread(_find, self.root, paths.clean(path))

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """Write an artifact, whole or not at all, and return its bytes."""
        names = paths.clean(path).split("/")
        written = await fill(Staged(self.root, names), chunks, self._pace)

        return written.st_size

    async def begin_parts(self, path: str, *, count: int) -> PartUpload:
        """Begin an upload in parts, which come by `put_part`."""
        key = paths.clean(path)
        upload_id = await asyncio.to_thread(parts.begin, self.root, key, count)

        return PartUpload(upload_id, urls=())

    async def put_part(
        self, upload_id: str, number: int, chunks: AsyncIterator[bytes]
    ) -> str:
        """Write a part, in place of an older one, and return its ETag."""
        return await parts.put(self.root, upload_id, number, chunks)

    async def finish_parts(
        self, path: str, upload_id: str, sent: Sequence[Part]
    ) -> None:
        """Let the artifact appear, made of these parts."""
        key = paths.clean(path)
        await asyncio.to_thread(parts.finish, self.root, key, upload_id, sent)

    async def abort_parts(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts; gone is fine."""
        key = paths.clean(path)
        await asyncio.to_thread(parts.abort, self.root, key, upload_id)

    async def delete(self, path: str | None) -> None:
        """Delete an artifact, a folder, or (None) all; gone is fine."""
        await asyncio.to_thread(_delete, self.root, paths.clean_folder(path))

    async def sweep(self, *, before_ms: int) -> int:
        """
        Remove uploads that nobody finished: their sender, or we, were killed.

        Args:
            before_ms: Leave uploads alone that were written to since.

        Returns:
            How many were removed.
        """
        return await asyncio.to_thread(_sweep, self.root, before_ms)

    async def download_url(self, path: str, *, expires_seconds: int) -> str:
        """Raise NotBuilt: a disk has no URLs."""
        raise _no_url(paths.clean(path), expires_seconds)

    async def upload_url(self, path: str, *, expires_seconds: int) -> str:
        """Raise NotBuilt: a disk has no URLs."""
        raise _no_url(paths.clean(path), expires_seconds)


class _FileChunks:
    """The rest of a file; what was read while it was opened comes first."""

    def __init__(self, file: io.FileIO, path: str, left: int) -> None:
        self._file = file
        self._path = path
        self._left = left
        self._ready = self._read()

    def __aiter__(self) -> "_FileChunks":
        return self

    async def __anext__(self) -> bytes:
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        if not self._left:
            raise StopAsyncIteration

        return await asyncio.to_thread(self._read)

    async def aclose(self) -> None:
        """Close the file; a second time does nothing."""
        self._left = 0
        self._file.close()

    def _read(self) -> bytes:
        wanted = min(CHUNK_BYTES, self._left)
        with told(self._path):
            data = self._file.read(wanted) if wanted else b""
        if len(data) < wanted:
            self._file.close()
            raise Unavailable(f"{self._path!r} became shorter while it was read")

        self._left -= wanted
        if not self._left:
            self._file.close()

        return data


def _list(root: Path, path: str) -> tuple[ArtifactEntry, ...]:
    try:
        with told(path), walk(root, _names(path)) as folder:
            found = list(folder.entries())
    except ArtifactNotFound:
        return ()

    prefix = f"{path}/" if path else ""
    entries = (_entry(prefix + name, info) for name, info in found)

    return tuple(sorted(entry for entry in entries if entry is not None))


def _entry(path: str, info: os.stat_result) -> ArtifactEntry | None:
    """Describe a file or folder; None for links, pipes and names of no client."""
    if not paths.is_clean(path):
        return None
    if stat.S_ISDIR(info.st_mode):
        return ArtifactEntry(path, is_folder=True, size_bytes=None)
    if stat.S_ISREG(info.st_mode):
        return ArtifactEntry(path, is_folder=False, size_bytes=info.st_size)

    return None


def _find(root: Path, path: str) -> Found:
    with _opened(root, path) as file:
        return _found(os.fstat(file.fileno()))


def _open(root: Path, path: str, start: int | None, end: int | None) -> Download:
    file = _opened(root, path)
    try:
        info = os.fstat(file.fileno())
        first, stop = span(path, info.st_size, start, end)
        if first:
            file.seek(first)
        chunks = _FileChunks(file, path, stop - first)
    except BaseException:
        file.close()
        raise

    return Download(_found(info), start=first, end=stop, chunks=chunks)


def _opened(root: Path, path: str) -> io.FileIO:
    *folders, name = path.split("/")
    with told(path), walk(root, folders) as folder:
        fd = folder.open(name, READ)

    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ArtifactNotFound(path)

    return io.FileIO(fd, "r")


def _found(info: os.stat_result) -> Found:
    return Found(
        size_bytes=info.st_size,
        etag=parts.etag(info),
        modified_ms=info.st_mtime_ns // 1_000_000,
    )


def _delete(root: Path, path: str) -> None:
    with suppress(ArtifactNotFound), told(path):
        if not path:
            _empty(root)
            return

        *folders, name = path.split("/")
        with walk(root, folders) as folder:
            folder.remove(name)


def _empty(root: Path) -> None:
    with walk(root, ()) as top:
        for name, _ in list(top.entries()):
            with suppress(FileNotFoundError):
                top.remove(name)


def _sweep(root: Path, before_ms: int) -> int:
    removed = 0
    with suppress(ArtifactNotFound), told(""), walk(root, ()) as top:
        for name, info in list(top.entries()):
            is_old = info.st_mtime_ns // 1_000_000 < before_ms
            if is_old and name.startswith(paths.OWN_PREFIX):
                top.remove(name)
                removed += 1

    return removed


def _names(path: str) -> Sequence[str]:
    return path.split("/") if path else ()


def _no_url(path: str, expires_seconds: int) -> NotBuilt:
    return NotBuilt(
        f"Artifacts on a disk have no presigned URL; send {path!r} through the server "
        f"(asked for {expires_seconds} s)"
    )
