"""Spans by OpenTelemetry's wire: both encodings, partial success, nothing hostile."""

import gzip
import http.client
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from runstone import limits
from tests.wire.conftest import run_server


PROTOBUF = "application/x-protobuf"
TRACE, OTHER = bytes([7] * 16), bytes([8] * 16)


class Client:
    """Asks one server, on a connection for each question."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url).netloc

    def export(self, body: bytes, kind: str = PROTOBUF, **more: str) -> tuple[int, Any]:
        """Send spans and return status and answer, decoded where it is JSON."""
        headers = {"Content-Type": kind, "x-mlflow-experiment-id": "0"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        wire = http.client.HTTPConnection(self._address)
        wire.request("POST", "/v1/traces", body, headers)
        response = wire.getresponse()
        answer = response.read()
        wire.close()
        is_json = response.headers["content-type"] == "application/json"

        return response.status, json.loads(answer) if is_json else answer

    def trace(self, trace_id: bytes) -> Mapping[str, Any]:
        """Return a trace with its spans."""
        wire = http.client.HTTPConnection(self._address)
        wire.request("GET", f"/api/3.0/mlflow/traces/get?trace_id=tr-{trace_id.hex()}")
        response = wire.getresponse()
        answer = json.loads(response.read())
        wire.close()
        assert response.status == 200, answer
        found: dict[str, Any] = answer["trace"]

        return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a client of an empty server."""
    with run_server(tmp_path_factory.mktemp("otlp")) as url:
        yield Client(url)


def request(*traces: bytes, spans: int = 1, **fields: Any) -> ExportTraceServiceRequest:  # noqa: ANN401  # any of a span's
    """Make a request with spans of some traces."""
    export = ExportTraceServiceRequest()
    held = export.resource_spans.add().scope_spans.add().spans
    for trace_id in traces:
        for number in range(spans):
            fit = {
                "trace_id": trace_id,
                "span_id": (number + 1).to_bytes(8, "big"),
                "name": f"span {number}",
                "start_time_unix_nano": 1_000_000_000 + number,
                "end_time_unix_nano": 2_000_000_000,
            }
            held.add(**(fit | fields))

    return export


def test_an_opentelemetry_exporter_writes_what_is_read_back(client: Client) -> None:
    """Whoever has OpenTelemetry already sets one URL and one header."""
    exporter = OTLPSpanExporter(
        f"{client.url}/v1/traces",
        headers={"x-mlflow-experiment-id": "0"},
        compression=Compression.Gzip,
    )
    provider = TracerProvider(resource=Resource({"service.name": "checkout"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")

    with tracer.start_as_current_span("pay", kind=otel.SpanKind.SERVER) as root:
        root.set_attributes({"amount": 3, "rate": 0.5, "ok": True, "names": ["a", "b"]})
        with tracer.start_as_current_span("charge") as inner:
            inner.add_event("retry", {"attempt": 2})
    provider.shutdown()

    found = client.trace(root.get_span_context().trace_id.to_bytes(16, "big"))
    assert found["trace_info"]["state"] == "OK"
    assert found["trace_info"]["tags"]["service.name"] == "checkout"
    first, second = found["spans"]
    assert (first["name"], first["kind"]) == ("pay", "SPAN_KIND_SERVER")
    held = {pair["key"]: pair["value"] for pair in first["attributes"]}
    assert held["amount"] == {"int_value": 3}
    assert held["rate"] == {"double_value": 0.5}
    assert held["ok"] == {"bool_value": True}
    assert held["names"]["array_value"]["values"][1] == {"string_value": "b"}
    assert second["parent_span_id"] == first["span_id"]
    assert second["events"][0]["name"] == "retry"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate", "identity"])
def test_a_compressed_body_is_taken(client: Client, encoding: str) -> None:
    """Exporters compress where they are told to."""
    body = request(TRACE).SerializeToString()
    raw = zlib.compressobj(wbits=-15)
    sent = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "raw deflate": raw.compress(body) + raw.flush(),
        "identity": body,
    }[encoding]

    answer = client.export(sent, content_encoding=encoding.removeprefix("raw "))

    assert answer == (200, b"")


def test_a_bomb_is_not_inflated(client: Client) -> None:
    """A kilobyte may not cost a gigabyte."""
    bomb = gzip.compress(b"\0" * (limits.BODY_BYTES * 4))
    assert len(bomb) < limits.BODY_BYTES / 100

    status, answer = client.export(bomb, content_encoding="gzip")

    assert status == 413
    assert "inflated" in answer["message"]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"x" * 1000)[:-9], "gzip", 400),
        (gzip.compress(b"") * 2, "gzip", 400),
        (b"", "gzip", 400),
        (b"x", "br", 415),
        (b"x", "gzip, gzip", 415),
    ],
)
def test_a_broken_compression_is_the_clients_mistake(
    client: Client, body: bytes, encoding: str, status: int
) -> None:
    """Half a stream, several in one, a kind that nobody knows."""
    found, answer = client.export(body, content_encoding=encoding)

    assert found == status
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_span_that_cannot_be_kept_does_not_take_the_others_along(
    client: Client,
) -> None:
    """The exporter learns how many were rejected and why, and sends none again."""
    mixed = request(OTHER)
    mixed.MergeFrom(request(b"short"))
    mixed.MergeFrom(request(bytes(16)))
    mixed.MergeFrom(request(OTHER, start_time_unix_nano=2**64 - 1))

    status, answer = client.export(mixed.SerializeToString())

    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert status == 200
    assert partial.rejected_spans == 3
    assert "64 bits" in partial.error_message
    assert len(client.trace(OTHER)["spans"]) == 1


def test_partial_success_is_said_in_json_too(client: Client) -> None:
    """In the encoding of the question."""
    span = {"traceId": OTHER.hex(), "spanId": "1" * 16, "name": "n"}
    spans = [span, span | {"spanId": "x"}]
    body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}

    status, answer = client.export(json.dumps(body).encode(), "application/json")

    assert status == 200
    assert answer["partialSuccess"]["rejectedSpans"] == "1"


def test_json_may_be_written_as_protobuf_writes_it(client: Client) -> None:
    """Whole numbers as texts or numbers, enums by name, nulls, what nobody knows."""
    span = {
        "traceId": ("AB" * 16),
        "spanId": "1" * 16,
        "parentSpanId": None,
        "kind": "SPAN_KIND_CLIENT",
        "status": {"code": "STATUS_CODE_ERROR"},
        "startTimeUnixNano": 5,
        "endTimeUnixNano": "6",
        "flags": 1,
        "attributes": [
            {"key": "nan", "value": {"doubleValue": "NaN"}},
            {"key": "bytes", "value": {"bytesValue": "AAE="}},
            {"key": "empty", "value": {"arrayValue": {}}},
        ],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}

    assert client.export(json.dumps(body).encode(), "application/json") == (200, {})

    kept = client.trace(b"\xab" * 16)["spans"][0]
    assert kept["kind"] == "SPAN_KIND_CLIENT"
    assert kept["status"] == {"code": "STATUS_CODE_ERROR"}
    assert kept["attributes"][:3] == [
        {"key": "nan", "value": {"double_value": "NaN"}},
        {"key": "bytes", "value": {"string_value": "AAE="}},
        {"key": "empty", "value": {"array_value": {}}},
    ]


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000,
        "[" * 50 + "]" * 50,
        '{"a":' * 100 + "1" + "}" * 100,
        "[1e999]",
        "[" + "9" * 5_000 + "]",
        '["\\ud800"]',
        "\0",
        "x" * 200_000,
    ],
    ids=["open", "deep", "deep table", "huge", "long", "half", "nul", "large"],
)
def test_an_odd_attribute_is_kept_as_it_is(client: Client, value: str) -> None:
    """JSON in a text is taken apart only where that is possible."""
    sent = request(TRACE, name="odd\0name")
    sent.resource_spans[0].resource.attributes.add(key="k\0").value.string_value = value
    spans = sent.resource_spans[0].scope_spans[0].spans
    for key in ("mlflow.spanInputs", "session.id", "user.id", "mlflow.traceTag.t"):
        spans[0].attributes.add(key=key).value.string_value = value

    status, _ = client.export(sent.SerializeToString())

    assert status == 200
    kept = client.trace(TRACE)["spans"][0]["attributes"][0]["value"]
    assert kept.get("string_value", value) == value


def test_too_many_spans_are_refused(client: Client) -> None:
    """An exporter with so many sends them in several requests."""
    body = request(TRACE, spans=limits.SPANS + 1).SerializeToString()

    status, answer = client.export(body)

    assert status == 400
    assert str(limits.SPANS) in answer["message"]


def test_a_span_of_megabytes_is_rejected_alone(client: Client) -> None:
    """What one database cannot take is taken by none."""
    body = request(TRACE, name="x" * limits.SPAN_BYTES).SerializeToString()

    status, answer = client.export(body)

    assert status == 400
    assert "bytes" in answer["message"]


def test_a_nested_attribute_has_an_end(client: Client) -> None:
    """Nothing that is read may go as deep as a sender likes."""
    sent = request(TRACE)
    value = sent.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="a").value
    for _ in range(limits.ATTRIBUTE_DEPTH + 1):
        value = value.array_value.values.add()

    status, answer = client.export(sent.SerializeToString())

    assert status == 400
    assert "deep" in answer["message"]


def test_spans_for_a_run_are_linked_to_it(client: Client) -> None:
    """The header that MLflow's docs name; a run that is not there costs no span."""
    trace_id = bytes([9] * 16)
    body = request(trace_id).SerializeToString()

    status, _ = client.export(body, x_mlflow_run_id="no-such-run")

    assert status == 200
    assert len(client.trace(trace_id)["spans"]) == 1
