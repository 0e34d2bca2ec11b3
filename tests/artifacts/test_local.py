"""What is particular to a disk."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstone.artifacts import LocalStore
from runstone.errors import Conflict, Unavailable
from tests.artifacts.sending import chunks_of, names, put, read


MIB = 1024 * 1024


@pytest.mark.parametrize("size_bytes", [10, 3 * MIB])
@pytest.mark.parametrize("path", ["folder", "file/below"])
def test_a_file_cannot_stand_where_a_folder_does(
    tmp_path: Path, path: str, size_bytes: int
) -> None:
    """Nor a folder where a file does; nothing is left of the attempt."""
    store = LocalStore(tmp_path)

    async def attempt() -> None:
        await put(store, "folder/a", b"1")
        await put(store, "file", b"2")
        with pytest.raises(Conflict, match="another name"):
            await put(store, path, bytes(size_bytes))

    asyncio.run(attempt())

    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*"))
    assert found == ["file", "folder", "folder/a"]


def test_an_unfinished_upload_is_not_seen(tmp_path: Path) -> None:
    """Neither in a listing nor at its path, until it is whole."""
    store = LocalStore(tmp_path)

    async def both() -> None:
        seen: list[list[str]] = []

        async def watched() -> AsyncIterator[bytes]:
            async for chunk in chunks_of(bytes(3 * MIB), MIB):
                yield chunk
                seen.append(await names(store))

        await store.put("big", watched())
        assert seen == [[], [], []]
        assert await names(store) == ["big"]

    asyncio.run(both())


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """Fewer bytes than were promised must not look like success."""
    store = LocalStore(tmp_path)

    async def both() -> None:
        await put(store, "big", bytes(3 * MIB))
        download = await store.open("big")
        (tmp_path / "big").write_bytes(b"")
        with pytest.raises(Unavailable, match="shorter"):
            async for _ in download.chunks:
                pass

    asyncio.run(both())


def test_a_reader_keeps_the_file_it_opened(tmp_path: Path) -> None:
    """A new upload does not mix into a download that is under way."""
    store = LocalStore(tmp_path)

    async def both() -> None:
        await put(store, "big", b"o" * (3 * MIB))
        download = await store.open("big")
        await put(store, "big", b"n" * (3 * MIB))
        data = b"".join([chunk async for chunk in download.chunks])
        assert data == b"o" * (3 * MIB)
        assert await read(store, "big") == b"n" * (3 * MIB)

    asyncio.run(both())


def test_a_sweep_takes_what_killed_uploads_left(tmp_path: Path) -> None:
    """Old ones only: a young one may be a running upload's."""
    store = LocalStore(tmp_path)
    for name, time_s in ((".runstone-old", 1_000), (".runstone-new", 3_000)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time_s, time_s))
    (tmp_path / "file").write_bytes(b"whole")
    os.utime(tmp_path / "file", (1_000, 1_000))

    assert asyncio.run(store.sweep(before_ms=2_000_000)) == 1

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".runstone-new", "file"]
    assert asyncio.run(LocalStore(tmp_path / "none").sweep(before_ms=1)) == 0
