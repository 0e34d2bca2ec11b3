"""Files that are being written, and appear whole or not at all."""

import asyncio
import errno
import io
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from runstone.artifacts import paths
from runstone.artifacts.folders import CREATE, Folder, below, walk
from runstone.errors import (
    ArtifactNotFound,
    Conflict,
    Unavailable,
    UnsafePath,
    Unusable,
)


CHUNK_BYTES = 1024 * 1024
"""
What one trip to a thread carries.

A trip costs some 50 us, a MiB from the page cache some 200; so a file up to
this size is written, or read, in a single trip.
"""

SMALL_BYTES = 64 * 1024
"""Up to this size a trip to a thread may cost more than writing the file."""

PATIENCE_SECONDS = 0.002
"""How long small files may hold the event loop up, which serves everybody."""

RELIEF_SECONDS = 10.0
"""How long a disk that took longer is left to the threads."""

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


class Staged:
    """
    A file that is being written, under a name of ours in the root.

    Nothing happens before the first `write` or `publish`.  The lock is for a
    cancelled upload: its last write may still run in a thread when `discard`
    comes, and must not write into a descriptor that is someone else's by then.

    Args:
        root: The folder that holds everything.

        names: Folders and, last, the file that it becomes.

        makes_folders: Make the folders that are missing.
    """

    def __init__(
        self, root: Path, names: Sequence[str], *, makes_folders: bool = True
    ) -> None:
        self._root = root
        self._names = names
        self._makes_folders = makes_folders
        self._path = "/".join(names)
        self._own_name = own_name()
        self._file: io.FileIO | None = None
        self._is_over = False
        self._lock = threading.Lock()

    def write(self, *pieces: bytes) -> None:
        """Append bytes."""
        with self._lock, told(self._path), self._top() as top:
            self._append(top, pieces)

    def copy(self, source: int, size_bytes: int) -> None:
        """Append *size_bytes* of an open file, from its start."""
        with self._lock, told(self._path), self._top() as top:
            _copy(source, self._opened(top).fileno(), size_bytes, self._path)

    def publish(self, *pieces: bytes) -> os.stat_result:
        """Append the last bytes, let the file appear at its path, describe it."""
        with self._lock, told(self._path), self._top() as top:
            self._append(top, pieces)
            found = os.fstat(self._opened(top).fileno())
            self._close()
            self._move(top)
            self._is_over = True

            return found

    def discard(self) -> None:
        """Leave nothing behind, unless it was published."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            with suppress(OSError):
                self._close()
            with suppress(FileNotFoundError), walk(self._root, ()) as top:
                top.remove(self._own_name)

    @contextmanager
    def _top(self) -> Iterator[Folder]:
        with walk(self._root, (), make=True) as top:
            yield top

    def _append(self, top: Folder, pieces: Sequence[bytes]) -> None:
        file = self._opened(top)
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[file.write(left) :]

    def _opened(self, top: Folder) -> io.FileIO:
        if self._is_over:
            raise Unavailable("the upload was given up; send it again")

        if self._file is None:
            self._file = io.FileIO(top.open(self._own_name, CREATE), "w")

        return self._file

    def _move(self, top: Folder) -> None:
        *folders, name = self._names
        try:
            with below(top, folders, make=self._makes_folders) as folder:
                folder.take(top, self._own_name, name)
        except (NotADirectoryError, IsADirectoryError) as error:
            raise Conflict(
                f"{self._path!r} would put a file where a folder is, or the reverse; "
                "take another name, or delete what is there"
            ) from error

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()


class Pace:
    """
    Whether a disk is quick enough to be written to on the event loop itself.

    The page cache takes a small file in 100 us, and a trip to a thread and back
    costs as much again.  A network disk may take as long as it likes: one whose
    last few files took too long is left to the threads for `RELIEF_SECONDS`.
    """

    def __init__(self) -> None:
        self._mean_seconds = 0.0
        self._slow_until = 0.0

    def suits(self, size_bytes: int) -> bool:
        """Say whether a file of this size may be written on the event loop."""
        return size_bytes <= SMALL_BYTES and time.monotonic() >= self._slow_until

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take the time of what is written on the event loop."""
        began = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            # The mean of the last few, since any one may have waited for a processor.
            self._mean_seconds += (now - began - self._mean_seconds) / 8
            if self._mean_seconds > PATIENCE_SECONDS:
                self._mean_seconds = 0.0
                self._slow_until = now + RELIEF_SECONDS


def own_name() -> str:
    """Make a name that no client can name or guess."""
    return paths.OWN_PREFIX + secrets.token_hex(16)


async def fill(
    staged: Staged, chunks: AsyncIterator[bytes], pace: Pace | None = None
) -> os.stat_result:
    """Write all chunks and publish, or leave nothing behind."""
    try:
        return await _filled(staged, chunks, pace)
    except BaseException:
        # Also when the task is cancelled, and cancelled again meanwhile.
        await asyncio.shield(asyncio.to_thread(staged.discard))
        raise


async def _filled(
    staged: Staged, chunks: AsyncIterator[bytes], pace: Pace | None
) -> os.stat_result:
    waiting: list[bytes] = []
    waiting_bytes = 0
    writing: asyncio.Task[None] | None = None
    try:
        async for chunk in chunks:
            waiting.append(chunk)
            waiting_bytes += len(chunk)
            if waiting_bytes > CHUNK_BYTES:
                # A thread writes these while the next ones come.
                if writing is not None:
                    await writing
                writing = asyncio.create_task(asyncio.to_thread(staged.write, *waiting))
                waiting, waiting_bytes = [], 0
        if writing is not None:
            await writing
    finally:
        if writing is not None:
            writing.cancel()
    if writing is None and pace is not None and pace.suits(waiting_bytes):
        with pace.watched():
            return staged.publish(*waiting)

    return await asyncio.to_thread(staged.publish, *waiting)


@contextmanager
def told(path: str) -> Iterator[None]:
    """Tell in our words what the file system says."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ArtifactNotFound(path) from error
    except OSError as error:
        raise _translated(path, error) from error


def _copy(source: int, target: int, size_bytes: int, path: str) -> None:
    """Let the kernel copy, where it can; some file systems share the blocks."""
    left = size_bytes
    with suppress(OSError, AttributeError):
        while left and (done := os.copy_file_range(source, target, left)):
            left -= done
    # By hand where the kernel cannot: another system, or an odd file system.
    while left:
        data = os.read(source, min(CHUNK_BYTES, left))
        if not data:
            raise Unavailable(f"{path!r} became shorter while it was read")
        while data:
            done = os.write(target, data)
            data, left = data[done:], left - done


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
