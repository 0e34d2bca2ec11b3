"""Traces are joined from what comes about them, kept whole, and deleted whole."""

import asyncio
import uuid
from typing import Any

import pytest

from runstone import errors
from runstone.model import Assessment, AssessmentKind, Span, Trace, TraceState
from runstone.storage import experiments
from runstone.storage.db import Database
from runstone.storage.tracing import assessments, spans, traces
from runstone.storage.tracing.assessments import Change
from runstone.storage.tracing.spans import Arrival
from runstone.storage.tracing.traces import CHILDREN, Selection
from runstone.storage.tx import Tx
from tests.factories import new_experiment, new_run


MS = 1_000_000


def new_id() -> str:
    """Make an id of a trace."""
    return f"tr-{uuid.uuid4().hex}"


def span(number: int, start_ms: int, end_ms: int | None, **fields: Any) -> Span:  # noqa: ANN401  # any of a span's
    """Make a span; number 1 is the root of the others."""
    parent = None if number == 1 else f"{1:016x}"
    end_ns = None if end_ms is None else end_ms * MS
    made = Span(f"{number:016x}", parent, "n", "", "OK", start_ms * MS, end_ns, "{}")

    return made._replace(**fields)


def arrive(db: Database, trace_id: str, *came: Span, home: int = 0) -> None:
    """Write spans of one trace."""
    db.transact(spans.append, [Arrival(trace_id, came)], experiment_id=home)


def start(db: Database, home: int = 0, *, start_ms: int = 5, **fields: Any) -> str:  # noqa: ANN401  # any of a trace's
    """Write a trace."""
    trace = Trace(new_id(), home, start_ms, TraceState.OK, 7)._replace(**fields)
    db.transact(traces.put, trace.id, trace)

    return trace.id


def feedback(uuid: str = "a-1", **fields: Any) -> Assessment:  # noqa: ANN401  # any of an assessment's
    """Make a feedback."""
    made = Assessment(uuid, "", AssessmentKind.FEEDBACK, "good", "1", "HUMAN", 1, 2)

    return made._replace(**fields)


def test_a_trace_grows_with_its_spans(db: Database) -> None:
    """They come as they end: children first, the root last, from several programs."""
    trace_id = new_id()

    arrive(db, trace_id, span(2, 20, 30))
    unfinished = db.look(traces.by_id, trace_id)
    arrive(db, trace_id, span(3, 15, 90, status="ERROR"))
    arrive(db, trace_id, span(1, 10, 80, status="ERROR"))

    trace = db.look(traces.by_id, trace_id)
    assert (unfinished.start_ms, unfinished.duration_ms) == (20, 10)
    assert unfinished.state is TraceState.IN_PROGRESS
    assert (trace.start_ms, trace.duration_ms) == (10, 80)
    assert trace.state is TraceState.ERROR
    assert trace.tags[spans.SPANS_TAG] == spans.SPANS_HERE


def test_what_the_client_said_of_a_trace_stands(db: Database) -> None:
    """A late span changes no time and no state that was given."""
    trace_id = start(db, metadata={spans.FINAL_KEY: "true"})

    arrive(db, trace_id, span(1, 1, 900, status="ERROR"))

    trace = db.look(traces.by_id, trace_id)
    assert (trace.start_ms, trace.duration_ms) == (5, 7)
    assert trace.state is TraceState.OK


def test_a_span_that_comes_again_takes_its_own_place(db: Database) -> None:
    """An exporter sends again what it has no answer for."""
    trace_id = new_id()

    for body in ("old", "old", "new"):
        arrive(db, trace_id, span(2, 20, 30, body=body), span(1, 10, 40, body="root"))

    assert db.look(spans.of, trace_id) == ["root", "new"]


def test_spans_are_read_root_first_then_as_they_began(db: Database) -> None:
    """So a reader draws them as they come."""
    trace_id = new_id()

    arrive(db, trace_id, span(4, 30, 40, body="c"), span(3, 20, 25, body="b"))
    arrive(db, trace_id, span(1, 90, 99, body="root"), span(2, 20, 22, body="a"))

    assert db.look(spans.of, trace_id) == ["root", "a", "b", "c"]


def test_spans_for_another_experiment_are_refused_whole(db: Database) -> None:
    """Nobody writes into a trace that is not theirs; nothing else was written."""
    mine, other = new_experiment(db), new_experiment(db)
    trace_id, fresh = start(db, mine), new_id()
    arrivals = [Arrival(fresh, [span(1, 1, 2)]), Arrival(trace_id, [span(1, 1, 2)])]

    with pytest.raises(errors.InvalidInput, match="another experiment"):
        db.transact(spans.append, arrivals, experiment_id=other)
    with pytest.raises(errors.InvalidInput, match="another experiment"):
        db.transact(traces.put, trace_id, Trace(trace_id, other, 1, TraceState.OK))

    assert db.look(spans.of, trace_id) == []
    with pytest.raises(errors.TraceNotFound):
        db.look(traces.by_id, fresh)


def test_a_deleted_experiment_takes_no_traces(db: Database) -> None:
    """As it takes no runs."""
    home = new_experiment(db)
    db.transact(experiments.delete, home, now_ms=1)

    with pytest.raises(errors.ExperimentDeleted):
        start(db, home)
    with pytest.raises(errors.ExperimentDeleted):
        arrive(db, new_id(), span(1, 1, 2), home=home)


def test_a_trace_that_is_written_again_is_joined(db: Database) -> None:
    """Spans came before it, or its answer was lost on the way."""
    trace_id = start(
        db,
        tags={"a": "1", "b": "1"},
        metadata={"m": "1"},
        request_preview="asked",
        client_request_id="mine",
        assessments=(feedback(),),
    )

    again = Trace(trace_id, 0, 9, TraceState.ERROR, tags={"b": "2"}, metadata={"n": ""})
    db.transact(traces.put, trace_id, again)

    trace = db.look(traces.by_id, trace_id)
    assert trace.tags == {
        "a": "1",
        "b": "2",
        traces.PLACE_TAG: trace.tags[traces.PLACE_TAG],
    }
    assert trace.metadata == {"m": "1", "n": ""}
    assert (trace.start_ms, trace.duration_ms, trace.state) == (9, None, "ERROR")
    assert trace.request_preview == "asked"
    assert [item.id for item in trace.assessments] == ["a-1"]


def test_many_writers_of_one_trace_lose_nothing(db: Database) -> None:
    """A distributed trace comes from all sides at once."""
    trace_id = new_id()

    async def write() -> None:
        jobs = [
            db.write_long(
                spans.append,
                [Arrival(trace_id, [span(number, number, number + 1)])],
                experiment_id=0,
            )
            for number in range(1, 40)
        ]
        told = Trace(trace_id, 0, 5, TraceState.OK, tags={"a": "b"})
        await asyncio.gather(*jobs, db.write(traces.put, trace_id, told))

    asyncio.run(write())

    assert len(db.look(spans.of, trace_id)) == 39
    assert db.look(traces.by_id, trace_id).tags["a"] == "b"


def test_a_deleted_trace_leaves_nothing(db: Database) -> None:
    """Its spans may hold what somebody asked to be forgotten."""
    home = new_experiment(db)
    run_id = new_run(db, home)
    kept, gone = start(db, home), start(db, home, assessments=(feedback(),))
    for trace_id in (kept, gone):
        arrive(db, trace_id, span(1, 1, 2), home=home)
        db.transact(traces.link_prompts, trace_id, ["p/1"])
    db.transact(traces.link_to_run, traces.Links([kept, gone], run_id))

    selection = Selection(home, [gone, "tr-missing"])
    assert db.transact(traces.delete, selection) == 1
    assert db.transact(traces.delete, selection) == 0

    def left(tx: Tx) -> set[int]:
        return {
            row[0]
            for table in CHILDREN
            for row in tx.all(f"SELECT trace_id FROM {table}")
        } - {row[0] for row in tx.all("SELECT id FROM trace")}

    assert db.look(left) == set()
    assert len(db.look(spans.of, kept)) == 1


def test_the_oldest_traces_are_deleted_first(db: Database) -> None:
    """Up to a time, and no more than asked."""
    home = new_experiment(db)
    ids = [start(db, home, start_ms=start_ms) for start_ms in (3, 1, 2, 9)]

    assert db.transact(traces.delete, Selection(home, until_ms=8, most=2)) == 2

    assert [trace.id for trace in db.look(traces.by_ids, ids)] == [ids[0], ids[3]]
    assert db.transact(traces.delete, Selection(home, until_ms=8)) == 1


def test_named_traces_come_in_the_order_asked_for(db: Database) -> None:
    """Each once, those that are there, in the experiments that are named."""
    home = new_experiment(db)
    first, second = start(db, home), start(db)

    found = db.look(traces.by_ids, [second, "tr-missing", first, second])
    scoped = db.look(traces.by_ids, [second, first], experiment_ids=[home])

    assert [trace.id for trace in found] == [second, first]
    assert [trace.id for trace in scoped] == [first]


def test_a_tag_is_set_and_removed(db: Database) -> None:
    """What is not there cannot be removed, and says so."""
    trace_id = start(db)
    db.transact(traces.set_tag, trace_id, "a", "b")
    db.transact(traces.set_tag, trace_id, "a", "c")
    assert db.look(traces.by_id, trace_id).tags["a"] == "c"

    db.transact(traces.delete_tag, trace_id, "a")

    assert "a" not in db.look(traces.by_id, trace_id).tags
    with pytest.raises(errors.NotFound, match="No trace tag"):
        db.transact(traces.delete_tag, trace_id, "a")
    with pytest.raises(errors.TraceNotFound):
        db.transact(traces.set_tag, "tr-missing", "a", "b")


def test_a_link_needs_a_run(db: Database) -> None:
    """A mistyped run is not a quiet success."""
    with pytest.raises(errors.RunNotFound):
        db.transact(traces.link_to_run, traces.Links([start(db)], "x"))


def test_an_override_takes_the_place_of_what_it_overrides(db: Database) -> None:
    """Until it is removed."""
    trace_id = start(db)
    db.transact(assessments.create, trace_id, feedback("a-1"))
    db.transact(assessments.create, trace_id, feedback("a-2", overrides="a-1"))
    assert not db.look(assessments.by_id, trace_id, "a-1").is_valid

    db.transact(assessments.delete, trace_id, "a-2")
    db.transact(assessments.delete, trace_id, "a-2")

    assert db.look(assessments.by_id, trace_id, "a-1").is_valid
    with pytest.raises(errors.NotFound, match="a-2"):
        db.look(assessments.by_id, trace_id, "a-2")


def test_an_assessment_is_not_written_over_by_another_of_its_id(db: Database) -> None:
    """A new one has an id of its own."""
    trace_id = start(db, assessments=(feedback(),))

    with pytest.raises(errors.Conflict, match="already"):
        db.transact(assessments.create, trace_id, feedback(value="2"))

    assert db.look(assessments.by_id, trace_id, "a-1").value == "1"


def test_the_same_assessment_id_may_stand_in_two_traces(db: Database) -> None:
    """An id that a client chose is no way into another's trace."""
    first = start(db, assessments=(feedback(value='"mine"'),))
    second = start(db, assessments=(feedback(value='"yours"'),))

    assert db.look(assessments.by_id, first, "a-1").value == '"mine"'
    assert db.look(assessments.by_id, second, "a-1").value == '"yours"'


def test_a_change_keeps_what_it_does_not_name(db: Database) -> None:
    """Metadata are joined; the kind stays."""
    trace_id = start(db, assessments=(feedback(rationale="so", metadata={"a": "1"}),))

    change = Change(name="better", metadata={"b": "2"})
    changed = db.transact(assessments.update, trace_id, "a-1", change=change, now_ms=9)

    assert (changed.name, changed.value, changed.rationale) == ("better", "1", "so")
    assert changed.metadata == {"a": "1", "b": "2"}
    assert (changed.created_ms, changed.updated_ms) == (1, 9)
    assert db.look(assessments.by_id, trace_id, "a-1") == changed
    wrong = Change(kind=AssessmentKind.EXPECTATION, value="2")
    with pytest.raises(errors.InvalidInput, match="expectation value"):
        db.transact(assessments.update, trace_id, "a-1", change=wrong, now_ms=9)
