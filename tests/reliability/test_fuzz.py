"""Whatever is sent to whichever route, the answer is one of ours."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone.server import app
from runstone.server.http import Route
from tests.reliability import hostile
from tests.reliability.inside import Answer, Inside, inside


EXAMPLES = 25
ROUTES = [
    route
    for route in app.routes()
    # The four prefixes lead to the same endpoints.
    if not route.path.startswith(("/api/3.0/", "/ajax-api/"))
    # Only under 3.0 stand traces as clients since 3 send them.
    or route.path in ("/api/3.0/mlflow/traces", "/api/3.0/mlflow/traces/{trace_id}")
]
HOME = (b"x-mlflow-experiment-id", b"0")
"""Without it no span is looked at; other routes do not know it."""

HELD = (501, 503)
"""Codes of 500 and up that are answers and no accidents."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Give an application with something in it."""
    with inside(tmp_path_factory.mktemp("fuzz")) as server:
        yield server


@pytest.fixture(scope="module")
def known(server: Inside) -> dict[str, list[str]]:
    """Make a run that has everything, and name what leads to it."""
    name = "/api/2.0/mlflow/"
    run = server.json("POST", name + "runs/create", {"run_name": "fuzzed"})
    run_id = run["run"]["info"]["run_id"]
    points = [
        {"key": "loss", "value": 1 / (i + 1), "timestamp": i, "step": i}
        for i in range(1000)
    ]
    server.json("POST", name + "runs/log-batch", {"run_id": run_id, "metrics": points})
    pair = {"key": "a", "value": "b"}
    message = {"run_id": run_id, "params": [pair], "tags": [pair]}
    server.json("POST", name + "runs/log-batch", message)
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a.txt"
    server.ask("PUT", place, body=b"content")
    traces = _traced(server)
    experiment = {"experiment_id": ["0", "0", "1"], "experiment_ids": ["0"]}
    runs = {"run_id": [run_id], "run_uuid": [run_id], "run_ids": [run_id]}
    keys = {"metric_key": ["loss"], "key": ["loss", "a"], "path": ["a.txt", "."]}
    names = {"experiment_name": ["Default"], "id": [run_id, "0"], "name": ["n", "x.js"]}
    search = {
        "filter": ["metrics.loss > 0", "params.a = 'b'", "tags.a LIKE '%b'"],
        "order_by": ["metrics.loss DESC", "attributes.start_time"],
    }

    return experiment | runs | keys | names | search | traces


def _traced(server: Inside) -> dict[str, list[str]]:
    """Make a trace that has everything, and name what leads to it."""
    place = {"mlflow_experiment": {"experiment_id": "0"}}
    info = {"trace_id": "tr-" + "a" * 32, "trace_location": place}
    server.json("POST", "/api/3.0/mlflow/traces", {"trace": {"trace_info": info}})
    path = f"/api/3.0/mlflow/traces/{info['trace_id']}/assessments"
    judged = {"assessment_id": "a-1", "feedback": {"value": 1}}
    server.json("POST", path, {"assessment": judged})
    span = {"traceId": "a" * 32, "spanId": "1" * 16, "name": "n"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    server.ask(
        "POST",
        "/v1/traces",
        body=msgspec.json.encode(body),
        headers=((b"content-type", b"application/json"), HOME),
    )

    return {
        "trace_id": [str(info["trace_id"])],
        "request_id": [str(info["trace_id"])],
        "assessment_id": ["a-1"],
        "traceId": ["a" * 32, "b" * 32, "0" * 32],
        "spanId": ["1" * 16, "2" * 16],
        "update_mask": ["feedback", "assessmentName,rationale,metadata"],
        "request_time": ["2026-01-01T00:00:00.5Z", "0001-01-01T00:00:00Z", "soon"],
        "execution_duration": ["1.5s", "-1s", "999999999999s", "s"],
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_no_request_breaks_a_route(
    server: Inside, known: dict[str, list[str]], route: Route
) -> None:
    """Bad input is the client's mistake: a 4xx in our one shape, never an accident."""
    for name, field in (("runs", "run_id"), ("experiments", "experiment_id")):
        body = msgspec.json.encode({field: known[field][0]})
        server.ask("POST", f"/api/2.0/mlflow/{name}/restore", body=body)
    server.surprises.clear()

    @settings(max_examples=EXAMPLES)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        path = route.path
        for name in ("id", "name", "path", "trace_id", "assessment_id"):
            piece = data.draw(st.sampled_from(known[name]) | hostile.texts)
            piece = piece.encode(errors="replace").decode()
            for place in (f"{{{name}}}", f"{{{name}:path}}"):
                path = path.replace(place, piece)
        kind = data.draw(st.sampled_from(hostile.CONTENT_TYPES))
        answer = server.ask(
            data.draw(st.sampled_from([route.method] * 8 + ["HEAD", "PATCH"])),
            path,
            query=data.draw(hostile.queries(route.takes, known)),
            body=data.draw(hostile.bodies(route.takes, known)),
            headers=((b"content-type", kind), HOME),
            parts=data.draw(st.integers(1, 3)),
            cut=data.draw(st.integers(0, 19)) == 0,
        )

        _assert_ours(server, path, answer)

    hold()

    assert server.ask("GET", "/health").body == b"OK"


@settings(max_examples=300)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PRI"]),
    start=st.sampled_from(
        ["/", "/api/", "/api/2.0/mlflow/", "/ajax-api/3.0/", "/api/v1/", "/assets/"]
    ),
    rest=hostile.texts,
    header=st.sampled_from([b"origin", b"accept", b"range", b"host", b"cookie"]),
    value=st.binary(max_size=30)
    | st.sampled_from([b"text/html", b"bytes=-0", b"null"]),
)
def test_no_path_and_no_header_breaks_the_server(
    server: Inside, method: str, start: str, rest: str, header: bytes, value: bytes
) -> None:
    """Scanners send everything to everybody."""
    path = start + rest.encode(errors="replace").decode()

    answer = server.ask(method, path, headers=((header, value),))

    _assert_ours(server, path, answer)


def _assert_ours(server: Inside, path: str, answer: Answer) -> None:
    assert server.surprises == []
    assert answer.status < 500 or answer.status in HELD
    assert b"Traceback" not in answer.body
    if (
        answer.status >= 400
        and path.startswith(("/api/", "/ajax-api/"))
        and answer.body
    ):
        said: dict[str, Any] = msgspec.json.decode(answer.body)
        assert sorted(said) == ["error_code", "message"]
        assert said["error_code"]
        assert said["message"]
