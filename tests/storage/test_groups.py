"""Calls that are done together leave what they would have left one by one."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import Point, Tag
from runstone.storage import documents, groups, metrics, runs, series
from runstone.storage.db import Database
from runstone.storage.groups import Job
from runstone.storage.metrics import Batch
from runstone.storage.tx import Row, Tx, Value
from tests.factories import batch, new_run
from tests.properties import exact, points
from tests.storage.test_metrics import latest, spelled


KEYS = st.sampled_from(["loss", "accuracy", "", "a\0b", "k" * 251])
BAD = st.builds(Point, KEYS, st.sampled_from([0, 2**63, -(2**70)]), st.just(0))
POINTS = st.lists(points("loss") | points("accuracy"), max_size=4)
BATCHES = POINTS | st.lists(points("loss") | BAD, max_size=3)
CALLS = st.lists(st.tuples(st.integers(0, 4), BATCHES), max_size=10)
"""Batches for a few runs: two are live, one is deleted, the others never were."""


def three_runs(db: Database) -> list[str]:
    """Return two live runs, a deleted one and two that are not there."""
    made = [new_run(db) for _ in range(3)]
    db.transact(runs.delete, made[2], now_ms=1)

    return [*made, "0" * 32, "not an id"]


def one_by_one(db: Database, calls: list[tuple[str, Batch]]) -> list[object]:
    """Return what each call returns or raises."""
    answers: list[object] = []
    for run_id, sent in calls:
        try:
            answers.append(db.transact(metrics.append, run_id, sent))
        except errors.RunstoneError as error:
            answers.append(error)

    return answers


@settings(max_examples=60)
@given(drawn=CALLS)
def test_together_is_one_by_one(
    db: Database, drawn: list[tuple[int, list[Point]]]
) -> None:
    """Answers, errors, points and latest values are the same."""
    apart, joined = three_runs(db), three_runs(db)
    batches = [(place, batch(rows)) for place, rows in drawn]

    expected = one_by_one(db, [(apart[place], sent) for place, sent in batches])
    found = db.transact(
        metrics.append_all, [(joined[place], sent) for place, sent in batches]
    )

    assert [type(answer) for answer in found] == [type(answer) for answer in expected]
    for one, other in zip(apart[:2], joined[:2], strict=True):
        assert spelled(latest(db, one)) == spelled(latest(db, other))
        for key in ("loss", "accuracy"):
            assert exact(db.look(series.whole, one, key)) == exact(
                db.look(series.whole, other, key)
            )


def test_each_call_gets_its_own_answer(db: Database) -> None:
    """Whoever shares a commit with a mistake never hears of it."""
    live, deleted, gone = three_runs(db)[1:4]
    good, bad = batch([Point("loss", 1, 2, 0.5)]), batch([Point("", 1, 2, 0.5)])

    async def write_all() -> list[object]:
        return list(
            await asyncio.gather(
                db.write(metrics.append, live, good),
                db.write(metrics.append, live, bad),
                db.write(metrics.append, deleted, good),
                db.write(metrics.append, gone, good),
                db.write(runs.set_tags, live, [Tag("a", "b")]),
                db.write(metrics.append, live, good),
                return_exceptions=True,
            )
        )

    answers = asyncio.run(write_all())

    kinds = [errors.InvalidInput, errors.RunDeleted, errors.RunNotFound]
    assert [type(answer) for answer in answers[1:4]] == kinds
    assert [*answers[:1], *answers[4:]] == [None, None, None]
    whole = db.look(documents.by_id, live)
    assert [item.points for item in whole.metrics] == [2]
    assert ("a", "b") in whole.tags


def test_two_servers_write_sets_to_the_same_runs(migrated_url: str) -> None:
    """Each locks them in its own order of arrival; nobody is lost or waits for ever."""
    with (
        closing(Database(migrated_url)) as first,
        closing(Database(migrated_url)) as second,
    ):
        run_ids = [new_run(first) for _ in range(4)]

        async def write_all() -> None:
            jobs = []
            for step in range(20):
                for db, order in ((first, 1), (second, -1)):
                    for run_id in run_ids[::order]:
                        sent = batch([Point(f"m{step % 3}", step, order + 1, 0.5)])
                        jobs.append(db.write(metrics.append, run_id, sent))
                        jobs.append(db.write(runs.set_tags, run_id, [Tag("a", "b")]))
            await asyncio.gather(*jobs)

        asyncio.run(write_all())

        for run_id in run_ids:
            counts = [item.points for item in latest(second, run_id)]
            sizes = [second.look(series.whole, run_id, f"m{n}").size for n in range(3)]
            assert sum(counts) == sum(sizes) == 40


class Counting(Tx):
    """A transaction that counts its statements."""

    statements = 0

    def all(self, sql: str, **params: Value | Sequence[Value]) -> list[Row]:
        """Ask, and count it."""
        self.statements += 1

        return super().all(sql, **params)

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Execute, and count it."""
        self.statements += 1
        super().run_many(sql, rows)


@pytest.fixture
def counting(db: Database) -> Iterator[Counting]:
    """Open a transaction of our own, and roll it back."""
    with closing(db._reading.raw_connection()) as connection:
        assert connection.dbapi_connection is not None
        yield Counting(connection.dbapi_connection, db.dialect, db._known)
        connection.rollback()


def test_a_set_costs_the_statements_of_one(db: Database, counting: Counting) -> None:
    """That is what it is for: eight clients wait for few trips to the database."""
    sent = batch([Point("loss", 1, 2, 0.5)])
    run_ids = [new_run(db) for _ in range(8)]
    db.transact(metrics.append, run_ids[0], sent)  # the key is known from here on
    jobs = [
        Job(metrics.append, (run_id, sent), {}, Future(), None)
        for run_id in run_ids * 4
    ]

    outcomes = groups.run_all(counting, jobs)

    assert [answer for _, answer in outcomes] == [None] * 32
    assert counting.statements == 4


def test_transactions_lock_runs_in_order(db: Database) -> None:
    """Or two servers would wait for each other."""
    sent = batch([Point("loss", 1, 2, 0.5)])
    run_ids = sorted(new_run(db) for _ in range(3))

    def job(fn: Callable[..., object], *args: object) -> Job:
        return Job(fn, args, {}, Future(), None)

    parts = groups.parts(
        [
            job(runs.set_tags, run_ids[2], []),
            job(metrics.append, run_ids[1], sent),
            job(runs.restore, run_ids[0]),
            job(metrics.append_all, []),
            job(metrics.append, run_ids[0], sent),
        ]
    )

    assert [[(job.fn, job.run_id) for job in part] for part in parts] == [
        [(metrics.append, run_ids[1]), (metrics.append, run_ids[0])],
        [(metrics.append_all, "")],
        [(runs.restore, run_ids[0]), (runs.set_tags, run_ids[2])],
    ]
