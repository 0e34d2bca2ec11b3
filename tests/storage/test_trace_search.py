"""A search of traces finds what the slow reference finds, in its order."""

import json
import uuid
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone.errors import BadFilter, InvalidInput
from runstone.model import Assessment, AssessmentKind, Span, Trace, TraceState
from runstone.search.grammar import parse_traces
from runstone.search.match import Subject, matches
from runstone.search.tree import Field, Kind
from runstone.storage.db import Database
from runstone.storage.tracing import search, spans, traces
from runstone.storage.tracing.search import Query
from tests.factories import new_experiment, new_run


FEW = ["a", "b", "A", "a%", "ab", "", "é", "'", '"']
TEXTS = st.sampled_from(FEW)
KEYS = st.sampled_from(["a", "b", "A"])


class Drawn(NamedTuple):
    """A trace to be."""

    start_ms: int
    duration_ms: int | None
    state: TraceState
    client: str | None
    tags: dict[str, str]
    metadata: dict[str, str]
    spans: list[tuple[str, str, str, str]]
    verdicts: dict[str, object]


TRACES = st.builds(
    Drawn,
    start_ms=st.integers(0, 2),
    duration_ms=st.none() | st.integers(0, 2),
    state=st.sampled_from(TraceState),
    client=st.none() | TEXTS,
    tags=st.dictionaries(KEYS | st.just("mlflow.traceName"), TEXTS, max_size=2),
    metadata=st.dictionaries(KEYS, TEXTS, max_size=2),
    spans=st.lists(
        st.tuples(
            st.sampled_from("ab") | TEXTS,
            st.sampled_from("ab") | TEXTS,
            st.sampled_from(["OK", "ERROR", "UNSET"]),
            TEXTS,
        ),
        max_size=3,
    ),
    verdicts=st.dictionaries(
        KEYS, st.sampled_from(["a", "1", 1, 0.5, True, None, ["a"]]), max_size=2
    ),
)
STORES = st.lists(TRACES, min_size=1, max_size=7)

OPS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
TEXT_OPS = st.sampled_from(["=", "!=", "LIKE", "ILIKE"])
QUOTED = TEXTS.map(lambda text: f"`{text}`")
TERM = (
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["timestamp_ms", "execution_time", "trace.end_time"]),
        OPS,
        st.integers(0, 3),
    )
    | st.builds(
        "{} {} {}".format,
        st.sampled_from(
            [
                *("status", "client_request_id", "name", "trace.name", "tags.a"),
                *("tag.b", "metadata.a", "request_metadata.A", "span.name"),
                *("span.type", "span.status", "feedback.a", "expectation.b"),
            ]
        ),
        TEXT_OPS,
        QUOTED | st.sampled_from(["'OK'", "'ERROR'", "'1'", "'true'", "'%'"]),
    )
    | st.builds("trace.text {} {}".format, st.sampled_from(["LIKE", "ILIKE"]), QUOTED)
    | st.builds("feedback.a {} {}".format, st.sampled_from("<>"), st.integers(0, 1))
    | st.builds("status IN ({}, 'OK')".format, QUOTED)
    | st.builds(
        "{} IS {}NULL".format,
        st.sampled_from(["tags.a", "metadata.b", "feedback.a", "expectation.a"]),
        st.sampled_from(["", "NOT "]),
    )
)
SPAN_TERM = st.builds(
    "span.{} = {}".format, st.sampled_from(["name", "type"]), st.sampled_from("ab")
).map(lambda term: term.replace("= a", "= 'a'").replace("= b", "= 'b'"))
FILTERS = (
    st.lists(TERM, min_size=1, max_size=4).map(" AND ".join)
    | st.lists(TERM, min_size=2, max_size=3).map(" OR ".join)
    | st.lists(TERM, min_size=2, max_size=3).map(" AND ".join).map("NOT ({})".format)
    | st.lists(SPAN_TERM, min_size=2, max_size=2).map(" AND ".join)
    | st.none()
)
TERMS = st.builds(
    "{} {}".format,
    st.sampled_from(
        [
            *("timestamp", "execution_time_ms", "end_time", "status", "name"),
            *("request_id", "client_request_id", "tags.a", "metadata.b"),
        ]
    ),
    st.sampled_from(["", "ASC", "DESC"]),
)
ORDERS = st.lists(TERMS, max_size=2, unique_by=lambda term: term.split()[0])


def fill(db: Database, home: int, drawn: Drawn) -> tuple[str, Subject]:
    """Write a trace, and say what a filter sees of it."""
    trace_id = f"tr-{uuid.uuid4().hex}"
    kinds = {"a": AssessmentKind.FEEDBACK, "b": AssessmentKind.EXPECTATION}
    judged = [
        Assessment(
            f"a-{key}",
            trace_id,
            kinds.get(key, AssessmentKind.FEEDBACK),
            key,
            json.dumps(value),
            "HUMAN",
            0,
            0,
        )
        for key, value in drawn.verdicts.items()
    ]
    trace = Trace(
        trace_id,
        home,
        drawn.start_ms,
        drawn.state,
        drawn.duration_ms,
        drawn.client,
        tags=drawn.tags,
        metadata=drawn.metadata | {spans.FINAL_KEY: "true"},
        assessments=tuple(judged),
    )
    db.transact(traces.put, trace_id, trace)
    rows = [
        Span(f"{place:016x}", f"{9:016x}", name, kind, status, 0, None, body)
        for place, (name, kind, status, body) in enumerate(drawn.spans)
    ]
    if rows and drawn.state is not TraceState.IN_PROGRESS:
        db.transact(spans.append, [spans.Arrival(trace_id, rows)], experiment_id=home)

    return trace_id, _subject(db.look(traces.by_id, trace_id), rows)


def _subject(trace: Trace, rows: list[Span]) -> Subject:
    duration = trace.duration_ms
    verdicts: dict[Field, list[str]] = {}
    for item in trace.assessments:
        verdicts.setdefault(Field(Kind(item.kind), item.name), []).append(item.value)

    return Subject(
        attributes={
            "request_id": trace.id,
            "timestamp_ms": trace.start_ms,
            "execution_time_ms": duration,
            "end_time_ms": trace.start_ms + (duration or 0),
            "status": str(trace.state),
            "client_request_id": trace.client_request_id,
            "name": trace.tags.get("mlflow.traceName"),
        },
        tags=trace.tags,
        metadata=trace.metadata,
        spans=[
            {"name": s.name, "type": s.type, "status": s.status, "content": s.body}
            for s in (rows if trace.tags.get(spans.SPANS_TAG) else [])
        ],
        verdicts=verdicts,
    )


def slow(subjects: dict[str, Subject], text: str | None, order: list[str]) -> list[str]:
    """Filter and sort one by one; what is missing comes last."""
    node = parse_traces(text)
    found = sorted(each for each in subjects if matches(node, subjects[each]))
    for term in ("timestamp DESC", *reversed(order)):  # the most important last
        found = _sorted(found, subjects, *term.split())

    return found


def _sorted(
    ids: list[str], subjects: dict[str, Subject], name: str, direction: str = "ASC"
) -> list[str]:
    values = {each: _value(subjects[each], name) for each in ids}
    there = [each for each in ids if values[each] is not None]
    missing = [each for each in ids if values[each] is None]
    # A stable sort turned round keeps the order of what is equal.
    there.sort(key=lambda each: values[each], reverse=direction == "DESC")

    return there + missing


def _value(subject: Subject, name: str) -> Any:  # noqa: ANN401  # texts or numbers, of one field alike
    aliases = {"timestamp": "timestamp_ms", "end_time": "end_time_ms"}
    head, _, key = name.partition(".")
    if key:
        return (subject.tags if head == "tags" else subject.metadata).get(key)

    return subject.attributes[aliases.get(name, name)]


def found(db: Database, query: Query) -> list[str]:
    """Search page by page, as a client does."""
    ids: list[str] = []
    while True:
        page = db.look(search.find, query)
        assert len(page.traces) <= query.limit
        ids += [trace.id for trace in page.traces]
        if page.next_page_token is None:
            return ids
        query = query._replace(page_token=page.next_page_token)


@settings(max_examples=150)
@given(drawn=STORES, text=FILTERS, order=ORDERS, limit=st.integers(1, 4))
def test_a_search_of_traces_is_the_slow_reference(
    db: Database, drawn: list[Drawn], text: str | None, order: list[str], limit: int
) -> None:
    """Whatever is asked, in whatever order, over however many pages."""
    home = new_experiment(db)
    subjects = dict(fill(db, home, each) for each in drawn)

    answer = found(db, Query((home,), text, tuple(order), limit))

    assert answer == slow(subjects, text, order)


def start(db: Database, home: int, **fields: Any) -> str:  # noqa: ANN401  # any of a trace's
    """Write a trace."""
    trace_id = f"tr-{uuid.uuid4().hex}"
    trace = Trace(trace_id, home, 0, TraceState.OK)._replace(**fields)
    db.transact(traces.put, trace_id, trace)

    return trace_id


def test_traces_of_a_run_are_those_made_in_it_and_those_linked(db: Database) -> None:
    """`run_id` is one question, whichever way the trace came to the run."""
    home = new_experiment(db)
    run_id = new_run(db, home)
    made = start(db, home, metadata={"mlflow.sourceRun": run_id})
    linked = start(db, home, start_ms=1)
    start(db, home, metadata={"mlflow.sourceRun": "another"})
    db.transact(traces.link_to_run, traces.Links([linked, "tr-missing"], run_id))

    for asked in ("run_id", "metadata.`mlflow.sourceRun`"):
        query = Query((home,), f"{asked} = '{run_id}'")
        assert found(db, query) == [linked, made]


def test_traces_that_used_a_prompt_are_found_by_it(db: Database) -> None:
    """Who changes a prompt wants to see what it did."""
    home = new_experiment(db)
    used = start(db, home)
    start(db, home)
    for _ in range(2):
        db.transact(traces.link_prompts, used, ["greet/1", "greet/2"])

    assert found(db, Query((home,), "prompt = 'greet/2'")) == [used]
    with pytest.raises(InvalidInput, match="name/version"):
        found(db, Query((home,), "prompt = 'greet'"))


@pytest.mark.parametrize(
    "text",
    [
        "span.attributes.model = 'x'",
        "issue.id = 'x'",
        "metrics.a > 1",
        "tags.a RLIKE 'x'",
        "prompt LIKE 'x'",
        "text = 'x'",
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(db: Database, text: str) -> None:
    """An empty answer would be a lie."""
    with pytest.raises(BadFilter, match="expected"):
        found(db, Query((0,), text))


@pytest.mark.parametrize("term", ["text", "prompt", "span.name", "feedback.a"])
def test_what_has_no_one_value_is_no_order(db: Database, term: str) -> None:
    """Nothing to compare: said at once."""
    with pytest.raises(BadFilter):
        found(db, Query((0,), None, (term,)))


def test_an_overridden_feedback_is_not_found(db: Database) -> None:
    """It does not count any more."""
    home = new_experiment(db)
    old = Assessment("a-1", "", AssessmentKind.FEEDBACK, "a", "1", "HUMAN", 0, 0)
    trace_id = start(db, home, assessments=(old._replace(is_valid=False),))

    assert found(db, Query((home,), "feedback.a = '1'")) == []
    assert found(db, Query((home,))) == [trace_id]
