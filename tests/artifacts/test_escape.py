"""Nothing outside the root is read, written, listed or deleted."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runstone.artifacts import LocalStore, Store, folders
from runstone.artifacts import local as local_module
from runstone.errors import RunstoneError, UnsafePath
from tests.artifacts.corpus import HOSTILE, NO_FILE
from tests.artifacts.sending import names, put, read


SECRET = b"the canary's own bytes"


class Cage:
    """A root with canaries beside, above and at the ends of links in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "above" / "root"
        self.root.mkdir(parents=True)
        for canary in self.canaries():
            canary.parent.mkdir(exist_ok=True)
            canary.write_bytes(SECRET)
        (self.root / "file-link").symlink_to(folder / "canary.txt")
        (self.root / "folder-link").symlink_to(folder / "beside")
        (self.root / "a").mkdir()
        (self.root / "a" / "up-link").symlink_to("../..")
        self.before = self._outside()

    def canaries(self) -> list[Path]:
        """Return the files that must not be touched."""
        return [
            self.folder / "canary.txt",
            self.folder / "above" / "canary.txt",
            self.folder / "beside" / "canary.txt",
        ]

    def check(self) -> None:
        """Assert that all outside is as it was."""
        assert self._outside() == self.before

    def _outside(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path): path.read_bytes()
            for path in files
            if not path.is_relative_to(self.root)
        }


@pytest.fixture
def cage(tmp_path: Path) -> Iterator[Cage]:
    """Return a cage, and check it afterwards."""
    cage = Cage(tmp_path)
    yield cage
    cage.check()


@pytest.fixture(params=["openat", "names"])
def local(
    request: pytest.FixtureRequest, cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> LocalStore:
    """Return a store in the cage, by each way of walking folders."""
    if request.param == "names":
        monkeypatch.setattr(folders, "HAS_OPENAT", False)
        # Windows has no O_NOFOLLOW either.
        monkeypatch.setattr(local_module, "READ", folders.READ & ~os.O_NOFOLLOW)

    return LocalStore(cage.root)


@pytest.mark.parametrize("path", HOSTILE + NO_FILE, ids=ascii)
def test_a_hostile_path_reaches_nothing(store: Store, path: str) -> None:
    """In none of the methods that take a path, on either store."""

    async def attack() -> None:
        with pytest.raises(UnsafePath):
            await store.open(path)
        with pytest.raises(UnsafePath):
            await put(store, path, b"evil")
        with pytest.raises(UnsafePath):
            await store.download_url(path, expires_seconds=60)
        with pytest.raises(UnsafePath):
            await store.upload_url(path, expires_seconds=60)
        if path:
            with pytest.raises(UnsafePath):
                await store.list(path)
            with pytest.raises(UnsafePath):
                await store.delete(path)

    asyncio.run(attack())


@pytest.mark.parametrize("path", HOSTILE + NO_FILE, ids=ascii)
def test_a_hostile_path_leaves_the_canaries(local: LocalStore, path: str) -> None:
    """Judged by the files themselves, not by the error."""

    async def attack() -> None:
        for act in (local.open(path), put(local, path, b"evil"), local.delete(path)):
            with pytest.raises(UnsafePath) if path else _either():
                await act

    asyncio.run(attack())


@pytest.mark.parametrize(
    "path",
    [
        "file-link",
        "folder-link",
        "folder-link/canary.txt",
        "a/up-link/canary.txt",
        "a/up-link/root/x",
    ],
)
def test_a_link_below_the_root_is_not_followed(local: LocalStore, path: str) -> None:
    """Whoever planted it: not read, not listed, not written or deleted through."""

    async def attack() -> None:
        with pytest.raises(RunstoneError):
            await local.open(path)
        with _either():
            assert await names(local, path) == []
        with _either():
            await put(local, path, b"evil")
        with _either():
            await local.delete(path)

    asyncio.run(attack())


def test_links_are_not_listed(local: LocalStore) -> None:
    """A listing shows only what can be opened."""
    assert asyncio.run(names(local)) == ["a"]
    assert asyncio.run(names(local, "a")) == []


def test_emptying_the_root_takes_links_and_not_their_ends(
    local: LocalStore, cage: Cage
) -> None:
    """A recursive delete is where links hurt most."""
    asyncio.run(local.delete(None))

    assert list(cage.root.iterdir()) == []


def test_a_pipe_below_the_root_does_not_hang_us(local: LocalStore, cage: Cage) -> None:
    """Opening a pipe waits for its writer, for ever."""
    os.mkfifo(cage.root / "pipe")

    with pytest.raises(RunstoneError):
        asyncio.run(local.open("pipe"))
    assert asyncio.run(names(local)) == ["a"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(max_size=30) | st.text(alphabet="./\\%2e;:a ", max_size=20),
    data=st.binary(max_size=64),
)
def test_any_text_is_refused_or_keeps_its_bytes_inside(
    local: LocalStore, cage: Cage, text: str, data: bytes
) -> None:
    """The law of the whole store."""

    async def both() -> bytes:
        await put(local, text, data)
        return await read(local, text)

    try:
        assert asyncio.run(both()) == data
    except RunstoneError:
        return
    finally:
        cage.check()


def _either() -> "_Either":
    return _Either()


class _Either:
    """Let an act go well or be refused; the canaries are the judges."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, RunstoneError)
