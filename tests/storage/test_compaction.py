"""Compaction changes how points lie, and nothing else."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.analysis.columns import Columns, ordered
from runstone.model import Point
from runstone.storage import chunks, compaction, runs, series, words
from runstone.storage.compaction import Compactor, Pace, Waiting
from runstone.storage.db import Database
from runstone.storage.metrics import Batch, append
from runstone.storage.tx import Tx
from tests.factories import log, new_run
from tests.properties import VALUES, columns, exact, in_order, points


ROWS = st.lists(points(), max_size=20)
NOW = st.integers(0, 1)
CROWDED = st.lists(
    st.builds(Point, st.just("loss"), NOW, NOW, VALUES), min_size=1, max_size=20
)
"""Many values on few steps and times."""


@given(rows=ROWS.filter(bool))
def test_a_chunk_comes_back_as_it_was(rows: list[Point]) -> None:
    """Every bit of it, whatever the values."""
    there = ordered(columns(rows))

    assert exact(chunks.decode(chunks.encode(there))) == exact(there)


@given(rows=CROWDED, size=st.integers(1, 8), at_end=st.booleans())
def test_pieces_are_disjoint_and_whole(
    rows: list[Point],
    size: int,
    at_end: bool,  # noqa: FBT001  # drawn
) -> None:
    """Two chunks never share a step and time, so their order is never in doubt."""
    there = ordered(columns(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_POINTS", size)
        parts = chunks.pieces(there, at_end=at_end)

    assert [point for part in parts for point in exact(part)] == exact(there)
    for before, after in pairwise(parts):
        assert chunks.last(before) < chunks.first(after)


@settings(max_examples=30)
@given(parts=st.lists(st.lists(points(), max_size=9), max_size=6))
def test_late_points_find_their_place(db: Database, parts: list[list[Point]]) -> None:
    """Into the middle, before the first, onto the last: nothing is lost."""
    run_id = new_run(db)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_POINTS", 4)
        for part in parts:
            log(db, run_id, part)
            compaction.compact_all(db)

    rows = [row for part in parts for row in part]
    assert exact(db.look(series.whole, run_id, "loss")) == in_order(rows)
    assert db.look(compaction.waiting) == []
    for before, after in pairwise(db.look(chunks_of, run_id)):
        assert before.last < after.first


def test_a_crash_before_the_writing_changes_nothing(db: Database) -> None:
    """A plan that is never applied leaves the blocks as they were."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    waiting = db.look(compaction.waiting)

    made = db.look(compaction.plan, waiting[0].run)

    assert made.rest
    assert db.look(compaction.waiting) == waiting
    assert exact(db.look(series.whole, run_id, "loss")) == [(0, 0, "0.5")]


def test_a_crash_within_the_writing_changes_nothing(db: Database) -> None:
    """It is one transaction: blocks go when their chunks are there."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    waiting = db.look(compaction.waiting)
    made = db.look(compaction.plan, waiting[0].run)

    def crash(tx: Tx) -> None:
        compaction.apply(tx, made)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.transact(crash)

    assert db.look(compaction.waiting) == waiting
    assert exact(db.look(series.whole, run_id, "loss")) == [(0, 0, "0.5")]


def test_who_comes_second_writes_nothing(db: Database) -> None:
    """Two servers may compact the same run at once."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    first = db.look(compaction.plan, db.look(compaction.waiting)[0].run)
    second = db.look(compaction.plan, first.run)
    db.transact(compaction.apply, first)

    with pytest.raises(errors.Conflict):
        db.transact(compaction.apply, second)

    assert exact(db.look(series.whole, run_id, "loss")) == [(0, 0, "0.5")]


def test_a_run_without_blocks_has_nothing_to_do(db: Database) -> None:
    """Another server was faster: that is no error."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    run = db.look(compaction.waiting)[0].run
    compaction.compact_all(db)

    assert db.look(compaction.plan, run).rows == []
    assert not compaction.compact_step(db, run)


def test_a_stale_plan_never_takes_younger_points(db: Database) -> None:
    """Numbers of blocks are never given twice, or new points would go unread."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    stale = db.look(compaction.plan, db.look(compaction.waiting)[0].run)
    compaction.compact_all(db)
    log(db, run_id, [Point("loss", 1, 1, 0.25)])

    with pytest.raises(errors.Conflict):
        db.transact(compaction.apply, stale)

    found = exact(db.look(series.whole, run_id, "loss"))
    assert found == [(0, 0, "0.5"), (1, 1, "0.25")]


def test_compactors_and_writers_at_once_lose_nothing(db: Database) -> None:
    """Three compactors on a run that goes on logging."""
    run_id = new_run(db)
    done = threading.Event()

    def compact() -> None:
        while not done.is_set():
            compaction.compact_all(db)

    threads = [threading.Thread(target=compact) for _ in range(3)]
    for thread in threads:
        thread.start()
    rows = [Point("loss", step % 40, step, float(step)) for step in range(120)]
    for row in rows:
        log(db, run_id, [row])
    done.set()
    for thread in threads:
        thread.join()

    assert exact(db.look(series.whole, run_id, "loss")) == in_order(rows)


@pytest.mark.parametrize("turn", [1, -1])
def test_slow_series_do_not_end_as_tiny_chunks(
    db: Database, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """A run that logs a point an hour is compacted after each."""
    monkeypatch.setattr(chunks, "CHUNK_POINTS", 16)
    run_id = new_run(db)

    for step in range(100):
        log(db, run_id, [Point("loss", turn * step, step, 0.5)])
        compaction.compact_all(db)

    sizes = db.look(chunk_sizes)
    assert sum(sizes) == 100
    assert len(sizes) <= 100 / 8 + 1


def test_a_step_is_bounded(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog of millions of points does not have to fit into memory."""
    run_id = new_run(db)
    for step in range(10):
        log(db, run_id, [Point("loss", step, 0, 0.5), Point("loss", step, 1, 0.5)])
    run = db.look(compaction.waiting)[0].run

    monkeypatch.setattr(compaction, "MOST_POINTS", 5)
    by_points = db.look(compaction.plan, run)
    monkeypatch.setattr(compaction, "MOST_POINTS", 1)
    one = db.look(compaction.plan, run)
    monkeypatch.setattr(compaction, "MOST_POINTS", 1_000)
    monkeypatch.setattr(compaction, "MOST_BLOCKS", 10)
    every = db.look(compaction.plan, run)

    assert (len(by_points.blocks), by_points.more) == (2, True)
    assert (len(one.blocks), one.more) == (1, True)
    assert (len(every.blocks), every.more) == (10, False)
    monkeypatch.setattr(compaction, "MOST_BLOCKS", 3)
    compaction.compact_all(db)
    assert db.look(series.whole, run_id, "loss").size == 20
    assert db.look(compaction.waiting) == []


def test_a_point_of_a_loss_takes_six_bytes() -> None:
    """Values born as float32, times that jitter by 10 to 50 ms: real training."""
    count = chunks.CHUNK_POINTS
    random = np.random.default_rng(1)
    steps = np.arange(count)
    loss = 2 * np.exp(-steps / 3_000) + 0.1 + random.normal(0, 0.02, count)
    times = 1_700_000_000_000 + np.cumsum(random.integers(10, 50, count))
    there = Columns(steps, times, loss.astype(np.float32).astype(np.float64))

    row = chunks.row(there)

    body, pyramid = row["body"], row["pyramid"]
    assert isinstance(body, bytes)
    assert isinstance(pyramid, bytes)
    assert (len(body) + len(pyramid)) / count <= 6


def test_the_thread_compacts_what_is_idle(db: Database) -> None:
    """And ends when it is told to."""
    run_id = new_run(db)
    log(db, run_id, [Point("loss", 0, 0, 0.5)])
    compactor = Compactor(db, Pace(look_seconds=0.001))

    compactor.start()
    while db.look(compaction.waiting):
        pass
    compactor.stop()

    assert exact(db.look(series.whole, run_id, "loss")) == [(0, 0, "0.5")]


def test_the_thread_ends_at_once(db: Database) -> None:
    """Stopping a server does not wait for the next look; never started is fine."""
    compactor = Compactor(db)
    compactor.stop()
    compactor = Compactor(db)

    compactor.start()
    compactor.stop()

    assert "compactor" not in [thread.name for thread in threading.enumerate()]


def test_a_busy_run_is_compacted_only_when_it_has_much(db: Database) -> None:
    """To merge a run that still logs is work done twice."""
    compactor = Compactor(db)
    run_id = new_run(db)
    for step in range(Pace().idle_looks + 2):
        log(db, run_id, [Point("loss", step, 0, 0.5)])
        assert compactor._due() == []

    for _ in range(Pace().idle_looks - 1):
        assert compactor._due() == []
    assert compactor._due() == [db.look(compaction.waiting)[0].run]


def test_what_waits_is_counted(db: Database) -> None:
    """Blocks and points of each run."""
    run_id = new_run(db)
    rows = [Point("loss", step, 0, 0.5) for step in range(3)]
    log(db, run_id, rows)
    db.transact(append, run_id, Batch(["a"], [0], [0], [0.0]))

    (waiting,) = db.look(compaction.waiting)

    assert waiting == Waiting(waiting.run, 2, 4, waiting.newest)


def chunks_of(tx: Tx, run_id: str) -> list[chunks.Chunk]:
    """Return the chunks of a run's loss."""
    run = runs.require(tx, run_id).run
    number = words.find(tx, ["loss"]).get("loss", 0)

    return chunks.of(tx, [run], number).get(run, [])


def chunk_sizes(tx: Tx) -> list[int]:
    """Return the points of each chunk."""
    return [row[0] for row in tx.all("SELECT points FROM chunk")]
