"""Spans: written as they come, one by one and again, and read with their trace."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from runstone.model import Experiment, Span, Trace, TraceState
from runstone.storage import experiments, words
from runstone.storage.tracing import pairs, places, traces
from runstone.storage.tx import Tx


NS: Final = 1_000_000
"""Nanoseconds in a millisecond."""

SPANS_TAG: Final = "mlflow.trace.spansLocation"
SPANS_HERE: Final = "TRACKING_STORE"
"""What the tag says where the spans lie in this store, and not in a file."""

FINAL_KEY: Final = "mlflow.trace.infoFinalized"
"""Metadata of a trace whose client said itself when it was and how it ended."""


class Arrival(NamedTuple):
    """Spans of one trace that came together, and what they tell of the trace."""

    trace_id: str
    spans: Sequence[Span]
    request_preview: str | None = None
    response_preview: str | None = None
    tags: Mapping[str, str] = {}
    metadata: Mapping[str, str] = {}
    """Written where the trace has no value yet."""

    @property
    def start_ms(self) -> int:
        """When the first of the spans began."""
        return min(span.start_ns for span in self.spans) // NS

    @property
    def end_ms(self) -> int | None:
        """When the last of them ended; None if none has."""
        return max((s.end_ns for s in self.spans if s.end_ns), default=0) // NS or None

    @property
    def state(self) -> TraceState | None:
        """How the trace ended, if its root is among the spans."""
        for span in self.spans:
            if span.parent_id is None:
                return TraceState.ERROR if span.status == "ERROR" else TraceState.OK

        return None


def append(tx: Tx, arrivals: Sequence[Arrival], *, experiment_id: int) -> None:
    """
    Write spans; one that is there is replaced, and a trace that is not is made.

    Raises:
        ExperimentNotFound: The experiment is not there.
        ExperimentDeleted: It is in the bin.
        InvalidInput: A trace is in another experiment; nothing was written.
    """
    experiment = experiments.require_live(tx, experiment_id)
    # In one order, so that two servers wait for each other and lock no circle.
    ordered = sorted(arrivals, key=lambda arrival: arrival.trace_id)
    homes = tx.all(
        "SELECT uuid, experiment_id FROM trace WHERE uuid IN (:ids) ORDER BY uuid",
        ids=[arrival.trace_id for arrival in ordered],
    )
    for uuid, home in homes:
        if home != experiment_id:
            raise traces.elsewhere(uuid)
    for arrival in ordered:
        _append(tx, arrival, experiment)


def of(tx: Tx, trace_id: str) -> list[str]:
    """
    Return the bodies of a trace's spans, the root first, then as they began.

    Raises:
        TraceNotFound: No trace has this id.
    """
    rows = tx.all(
        """
        SELECT body FROM span WHERE trace_id = :trace
        ORDER BY CASE WHEN parent_id IS NULL THEN 0 ELSE 1 END, start_ns, span_id
        """,
        trace=places.require(tx, trace_id).number,
    )

    return [row[0] for row in rows]


class Whole(NamedTuple):
    """A trace and the bodies of its spans."""

    trace: Trace
    spans: list[str]


def whole(tx: Tx, trace_id: str) -> Whole:
    """
    Return a trace with its spans.

    Raises:
        TraceNotFound: No trace has this id.
    """
    return Whole(traces.by_id(tx, trace_id), of(tx, trace_id))


def several(
    tx: Tx, trace_ids: Sequence[str], *, experiment_ids: Sequence[int] | None = None
) -> list[Whole]:
    """Return the traces that exist with their spans, in the order asked for."""
    found = traces.by_ids(tx, trace_ids, experiment_ids=experiment_ids)

    return [Whole(trace, of(tx, trace.id)) for trace in found]


def _append(tx: Tx, arrival: Arrival, experiment: Experiment) -> None:
    start_ms, end_ms = arrival.start_ms, arrival.end_ms
    traces.insert(
        tx,
        Trace(
            arrival.trace_id,
            experiment.id,
            start_ms,
            arrival.state or TraceState.IN_PROGRESS,
            None if end_ms is None else end_ms - start_ms,
            request_preview=arrival.request_preview,
            response_preview=arrival.response_preview,
        ),
    )
    place = places.lock(tx, arrival.trace_id)
    known = pairs.of(tx, pairs.METADATA, [place.number])[place.number]
    _widen(tx, place.number, arrival, is_final=FINAL_KEY in known)
    _write(tx, place.number, arrival.spans)
    location = traces.artifact_location(experiment.artifact_location, arrival.trace_id)
    tags = {**arrival.tags, traces.PLACE_TAG: location, SPANS_TAG: SPANS_HERE}
    new = {key: text for key, text in arrival.metadata.items() if key not in known}
    pairs.put(tx, pairs.TAG, place.number, experiment.id, pairs=tags)
    pairs.put(tx, pairs.METADATA, place.number, experiment.id, pairs=new)


def _widen(tx: Tx, number: int, arrival: Arrival, *, is_final: bool) -> None:
    """Let a trace begin with its first span and end with its last and its root."""
    row = tx.one(
        "SELECT start_ms, duration_ms, state FROM trace WHERE id = :id", id=number
    )
    assert row is not None, "it is locked"
    start_ms, duration_ms, state = row
    if not is_final:
        ends = [] if duration_ms is None else [start_ms + duration_ms]
        ends += [] if arrival.end_ms is None else [arrival.end_ms]
        start_ms = min(start_ms, arrival.start_ms)
        duration_ms = max(ends) - start_ms if ends else None
    if state in (TraceState.IN_PROGRESS, TraceState.UNKNOWN):
        state = arrival.state or state
    tx.run(
        """
        UPDATE trace SET start_ms = :start, duration_ms = :duration, state = :state,
            request_preview = COALESCE(request_preview, :request),
            response_preview = COALESCE(response_preview, :response)
        WHERE id = :id
        """,
        id=number,
        start=start_ms,
        duration=duration_ms,
        state=state,
        request=arrival.request_preview,
        response=arrival.response_preview,
    )


def _write(tx: Tx, trace: int, spans: Sequence[Span]) -> None:
    last = {span.id: span for span in spans}
    tx.run_many(
        """
        INSERT INTO span (trace_id, span_id, parent_id, name, type, status,
            start_ns, end_ns, body)
        VALUES (:trace, :id, :parent_id, :name, :type, :status, :start_ns, :end_ns,
            :body)
        ON CONFLICT (trace_id, span_id) DO UPDATE SET
            parent_id = excluded.parent_id, name = excluded.name,
            type = excluded.type, status = excluded.status,
            start_ns = excluded.start_ns, end_ns = excluded.end_ns,
            body = excluded.body
        """,
        [
            {
                **last[key]._asdict(),
                "trace": trace,
                "name": words.clean("Span name", last[key].name, 10_000),
                "type": words.clean("Span type", last[key].type, 10_000),
            }
            for key in sorted(last)
        ],
    )
