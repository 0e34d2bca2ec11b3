"""
Spans as MLflow sends them: OpenTelemetry's messages as protobuf's JSON.

A span is rendered once, when it comes, and kept and sent as that text.  Values
of attributes are Python's: None, bool, int, float, str, lists and tables.

Source: `Span.to_otel_proto` and `Span.to_dict` in `mlflow/entities/span.py`,
MLflow 3.18, and `opentelemetry/proto/trace/v1/trace.proto`.
"""

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from runstone import limits
from runstone.model import Span
from runstone.server.mlflow.wire import encode


Value: TypeAlias = (
    "None | bool | int | float | str | Sequence[Value] | Mapping[str, Value]"
)
Attributes: TypeAlias = Mapping[str, Value]

REQUEST_ID: Final = "mlflow.traceRequestId"
INPUTS: Final = "mlflow.spanInputs"
OUTPUTS: Final = "mlflow.spanOutputs"
TYPE: Final = "mlflow.spanType"

KINDS: Final = tuple(
    f"SPAN_KIND_{name}"
    for name in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
)
STATUSES: Final = ("UNSET", "OK", "ERROR")

UNWRAPPED_CHARS: Final = 1_000_000
"""
Longest text that is taken apart where it is JSON.

Taken apart, a list of digits is eight times as long.
"""

PREVIEW_CHARS: Final = 1_000
"""Source: TRACE_REQUEST_RESPONSE_PREVIEW_MAX_LENGTH_OSS, MLflow 3.18."""


class Event(NamedTuple):
    """Something that happened during a span."""

    name: str
    time_ns: int
    attributes: Attributes


class Link(NamedTuple):
    """Another span that this one has to do with."""

    trace_id: str
    """32 hex digits."""

    span_id: str
    attributes: Attributes


class Sent(NamedTuple):
    """A span as it came, by whichever encoding."""

    trace_id: str
    """32 hex digits."""

    span_id: str
    parent_id: str
    """16 hex digits, or "" for a root."""

    name: str
    kind: int
    start_ns: int
    end_ns: int
    status: int
    status_message: str
    attributes: Attributes
    events: Sequence[Event]
    links: Sequence[Link]


def mlflow_id(trace_id: str) -> str:
    """Return MLflow's id of an OpenTelemetry trace."""
    return f"tr-{trace_id}"


def unwrapped(value: Value) -> Value:
    """
    Take a text apart that is the JSON of a text, a list or a table.

    Clients that know only OpenTelemetry's plain values send these as JSON.
    Source: `strip_otlp_double_encoding` in
    `mlflow/tracing/otel/translation/__init__.py`, 3.18.
    """
    if not isinstance(value, str) or value[:1] not in ("{", "[", '"'):
        return value
    if len(value) > UNWRAPPED_CHARS:
        return value
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return value

    return value if depth(found) > limits.ATTRIBUTE_DEPTH else found


def depth(value: object) -> int:
    """Say how deep lists and tables are nested, up to just over the limit."""
    level, found = [value], 0
    while level and found <= limits.ATTRIBUTE_DEPTH:
        level = [
            inner
            for outer in level
            for inner in (
                outer.values()
                if isinstance(outer, dict)
                else outer
                if isinstance(outer, list)
                else ()
            )
            if isinstance(inner, dict | list)
        ]
        found += 1

    return found


def render(sent: Sent) -> Span:
    """Make the span that is kept of one that came."""
    attributes = {key: unwrapped(value) for key, value in sent.attributes.items()}
    attributes[REQUEST_ID] = mlflow_id(sent.trace_id)
    kind = sent.kind if 1 <= sent.kind < len(KINDS) else 1
    status = sent.status if 0 <= sent.status < len(STATUSES) else 0
    body: dict[str, object] = {
        "trace_id": _base64(sent.trace_id),
        "span_id": _base64(sent.span_id),
        "parent_span_id": _base64(sent.parent_id),
        "name": sent.name,
        "kind": KINDS[kind],
        "start_time_unix_nano": sent.start_ns,
        "end_time_unix_nano": sent.end_ns,
        "attributes": _pairs(attributes),
        "events": [_event(event) for event in sent.events],
        "links": [_link(link) for link in sent.links],
    }
    body = {name: value for name, value in body.items() if value}
    body["status"] = _status(status, sent.status_message)
    of_type = attributes.get(TYPE)

    return Span(
        sent.span_id,
        sent.parent_id or None,
        storable(sent.name),
        storable(of_type if isinstance(of_type, str) else ""),
        STATUSES[status],
        sent.start_ns,
        sent.end_ns or None,
        encode(body).decode(),
    )


def preview(attributes: Attributes, key: str) -> str | None:
    """Return the beginning of what went into a span or came out, as JSON."""
    if attributes.get(key) is None:
        return None
    text = storable(dumped(unwrapped(attributes[key])))

    return text if len(text) <= PREVIEW_CHARS else text[: PREVIEW_CHARS - 3] + "..."


def as_file(bodies: Iterable[str]) -> bytes:
    """Return the spans of a trace as the file that MLflow keeps of one."""
    return encode({"spans": [_in_file(json.loads(body)) for body in bodies]})


def storable(text: str) -> str:
    """Return a text without what no database keeps."""
    return text.replace("\0", "\ufffd")


def dumped(value: Value) -> str:
    """Return the JSON of a value, spaced as MLflow spaces it."""
    return json.dumps(value, ensure_ascii=False)


def _status(code: int, message: str) -> dict[str, str]:
    found = {"code": f"STATUS_CODE_{STATUSES[code]}"} if code else {}

    return found | ({"message": message} if message else {})


def _event(event: Event) -> dict[str, object]:
    found = {
        "time_unix_nano": event.time_ns,
        "name": event.name,
        "attributes": _pairs(event.attributes),
    }

    return {name: value for name, value in found.items() if value}


def _link(link: Link) -> dict[str, object]:
    found = {
        "trace_id": _base64(link.trace_id),
        "span_id": _base64(link.span_id),
        "attributes": _pairs(link.attributes),
    }

    return {name: value for name, value in found.items() if value}


def _pairs(values: Attributes) -> list[dict[str, object]]:
    return [
        {"key": key} | ({} if value is None else {"value": _any(value)})
        for key, value in values.items()
    ]


def _any(value: Value) -> dict[str, object]:
    """Write a value as OpenTelemetry's AnyValue."""
    if isinstance(value, str):
        return {"string_value": value}
    if isinstance(value, Mapping):
        return {"kvlist_value": {"values": _pairs(value)} if value else {}}
    if isinstance(value, Sequence):
        values = [_any(item) for item in value]
        return {"array_value": {"values": values} if values else {}}

    return {} if value is None else _number(value)


def _number(value: float) -> dict[str, object]:
    if isinstance(value, bool):
        return {"bool_value": value}
    if isinstance(value, int) and limits.INT64_MIN <= value <= limits.INT64_MAX:
        return {"int_value": value}

    return {"double_value": _double(value)}


def _double(value: float) -> float | str:
    try:
        found = float(value)
    except OverflowError:  # a whole number with hundreds of digits
        return "Infinity" if value > 0 else "-Infinity"
    if math.isfinite(found):
        return found

    return "NaN" if math.isnan(found) else "Infinity" if found > 0 else "-Infinity"


def _in_file(span: dict[str, object]) -> dict[str, object]:
    """Turn a kept span into what a file of a trace has of it."""
    status = span.get("status")
    assert isinstance(status, dict)

    return {
        "trace_id": span["trace_id"],
        "span_id": span["span_id"],
        "parent_span_id": span.get("parent_span_id"),
        "name": span.get("name", ""),
        "kind": span["kind"],
        "start_time_unix_nano": span.get("start_time_unix_nano", 0),
        "end_time_unix_nano": span.get("end_time_unix_nano"),
        "events": [
            {
                "name": event.get("name", ""),
                "time_unix_nano": event.get("time_unix_nano", 0),
                "attributes": _values(event),
            }
            for event in _dicts(span.get("events"))
        ],
        "status": {
            "code": status.get("code", "STATUS_CODE_UNSET"),
            "message": status.get("message", ""),
        },
        "attributes": {key: dumped(value) for key, value in _values(span).items()},
        "links": [
            {
                "trace_id": mlflow_id(_hex(str(link.get("trace_id", "")))),
                "span_id": _hex(str(link.get("span_id", ""))),
                "attributes": _values(link) or None,
            }
            for link in _dicts(span.get("links"))
        ],
    }


def _values(holder: Mapping[str, object], name: str = "attributes") -> dict[str, Value]:
    """Read kept attributes back."""
    return {
        str(pair["key"]): _read(pair.get("value")) for pair in _dicts(holder.get(name))
    }


def _read(value: object) -> Value:
    """Read a kept AnyValue back; it has one field or none."""
    fields = value if isinstance(value, dict) else {}
    for name, found in fields.items():
        if name == "kvlist_value":
            return _values(found, "values")
        if name == "array_value":
            return [_read(item) for item in _dicts(found.get("values"))]
        if name == "double_value":
            return float(found)
        plain: Value = found
        return plain

    return None


def _dicts(values: object) -> list[dict[str, object]]:
    return values if isinstance(values, list) else []


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()
