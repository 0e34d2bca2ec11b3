"""What both stores promise; each test runs over a disk and over real S3."""

import asyncio
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import pytest

from runstone.artifacts import LocalStore, Store
from runstone.errors import ArtifactNotFound, InvalidInput, NoSuchRange, NotBuilt
from runstone.model import ArtifactEntry
from tests.artifacts.sending import broken, chunks_of, names, put, read


MIB = 1024 * 1024

NAMES = [
    "model.pkl",
    "한글 폴더/결과 파일.txt",
    "a/b/c/d.json",
    "50%.txt",
    "100% sure?.txt",
    "C#.md",
    "plus+and&=.txt",
    "quote'\"`<>|*.txt",
    ".hidden",
    "dots..inside.txt",
    "e\u0301 is not \u00e9.txt",
    "😀.png",
]


@pytest.mark.parametrize("path", NAMES)
def test_what_was_put_is_read_back_under_its_name(store: Store, path: str) -> None:
    """Names of any script, and odd ones, simply work."""

    async def both() -> bytes:
        assert await put(store, path, b"payload") == 7
        return await read(store, path)

    assert asyncio.run(both()) == b"payload"


@pytest.mark.parametrize(
    "size_bytes", [0, 1, 65_536, MIB - 1, MIB, MIB + 1, 4 * MIB, 33 * MIB + 7]
)
def test_bytes_come_back_as_they_went(store: Store, size_bytes: int) -> None:
    """At every border between one request, one trip and many."""
    data = os.urandom(size_bytes)

    async def both() -> bytes:
        assert await put(store, "folder/file", data) == size_bytes
        return await read(store, "folder/file")

    assert asyncio.run(both()) == data


def test_a_second_put_takes_the_place_of_the_first(store: Store) -> None:
    """A rerun overwrites its artifact, and the ETag tells caches."""

    async def both() -> None:
        await put(store, "a", b"old one")
        old = await store.find("a")
        await put(store, "a", b"new")
        opened = await store.open("a")
        await opened.chunks.aclose()
        new = opened.found

        assert await read(store, "a") == b"new"
        assert old.etag != new.etag
        assert new.etag.startswith('"')
        assert new.etag.endswith('"')
        assert new.modified_ms > 1_600_000_000_000
        assert await store.find("a") == new

    asyncio.run(both())


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, b"0"),
        (2, 5, b"234"),
        (7, None, b"789"),
        (None, 3, b"012"),
        (-3, None, b"789"),
        (-99, None, b"0123456789"),
        (8, 99, b"89"),
    ],
)
def test_a_range_gives_just_these_bytes(
    store: Store, start: int | None, end: int | None, expected: bytes
) -> None:
    """A browser that seeks in a video asks so."""

    async def both() -> bytes:
        await put(store, "digits", b"0123456789")
        return await read(store, "digits", start=start, end=end)

    assert asyncio.run(both()) == expected


@pytest.mark.parametrize(("start", "end"), [(10, None), (99, 100), (5, 5)])
def test_a_range_with_no_byte_is_refused(
    store: Store, start: int, end: int | None
) -> None:
    """The error knows the size, as HTTP's 416 must tell it."""

    async def both() -> None:
        await put(store, "digits", b"0123456789")
        await store.open("digits", start=start, end=end)

    with pytest.raises(NoSuchRange) as caught:
        asyncio.run(both())

    assert caught.value.size_bytes == 10


def test_a_long_range_is_cut_at_both_ends(store: Store) -> None:
    """Also where it begins and ends inside chunks."""
    data = os.urandom(5 * MIB)

    async def both() -> bytes:
        await put(store, "long", data)
        return await read(store, "long", start=MIB + 3, end=4 * MIB - 5)

    assert asyncio.run(both()) == data[MIB + 3 : 4 * MIB - 5]


def test_a_listing_has_the_direct_children_by_path(store: Store) -> None:
    """With sizes for files, as MLflow's clients expect them."""

    async def both() -> None:
        for path in ("b.txt", "a/x/deep.txt", "a/한글.txt", "ab/c"):
            await put(store, path, b"12345")

        assert await store.list() == (
            ArtifactEntry("a", is_folder=True, size_bytes=None),
            ArtifactEntry("ab", is_folder=True, size_bytes=None),
            ArtifactEntry("b.txt", is_folder=False, size_bytes=5),
        )
        assert await store.list("a/") == (
            ArtifactEntry("a/x", is_folder=True, size_bytes=None),
            ArtifactEntry("a/한글.txt", is_folder=False, size_bytes=5),
        )

    asyncio.run(both())


def test_a_listing_of_a_file_or_of_nothing_is_empty(store: Store) -> None:
    """That is how MLflow's clients tell a file from a folder."""

    async def both() -> None:
        assert await store.list() == ()
        await put(store, "a.txt", b"1")
        assert await store.list("a.txt") == ()
        assert await store.list("a.txt/b") == ()
        assert await store.list("none") == ()

    asyncio.run(both())


@pytest.mark.parametrize("path", ["none", "folder", "folder/none", "folder/file/x"])
def test_what_is_no_file_cannot_be_opened(store: Store, path: str) -> None:
    """A folder is no artifact, and neither is what lies below a file."""

    async def both() -> None:
        await put(store, "folder/file", b"1")
        await store.open(path)

    with pytest.raises(ArtifactNotFound):
        asyncio.run(both())


def test_delete_takes_what_was_named_and_nothing_else(store: Store) -> None:
    """A folder goes with all it holds; a name that only starts so stays."""

    async def both() -> None:
        for path in ("run/a", "run/b/c", "run2/a", "run.txt", "x"):
            await put(store, path, b"1")

        await store.delete("run")
        assert await names(store) == ["run.txt", "run2", "x"]

        await store.delete("x")
        await store.delete("x")
        await store.delete("never/was")
        assert await names(store) == ["run.txt", "run2"]

        await store.delete(None)
        assert await names(store) == []

    asyncio.run(both())


@pytest.mark.parametrize("size_bytes", [0, 1000, 3 * MIB, 20 * MIB])
def test_an_upload_that_breaks_off_leaves_nothing(
    store: Store, size_bytes: int
) -> None:
    """The caller sees what the sender's side said, and no half file."""

    async def both() -> None:
        with pytest.raises(ConnectionResetError):
            await store.put("folder/file", broken(bytes(size_bytes)))
        assert await names(store, "folder") == []
        if isinstance(store, LocalStore):
            assert list(store.root.glob("**/*")) == []

    asyncio.run(both())


def test_an_upload_that_breaks_off_leaves_the_older_file(store: Store) -> None:
    """A reader finds the old bytes, never a mixture."""

    async def both() -> bytes:
        await put(store, "file", b"old")
        with pytest.raises(ConnectionResetError):
            await store.put("file", broken(bytes(20 * MIB)))
        return await read(store, "file")

    assert asyncio.run(both()) == b"old"


def test_a_cancelled_upload_leaves_nothing(store: Store) -> None:
    """The server cancels the task of a client that went away."""

    async def both() -> None:
        stuck = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            async for chunk in chunks_of(bytes(20 * MIB)):
                yield chunk
            stuck.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(store.put("file", endless()))
        await stuck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await names(store) == []

    asyncio.run(both())


def test_uploads_at_once_do_not_mix(store: Store) -> None:
    """Two writers of one path: one of them wins, whole."""

    async def both() -> None:
        payloads = [bytes([i]) * (2 * MIB) for i in range(4)]
        await asyncio.gather(*(put(store, "same/file", data) for data in payloads))
        assert await read(store, "same/file") in payloads
        assert await names(store) == ["same"]

    asyncio.run(both())


def test_a_presigned_url_moves_bytes_past_the_server(store: Store) -> None:
    """Where the store has such URLs; a disk says that it has none."""
    if isinstance(store, LocalStore):
        for ask in (store.download_url, store.upload_url):
            with pytest.raises(NotBuilt, match="through the server"):
                asyncio.run(ask("a", expires_seconds=60))
        return

    up = asyncio.run(store.upload_url("폴더/a b.txt", expires_seconds=60))
    request = urllib.request.Request(up, data=b"direct", method="PUT")
    urllib.request.urlopen(request, timeout=10).close()
    assert asyncio.run(read(store, "폴더/a b.txt")) == b"direct"

    down = asyncio.run(store.download_url("폴더/a b.txt", expires_seconds=60))
    with urllib.request.urlopen(down, timeout=10) as answer:
        assert answer.read() == b"direct"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(down.replace("a%20b", "other"), timeout=10)


def test_a_presigned_url_must_end_within_a_week(store: Store) -> None:
    """S3 would refuse it only when it is used."""
    if isinstance(store, LocalStore):
        return

    with pytest.raises(InvalidInput, match="604800"):
        asyncio.run(store.download_url("a", expires_seconds=604_801))
