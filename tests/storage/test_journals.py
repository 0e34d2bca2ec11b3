"""Journals come in once and in order, whatever is sent again."""

import uuid
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors, journal
from runstone.journal import (
    Begin,
    Call,
    Change,
    Inputs,
    Media,
    Params,
    Read,
    Status,
    Tags,
    Untag,
)
from runstone.model import RunStatus
from runstone.storage import (
    documents,
    experiments,
    journals,
    media,
    runs,
    series,
)
from runstone.storage.db import Database
from runstone.storage.documents import Whole
from runstone.storage.journals import Heard, Portion
from runstone.storage.running import lapses
from tests.factories import new_run


Said = Call | Change

CALLS = [Call(("loss", "acc"), step, step, (step / 2, step / 4)) for step in range(9)]
STORY: list[Said] = [
    Begin(experiment="story", name="tale", start_ms=5, tags={"a": "1"}),
    Params({"lr": "0.1", "한글": "값"}),
    *CALLS[:4],
    Tags({"a": "2", "b": "3"}),
    *CALLS[4:],
    Untag("b"),
    Media("pics", 3, 4, msgspec.Raw(b'{"type":"images"}')),
    Status(RunStatus.FINISHED, 99),
]


@settings(max_examples=25)
@given(parts=st.lists(st.tuples(st.integers(0, 15), st.integers(1, 15)), max_size=6))
def test_a_journal_counts_once_however_it_is_sent(
    db: Database, parts: list[tuple[int, int]]
) -> None:
    """Portions overlap, repeat and come late; the record is that of one telling."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    ends = [0, *(item.end for item in records(STORY))]
    heard = 0
    for back, length in [*parts, (15, len(STORY))]:
        start = max(0, heard - back)
        told = STORY[start : start + length]
        append(db, run_id, told, writer=writer, position=ends[start])
        heard = max(heard, start + len(told))

    assert_told(db, run_id)
    assert db.look(documents.by_id, run_id).run.status is RunStatus.FINISHED


def test_writers_of_one_run_are_counted_apart(db: Database) -> None:
    """Eight processes write to one run, and each has numbers of its own."""
    run_id = uuid.uuid4().hex
    append(db, run_id, STORY[:2])

    for step in range(8):
        append(db, run_id, [Call(("loss",), step, step, (1.0,))])

    assert db.look(series.whole, run_id, "loss").step.tolist() == list(range(8))


def test_what_cannot_be_kept_is_named_and_the_rest_is_kept(db: Database) -> None:
    """One wrong value must not hold up a journal for ever."""
    run_id = uuid.uuid4().hex
    append(db, run_id, STORY[:2])

    heard = append(
        db,
        run_id,
        [
            Params({"lr": "0.2", "depth": "3"}),
            Tags({"": "nameless", "t": "kept"}),
            Call(("k" * 300, "loss"), 1, 1, (1.0, 2.0)),
            Media("text", 1, 1, msgspec.Raw(b"[]")),
        ],
    )

    found = db.look(documents.by_id, run_id)
    refused = [item.what for item in heard.refused]
    assert refused == ["param 'lr'", "tag ''", "media 'text'", f"metric {'k' * 80!r}"]
    assert dict(found.params)["depth"] == "3"
    assert dict(found.params)["lr"] == "0.1"
    assert dict(found.tags)["t"] == "kept"
    assert [metric.key for metric in found.metrics] == ["loss"]


def test_what_a_run_read_is_kept(db: Database) -> None:
    """Which data a model comes from is asked long after."""
    run_id = uuid.uuid4().hex
    fits = Read("iris", "abc", "local", "{}", tags={"mlflow.data.context": "training"})

    over = Read("n" * 501, "x", "y", "z")

    heard = append(db, run_id, [*STORY[:1], Inputs([fits, over])])

    found = db.look(documents.by_id, run_id).inputs
    assert [(item.dataset.name, dict(item.tags)) for item in found] == [
        ("iris", {"mlflow.data.context": "training"})
    ]
    assert [item.what for item in heard.refused] == [f"dataset {'n' * 80!r}"]


def test_params_may_be_written_anew_if_that_is_said(db: Database) -> None:
    """W&B's names allow it where the user does."""
    run_id = uuid.uuid4().hex
    append(db, run_id, STORY[:2])

    heard = append(db, run_id, [Params({"lr": "0.2"}, anew=True)])

    assert not heard.refused
    assert dict(db.look(documents.by_id, run_id).params)["lr"] == "0.2"


def test_a_run_that_begins_again_goes_on(db: Database) -> None:
    """Who resumes a run adds to it; it runs again, under its name."""
    run_id = uuid.uuid4().hex
    append(db, run_id, STORY)

    append(db, run_id, [Begin(experiment="other", tags={"again": "yes"})])

    found = db.look(documents.by_id, run_id)
    assert found.run.status is RunStatus.RUNNING
    assert found.run.end_ms is None
    assert found.run.name == "tale"
    assert dict(found.tags)["again"] == "yes"


def test_a_journal_of_nobody_waits(db: Database) -> None:
    """A forked child may be heard before its parent; it is told to come again."""
    with pytest.raises(errors.RunNotFound):
        append(db, uuid.uuid4().hex, CALLS[:1])


def test_a_deleted_run_takes_nothing(db: Database) -> None:
    """The error says what would help, and nothing was counted as heard."""
    run_id, writer = uuid.uuid4().hex, uuid.uuid4().hex
    append(db, run_id, STORY[:2], writer=writer)
    db.transact(runs.delete, run_id, now_ms=1)
    position = records(STORY[:2])[-1].end

    with pytest.raises(errors.RunDeleted, match="restore it"):
        append(db, run_id, CALLS, writer=writer, position=position)

    db.transact(runs.restore, run_id)
    append(db, run_id, CALLS, writer=writer, position=position)
    assert db.look(series.whole, run_id, "loss").size == len(CALLS)


def test_a_deleted_experiment_begins_nothing(db: Database) -> None:
    """No run comes to lie where nobody sees it."""
    number = db.transact(experiments.create, "bin", artifact_root="/a", now_ms=1)
    db.transact(experiments.delete, number, now_ms=2)

    with pytest.raises(errors.ExperimentDeleted):
        append(db, uuid.uuid4().hex, [Begin(experiment="bin", name="x")])


@pytest.mark.parametrize("sent", ["-1", "x", "\uff11", "9" * 30])
def test_an_experiment_that_is_no_number_is_not_found(db: Database, sent: str) -> None:
    """What clients send is never trusted to be one."""
    with pytest.raises((errors.ExperimentNotFound, errors.InvalidInput)):
        append(db, uuid.uuid4().hex, [Begin(experiment_id=sent, name="x")])


def test_a_run_outlives_who_only_adds_to_it(db: Database) -> None:
    """A script that sets a tag on somebody's run and ends says nothing of the run."""
    run_id, writer = new_run(db), uuid.uuid4().hex
    append(db, run_id, [Tags({"reviewed": "yes"})], writer=writer, now_ms=0)
    append(db, run_id, [], writer=writer, now_ms=1)

    db.transact(lapses.lapse, now_ms=10**15)

    assert state(db, run_id) is RunStatus.RUNNING


def append(
    db: Database,
    run_id: str,
    said: Sequence[Said],
    *,
    writer: str = "",
    position: int = 0,
    now_ms: int = 7,
    alive: bool = True,
) -> Heard:
    """Send a portion."""
    sent = records(said)
    portion = Portion(
        writer or uuid.uuid4().hex,
        position,
        sent[-1].end if sent else 0,
        sent,
        alive,
    )

    return db.transact(
        journals.append, run_id, portion, artifact_root="/artifacts", now_ms=now_ms
    )


def records(said: Sequence[Said]) -> list[journal.Record]:
    """Write what is said, and read it as the server does."""
    written = [
        journal.packer(item.keys).record(item.step, item.time_ms, item.values)
        if isinstance(item, Call)
        else journal.change(item)
        for item in said
    ]

    return list(journal.read(b"".join(written)))


def assert_told(db: Database, run_id: str) -> None:
    """Check that a run is what `STORY` says."""
    found: Whole = db.look(documents.by_id, run_id)
    assert found.run.name == "tale"
    assert dict(found.params) == {"lr": "0.1", "한글": "값"}
    assert dict(found.tags) == {"a": "2", "mlflow.runName": "tale"}
    loss = db.look(series.whole, run_id, "loss")
    assert loss.step.tolist() == list(range(9))
    assert loss.value.tolist() == [step / 2 for step in range(9)]
    assert [(item.key, item.step) for item in db.look(media.of_run, run_id)] == [
        ("pics", 3)
    ]


def state(db: Database, run_id: str) -> RunStatus:
    """Return how far a run has come."""
    return db.look(runs.by_id, run_id).status
