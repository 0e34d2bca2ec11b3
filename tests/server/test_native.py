"""Our own wire: columns and whole numbers, what is not finite too."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.wire.conftest import run_server


class Client:
    """Asks one server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._wire = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def get(self, path: str, **query: object) -> tuple[int, Any]:
        """Return status and answer of a GET below /api/v1."""
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        self._wire.request("GET", f"/api/v1/{path}{asked}")
        response = self._wire.getresponse()

        return response.status, json.loads(response.read())

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Return status and answer of a POST."""
        headers = {"Content-Type": "application/json"}
        self._wire.request("POST", path, json.dumps(body).encode(), headers)
        response = self._wire.getresponse()

        return response.status, json.loads(response.read())

    def mlflow(self, path: str, **body: object) -> Any:  # noqa: ANN401  # as varied as the protocol
        """Do something on MLflow's wire."""
        status, answer = self.post(f"/api/2.0/mlflow/{path}", body)
        assert status == 200, answer

        return answer


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a client of an empty server."""
    with run_server(tmp_path_factory.mktemp("native")) as url:
        client = Client(url)
        yield client
        client.close()


@pytest.fixture(scope="module")
def run_id(client: Client) -> str:
    """Id of a run whose loss was 1, NaN, infinite and -2."""
    number = client.mlflow("experiments/create", name="native")["experiment_id"]
    asked = {"experiment_id": number, "start_time": 5, "run_name": "one"}
    made = client.mlflow("runs/create", **asked)["run"]["info"]["run_id"]
    values = [1.5, "NaN", "Infinity", -2]
    points = [
        {"key": "loss", "value": value, "timestamp": 10 + step, "step": step}
        for step, value in enumerate(values)
    ]
    client.mlflow(
        "runs/log-batch",
        run_id=made,
        metrics=points,
        params=[{"key": "lr", "value": "0.1"}],
        tags=[{"key": "team", "value": "vision"}],
    )

    return str(made)


def test_experiments_come_with_counts(client: Client, run_id: str) -> None:
    """The first page shows where something happens."""
    assert run_id
    status, answer = client.get("experiments")

    counted = {item["name"]: item for item in answer["experiments"]}
    assert status == 200
    assert counted["native"]["runs"] == counted["native"]["running"] == 1
    assert counted["native"]["last_start_ms"] == 5
    assert counted["Default"]["runs"] == 0
    assert counted["Default"]["last_start_ms"] is None


def test_a_run_comes_whole(client: Client, run_id: str) -> None:
    """With the bounds of each series, so that nobody reads it to know them."""
    status, run = client.get(f"runs/{run_id}")

    assert status == 200
    assert (run["id"], run["name"], run["status"]) == (run_id, "one", "RUNNING")
    assert run["params"] == {"lr": "0.1"}
    assert run["tags"]["team"] == "vision"
    loss = run["metrics"]["loss"]
    assert (loss["last"], loss["step"], loss["count"]) == (-2, 3, 4)
    assert loss["min"] == -2
    assert run["end_ms"] is None


def test_a_series_comes_as_columns(client: Client, run_id: str) -> None:
    """Drawn as they are; a chart leaves a gap where a value is not finite."""
    status, series = client.get(f"runs/{run_id}/series", key="loss", times="true")

    assert status == 200
    assert series["step"] == [0, 1, 2, 3]
    assert series["time_ms"] == [10, 11, 12, 13]
    assert series["value"] == [1.5, None, None, -2]
    assert (series["exact"], series["count"]) == (True, 4)


def test_a_range_of_a_series_is_cut_out(client: Client, run_id: str) -> None:
    """A zoom reads what it shows."""
    query = {"key": "loss", "first_step": 1, "last_step": 2, "pixels": 10}
    _, series = client.get(f"runs/{run_id}/series", **query)

    assert series["step"] == [1, 2]


def test_series_of_many_runs_come_at_once(client: Client, run_id: str) -> None:
    """One chart is one question."""
    body = {"key": "loss", "run_ids": [run_id]}
    status, answer = client.post("/api/v1/series", body)

    assert status == 200
    assert answer["series"][run_id]["step"] == [0, 1, 2, 3]


def test_runs_are_found_in_pages(client: Client) -> None:
    """The token of one page is the way to the next, and the last has none."""
    number = client.mlflow("experiments/create", name="pages")["experiment_id"]
    for start in range(5):
        asked = {"experiment_id": number, "start_time": start, "run_name": str(start)}
        client.mlflow("runs/create", **asked)

    found: list[str] = []
    token = ""
    while token is not None:
        _, page = client.get(f"experiments/{number}/runs", limit=2, page_token=token)
        found += [run["name"] for run in page["runs"]]
        token = page["next_page_token"]

    assert found == ["4", "3", "2", "1", "0"]
    query = {"filter": "run_name = '3'", "order_by": ["start_time ASC"]}
    _, page = client.get(f"experiments/{number}/runs", **query)
    assert [run["name"] for run in page["runs"]] == ["3"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("runs/nothing", {}, 404),
        ("runs/nothing/series", {"key": "x"}, 404),
        ("experiments/abc/runs", {}, 400),
        ("experiments/123456/runs", {}, 404),
        ("experiments/0/runs", {"limit": 0}, 400),
        ("experiments/0/runs", {"limit": 1001}, 400),
        ("experiments/0/runs", {"filter": "metrics. >"}, 400),
        ("experiments/0/runs", {"page_token": "nonsense"}, 400),
        ("experiments/0/runs", {"order_by": "nothing"}, 400),
    ],
)
def test_a_bad_question_is_answered_with_a_reason(
    client: Client, path: str, query: dict[str, object], status: int
) -> None:
    """In the same shape as on the other wire."""
    answered, answer = client.get(path, **query)

    assert set(answer) == {"error_code", "message"}
    assert answered == status
