"""Eight writing processes, and the comparison of their ledgers with the store."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.reliability.client import API, Client
from tests.reliability.servers import PATIENCE_SECONDS, ROOT
from tests.reliability.writers import Ledger, Point, Written, sent


WRITERS = 8
SHARED_RUNS = 2


class Crowd:
    """Writers at work."""

    def __init__(self, ports: list[int], folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        with Client(ports[0]) as client:
            made = [client.call("runs/create") for _ in range(SHARED_RUNS)]
        self.shared = [item["run"]["info"]["run_id"] for item in made]
        self._ledgers = [folder / f"ledger-{seed}" for seed in range(WRITERS)]
        words = [sys.executable, "-m", "tests.reliability.writers"]
        words.append(",".join(map(str, ports)))
        self._processes = [
            subprocess.Popen(
                [*words, str(seed), str(ledger), *self.shared],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for seed, ledger in enumerate(self._ledgers)
        ]

    def finish(self) -> list[Ledger]:
        """Let each writer finish what it has begun and return the ledgers."""
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
            process.stdin = None
        words = [
            process.communicate(timeout=PATIENCE_SECONDS)[1]
            for process in self._processes
        ]
        assert [word.decode() for word in words if word] == []
        ledgers = [pickle.loads(path.read_bytes()) for path in self._ledgers]
        # Shown with a failure, and by `pytest -s`; no test depends on it.
        sys.stdout.write("".join(map(summary, ledgers)))

        return ledgers

    def kill(self) -> None:
        """End the writers whatever they do."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


@contextmanager
def crowd(ports: list[int], folder: Path) -> Iterator[Crowd]:
    """Have eight writers at work while the block runs."""
    writers = Crowd(ports, folder)
    try:
        yield writers
    finally:
        writers.kill()


def summary(ledger: Ledger) -> str:
    """Say how a writer fared."""
    points = sum(len(run.points) for run in ledger.runs.values())

    return (
        f"{ledger.requests} requests, {points} points, {ledger.resent} resent, "
        f"{len(ledger.refused)} refused, slowest {ledger.slowest_seconds:.2f} s\n"
    )


def merged(ledgers: list[Ledger]) -> dict[str, Written]:
    """Put together what each run must hold."""
    whole: dict[str, Written] = {}
    for ledger in ledgers:
        for run_id, part in ledger.runs.items():
            into = whole.setdefault(run_id, Written())
            into.points |= part.points
            into.params |= part.params
            into.tags |= part.tags

    return whole


def assert_all_there(port: int, ledgers: list[Ledger]) -> None:
    """Compare every run, point, param, tag and artifact: exactly what was sent."""
    with Client(port) as client:
        for run_id, written in merged(ledgers).items():
            _compare_labels(client, run_id, written)
            for key in {point[0] for point in written.points}:
                _compare_series(client, run_id, key, written)
        _compare_runs(client, ledgers)
        for ledger in ledgers:
            for path, content in ledger.artifacts.items():
                place = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
                assert client.ask("GET", place) == (200, content)


def _compare_labels(client: Client, run_id: str, written: Written) -> None:
    data = client.get(f"{API}runs/get?run_id={run_id}")["run"]["data"]
    params = [(item["key"], item["value"]) for item in data.get("params", [])]
    tags = [(item["key"], item["value"]) for item in data.get("tags", [])]

    assert sorted(params) == sorted(written.params.items())
    assert sorted(t for t in tags if t[0] != "mlflow.runName") == sorted(
        written.tags.items()
    )
    assert {item["key"] for item in data.get("metrics", [])} == {
        point[0] for point in written.points
    }


def _compare_series(client: Client, run_id: str, key: str, written: Written) -> None:
    expected = {sent(point) for point in written.points if point[0] == key}
    found = list(_history(client, run_id, key))

    assert set(found) == expected
    assert len(found) == len(expected)

    chart = client.get(
        f"/api/v1/runs/{run_id}/series?key={key}&pixels=10000&times=true"
    )
    assert chart["count"] == len(expected)
    if chart["exact"]:
        columns = zip(
            chart["step"], chart["time_ms"], map(repr, chart["value"]), strict=True
        )
        # Our own wire has no word for what is not finite in a column.
        finite = [
            (step, time_ms, repr(None if _is_special(value) else value))
            for _, step, time_ms, value in expected
        ]
        assert sorted(columns) == sorted(finite)


def _is_special(value: float | str) -> bool:
    return isinstance(value, str) or abs(value) > 1.7e308


def _history(client: Client, run_id: str, key: str) -> Iterator[Point]:
    path = f"{API}metrics/get-history?run_id={run_id}&metric_key={key}&max_results=997"
    token: str | None = ""
    while token is not None:
        page: dict[str, Any] = client.get(f"{path}&page_token={token}")
        for item in page.get("metrics", []):
            yield item["key"], item["step"], item["timestamp"], item["value"]
        token = page.get("next_page_token")


def _compare_runs(client: Client, ledgers: list[Ledger]) -> None:
    """Every run was asked for; one that was asked for twice may be there twice."""
    found: dict[str, str] = {}
    token = ""
    while True:
        page = client.call(
            "runs/search", experiment_ids=["0"], max_results=500, page_token=token
        )
        for run in page.get("runs", []):
            tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
            found[run["info"]["run_id"]] = tags.get("token", "")
        token = page.get("next_page_token", "")
        if not token:
            break
    resent = sum(ledger.resent for ledger in ledgers)
    tokens = set().union(*(ledger.tokens for ledger in ledgers))
    known = merged(ledgers).keys()

    assert known <= found.keys()
    assert set(found.values()) == tokens | {""}
    assert len(found) - len(known) <= resent
