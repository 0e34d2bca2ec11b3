"""Workloads that read series: page by page, and as charts."""

import functools
import time

import msgspec
import numpy as np

from bench import client, data
from bench.data import Floats, Run, Stage
from bench.peers import API, Peer
from bench.sizes import Sizes
from bench.workload import Target, Turn, Workload, WrongAnswer, expect, seconds


PAGE = 25_000
BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"


class Point(msgspec.Struct):
    """A point of a history."""

    step: int
    timestamp: int
    value: float


class History(msgspec.Struct):
    """Answer of `metrics/get-history` and its bulk sisters."""

    metrics: list[Point] = []
    next_page_token: str = ""


class Columns(msgspec.Struct):
    """A series as Runstone's own API sends it."""

    step: list[int]
    value: list[float | None]


def get_history(peer: Peer, sizes: Sizes) -> Turn:
    """One client reads a whole series, in pages of 25,000 points."""
    run_id = peer.run_ids("history")[0]
    run = next(data.history(sizes.history_points))
    path = (
        f"{API}/metrics/get-history?run_id={run_id}&metric_key=loss&max_results={PAGE}"
    )

    def turn() -> float:
        began = time.perf_counter()
        pages = _pages(peer, path)
        took = time.perf_counter() - began
        expect(sum(map(_count, pages)), sizes.history_points, "points")
        for page in (pages[0], pages[-1]):
            check_points(msgspec.json.decode(page, type=History, strict=False), run)

        return took

    return turn


def _pages(peer: Peer, path: str) -> list[bytes]:
    pages = []
    token = ""
    with peer.connect() as connection:
        while True:
            after = f"&page_token={client.quoted(token)}" if token else ""
            pages.append(connection.ask(client.request("GET", path + after)))
            token = client.page_token(pages[-1])
            if not token:
                return pages


def _count(page: bytes) -> int:
    return page.count(b'"step"')


def check_points(history: History, run: Run) -> None:
    """Compare every point of an answer with the point that was logged."""
    values = run.series["loss"]
    steps = np.array([point.step for point in history.metrics])
    sent = np.array([point.value for point in history.metrics])
    times = np.array([point.timestamp for point in history.metrics])
    if not len(steps) or not np.array_equal(values[steps], sent):
        raise WrongAnswer("values are not those that were logged")
    if not np.array_equal(run.start_ms + steps, times):
        raise WrongAnswer("timestamps are not those that were logged")


def check_ends(steps: list[int], values: Floats) -> None:
    """A chart begins with the first point and ends with the last."""
    expect((steps[0], steps[-1]), (0, len(values) - 1), "first and last step")


def chart(peer: Peer, sizes: Sizes) -> Turn:
    """One client draws one long series through MLflow's endpoint."""
    run_id = peer.run_ids("history")[0]
    run = next(data.history(sizes.history_points))
    path = f"{BULK}?run_ids={run_id}&metric_key=loss&max_results=2500"

    def turn() -> float:
        took, body = timed_get(peer, path)
        history = msgspec.json.decode(body, type=History, strict=False)
        check_points(history, run)
        check_ends([point.step for point in history.metrics], run.series["loss"])

        return took

    return turn


def chart_native(peer: Peer, sizes: Sizes) -> Turn:
    """One client draws it through Runstone's own endpoint, MLflow's beside it."""
    if peer.side == "mlflow":
        return chart(peer, sizes)
    run_id = peer.run_ids("history")[0]
    values = data.losses(sizes.history_points)
    path = f"/api/v1/runs/{run_id}/series?key=loss&pixels=1000"

    def turn() -> float:
        took, body = timed_get(peer, path)
        check_columns(columns(body)[0], values)

        return took

    return turn


def chart_runs(peer: Peer, sizes: Sizes) -> Turn:
    """One client draws a series of each of 100 runs in one request."""
    run_ids = peer.run_ids("charts")
    runs = list(data.charts(sizes.chart_runs, sizes.chart_points))
    expect(len(run_ids), len(runs), "runs")
    if peer.side == "mlflow":
        query = "&".join(f"run_ids={run_id}" for run_id in run_ids)
        message = client.request(
            "GET", f"{BULK}?{query}&metric_key=loss&max_results=2500"
        )
    else:
        body = {"run_ids": run_ids, "key": "loss", "pixels": 1000}
        message = client.request("POST", "/api/v1/series", msgspec.json.encode(body))

    def turn() -> float:
        answer = b""

        def ask() -> None:
            nonlocal answer
            answer = connection.ask(message)

        with peer.connect() as connection:
            took = seconds(ask)
        if peer.side == "mlflow":
            count = len(msgspec.json.decode(answer, type=History, strict=False).metrics)
            expect(count >= len(runs) * 1000, truth=True, what="having enough points")
        else:
            drawn = columns(answer)
            expect(len(drawn), len(runs), "series")
            for series, run in zip(drawn, runs, strict=True):
                check_columns(series, run.series["loss"])

        return took

    return turn


def timed_get(peer: Peer, path: str) -> tuple[float, bytes]:
    """GET a path on a connection that is open already."""
    with peer.connect() as connection:
        message = client.request("GET", path)
        began = time.perf_counter()
        body = connection.ask(message)

        return time.perf_counter() - began, body


def columns(body: bytes) -> list[Columns]:
    """Find the series in an answer, however deep they lie, in their order."""
    return _columns(msgspec.json.decode(body))


@functools.singledispatch
def _columns(part: object) -> list[Columns]:
    del part

    return []


@_columns.register
def _(part: list) -> list[Columns]:  # type: ignore[type-arg]
    return [found for item in part for found in _columns(item)]


@_columns.register
def _(part: dict) -> list[Columns]:  # type: ignore[type-arg]
    if "step" in part and "value" in part:
        return [msgspec.convert(part, Columns, strict=False)]

    return [found for item in part.values() for found in _columns(item)]


def check_columns(series: Columns, values: Floats) -> None:
    """Expect true points only, both ends, the lowest and the highest."""
    expect(
        len(series.step) == len(series.value) >= 4, truth=True, what="being a series"
    )
    check_ends(series.step, values)
    drawn = np.array(series.value, dtype=np.float64)
    if not np.array_equal(values[np.array(series.step)], drawn):
        raise WrongAnswer("values are not those that were logged")
    extremes = float(values.min()), float(values.max())
    expect((float(drawn.min()), float(drawn.max())), extremes, "lowest and highest")


def long(sizes: Sizes) -> Stage:
    """One run of one long series."""
    points = sizes.history_points

    return Stage(f"history_{points}", lambda: data.history(points))


def many(sizes: Sizes) -> Stage:
    """Many runs of one series."""
    runs, points = sizes.chart_runs, sizes.chart_points

    return Stage(f"charts_{runs}x{points}", lambda: data.charts(runs, points))


WORKLOADS = [
    Workload(
        name="get-history",
        title="get-history of 1,000,000 points, by pages",
        unit="s",
        start=get_history,
        stage=long,
        targets={"sqlite": (Target(80),)},
    ),
    Workload(
        name="chart",
        title="chart of 1,000,000 points, MLflow's endpoint at both",
        unit="s",
        start=chart,
        stage=long,
        targets={"sqlite": (Target(400),)},
    ),
    Workload(
        name="chart-native",
        title="chart of 1,000,000 points, Runstone's own endpoint",
        unit="s",
        start=chart_native,
        stage=long,
        targets={"sqlite": (Target(400),)},
    ),
    Workload(
        name="chart-runs",
        title="chart of 100 runs of 10,000 points in one request",
        unit="s",
        start=chart_runs,
        stage=many,
        targets={"sqlite": (Target(at_most=0.1),)},
    ),
]
