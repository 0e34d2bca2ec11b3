"""
Uploads in parts to a folder: each a folder of ours below the root.

The folder's name is the upload's id, so every worker of a server finds it.
It holds the parts by their numbers, and a file that says what they become.
"""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from runstone import limits
from runstone.artifacts import paths
from runstone.artifacts.folders import CREATE, READ, Folder, walk
from runstone.artifacts.staging import Staged, fill, own_name, told
from runstone.artifacts.store import Part
from runstone.errors import ArtifactNotFound, InvalidInput, TooLarge, UploadNotFound


_PURPOSE = "path"
"""Name of the file that holds the path, beside parts `1`, `2`, …"""


def begin(root: Path, path: str, count: int) -> str:
    """
    Make the folder of an upload and return its id.

    Raises:
        TooLarge: There are over `limits.UPLOAD_PARTS`.
    """
    require_count(count)

    name = own_name()
    with (
        told(path),
        walk(root, [name], make=True) as folder,
        os.fdopen(folder.open(_PURPOSE, CREATE), "wb") as file,
    ):
        file.write(path.encode())

    return name.removeprefix(paths.OWN_PREFIX)


async def put(
    root: Path, upload_id: str, number: int, chunks: AsyncIterator[bytes]
) -> str:
    """
    Write a part, in place of an older one, and return its ETag.

    Raises:
        UploadNotFound: There is no such upload, or it is over.
    """
    require_count(number)
    names = [_folder(upload_id), str(number)]
    staged = Staged(root, names, makes_folders=False)
    try:
        return etag(await fill(staged, chunks))
    except ArtifactNotFound as error:
        raise UploadNotFound(f"part {number}") from error


def finish(root: Path, path: str, upload_id: str, sent: Sequence[Part]) -> None:
    """
    Let the artifact appear, and the parts disappear.

    Raises:
        InvalidInput: A part is missing, changed or out of order.
        UploadNotFound: There is no such upload of this path, or it is over.
    """
    numbers = [part.number for part in sent]
    if not numbers or numbers != sorted(set(numbers)):
        raise InvalidInput("parts must be named once each, in ascending order")

    staged = Staged(root, path.split("/"))
    name = _folder(upload_id)
    try:
        with walk(root, [name]) as folder:
            _require_purpose(folder, path)
            for part in sent:
                _copy(folder, part, staged)
            staged.publish()
    except FileNotFoundError as error:
        raise UploadNotFound(path) from error
    finally:
        staged.discard()

    _remove(root, name)


def abort(root: Path, path: str, upload_id: str) -> None:
    """Drop an upload and its parts; gone is fine."""
    name = _folder(upload_id)
    try:
        with walk(root, [name]) as folder:
            _require_purpose(folder, path)
    except FileNotFoundError:
        return

    _remove(root, name)


def etag(info: os.stat_result) -> str:
    """Return a mark that changes with the bytes, in its quotes."""
    # The inode is for two that were written within one tick of the clock.
    return f'"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}"'


def require_count(count: int) -> None:
    """
    Check how many parts there are to be, or the number of one.

    Raises:
        InvalidInput: It is below 1.
        TooLarge: It is over `limits.UPLOAD_PARTS`.
    """
    if count < 1:
        raise InvalidInput(f"{count} is no number of parts; expected at least 1")
    if count > limits.UPLOAD_PARTS:
        raise TooLarge("The list of parts", count, limits.UPLOAD_PARTS)


def _folder(upload_id: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32}", upload_id):
        raise UploadNotFound(upload_id[:64])

    return paths.OWN_PREFIX + upload_id


def _require_purpose(folder: Folder, path: str) -> None:
    with os.fdopen(folder.open(_PURPOSE, READ), "rb") as file:
        if file.read() != path.encode():
            raise UploadNotFound(path)


def _copy(folder: Folder, part: Part, staged: Staged) -> None:
    try:
        fd = folder.open(str(part.number), READ)
    except FileNotFoundError:
        raise InvalidInput(
            f"part {part.number} was never sent; send it, then complete again"
        ) from None

    with os.fdopen(fd, "rb", buffering=0) as file:
        info = os.fstat(fd)
        if part.etag.strip('"') != etag(info).strip('"'):
            raise InvalidInput(
                f"part {part.number} is not what was sent (its ETag is {etag(info)}, "
                f"not {part.etag[:80]!r}); send it again"
            )
        staged.copy(file.fileno(), info.st_size)


def _remove(root: Path, name: str) -> None:
    with suppress(FileNotFoundError), walk(root, ()) as top:
        top.remove(name)
