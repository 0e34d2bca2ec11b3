"""
Spans from OpenTelemetry's exporters, and from MLflow's clients since 3.4.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp (status codes, partial
success), and `mlflow/server/otel_api.py`, MLflow 3.18 (headers, what spans tell
of their trace).
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from runstone import errors, limits
from runstone.model import Span
from runstone.server.http import JSON, Reply, Request, Right, Route
from runstone.server.mlflow.messages import experiment_id
from runstone.server.mlflow.tracing import encodings, messages, spans, times
from runstone.server.mlflow.tracing.encodings import Batch, Export
from runstone.server.mlflow.tracing.spans import Attributes, Sent, Value
from runstone.server.state import database
from runstone.storage.tracing import spans as stored
from runstone.storage.tracing import traces
from runstone.storage.tracing.spans import NS, Arrival


PROTOBUF: Final = b"application/x-protobuf"
READERS: Final = {
    JSON.decode(): encodings.from_json,
    PROTOBUF.decode(): encodings.from_protobuf,
}
TRACE: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN: Final = re.compile(r"(?!0{16})[0-9a-f]{16}")

LARGE_BYTES: Final = 100_000
"""Bodies of this size and up are read in a thread, so that others are answered."""

TAG_PREFIX: Final = "mlflow.traceTag."
"""Attributes of a root by which clients send the tags of their trace."""

NO_TAGS: Final = ("telemetry.sdk.", "mlflow.")
"""What of a program's description becomes no tag of its traces."""

SESSIONS: Final = ("session.id", "gen_ai.conversation.id")
USER: Final = "user.id"


class Outcome(NamedTuple):
    """What came of an export request."""

    arrivals: list[Arrival]
    roots: list[str]
    """Ids of the traces whose root came."""

    rejected: int
    why: str
    """What is wrong with the last of the rejected."""


async def export(request: Request) -> Reply:
    """Write spans; those that cannot be kept are rejected, and the others kept."""
    read = _reader(request)
    home = request.header(b"x-mlflow-experiment-id").strip()
    if not home:
        raise errors.InvalidInput(
            "The header x-mlflow-experiment-id is missing; set it to the id of the "
            "experiment that the traces belong to, for example with "
            "OTEL_EXPORTER_OTLP_HEADERS=x-mlflow-experiment-id=0"
        )
    number = experiment_id(home)
    body = await request.inflated_body()
    is_small = len(body) < LARGE_BYTES
    if is_small:
        outcome = judge(read(body))
    else:
        outcome = await asyncio.to_thread(lambda: judge(read(body)))
    if outcome.rejected and not outcome.arrivals:
        raise errors.InvalidInput(f"No span could be kept: {outcome.why}")
    if outcome.arrivals:
        write = database(request).write if is_small else database(request).write_long
        await write(stored.append, outcome.arrivals, experiment_id=number)
    await _link(request, outcome.roots)

    return _reply(request, outcome)


async def _link(request: Request, roots: list[str]) -> None:
    run_id = request.header(b"x-mlflow-run-id").strip()
    if run_id and roots:
        # The spans are kept; a run that is not there is no reason to send them again.
        with suppress(errors.RunNotFound):
            links = traces.Links(roots, run_id)
            await database(request).write(traces.link_to_run, links)


def judge(batches: Iterable[Batch]) -> Outcome:
    """
    Sort spans by trace, and reject what cannot be kept.

    Raises:
        TooLarge: There are too many of them.
    """
    kept: dict[str, list[tuple[Sent, Span, Attributes]]] = {}
    rejected, why, count = 0, "", 0
    for batch in batches:
        count += len(batch.spans)
        if count > limits.SPANS:
            raise errors.TooLarge("The list of spans", count, limits.SPANS)
        for sent in batch.spans:
            span = spans.render(sent) if not (wrong := _fault(sent)) else None
            if span is not None and len(span.body.encode()) > limits.SPAN_BYTES:
                wrong = f"a span has more than {limits.SPAN_BYTES} bytes as JSON"
            if span is None or wrong:
                rejected, why = rejected + 1, wrong
                continue
            row = (sent, span, batch.resource)
            kept.setdefault(spans.mlflow_id(sent.trace_id), []).append(row)

    return Outcome(
        [_arrival(trace_id, rows) for trace_id, rows in kept.items()],
        [
            trace_id
            for trace_id, rows in kept.items()
            if any(not sent.parent_id for sent, _, _ in rows)
        ],
        rejected,
        why,
    )


def _fault(sent: Sent) -> str:
    """Say what is wrong with a span; "" where nothing is."""
    if not TRACE.fullmatch(sent.trace_id):
        return "a trace id is not 16 bytes, or all of them are zero"
    if not SPAN.fullmatch(sent.span_id):
        return "a span id is not 8 bytes, or all of them are zero"
    if sent.parent_id and not SPAN.fullmatch(sent.parent_id):
        return "a parent span id is not 8 bytes, or all of them are zero"
    for link in sent.links:
        if not TRACE.fullmatch(link.trace_id) or not SPAN.fullmatch(link.span_id):
            return "a link leads to no span"
    moments = (sent.start_ns, sent.end_ns, *(event.time_ns for event in sent.events))
    if not all(0 <= moment <= limits.INT64_MAX for moment in moments):
        return "a time is not within 64 bits of nanoseconds since 1970"
    assert limits.INT64_MAX // NS < times.LAST_MS

    return ""


def _arrival(trace_id: str, rows: list[tuple[Sent, Span, Attributes]]) -> Arrival:
    """Say what spans of one trace tell of it: its root most."""
    root = next((sent for sent, _, _ in rows if not sent.parent_id), None)
    attributes = root.attributes if root else {}
    tags: dict[str, str] = {}
    for _, _, resource in rows:
        tags |= dict(_tags(resource, lambda key: not key.startswith(NO_TAGS)))
    own = {
        key.removeprefix(TAG_PREFIX): value
        for key, value in attributes.items()
        if key.startswith(TAG_PREFIX)
    }
    tags |= messages.allowed(dict(_tags(own, bool)))

    return Arrival(
        trace_id,
        [span for _, span, _ in rows],
        spans.preview(attributes, spans.INPUTS),
        spans.preview(attributes, spans.OUTPUTS),
        tags,
        _people(sent.attributes for sent, _, _ in rows),
    )


def _tags(
    values: Attributes, is_one: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Yield attributes that can be tags, as text; the others are left out."""
    for key, value in values.items():
        text = spans.storable(_text(spans.unwrapped(value)))
        fits = 0 < len(key) <= limits.KEY_CHARS and len(text) <= limits.TAG_VALUE_CHARS
        if fits and "\0" not in key and is_one(key):
            yield key, text


def _people(each: Iterable[Attributes]) -> Mapping[str, str]:
    """Return who asked and in which conversation, as far as any span says it."""
    found: dict[str, str] = {}
    for attributes in each:
        session = next((attributes[key] for key in SESSIONS if key in attributes), None)
        for key, value in (
            ("mlflow.trace.session", session),
            ("mlflow.trace.user", attributes.get(USER)),
        ):
            if value:
                text = spans.storable(_text(spans.unwrapped(value)))
                found.setdefault(key, text[: limits.KEY_CHARS])

    return found


def _text(value: Value) -> str:
    return value if isinstance(value, str) else spans.dumped(value)


def _reader(request: Request) -> Callable[[bytes], list[Batch]]:
    sent = request.header(b"content-type")
    kind = sent.partition(";")[0].strip().lower()
    if kind not in READERS:
        raise errors.InvalidInput(
            f"Invalid Content-Type: {sent[:100]}. Expected: {' or '.join(READERS)}"
        )

    return READERS[kind]


def _reply(request: Request, outcome: Outcome) -> Reply:
    """Answer in the encoding of the question; a full success is an empty message."""
    is_json = "json" in request.header(b"content-type")
    if not outcome.rejected:
        return Reply(b"{}") if is_json else Reply(b"", content_type=PROTOBUF)
    if is_json:
        partial = {
            "rejectedSpans": str(outcome.rejected),
            "errorMessage": outcome.why,
        }
        return Reply(msgspec.json.encode({"partialSuccess": partial}))

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceResponse,
    )

    message = ExportTraceServiceResponse()
    message.partial_success.rejected_spans = outcome.rejected
    message.partial_success.error_message = outcome.why

    return Reply(message.SerializeToString(), content_type=PROTOBUF)


at_root = [Route("POST", "/v1/traces", export, Right.EDIT, Export)]
