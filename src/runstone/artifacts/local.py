"""Artifacts on this machine's disk, below one folder."""

import asyncio
import errno
import io
import os
import secrets
import stat
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from runstone.artifacts import paths
from runstone.artifacts.folders import CREATE, READ, walk
from runstone.artifacts.store import Download, span
from runstone.errors import (
    ArtifactNotFound,
    Conflict,
    NotBuilt,
    Unavailable,
    UnsafePath,
    Unusable,
)
from runstone.model import ArtifactEntry


CHUNK_BYTES = 1024 * 1024
"""
What one trip to a thread carries.

A trip costs some 50 us, a MiB from the page cache some 200; so a file up to
this size is written, or read, in a single trip.
"""

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


class LocalStore:
    """
    Implement `Store` below a folder, which is made by the first `put`.

    Links below the root are neither followed nor listed.  A finished `put` is
    in the system's cache, not yet forced to the disk: it survives the death
    of this process, not a power cut in the same second (as with MLflow).
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    async def list(self, path: str | None = None) -> tuple[ArtifactEntry, ...]:
        """List the direct children of a folder, by path; a file has none."""
        return await asyncio.to_thread(_list, self.root, paths.clean_folder(path))

    async def open(
        self, path: str, *, start: int | None = None, end: int | None = None
    ) -> Download:
        """Open an artifact, or a part of it, for reading; close its chunks."""
        return await asyncio.to_thread(_open, self.root, paths.clean(path), start, end)

    async def put(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        """Write an artifact, whole or not at all, and return its bytes."""
        staged = _Staged(self.root, paths.clean(path))
        try:
            return await _fill(staged, chunks)
        except BaseException:
            # Also when the task is cancelled, and cancelled again meanwhile.
            await asyncio.shield(asyncio.to_thread(staged.discard))
            raise

    async def delete(self, path: str | None) -> None:
        """Delete an artifact, a folder, or (None) all; gone is fine."""
        await asyncio.to_thread(_delete, self.root, paths.clean_folder(path))

    async def sweep(self, *, before_ms: int) -> int:
        """
        Remove what uploads left that a killed process never finished.

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


class _Staged:
    """
    A file that is being written, under a name of ours in the root.

    Nothing happens before the first `write` or `publish`.  The lock is for a
    cancelled `put`: its last write may still run in a thread when `discard`
    comes, and must not write into a descriptor that is someone else's by then.
    """

    def __init__(self, root: Path, path: str) -> None:
        self._root = root
        self._path = path
        self._name = paths.OWN_PREFIX + secrets.token_hex(16)
        self._file: io.BufferedRandom | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        with self._lock, _told(self._path):
            self._append(data)

    def publish(self, data: bytes) -> None:
        """Append the last bytes, and let the file appear at its path."""
        with self._lock, _told(self._path):
            self._append(data)
            self._close()
            self._move()
            self._is_over = True

    def discard(self) -> None:
        """Leave nothing behind, unless it was published."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            with suppress(OSError):
                self._close()
            with suppress(FileNotFoundError), walk(self._root, ()) as top:
                top.remove(self._name)

    def _append(self, data: bytes) -> None:
        if self._is_over:
            raise Unavailable("the upload was given up; send it again")

        if self._file is None:
            with walk(self._root, (), make=True) as top:
                self._file = os.fdopen(top.open(self._name, CREATE), "w+b")
        self._file.write(data)

    def _move(self) -> None:
        *folders, name = self._path.split("/")
        try:
            with (
                walk(self._root, ()) as top,
                walk(self._root, folders, make=True) as folder,
            ):
                folder.take(top, self._name, name)
        except (NotADirectoryError, IsADirectoryError) as error:
            raise Conflict(
                f"{self._path!r} would put a file where a folder is, or the reverse; "
                "take another name, or delete what is there"
            ) from error

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()


class _FileChunks:
    """The rest of a file; what was read while it was opened comes first."""

    def __init__(self, file: io.BufferedReader, path: str, left: int) -> None:
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
        with _told(self._path):
            data = self._file.read(wanted)
        if len(data) < wanted:
            self._file.close()
            raise Unavailable(f"{self._path!r} became shorter while it was read")

        self._left -= wanted
        if not self._left:
            self._file.close()

        return data


async def _fill(staged: _Staged, chunks: AsyncIterator[bytes]) -> int:
    total_bytes = 0
    waiting: list[bytes] = []
    waiting_bytes = 0
    async for chunk in chunks:
        waiting.append(chunk)
        waiting_bytes += len(chunk)
        if waiting_bytes > CHUNK_BYTES:
            await asyncio.to_thread(staged.write, b"".join(waiting))
            total_bytes += waiting_bytes
            waiting, waiting_bytes = [], 0
    await asyncio.to_thread(staged.publish, b"".join(waiting))

    return total_bytes + waiting_bytes


def _list(root: Path, path: str) -> tuple[ArtifactEntry, ...]:
    try:
        with _told(path), walk(root, _names(path)) as folder:
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


def _open(root: Path, path: str, start: int | None, end: int | None) -> Download:
    *folders, name = path.split("/")
    with _told(path), walk(root, folders) as folder:
        fd = folder.open(name, READ)

    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise ArtifactNotFound(path)

    file = os.fdopen(fd, "rb")
    try:
        first, stop = span(path, info.st_size, start, end)
        file.seek(first)
        chunks = _FileChunks(file, path, stop - first)
    except BaseException:
        file.close()
        raise

    return Download(
        size_bytes=info.st_size,
        start=first,
        end=stop,
        etag=f'"{info.st_mtime_ns:x}-{info.st_size:x}"',
        modified_ms=info.st_mtime_ns // 1_000_000,
        chunks=chunks,
    )


def _delete(root: Path, path: str) -> None:
    with suppress(ArtifactNotFound), _told(path):
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
    with suppress(ArtifactNotFound), _told(""), walk(root, ()) as top:
        for name, info in list(top.entries()):
            is_old = info.st_mtime_ns // 1_000_000 < before_ms
            if is_old and name.startswith(paths.OWN_PREFIX):
                top.remove(name)
                removed += 1

    return removed


def _names(path: str) -> Sequence[str]:
    return path.split("/") if path else ()


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Tell in our words what the file system says."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ArtifactNotFound(path) from error
    except OSError as error:
        raise _translated(path, error) from error


def _translated(path: str, error: OSError) -> Exception:
    if error.errno == errno.ELOOP:
        return UnsafePath(path, "a link lies on its way; links are not followed")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return Unusable(
            f"No right to {path!r} below the artifact root: {error.strerror}"
        )
    if error.errno in _FULL:
        return Unavailable("The artifact root has no space left; make some, try again")

    return Unavailable(f"The artifact root failed at {path!r}: {error.strerror}")


def _no_url(path: str, expires_seconds: int) -> NotBuilt:
    return NotBuilt(
        f"Artifacts on a disk have no presigned URL; send {path!r} through the server "
        f"(asked for {expires_seconds} s)"
    )
