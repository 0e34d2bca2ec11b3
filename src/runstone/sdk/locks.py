"""A lock that is a file: held by one process, and free when that dies."""

import os
from contextlib import suppress
from pathlib import Path


try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class Lock:
    """
    A lock on a folder.

    Where the system has no such locks, it is never held by somebody else: the
    server counts what it hears, so two senders of one journal do no harm.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file = -1

    def take(self) -> bool:
        """Take the lock; False where another process has it, or it is gone."""
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            return False

        return True

    def release(self) -> None:
        """Let go; a forked child that does so leaves it to its parent."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1
