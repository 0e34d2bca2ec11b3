"""
OpenTelemetry's export request, out of protobuf or JSON.

Source: `opentelemetry/proto/collector/trace/v1/trace_service.proto`, and for the
JSON https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import base64
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from runstone import errors, limits
from runstone.server.http import Int64, decode
from runstone.server.mlflow.tracing.spans import Attributes, Event, Link, Sent, Value


class Batch(NamedTuple):
    """Spans of one program, and what describes it."""

    resource: Attributes
    spans: list[Sent]


class AnyValue(msgspec.Struct, rename="camel"):
    """A value: one of these fields, or none."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Int64 | None = None
    double_value: float | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: str | None = None


class ArrayValue(msgspec.Struct):
    """A list."""

    values: list[AnyValue] = []


class KeyValue(msgspec.Struct):
    """One attribute."""

    key: str = ""
    value: AnyValue | None = None


class KeyValueList(msgspec.Struct):
    """A table."""

    values: list[KeyValue] = []


class EventMessage(msgspec.Struct, rename="camel"):
    """Something that happened during a span."""

    name: str = ""
    time_unix_nano: Int64 = 0
    attributes: list[KeyValue] = []


class LinkMessage(msgspec.Struct, rename="camel"):
    """Another span that this one has to do with."""

    trace_id: str = ""
    span_id: str = ""
    attributes: list[KeyValue] = []


class Status(msgspec.Struct):
    """How a span ended."""

    code: int | str = 0
    message: str = ""


class SpanMessage(msgspec.Struct, rename="camel"):
    """A span."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: Int64 = 0
    end_time_unix_nano: Int64 = 0
    attributes: list[KeyValue] = []
    events: list[EventMessage] = []
    links: list[LinkMessage] = []
    status: Status | None = None


class ScopeSpans(msgspec.Struct):
    """Spans of one library."""

    spans: list[SpanMessage] = []


class Resource(msgspec.Struct):
    """What describes a program."""

    attributes: list[KeyValue] = []


class ResourceSpans(msgspec.Struct, rename="camel"):
    """Spans of one program."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] = []


class Export(msgspec.Struct, rename="camel"):
    """Body of `/v1/traces`."""

    resource_spans: list[ResourceSpans] = []


KIND_NAMES = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_NAMES = ("UNSET", "OK", "ERROR")


def from_json(body: bytes) -> list[Batch]:
    """
    Read an export request out of JSON.

    Raises:
        InvalidInput: It is none.
    """
    export = decode(body or b"{}", Export)

    return [
        Batch(
            _table((program.resource or Resource()).attributes),
            [_span(span) for scope in program.scope_spans for span in scope.spans],
        )
        for program in export.resource_spans
    ]


def from_protobuf(body: bytes) -> list[Batch]:
    """
    Read an export request out of protobuf.

    Raises:
        InvalidInput: It is none.
    """
    # A server that nobody sends spans to never pays for these.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceRequest,
    )

    export = ExportTraceServiceRequest()
    try:
        export.ParseFromString(body)
    except DecodeError as error:
        raise errors.InvalidInput(
            f"The body is no ExportTraceServiceRequest of OpenTelemetry: {error}"
        ) from None

    return [
        Batch(
            _table_of(program.resource.attributes),
            [_span_of(span) for scope in program.scope_spans for span in scope.spans],
        )
        for program in export.resource_spans
    ]


def _span(span: SpanMessage) -> Sent:
    status = span.status or Status()

    return Sent(
        span.trace_id.lower(),
        span.span_id.lower(),
        span.parent_span_id.lower(),
        span.name,
        _numbered(span.kind, "SPAN_KIND_", KIND_NAMES),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _numbered(status.code, "STATUS_CODE_", STATUS_NAMES),
        status.message,
        _table(span.attributes),
        [
            Event(event.name, event.time_unix_nano, _table(event.attributes))
            for event in span.events
        ],
        [
            Link(link.trace_id.lower(), link.span_id.lower(), _table(link.attributes))
            for link in span.links
        ],
    )


def _numbered(sent: int | str, prefix: str, names: tuple[str, ...]) -> int:
    """Return the number of an enum's value; some encoders send its name."""
    if isinstance(sent, int):
        return sent
    name = sent.removeprefix(prefix)

    return names.index(name) if name in names else 0


def _table(pairs: Iterable[KeyValue], depth: int = 0) -> dict[str, Value]:
    return {pair.key: _value(pair.value, depth) for pair in pairs}


def _value(sent: AnyValue | None, depth: int) -> Value:
    _require_flat(depth)
    if sent is None:
        return None
    if sent.array_value is not None:
        return [_value(item, depth + 1) for item in sent.array_value.values]
    if sent.kvlist_value is not None:
        return _table(sent.kvlist_value.values, depth + 1)
    plain: tuple[str | bool | int | float | None, ...] = (
        sent.string_value,
        sent.bool_value,
        sent.int_value,
        sent.double_value,
        sent.bytes_value,
    )

    return next((value for value in plain if value is not None), None)


def _span_of(span: Any) -> Sent:  # noqa: ANN401  # a message that protobuf makes at run time
    return Sent(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code,
        span.status.message,
        _table_of(span.attributes),
        [
            Event(event.name, event.time_unix_nano, _table_of(event.attributes))
            for event in span.events
        ],
        [
            Link(link.trace_id.hex(), link.span_id.hex(), _table_of(link.attributes))
            for link in span.links
        ],
    )


def _table_of(pairs: Iterable[Any], depth: int = 0) -> dict[str, Value]:
    return {pair.key: _value_of(pair.value, depth) for pair in pairs}


def _value_of(sent: Any, depth: int) -> Value:  # noqa: ANN401  # a message that protobuf makes at run time
    _require_flat(depth)
    name = sent.WhichOneof("value")
    if name is None:
        return None
    found = getattr(sent, name)
    if name == "array_value":
        return [_value_of(item, depth + 1) for item in found.values]
    if name == "kvlist_value":
        return _table_of(found.values, depth + 1)
    if name == "bytes_value":
        return _as_text(found)
    plain: Value = found

    return plain


def _as_text(value: bytes) -> str:
    """Write bytes as JSON would have them."""
    return base64.b64encode(value).decode()


def _require_flat(depth: int) -> None:
    if depth > limits.ATTRIBUTE_DEPTH:
        raise errors.InvalidInput(
            f"An attribute is nested more than {limits.ATTRIBUTE_DEPTH} deep; send its "
            "inner part as text"
        )
