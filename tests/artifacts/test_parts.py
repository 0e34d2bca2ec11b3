"""Uploads in parts to a folder."""

import asyncio
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import limits
from runstone.artifacts import LocalStore
from runstone.artifacts.store import Part
from runstone.errors import InvalidInput, TooLarge, UploadNotFound
from tests.artifacts.sending import broken, chunks_of, names, read


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Give one store for many examples."""
    return LocalStore(tmp_path_factory.mktemp("parts"))


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_any_parts_in_any_order_make_the_whole(
    shared: LocalStore, parts: list[bytes], order: random.Random
) -> None:
    """The numbers say where a part belongs, not when it came."""
    numbers = list(range(1, len(parts) + 1))
    order.shuffle(numbers)

    async def send() -> bytes:
        begun = await shared.begin_parts("a/whole", count=len(parts))
        etags = {
            number: await shared.put_part(
                begun.upload_id, number, chunks_of(parts[number - 1], 100)
            )
            for number in numbers
        }
        sent = [Part(number, etags[number]) for number in sorted(etags)]
        await shared.finish_parts("a/whole", begun.upload_id, sent)

        return await read(shared, "a/whole")

    assert asyncio.run(send()) == b"".join(parts)
    assert [path.name for path in shared.root.iterdir()] == ["a"]


@pytest.mark.parametrize("is_refused", [False, True])
def test_parts_are_joined_where_the_kernel_cannot_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    """On another system, or between odd file systems."""

    def refused(*_: int) -> int:
        raise OSError(95, "Operation not supported")

    if is_refused:
        monkeypatch.setattr(os, "copy_file_range", refused)
    else:
        monkeypatch.delattr(os, "copy_file_range")
    store = LocalStore(tmp_path)
    data = os.urandom(3_000_000)

    async def send() -> bytes:
        begun = await store.begin_parts("x", count=2)
        etags = [
            await store.put_part(begun.upload_id, n, chunks_of(data)) for n in (1, 2)
        ]
        sent = [Part(n, etag) for n, etag in enumerate(etags, start=1)]
        await store.finish_parts("x", begun.upload_id, sent)

        return await read(store, "x")

    assert asyncio.run(send()) == data + data


def test_a_part_that_broke_off_is_no_part(tmp_path: Path) -> None:
    """Half of it would make a file that never was."""
    store = LocalStore(tmp_path)

    async def send() -> None:
        begun = await store.begin_parts("x", count=1)
        with pytest.raises(ConnectionResetError):
            await store.put_part(begun.upload_id, 1, broken(b"half"))
        with pytest.raises(InvalidInput, match="never sent"):
            await store.finish_parts("x", begun.upload_id, [Part(1, '"x"')])
        await store.abort_parts("x", begun.upload_id)

    asyncio.run(send())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "upload_id", ["", "0" * 32, "../x", "A" * 32, "0" * 31 + "\n", "/" * 32]
)
def test_an_unknown_upload_is_said(tmp_path: Path, upload_id: str) -> None:
    """Whatever stands in its place, no folder but an upload's is opened."""
    store = LocalStore(tmp_path)

    with pytest.raises(UploadNotFound):
        asyncio.run(store.put_part(upload_id, 1, chunks_of(b"data")))
    with pytest.raises(UploadNotFound):
        asyncio.run(store.finish_parts("x", upload_id, [Part(1, "x")]))
    assert asyncio.run(names(store)) == []


def test_parts_have_bounds(tmp_path: Path) -> None:
    """As S3 has them, so what works here works there."""
    store = LocalStore(tmp_path)

    for number in (0, -1):
        with pytest.raises(InvalidInput):
            asyncio.run(store.put_part("0" * 32, number, chunks_of(b"")))
    with pytest.raises(TooLarge):
        asyncio.run(store.begin_parts("x", count=limits.UPLOAD_PARTS + 1))
    assert list(tmp_path.iterdir()) == []
