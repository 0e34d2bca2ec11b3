"""Metrics, params and tags of the run that is under way."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstone import errors
from runstone.entities import DatasetInput, InputTag
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    MlflowException,
    raise_as_mlflow,
)
from runstone.sdk import checks
from runstone.sdk.client.base import Logged
from runstone.sdk.client.runs import log
from runstone.sdk.data import as_entity
from runstone.sdk.fluent.state import client, current, run_of, threads


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> Logged | None:
    """
    Log a metric.

    It is appended to a file of this machine and sent from there, so it waits for no
    server and outlives this process.

    Args:
        key: Its name.

        value: A number; an array or a tensor of one element is one.

        step: Any integer, in any order; 0 by default.

        synchronous: False returns something to wait for.

        timestamp: Milliseconds since the epoch, UTC; now by default.

        run_id: The run; by default the active one, or one that begins now.

        model_id: Taken for MLflow's sake.

        dataset: What the metric was measured on; it is noted as an input.

    Raises:
        MlflowException: The name or the value cannot be kept.
    """
    if (
        type(value) is float
        and type(step) is int
        and timestamp is None
        and run_id is None
        and dataset is None
        and threads.stack
        and type(key) is str
        and checks.is_key(key)
    ):
        # What stands in a loop: every check is done, in a third of the time.
        try:
            threads.stack[-1].open_run.log({key: value}, step=step)
        except errors.InvalidInput as error:
            raise_as_mlflow(error)
    else:
        log(run_of(run_id), {key: value}, step, timestamp)
        if dataset is not None:
            log_input(dataset)

    return Logged() if synchronous is False else None


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> Logged | None:
    """Log several metrics at one step; see `log_metric`."""
    log(run_of(run_id), metrics, step, timestamp)
    if dataset is not None:
        log_input(dataset)

    return Logged() if synchronous is False else None


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """
    Log a param, which is written once, and return its value.

    Raises:
        MlflowException: This process wrote another value before.
    """
    log_params({key: value})

    return Logged() if synchronous is False else value


def log_params(
    params: Mapping[str, Any],
    synchronous: bool | None = None,
    run_id: str | None = None,
) -> Logged | None:
    """
    Log several params; none of them where one cannot be kept.

    Raises:
        MlflowException: This process wrote another value of one before.
    """
    run = run_of(run_id)
    run.log_params(checks.params(params, run.params))

    return Logged() if synchronous is False else None


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> Logged | None:
    """Set a tag; a later value takes the place of an earlier one."""
    return set_tags({key: value}, synchronous)


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> Logged | None:
    """Set several tags."""
    current().set_tags(checks.tags(tags))

    return Logged() if synchronous is False else None


def delete_tag(key: str) -> None:
    """Remove a tag."""
    client().delete_tag(current().id, key)


def log_input(
    dataset: Any = None,
    context: str | None = None,
    tags: Mapping[str, str] | None = None,
    model: Any = None,
) -> None:
    """
    Note a dataset that the run read.

    Args:
        dataset: A dataset of `runstone.data`, or one that spells itself as MLflow's do.

        context: What for, such as "training".

        tags: More labels.

        model: A logged model that the run used.
    """
    datasets = [] if dataset is None else [_input(dataset, context, tags)]
    models = [] if model is None else [model]
    client().log_inputs(current().id, datasets, models)


def log_inputs(
    datasets: Sequence[Any] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, str] | None] | None = None,
    models: Sequence[Any] | None = None,
) -> None:
    """Note several datasets that the run read; the lists are equally long."""
    given = (datasets or [], contexts or [], tags_list or [])
    if len({len(each) for each in given}) != 1:
        raise MlflowException(
            "`mlflow.log_inputs` requires `datasets`, `contexts`, `tags_list` to be "
            "non-empty list and have the same length.",
            INVALID_PARAMETER_VALUE,
        )
    read = [_input(*each) for each in zip(*given, strict=True)]
    client().log_inputs(current().id, read, models)


def log_outputs(models: Sequence[Any] | None = None) -> None:
    """Note which logged models the run made."""
    client().log_outputs(current().id, models or [])


def _input(
    dataset: Any, context: str | None, tags: Mapping[str, str] | None
) -> DatasetInput:
    labels = [InputTag(key, str(value)) for key, value in (tags or {}).items()]
    if context:
        labels.append(InputTag("mlflow.data.context", context))

    return DatasetInput(as_entity(dataset), labels)
