"""One writer, many readers: what was answered is written, all of it or nothing."""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from runstone import errors
from runstone.model import Point, Tag
from runstone.storage import documents, experiments, migrate, runs, series, words
from runstone.storage.db import Database
from runstone.storage.tx import Row, Tx
from tests.factories import log, new_run
from tests.storage.jobs import add, names


def add_then_fail(tx: Tx, error: Exception) -> None:
    """Fail after writing."""
    add(tx, "never")
    raise error


class Gate:
    """Holds the writer until as many jobs wait as a test wants in one group."""

    def __init__(self, db: Database) -> None:
        self._open, inside = threading.Event(), threading.Event()

        def wait(_tx: Tx) -> None:
            inside.set()
            assert self._open.wait(60)

        self._thread = threading.Thread(target=db.transact, args=(wait,))
        self._thread.start()
        assert inside.wait(60)

    def open(self) -> None:
        """Let the writer go on with everything that waits."""
        self._open.set()
        self._thread.join()


async def in_one_group(
    db: Database, *jobs: Callable[[Tx], object]
) -> list[object | BaseException]:
    """Hand jobs to the writer so that it takes all of them together."""
    gate = Gate(db)
    answers = [asyncio.ensure_future(db.write(job)) for job in jobs]
    await asyncio.sleep(0)
    gate.open()

    return await asyncio.gather(*answers, return_exceptions=True)


def test_a_group_is_committed_once_and_all_are_answered(db: Database) -> None:
    """A hundred small writes cost one commit."""
    jobs = [partial(add, name=f"w{n}") for n in range(100)]

    answers = asyncio.run(in_one_group(db, *jobs))

    assert answers == [f"w{n}" for n in range(100)]
    assert len(db.look(names)) == 100


@pytest.mark.parametrize(
    "error", [errors.InvalidInput("ours"), ValueError("not ours")], ids=["ours", "bug"]
)
def test_a_job_that_fails_after_it_wrote_spoils_nothing(
    db: Database, error: Exception
) -> None:
    """Its neighbours are written, and nothing of it is."""
    answers = asyncio.run(
        in_one_group(
            db,
            lambda tx: add(tx, "before"),
            lambda tx: add_then_fail(tx, error),
            lambda tx: add(tx, "after"),
        )
    )

    assert answers == ["before", error, "after"]
    assert db.look(names) == ["after", "before"]


def test_an_error_before_writing_costs_no_rollback(db: Database) -> None:
    """Refusals are common; the neighbours are not run a second time for one."""
    calls: list[str] = []

    def counted(tx: Tx) -> None:
        calls.append("run")
        add(tx, "counted")

    def refused(_tx: Tx) -> None:
        raise errors.RunNotFound("x")

    answers = asyncio.run(in_one_group(db, counted, refused))

    assert answers[0] is None
    assert isinstance(answers[1], errors.RunNotFound)
    assert calls == ["run"]
    assert db.look(names) == ["counted"]


def test_a_mistake_in_sql_reaches_only_its_caller(db: Database) -> None:
    """Also where a failed statement ends the transaction, as in PostgreSQL."""
    answers = asyncio.run(
        in_one_group(
            db,
            lambda tx: add(tx, "fine"),
            lambda tx: tx.run("INSERT INTO nowhere VALUES (1)"),
        )
    )

    assert answers[0] == "fine"
    assert isinstance(answers[1], Exception)
    assert db.look(names) == ["fine"]


def test_the_log_of_sqlite_is_copied_beside_the_writers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that finds it full waits for the disk, and everyone with it."""
    monkeypatch.setattr("runstone.storage.db.CHECKPOINT_CHANGES", 10)
    path = tmp_path / "runstone.db"
    migrate.upgrade(f"sqlite:///{path}")
    before = path.read_bytes()

    async def write_all(db: Database) -> None:
        for n in range(30):
            await db.write(add, f"w{n}")

    with closing(Database(f"sqlite:///{path}")) as db:
        asyncio.run(write_all(db))
        deadline = time.monotonic() + 60
        while path.read_bytes() == before and time.monotonic() < deadline:
            time.sleep(0.01)

        assert path.read_bytes() != before
        assert len(db.look(names)) == 30


def test_a_write_is_seen_by_the_next_read(db: Database) -> None:
    """From every reader, as soon as the writer has answered."""

    async def write_and_read() -> None:
        for n in range(30):
            await db.write(add, f"w{n:02}")
            found = await asyncio.gather(*(db.read(names) for _ in range(4)))
            assert all(each[-1] == f"w{n:02}" for each in found)

    asyncio.run(write_and_read())


def test_a_look_is_one_snapshot(db: Database) -> None:
    """A reader that asks twice sees one state, whatever is written meanwhile."""
    db.transact(add, "a")

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = names(tx)
        db.transact(add, "b")
        return first, names(tx)

    first, second = db.look(twice)

    assert first == second == ["a"]
    assert db.look(names) == ["a", "b"]


def test_a_cancelled_write_does_not_stop_the_writer(db: Database) -> None:
    """A client that hangs up is no reason to answer nobody."""

    async def cancel_one() -> str:
        gate = Gate(db)
        gone = asyncio.ensure_future(db.write(add, "gone"))
        here = asyncio.ensure_future(db.write(add, "here"))
        await asyncio.sleep(0)
        gone.cancel()
        gate.open()
        return await here

    assert asyncio.run(cancel_one()) == "here"
    assert db.transact(add, "next") == "next"


def test_closing_finishes_what_waits(migrated_url: str) -> None:
    """A server that stops has answered everything it took."""
    db = Database(migrated_url)
    gate = Gate(db)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(db.transact(add, f"w{n}")))
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    while db._jobs.qsize() < 10:
        pass
    closing_thread = threading.Thread(target=db.close)
    closing_thread.start()
    gate.open()
    closing_thread.join()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [f"w{n}" for n in range(10)]
    with closing(Database(migrated_url)) as again:
        assert len(again.look(names)) == 10


def test_a_closed_database_says_so(migrated_url: str) -> None:
    """Nobody waits for ever, and closing twice is fine."""
    db = Database(migrated_url)
    db.close()
    db.close()

    with pytest.raises(errors.Unavailable, match="closed"):
        db.transact(names)
    with pytest.raises(errors.Unavailable, match="closed"):
        db.look(names)
    with pytest.raises(errors.Unavailable, match="closed"):
        asyncio.run(db.write(names))
    with pytest.raises(errors.Unavailable, match="closed"):
        asyncio.run(db.read(names))


def test_a_key_learnt_in_vain_is_forgotten(db: Database) -> None:
    """Its number was rolled back, and may be another key's by now."""

    def intern_and_fail(tx: Tx) -> None:
        words.intern(tx, ["lost"])
        raise errors.InvalidInput("no")

    with pytest.raises(errors.InvalidInput):
        db.transact(intern_and_fail)
    db.transact(words.intern, ["other"])

    assert db.look(words.find, ["lost"]) == {}
    assert db.transact(words.intern, ["lost"]).keys() == {"lost"}
    found = dict(db.look(all_of, "SELECT name, id FROM word", []))
    assert found == db.look(words.find, ["lost", "other"])


def test_a_row_that_is_there_already_is_a_conflict(db: Database) -> None:
    """After a few tries in vain, in our words and not the driver's."""
    db.transact(add, "a")

    with pytest.raises(errors.Conflict):
        db.transact(add, "a")

    assert db.look(names) == ["a"]


@pytest.mark.parametrize(
    "call",
    [
        lambda db, text: db.look(experiments.by_name, text),
        lambda db, text: db.look(runs.by_id, text),
        lambda db, text: db.look(series.whole, text, "loss"),
        lambda db, text: db.look(series.whole, new_run(db), text),
        lambda db, text: db.transact(runs.delete_tag, new_run(db), text),
        lambda db, text: db.transact(runs.set_tags, text, [Tag("a", "b")]),
    ],
)
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_holds_is_no_crash(
    db: Database, call: Callable[[Database, str], object], text: str
) -> None:
    """A hostile id or key is refused, or found nowhere: never a driver's error."""
    try:
        call(db, text)
    except (errors.InvalidInput, errors.NotFound):
        return
    assert "series" in call.__code__.co_names


def test_numbers_beyond_64_bits_are_refused(db: Database) -> None:
    """Each driver has its own error for one; callers get ours."""
    with pytest.raises((errors.InvalidInput, errors.NotFound)):
        db.look(experiments.by_id, 2**70)
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.update, new_run(db), end_ms=2**70)


@pytest.mark.parametrize("count", [0, 1, 600])
def test_a_list_is_as_many_parameters(db: Database, count: int) -> None:
    """Texts with every sign that could end a quote; none at all finds nothing."""
    wanted = [f"'{n}\"%s :name \\ %" for n in range(count)]
    db.transact(words.intern, wanted)
    db.transact(words.intern, ["other"])

    rows = db.look(all_of, "SELECT name FROM word WHERE name IN (:names)", wanted)

    assert sorted(row[0] for row in rows) == sorted(wanted)


def all_of(tx: Tx, sql: str, names: list[str]) -> list[Row]:
    """Ask with a list."""
    return tx.all(sql, names=names)


def test_answers_are_those_of_their_questions(db: Database) -> None:
    """Also where statements go out together, and their answers come when they may."""

    def mixed(tx: Tx) -> list[object]:
        found: list[object] = []
        for n in range(20):
            rows = [{"name": f"{n} {m}"} for m in range(400)]
            tx.run_many("INSERT INTO word (name) VALUES (:name)", rows)
            found.append(tx.all("SELECT name FROM word WHERE name = :n", n=f"{n} 7"))
            tx.do("UPDATE word SET name = name WHERE name = :name", name="0 7")
            found.append(tx.one("SELECT COUNT(*) FROM word"))
            found.append(tx.run("UPDATE word SET name = name WHERE name = 'none'"))

        return found

    found = db.transact(mixed)

    assert found == [
        answer for n in range(20) for answer in ([(f"{n} 7",)], (400 * (n + 1),), 0)
    ]


def test_an_update_counts_the_rows_it_finds(db: Database) -> None:
    """Also those that are as they should be: the count says whether a row is there."""
    db.transact(add, "a")
    same = "UPDATE word SET name = 'a' WHERE name = :name"

    assert db.transact(run_sql, same, "a") == 1
    assert db.transact(run_sql, same, "b") == 0


def run_sql(tx: Tx, sql: str, name: str) -> int:
    """Execute and count."""
    return tx.run(sql, name=name)


def hammer(url: str, worker: int, run_ids: list[str], count: int) -> None:
    """Write as a server does, from a process of its own."""
    with closing(Database(url)) as db:
        for step in range(count):
            # Each worker in its own order, or nobody would stand in another's way.
            for run_id in run_ids if worker % 2 else reversed(run_ids):
                log(db, run_id, [Point(f"m{step % 7}", step, worker, 0.5)])
            db.transact(runs.set_tags, run_ids[0], [Tag(f"t{step}", str(worker))])


def test_processes_write_at_once_and_lose_nothing(migrated_url: str) -> None:
    """No locked database and no deadlock reaches a caller."""
    workers, count = 4, 15
    with closing(Database(migrated_url)) as db:
        run_ids = [new_run(db) for _ in range(3)]
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=hammer, args=(migrated_url, worker, run_ids, count))
        for worker in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * workers
    with closing(Database(migrated_url)) as db:
        for run_id in run_ids:
            found = db.look(documents.by_id, run_id)
            assert sum(item.points for item in found.metrics) == workers * count
            sizes = [
                db.look(series.whole, run_id, item.key).size for item in found.metrics
            ]
            assert sum(sizes) == workers * count


def test_two_databases_in_one_process_write_at_once(migrated_url: str) -> None:
    """Groups of both touch the same runs in opposite orders."""
    with (
        closing(Database(migrated_url)) as first,
        closing(Database(migrated_url)) as second,
    ):
        run_ids = [new_run(first) for _ in range(4)]

        async def write_all() -> None:
            jobs = [
                db.write(runs.set_tags, run_id, [Tag(f"{name}{n}", "x")])
                for n in range(20)
                for db, name, order in ((first, "a", 1), (second, "b", -1))
                for run_id in run_ids[::order]
            ]
            await asyncio.gather(*jobs)

        asyncio.run(write_all())

        for run_id in run_ids:
            assert len(second.look(documents.by_id, run_id).tags) == 41
