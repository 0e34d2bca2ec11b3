"""What our own wire sends; the UI's types are made of these."""

import math
from typing import Literal

import msgspec

from runstone.model import Lifecycle, RunStatus
from runstone.storage.documents import Whole
from runstone.storage.metrics import Latest


Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""JSON has no words for what is not finite."""


class ExperimentMessage(msgspec.Struct):
    """An experiment with a count of its live runs."""

    id: str
    name: str
    lifecycle: Lifecycle
    created_ms: int
    updated_ms: int
    runs: int
    running: int
    last_start_ms: int | None


class ExperimentList(msgspec.Struct):
    """Experiments, the newest first."""

    experiments: list[ExperimentMessage]


class MetricMessage(msgspec.Struct):
    """What is known of a series without reading it."""

    last: Number
    step: int
    time_ms: int
    min: Number | None
    max: Number | None
    count: int


class RunMessage(msgspec.Struct):
    """A run with everything but its history."""

    id: str
    experiment_id: str
    name: str
    user: str
    status: RunStatus
    lifecycle: Lifecycle
    start_ms: int | None
    end_ms: int | None
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, MetricMessage]


class RunList(msgspec.Struct):
    """A page of runs."""

    runs: list[RunMessage]
    next_page_token: str | None


class SeriesMessage(msgspec.Struct):
    """A series as columns, thinned to a screen; what is not finite is null."""

    key: str
    exact: bool
    """Whether every point of the range is here."""

    count: int
    """Points of the range."""

    step: list[int]
    value: list[float | None]
    time_ms: list[int] | None = None
    """Only where it was asked for."""


def run(item: Whole) -> RunMessage:
    """Return a run as our wire sends it."""
    return RunMessage(
        item.run.id,
        str(item.run.experiment_id),
        item.run.name,
        item.run.user,
        item.run.status,
        item.run.lifecycle,
        item.run.start_ms,
        item.run.end_ms,
        dict(item.params),
        dict(item.tags),
        {metric.key: _metric(metric) for metric in item.metrics},
    )


def number(value: float) -> Number:
    """Return a value as our wire sends it."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"

    return "Infinity" if value > 0 else "-Infinity"


def _metric(item: Latest) -> MetricMessage:
    return MetricMessage(
        number(item.value),
        item.step,
        item.time_ms,
        None if item.low is None else number(item.low),
        None if item.high is None else number(item.high),
        item.points,
    )
