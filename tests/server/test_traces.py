"""Traces over the wire, where it is more than what MLflow was heard to answer."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.wire.conftest import run_server


V3 = "/api/3.0/mlflow/traces"
FILE = "/ajax-api/2.0/mlflow/get-trace-artifact?request_id="


class Client:
    """Asks one server, on a connection for each question."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def ask(
        self, method: str, path: str, body: object = None, **more: str
    ) -> tuple[int, Any]:
        """Return status and answer of a request."""
        wire = http.client.HTTPConnection(self._address)
        headers = {"Content-Type": "application/json"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        wire.request(method, path, None if body is None else sent, headers)
        response = wire.getresponse()
        answer = response.read()
        wire.close()

        return response.status, json.loads(answer) if answer[:1] == b"{" else answer

    def start(self, trace_id: str, **fields: object) -> dict[str, Any]:
        """Start a trace and return it."""
        place = {"mlflow_experiment": {"experiment_id": "0"}}
        info = {"trace_id": trace_id, "trace_location": place, "state": "OK"} | fields
        status, answer = self.ask("POST", V3, {"trace": {"trace_info": info}})
        assert status == 200, answer
        found: dict[str, Any] = answer["trace"]["trace_info"]

        return found

    def export(self, trace_id: str, *span_ids: str, **fields: object) -> None:
        """Send spans of a trace."""
        spans = [
            {"traceId": trace_id.removeprefix("tr-"), "spanId": span_id, "name": "n"}
            | fields
            for span_id in span_ids
        ]
        body = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
        answer = self.ask("POST", "/v1/traces", body, x_mlflow_experiment_id="0")
        assert answer == (200, {})


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a client of an empty server."""
    with run_server(tmp_path_factory.mktemp("traces")) as url:
        yield Client(url)


def test_a_reader_waits_for_spans_that_are_on_their_way(client: Client) -> None:
    """Clients write in the background: the trace may overtake its last span."""
    trace_id = "tr-" + "1" * 32
    counted = {"mlflow.trace.sizeStats": '{"num_spans": 2}'}
    client.export(trace_id, "1" * 16)
    client.start(trace_id, trace_metadata=counted)
    late = threading.Timer(0.5, client.export, [trace_id, "2" * 16])
    late.start()

    status, answer = client.ask("GET", f"{V3}/get?trace_id={trace_id}")

    late.join()
    assert status == 200
    assert len(answer["trace"]["spans"]) == 2


def test_a_trace_whose_spans_never_come_is_said_to_be_unfinished(
    client: Client,
) -> None:
    """After a few seconds, and without the spans that are there being lost."""
    trace_id = "tr-" + "2" * 32
    counted = {"mlflow.trace.sizeStats": '{"num_spans": 2}'}
    client.export(trace_id, "1" * 16)
    client.start(trace_id, trace_metadata=counted)
    begun = time.monotonic()

    status, answer = client.ask("GET", f"{V3}/get?trace_id={trace_id}")
    whole, several = (
        client.ask("GET", f"{V3}/{query}")
        for query in (
            f"get?trace_id={trace_id}&allow_partial=true",
            f"batchGet?trace_ids={trace_id}",
        )
    )

    assert status == 404
    assert "not fully exported" in answer["message"]
    assert time.monotonic() - begun < 10
    assert len(whole[1]["trace"]["spans"]) == 1
    assert several == (200, {})


@pytest.mark.parametrize("stats", ["x", "[]", "{}", '{"num_spans": "many"}', "1e999"])
def test_a_count_that_is_none_is_no_reason_to_wait(client: Client, stats: str) -> None:
    """Metadata are whatever a client sends."""
    trace_id = "tr-" + "3" * 32
    client.export(trace_id, "1" * 16)
    client.start(trace_id, trace_metadata={"mlflow.trace.sizeStats": stats})

    status, _ = client.ask("GET", f"{V3}/get?trace_id={trace_id}")

    assert status == 200


def test_files_of_a_trace_are_read_below_its_own_folder(client: Client) -> None:
    """Old clients keep the spans in a file; new ones attach pictures."""
    place = client.start("tr-files")["tags"]["mlflow.artifactLocation"]
    folder = urlsplit(place).path.strip("/")
    for name in ("traces.json", "attachments/a.txt"):
        path = f"/api/2.0/mlflow-artifacts/artifacts/{folder}/{name}"
        assert client.ask("PUT", path, b"of " + name.encode())[0] == 200

    assert client.ask("GET", FILE + "tr-files") == (200, b"of traces.json")
    attached = client.ask("GET", FILE + "tr-files&path=a.txt")
    assert attached == (200, b"of attachments/a.txt")
    for path in ("../traces.json", "..\\traces.json", "/etc/x", "a/../../x", "\0"):
        status, _ = client.ask("GET", FILE + "tr-files&path=" + quote(path))
        assert status in (400, 404), path


def test_no_way_in_sets_where_the_files_of_a_trace_lie(client: Client) -> None:
    """Else a trace would be a door to any file that the server can read."""
    trace_id = "tr-" + "4" * 32
    evil = "file:///nonexistent/runstone-escaped"
    held = "mlflow.artifactLocation"
    key = {"key": f"mlflow.traceTag.{held}", "value": {"stringValue": evil}}
    client.export(trace_id, "1" * 16, attributes=[key])

    told = client.start(trace_id, tags={held: evil})
    tagged = client.ask("PATCH", f"{V3}/{trace_id}/tags", {"key": held, "value": evil})
    ended = client.ask(
        "PATCH",
        f"/api/2.0/mlflow/traces/{trace_id}",
        {"timestamp_ms": 5, "status": "OK", "tags": [{"key": held, "value": evil}]},
    )
    begun = client.ask(
        "POST",
        "/api/2.0/mlflow/traces",
        {"experiment_id": "0", "tags": [{"key": held, "value": evil}]},
    )

    assert tagged[0] == 400
    assert ended[0] == begun[0] == 200
    for answer in (told, ended[1], begun[1], client.ask("GET", f"{V3}/{trace_id}")[1]):
        assert evil not in json.dumps(answer)


@pytest.mark.parametrize("path", ["metrics", "calculate-filter-correlation"])
def test_numbers_over_traces_are_refused_by_name(client: Client, path: str) -> None:
    """Their path looks like that of a trace, and yet it is no wrong method."""
    status, answer = client.ask("POST", f"{V3}/{path}", {})

    assert status == 501
    assert answer["error_code"] == "NOT_IMPLEMENTED"


def test_traces_of_any_text_come_back_as_they_were(client: Client) -> None:
    """Nothing is cut: MLflow keeps 250 characters of metadata and 4,096 of a tag."""
    long = "흔적🧪'\"\\" * 2_000

    client.start("tr-long", tags={"t": long}, trace_metadata={"m": long})

    info = client.ask("GET", f"{V3}/tr-long")[1]["trace"]["trace_info"]
    assert info["tags"]["t"] == info["trace_metadata"]["m"] == long
