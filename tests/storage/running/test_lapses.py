"""A run whose processes died does not stay RUNNING for ever, and may come back."""

import uuid

from runstone.journal import Begin, Call, Status
from runstone.model import RunStatus
from runstone.storage import documents
from runstone.storage.db import Database
from runstone.storage.running import lapses
from tests.factories import new_run
from tests.storage.test_journals import CALLS, STORY, Said, append, records, state


SILENCE_MS = lapses.SILENCE_MS


def test_a_run_whose_writers_are_silent_is_ended(db: Database) -> None:
    """It says why, and ends when it was heard last; one that is heard goes on."""
    dead, alive, done = (uuid.uuid4().hex for _ in range(3))
    for run_id in (dead, alive):
        append(db, run_id, STORY[:3], now_ms=20)
    append(db, done, STORY, now_ms=20)
    append(db, alive, [], position=0, now_ms=SILENCE_MS + 20)

    ended = db.transact(lapses.lapse, now_ms=SILENCE_MS + 21)

    assert ended == 1
    assert state(db, dead) is RunStatus.KILLED
    assert state(db, alive) is RunStatus.RUNNING
    assert state(db, done) is RunStatus.FINISHED
    found = db.look(documents.by_id, dead)
    assert found.run.end_ms == 20
    assert "5 minutes" in dict(found.tags)["runstone.ended_by"]
    assert db.transact(lapses.lapse, now_ms=SILENCE_MS + 21) == 0


def test_runs_of_other_clients_never_lapse(db: Database) -> None:
    """MLflow's clients give no sign of life, so their silence says nothing."""
    run_id = new_run(db)

    db.transact(lapses.lapse, now_ms=10**15)

    assert state(db, run_id) is RunStatus.RUNNING


def test_a_run_that_is_heard_again_runs_again(db: Database) -> None:
    """A laptop that slept is no dead process; and it may die again."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    append(db, run_id, STORY[:3], writer=writer, now_ms=0)
    position = records(STORY[:3])[-1].end
    db.transact(lapses.lapse, now_ms=SILENCE_MS + 1)

    append(db, run_id, [], writer=writer, position=position, now_ms=SILENCE_MS + 2)

    found = db.look(documents.by_id, run_id)
    assert (found.run.status, found.run.end_ms) == (RunStatus.RUNNING, None)
    assert "runstone.ended_by" not in dict(found.tags)
    assert db.transact(lapses.lapse, now_ms=2 * SILENCE_MS + 3) == 1


def test_what_a_dead_process_left_does_not_revive_its_run(db: Database) -> None:
    """`runstone sync` sends it next morning; the run ended when it was said."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    told: list[Said] = [Begin(name="tale", start_ms=5), Call(("loss",), 1, 70, (1.0,))]
    append(db, run_id, told[:1], writer=writer, now_ms=10)
    db.transact(lapses.lapse, now_ms=SILENCE_MS + 11)

    append(
        db,
        run_id,
        told[1:],
        writer=writer,
        position=records(told)[0].end,
        now_ms=10**9,
        alive=False,
    )

    assert state(db, run_id) is RunStatus.KILLED


def test_a_run_that_is_only_heard_of_after_its_death_ends_at_once(
    db: Database,
) -> None:
    """Its end is the last that it said, not the hour of the sync."""
    run_id = uuid.uuid4().hex
    told: list[Said] = [Begin(name="tale", start_ms=5), Call(("loss",), 1, 70, (1.0,))]
    append(db, run_id, told, now_ms=10**9, alive=False)

    db.transact(lapses.lapse, now_ms=10**9)

    found = db.look(documents.by_id, run_id)
    assert (found.run.status, found.run.end_ms) == (RunStatus.KILLED, 70)


def test_the_end_that_a_run_says_itself_counts(db: Database) -> None:
    """It was taken for dead while its last words waited for the network."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    append(db, run_id, CALLS_OF_A_RUN, writer=writer, now_ms=0)
    db.transact(lapses.lapse, now_ms=SILENCE_MS + 1)

    append(
        db,
        run_id,
        [Status(RunStatus.FINISHED, 99)],
        writer=writer,
        position=records(CALLS_OF_A_RUN)[-1].end,
        now_ms=SILENCE_MS + 2,
        alive=False,
    )

    found = db.look(documents.by_id, run_id)
    assert (found.run.status, found.run.end_ms) == (RunStatus.FINISHED, 99)
    assert "runstone.ended_by" not in dict(found.tags)


def test_a_run_that_was_killed_by_a_word_stays_so(db: Database) -> None:
    """Whoever set KILLED meant it; a late portion changes nothing."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    told: list[Said] = [*CALLS_OF_A_RUN, Status(RunStatus.KILLED, 9)]
    append(db, run_id, told, writer=writer, now_ms=0)

    append(db, run_id, CALLS[5:6], writer=writer, position=records(told)[-1].end)

    assert state(db, run_id) is RunStatus.KILLED


CALLS_OF_A_RUN: list[Said] = [Begin(name="tale", start_ms=5), *CALLS[:2]]
