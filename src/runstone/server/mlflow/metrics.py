"""Metrics on MLflow's wire."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import msgspec
import numpy as np

from runstone import errors, limits
from runstone.analysis.columns import Columns
from runstone.model import ModelPoint, Point
from runstone.server.http import (
    Int64,
    Needed,
    Reply,
    Request,
    Right,
    Route,
    lacking,
    read,
)
from runstone.server.mlflow import weaving
from runstone.server.mlflow.messages import Metric, RunId, named, run_id
from runstone.server.state import database
from runstone.storage import metrics, model_points, runs, series
from runstone.storage.tx import Tx


class LogMetric(RunId, kw_only=True):
    """Body of `runs/log-metric`."""

    key: Needed
    value: float
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class History(RunId, kw_only=True):
    """Query of `metrics/get-history`."""

    metric_key: Needed
    max_results: Annotated[int, msgspec.Meta(ge=1)] | None = None
    page_token: str | None = None


class Bulk(msgspec.Struct):
    """Query of `metrics/get-history-bulk`."""

    metric_key: str
    run_id: list[str] = []
    max_results: Annotated[int, msgspec.Meta(ge=1)] = limits.HISTORY_POINTS


class BulkInterval(msgspec.Struct):
    """Query of `metrics/get-history-bulk-interval`."""

    metric_key: str
    run_ids: list[str] = []
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.BULK_INTERVAL_POINTS)] = (
        limits.BULK_INTERVAL_POINTS
    )


async def log_metric(request: Request) -> Reply:
    """Write a point."""
    body = await read(request, LogMetric)
    require_time(body.timestamp, "")
    named([body.key], "name")
    batch = metrics.Batch([body.key], [body.step], [body.timestamp], [body.value])
    if not body.model_id:
        await database(request).write(metrics.append, run_id(body), batch)
        return Reply()
    point = Metric(body.key, body.value, body.timestamp, body.step)
    point.model_id = body.model_id
    point.dataset_name = body.dataset_name
    point.dataset_digest = body.dataset_digest
    await database(request).write(
        model_points.log, run_id(body), measured([point]), points=batch
    )

    return Reply()


async def history(request: Request) -> Reply:
    """Return one series of a run, page by page."""
    query = await read(request, History)
    offset = _offset(query.page_token)
    limit = min(query.max_results or limits.INT64_MAX, limits.INT64_MAX)
    page = await database(request).read(
        _history, run_id(query), query.metric_key, offset, limit
    )

    return Reply(page)


def _history(tx: Tx, name: str, key: str, offset: int, limit: int) -> bytes:
    page = series.page(tx, name, key, offset=offset, limit=limit)
    if not page.columns.size:
        return b"{}"
    end = b"]}"
    if page.next_offset is not None:
        end = b'],"next_page_token":"%d"}' % page.next_offset

    return b'{"metrics":[' + weaving.points(key, page.columns) + end


async def bulk(request: Request) -> Reply:
    """Return one series of many runs, run after run."""
    query = await read(request, Bulk)
    names = _few(query.run_id)
    limit = min(query.max_results, limits.HISTORY_POINTS)

    return Reply(
        await database(request).read(_bulk, sorted(names), query.metric_key, limit)
    )


def _bulk(tx: Tx, names: list[str], key: str, limit: int) -> bytes:
    parts = []
    for name in _known(tx, names):
        page = series.page(tx, name, key, offset=0, limit=limit)
        parts.append((name, page.columns))
        limit -= page.columns.size
        if not limit:
            break

    return b'{"metrics":[' + _woven(key, parts) + b"]}"


async def bulk_interval(request: Request) -> Reply:
    """Return one series of many runs, each thinned to what a screen can show."""
    query = await read(request, BulkInterval)
    if not query.run_ids:
        raise lacking("run_ids")
    names = _few(query.run_ids)
    if (query.start_step is None) != (query.end_step is None):
        raise errors.InvalidInput(
            "If either start step or end step are specified, both must be specified."
        )
    if (query.start_step or 0) > (query.end_step or 0):
        raise errors.InvalidInput(
            "end_step must be greater than start_step. Found "
            f"start_step={query.start_step} and end_step={query.end_step}."
        )

    return Reply(await database(request).read(_bulk_interval, names, query))


def _bulk_interval(tx: Tx, names: list[str], query: BulkInterval) -> bytes:
    names = _known(tx, names)
    charts = series.chart(
        tx,
        names,
        query.metric_key,
        pixels=max(1, query.max_results // 4),
        first_step=query.start_step,
        last_step=query.end_step,
    )

    parts = [
        (name, _at_most(charts[name].columns, query.max_results)) for name in names
    ]
    woven = _woven(query.metric_key, parts)

    return b'{"metrics":[' + woven + b"]}" if woven else b"{}"


def _at_most(columns: Columns, count: int) -> Columns:
    """Return few points of a chart; only where fewer than four are asked for."""
    if columns.size <= count:
        return columns

    return columns.take(np.linspace(0, columns.size - 1, count).astype(np.int64))


def _known(tx: Tx, names: list[str]) -> list[str]:
    """Return the runs that exist: MLflow's bulk reads pass over the others."""
    found = []
    for name in names:
        with suppress(errors.RunNotFound):
            runs.require(tx, name)
            found.append(name)

    return found


def columns(points: Sequence[Metric], place: str) -> metrics.Batch:
    """
    Turn points into columns.

    Raises:
        InvalidInput: A time is negative, or a key is none that MLflow takes.
    """
    times = [point.timestamp for point in points]
    if times and min(times) < 0:
        require_time(min(times), place.format(times.index(min(times))))
    keys = [point.key for point in points]
    named(keys, place + "name")

    return metrics.Batch(
        keys,
        [point.step for point in points],
        times,
        [point.value for point in points],
    )


def require_time(time_ms: int, place: str) -> None:
    """
    Make sure that MLflow would take this as the time of a point.

    Raises:
        InvalidInput: It is negative.
    """
    if time_ms < 0:
        raise errors.InvalidInput(
            f"Invalid value {time_ms} for parameter '{place}timestamp' supplied: "
            "Timestamp must be a nonnegative long (64-bit integer)"
        )


def measured(points: Sequence[Metric]) -> list[ModelPoint]:
    """
    Return the points that are about models.

    Raises:
        InvalidInput: One names half a dataset.
    """
    found = [point for point in points if point.model_id]
    for point in found:
        if bool(point.dataset_name) != bool(point.dataset_digest):
            raise errors.InvalidInput(
                "Both dataset_name and dataset_digest must be provided if one is "
                "provided"
            )

    return [
        ModelPoint(
            item.model_id,
            Point(item.key, item.step, item.timestamp, item.value),
            item.dataset_name,
            item.dataset_digest,
        )
        for item in found
    ]


def _woven(key: str, parts: list[tuple[str, Columns]]) -> bytes:
    woven = [
        weaving.points(key, part, run_id=name) for name, part in parts if part.size
    ]

    return b",".join(woven)


def _few(names: list[str]) -> list[str]:
    """Return the runs of a bulk request, each once."""
    if not names:
        raise errors.InvalidInput(
            "GetMetricHistoryBulk request must specify at least one run_id."
        )
    if len(names) > limits.BULK_RUNS:
        raise errors.InvalidInput(
            f"GetMetricHistoryBulk request cannot specify more than {limits.BULK_RUNS} "
            f"run_ids. Received {len(names)} run_ids."
        )

    return list(dict.fromkeys(names))


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise errors.InvalidInput(
            "Invalid page token; send back next_page_token of the page before"
        )

    return int(token)


routes = [
    Route("POST", "mlflow/runs/log-metric", log_metric, Right.EDIT, LogMetric),
    Route("GET", "mlflow/metrics/get-history", history, Right.READ, History),
    Route("GET", "mlflow/metrics/get-history-bulk", bulk, Right.READ, Bulk),
    Route(
        "GET",
        "mlflow/metrics/get-history-bulk-interval",
        bulk_interval,
        Right.READ,
        BulkInterval,
    ),
]
