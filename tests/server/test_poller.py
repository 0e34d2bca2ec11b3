"""The poller of the live stream: bounded for whoever is slow, and nothing missed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from runstone.model import Point
from runstone.server import live
from runstone.server.live import Listener, Poller
from runstone.storage import migrate
from runstone.storage.db import Database
from runstone.storage.running import live as stored
from tests.factories import log, new_run


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Open a database."""
    url = f"sqlite:///{tmp_path / 'runstone.db'}"
    migrate.upgrade(url)
    with closing(Database(url)) as database:
        yield database


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the poller look often, and little be much."""
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(live, "WAITING_BYTES", 500)


def test_a_slow_listener_costs_little_and_misses_nothing(db: Database) -> None:
    """What it did not take is not made for it; then it gets all that is new."""
    run_id = new_run(db)
    slow = Listener(experiments=frozenset([0]))
    quick = Listener(experiments=frozenset([0]))

    async def scene() -> tuple[int, list[int], list[int]]:
        poller = Poller(db)
        taken, left = poller.stream(slow), poller.stream(quick)
        await anext(taken)  # and then nothing more for long
        quick_steps: list[int] = []
        await heard(left, "mark")
        for step in range(300):
            log(db, run_id, [Point("loss", step, 1, 0.5)])
            if step % 10 == 9:
                await collect(left, quick_steps, step)
        waits = slow.waiting_bytes
        slow_steps: list[int] = []
        await collect(taken, slow_steps, 299)
        poller.stop()
        return waits, quick_steps, slow_steps

    waits, quick_steps, slow_steps = asyncio.run(scene())

    assert waits < 500 + 2_500  # what is ready, and one look's news
    assert quick_steps == list(range(300))
    assert slow_steps == list(range(300))


def test_very_many_points_are_not_told_one_by_one(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chart that is read anew is cheaper, and as true."""
    monkeypatch.setattr(stored, "LIVE_POINTS", 10)
    run_id = new_run(db)
    listener = Listener(experiments=frozenset([0]))

    async def scene() -> str:
        poller = Poller(db)
        stream = poller.stream(listener)
        await heard(stream, "mark")
        log(db, run_id, [Point("loss", step, 1, 0.5) for step in range(11)])
        told = await heard(stream, "mark")
        poller.stop()
        return told

    told = asyncio.run(scene())

    assert "event: reload" in told
    assert "event: points" not in told


def test_a_stopped_poller_ends_its_streams_and_takes_no_more(db: Database) -> None:
    """The server stops: who listens is let go, and who comes too."""
    listener, late = Listener(), Listener()

    async def scene() -> list[bytes]:
        poller = Poller(db)
        stream = poller.stream(listener)
        await anext(stream)
        poller.stop()
        rest = [part async for part in stream]
        return rest + [part async for part in poller.stream(late)]

    assert asyncio.run(asyncio.wait_for(scene(), 20))[-1] == live.RETRY


async def heard(stream: AsyncIterator[bytes], kind: str) -> str:
    """Return what is told until an event of a kind."""
    told = ""
    while f"event: {kind}" not in told:
        told += (await asyncio.wait_for(anext(stream), 20)).decode()

    return told


async def collect(stream: AsyncIterator[bytes], steps: list[int], last: int) -> None:
    """Add the steps that are told until the last one is."""
    while not steps or steps[-1] != last:
        told = (await asyncio.wait_for(anext(stream), 20)).decode()
        for event in told.split("\n\n"):
            if event.startswith("event: points"):
                data = msgspec.json.decode(event.partition("data: ")[2])
                steps += data["series"]["loss"]["step"]
