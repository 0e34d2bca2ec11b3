"""What our own wire sends; the UI's types are made of these."""

import math
from typing import Literal

import msgspec

from runstone.model import (
    DatasetInput,
    Lifecycle,
    LoggedModel,
    ModelStatus,
    RunStatus,
)
from runstone.storage.datasets import CONTEXT_TAG
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


class DatasetMessage(msgspec.Struct):
    """A dataset as a run used it."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    context: str | None
    """What it was used for, such as "training"."""

    tags: dict[str, str]


class ModelUse(msgspec.Struct):
    """A logged model that went into a run, or that it made."""

    id: str
    step: int | None
    """When it was made; null where it went in."""

    name: str | None
    """Null where no such model was ever logged here."""

    type: str | None
    status: ModelStatus | None


class RunDetail(RunMessage):
    """A run with what it read and made."""

    datasets: list[DatasetMessage]
    models_in: list[ModelUse]
    models_out: list[ModelUse]


class ModelMetricMessage(msgspec.Struct):
    """One value that a run measured of a model."""

    key: str
    value: Number
    step: int
    time_ms: int
    run_id: str
    dataset_name: str | None
    dataset_digest: str | None


class LoggedModelMessage(msgspec.Struct):
    """A logged model with everything but its files."""

    id: str
    experiment_id: str
    name: str
    type: str
    status: ModelStatus
    lifecycle: Lifecycle
    source_run_id: str | None
    artifact_uri: str
    created_ms: int
    updated_ms: int
    params: dict[str, str]
    tags: dict[str, str]
    metrics: list[ModelMetricMessage]


class LoggedModelList(msgspec.Struct):
    """A page of logged models."""

    models: list[LoggedModelMessage]
    next_page_token: str | None


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
    """Return a run as a list of runs has it."""
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


def run_detail(item: Whole, known: dict[str, LoggedModel]) -> RunDetail:
    """
    Return a run with what it read and made.

    Args:
        item: The run.

        known: The logged models among those that it names, by id.
    """
    uses = [(model, None) for model in item.model_inputs]
    made = [(output.model_id, output.step) for output in item.outputs]

    return RunDetail(
        **msgspec.structs.asdict(run(item)),
        datasets=list(map(_dataset, item.inputs)),
        models_in=[_use(model, step, known.get(model)) for model, step in uses],
        models_out=[_use(model, step, known.get(model)) for model, step in made],
    )


def logged_model(item: LoggedModel) -> LoggedModelMessage:
    """Return a logged model as our wire sends it."""
    return LoggedModelMessage(
        item.id,
        str(item.experiment_id),
        item.name,
        item.type,
        item.status,
        item.lifecycle,
        item.source_run_id or None,
        item.artifact_uri,
        item.created_ms,
        item.updated_ms,
        dict(item.params),
        dict(item.tags),
        [
            ModelMetricMessage(
                measured.point.key,
                number(measured.point.value),
                measured.point.step,
                measured.point.time_ms,
                measured.run_id,
                measured.dataset_name or None,
                measured.dataset_digest or None,
            )
            for measured in item.points
        ],
    )


def _dataset(item: DatasetInput) -> DatasetMessage:
    tags = dict(item.tags)

    return DatasetMessage(*item.dataset, tags.get(CONTEXT_TAG), tags)


def _use(model_id: str, step: int | None, known: LoggedModel | None) -> ModelUse:
    if known is None:
        return ModelUse(model_id, step, None, None, None)

    return ModelUse(model_id, step, known.name, known.type, known.status)


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
