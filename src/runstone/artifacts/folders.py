"""
Folders that are walked one name at a time, so that no link leads outside.

Where the system can open relative to an open folder (`openat`), each step
is one such call that refuses links, and nobody can swap a folder for a link
between the check and the use.  Elsewhere (Windows) each step checks where
the path really lies.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, Self


HAS_OPENAT = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

# Constants that Windows lacks are 0 there; O_BINARY is Windows' own.  A pipe
# that someone put below the root must not make us wait: O_NONBLOCK.
READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
CREATE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class Folder(Protocol):
    """An open folder; names are single, and no link is ever followed."""

    def child(self, name: str, *, make: bool = False) -> Self:
        """Open a folder in this one; OSError with ELOOP if it is a link."""
        ...

    def open(self, name: str, flags: int) -> int:
        """Open a file in this one and return its descriptor."""
        ...

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield each name with what it is, links as links."""
        ...

    def take(self, source: Self, source_name: str, name: str) -> None:
        """Move a file here, in place of an older file, at once."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or link, or a folder with all it holds."""
        ...

    def close(self) -> None:
        """Let go of the folder."""
        ...


class OpenFolder:
    """A folder held by its descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a root; the path to it is ours, so its links are followed."""
        return cls(os.open(path, _FOLDER))

    def child(self, name: str, *, make: bool = False) -> Self:
        """Open a folder in this one; OSError with ELOOP if it is a link."""
        flags = _FOLDER | os.O_NOFOLLOW
        try:
            return type(self)(os.open(name, flags, dir_fd=self.fd))
        except NotADirectoryError:
            _refuse_link(name, os.stat(name, dir_fd=self.fd, follow_symlinks=False))
            raise
        except FileNotFoundError:
            if not make:
                raise

        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=self.fd)

        return type(self)(os.open(name, flags, dir_fd=self.fd))

    def open(self, name: str, flags: int) -> int:
        """Open a file in this one and return its descriptor."""
        return os.open(name, flags, 0o666, dir_fd=self.fd)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield each name with what it is, links as links."""
        with os.scandir(self.fd) as entries:
            for entry in entries:
                # It may be gone since it was listed.
                with suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)

    def take(self, source: Self, source_name: str, name: str) -> None:
        """Move a file here, in place of an older file, at once."""
        os.replace(source_name, name, src_dir_fd=source.fd, dst_dir_fd=self.fd)

    def remove(self, name: str) -> None:
        """Remove a file or link, or a folder with all it holds."""
        found = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            # It walks by descriptors too, and unlinks links (`shutil`'s docs).
            shutil.rmtree(name, dir_fd=self.fd)
        else:
            os.unlink(name, dir_fd=self.fd)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.fd)


class NamedFolder:
    """A folder known by its path, for systems that cannot open below one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a root; the path to it is ours, so its links are followed."""
        return cls(path.resolve(strict=True))

    def child(self, name: str, *, make: bool = False) -> Self:
        """Open a folder in this one; OSError with ELOOP if it is a link."""
        path = self._inside(name)
        if make:
            path.mkdir(exist_ok=True)
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)

        return type(self)(path)

    def open(self, name: str, flags: int) -> int:
        """Open a file in this one and return its descriptor."""
        path = self._inside(name)
        if path.is_dir():
            # Windows says "permission denied" here.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)

        return os.open(path, flags, 0o666)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield each name with what it is, links as links."""
        for path in self.path.iterdir():
            with suppress(FileNotFoundError):
                yield path.name, path.lstat()

    def take(self, source: Self, source_name: str, name: str) -> None:
        """Move a file here, in place of an older file, at once."""
        target = self.path / name
        if target.is_dir() and not target.is_symlink():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)

        (source.path / source_name).replace(target)

    def remove(self, name: str) -> None:
        """Remove a file or link, or a folder with all it holds."""
        path = self.path / name
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()

    def close(self) -> None:
        """Let go of the folder."""

    def _inside(self, name: str) -> Path:
        path = self.path / name
        with suppress(FileNotFoundError):
            _refuse_link(name, path.lstat())
        # A junction is no link to `lstat`; nor is `C:` or `a:stream` a name.
        if ":" in name and os.name == "nt":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        if path.resolve() != path:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)

        return path


@contextmanager
def walk(root: Path, names: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
    """Open the folder below *root*, for as long as the `with` lasts."""
    top = _at(root, make=make)
    try:
        with below(top, names, make=make) as folder:
            yield folder
    finally:
        top.close()


@contextmanager
def below(top: Folder, names: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
    """Open the folder below an open one; with no names it is the same."""
    folder = top
    try:
        for name in names:
            inner = folder.child(name, make=make)
            if folder is not top:
                folder.close()
            folder = inner
        yield folder
    finally:
        if folder is not top:
            folder.close()


def _at(root: Path, *, make: bool) -> Folder:
    kind = OpenFolder if HAS_OPENAT else NamedFolder
    try:
        return kind.at(root)
    except FileNotFoundError:
        if not make:
            raise

    root.mkdir(parents=True, exist_ok=True)

    return kind.at(root)


def _refuse_link(name: str, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
