"""Points come in as they are, and the latest value is known without reading them."""

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import Point
from runstone.storage import compaction, documents, metrics, runs, series
from runstone.storage.db import Database
from runstone.storage.metrics import Batch, Latest
from runstone.storage.tx import MAX_DOUBLE
from tests.factories import batch, log, new_run
from tests.properties import columns, exact, in_order, points


LOSS = st.lists(points(), min_size=1, max_size=12)
MIXED = st.lists(points("loss") | points("accuracy") | points("학습률"), max_size=12)


@settings(max_examples=40)
@given(rows=LOSS)
def test_every_point_comes_back_as_it_was(db: Database, rows: list[Point]) -> None:
    """NaN, infinities, -0.0 and the ends of int64 are points like any other."""
    run_id = new_run(db)

    log(db, run_id, rows)

    assert exact(db.look(series.whole, run_id, "loss")) == in_order(rows)


@settings(max_examples=40)
@given(rows=LOSS, cut=st.integers(0, 12), compact=st.sets(st.integers(0, 2)))
def test_sending_a_batch_twice_changes_nothing(
    db: Database, rows: list[Point], cut: int, compact: set[int]
) -> None:
    """A batch whose answer was lost is sent again: before, between or after a merge."""
    run_id = new_run(db)

    for place, part in enumerate((rows, rows[:cut], rows[cut:])):
        log(db, run_id, part)
        if place in compact:
            compaction.compact_all(db)

    assert exact(db.look(series.whole, run_id, "loss")) == in_order(rows)


@settings(max_examples=40)
@given(rows=MIXED, data=st.data())
def test_order_and_batches_do_not_matter(
    db: Database, rows: list[Point], data: st.DataObject
) -> None:
    """Threads and resends mix points; the series and its latest value stay the same."""
    once, anyhow = new_run(db), new_run(db)
    log(db, once, rows)
    for part in data.draw(splits(rows)):
        log(db, anyhow, part)

    for key in {row.key for row in rows}:
        assert exact(db.look(series.whole, anyhow, key)) == exact(
            db.look(series.whole, once, key)
        )
    assert spelled(latest(db, anyhow)) == spelled(latest(db, once))


@settings(max_examples=60)
@given(rows=MIXED, data=st.data())
def test_the_latest_is_mlflows(
    db: Database, rows: list[Point], data: st.DataObject
) -> None:
    """Greatest step, then time, then value; bounds leave NaN out."""
    run_id = new_run(db)

    for part in data.draw(splits(rows)):
        log(db, run_id, part)

    assert spelled(latest(db, run_id)) == spelled(slow_latest(rows, db.dialect))


@settings(max_examples=30)
@given(rows=MIXED, again=st.integers(0, 3))
def test_the_count_is_exact_once_compacted(
    db: Database, rows: list[Point], again: int
) -> None:
    """What was sent twice is counted twice only until it is found out."""
    run_id = new_run(db)
    for _ in range(1 + again):
        log(db, run_id, rows)
        if again % 2:
            compaction.compact_all(db)

    compaction.compact_all(db)

    counts = {item.key: item.points for item in latest(db, run_id)}
    assert counts == {
        row.key: len(in_order([other for other in rows if other.key == row.key]))
        for row in rows
    }


def test_a_batch_without_points_is_nothing(db: Database) -> None:
    """Not even the run's version grows."""
    run_id = new_run(db)
    before = db.look(documents.by_id, run_id)

    log(db, run_id, [])

    assert db.look(documents.by_id, run_id) == before


def test_a_deleted_run_takes_no_points(db: Database) -> None:
    """The error says what would help, and nothing was written."""
    run_id = new_run(db)
    db.transact(runs.delete, run_id, now_ms=5)

    with pytest.raises(errors.RunDeleted, match="restore it"):
        log(db, run_id, [Point("loss", 0, 0, 0.5)])

    assert db.look(series.whole, run_id, "loss").size == 0


def test_a_run_that_is_not_there_takes_no_points(db: Database) -> None:
    """A typo in an id is found out."""
    with pytest.raises(errors.RunNotFound):
        log(db, "0" * 32, [Point("loss", 0, 0, 0.5)])


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 2**64, 10**30])
@pytest.mark.parametrize("count", [1, 2])
def test_a_step_beyond_64_bits_is_refused(db: Database, step: int, count: int) -> None:
    """It would come back as another step."""
    run_id = new_run(db)
    rows = [Point("loss", step, 0, 0.5)] * count
    late = [Point("loss", 0, step, 0.5)] * count

    for bad in (rows, late):
        with pytest.raises(errors.InvalidInput, match="64 bits"):
            log(db, run_id, bad)

    assert latest(db, run_id) == []


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800", "k" * 251])
def test_a_key_that_cannot_be_kept_is_refused(db: Database, key: str) -> None:
    """On every database alike, also where one of them could keep it."""
    run_id = new_run(db)

    with pytest.raises(errors.InvalidInput):
        log(db, run_id, [Point(key, 0, 0, 0.5), Point("fine", 0, 0, 0.5)])

    assert latest(db, run_id) == []


@pytest.mark.parametrize("key", ["k" * 249, "a/b.c-d e:f", "손실", "é", "e\u0301", "A"])
def test_a_key_is_kept_as_it_is(db: Database, key: str) -> None:
    """No letter is folded and no blank is cut."""
    run_id = new_run(db)
    keys = [key, key.lower() + " ", " " + key]
    db.transact(metrics.append, run_id, Batch(keys, [0] * 3, [0] * 3, [1.0, 2.0, 3.0]))

    found = {item.key: item.value for item in latest(db, run_id)}

    assert found == dict(zip(keys, [1.0, 2.0, 3.0], strict=True))


def latest(db: Database, run_id: str) -> list[Latest]:
    """Return what is known of each series, by key."""
    found = db.look(documents.by_id, run_id).metrics

    return sorted(found)


def spelled(found: Iterable[Latest]) -> list[tuple[object, ...]]:
    """Spell NaN so that it equals itself, and -0.0 as the 0.0 that it equals."""
    return [
        tuple(repr(part + 0.0) if isinstance(part, float) else part for part in item)
        for item in found
    ]


def slow_latest(rows: list[Point], dialect: str) -> list[Latest]:
    """Say what is known of each series: slow and plain."""
    found = []
    for key in sorted({row.key for row in rows}):
        mine = [row for row in rows if row.key == key]
        last = max(mine, key=_age)
        numbers = [
            clip(row.value, dialect) for row in mine if not math.isnan(row.value)
        ]
        low, high = min(numbers, default=None), max(numbers, default=None)
        value = clip(last.value, dialect)
        found.append(Latest(key, last.step, last.time_ms, value, low, high, len(mine)))

    return found


def _age(row: Point) -> tuple[int, int, float, bool]:
    nan = math.isnan(row.value)

    return row.step, row.time_ms, 0.0 if nan else row.value, nan


def clip(value: float, dialect: str) -> float:
    """MySQL has no infinities."""
    if dialect != "mysql" or math.isnan(value):
        return value

    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def splits(rows: list[Point]) -> st.SearchStrategy[list[list[Point]]]:
    """Every way to send these points, in any order and in any batches."""

    def parted(drawn: tuple[list[Point], list[int]]) -> list[list[Point]]:
        order, sizes = drawn
        parts, rest = [], order
        for size in sizes:
            parts.append(rest[:size])
            rest = rest[size:]

        return [*parts, rest]

    sizes = st.lists(st.integers(1, 4), max_size=4)

    return st.tuples(st.permutations(rows), sizes).map(parted)


def test_columns_and_batch_agree() -> None:
    """The builders of these tests say the same thing."""
    rows = [Point("loss", 1, 2, 3.0), Point("loss", 4, 5, math.inf)]

    assert columns(rows).step.tolist() == list(batch(rows).steps)
