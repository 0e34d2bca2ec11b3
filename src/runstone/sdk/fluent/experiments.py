"""Experiments: choose, create, find."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from runstone.entities import Experiment, ViewType
from runstone.errors import RunstoneError
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    MlflowException,
    raise_as_mlflow,
)
from runstone.sdk import calls, checks, options, patience, reading
from runstone.sdk.client.base import every
from runstone.sdk.door import Door
from runstone.sdk.fluent.state import chosen, client
from runstone.sdk.live import LiveExperiment


def set_experiment(
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    trace_location: Any = None,
) -> Experiment:
    """
    Choose the experiment of the runs that begin from now on.

    A name that is new makes one.  Where the server does not answer within a second,
    the run makes it when it arrives.

    Args:
        experiment_name: Its name.

        experiment_id: Its id instead.

        trace_location: Taken for MLflow's sake.

    Raises:
        MlflowException: The experiment is in the bin, or no id is like this.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise MlflowException(
            "Must specify exactly one of: `experiment_id` or `experiment_name`.",
            INVALID_PARAMETER_VALUE,
        )
    if experiment_id is None:
        found = _named(checks.experiment_name(experiment_name))
    else:
        found = client().get_experiment(str(experiment_id))
    if "lifecycle_stage" in vars(found) and found.lifecycle_stage != "active":
        raise MlflowException(
            f"Cannot set a deleted experiment {found.name!r} as the active experiment. "
            "You can restore the experiment, or permanently delete the experiment to "
            "create a new one.",
            INVALID_PARAMETER_VALUE,
        )
    chosen.experiment_name = found.name
    chosen.experiment_id = vars(found).get("experiment_id")
    # The processes that this one starts log beside it.
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    if chosen.experiment_id:
        os.environ["MLFLOW_EXPERIMENT_ID"] = chosen.experiment_id

    return found


def get_experiment(experiment_id: str) -> Experiment:
    """Return an experiment by its id."""
    return client().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return an experiment by its name, or None."""
    return client().get_experiment_by_name(name)


def create_experiment(
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, Any] | None = None,
    trace_location: Any = None,
) -> str:
    """Create an experiment and return its id; see `MlflowClient`."""
    return client().create_experiment(name, artifact_location, tags)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Search experiments, all pages; see `MlflowClient`."""
    return every(
        lambda most, token: client().search_experiments(
            view_type, most, filter_string, order_by, token
        ),
        max_results,
    )


def delete_experiment(experiment_id: str) -> None:
    """Put an experiment and its runs into the bin."""
    client().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Take an experiment and its runs out of the bin."""
    client().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the experiment that is chosen."""
    client().set_experiment_tag(current_id(), key, value)


def set_experiment_tags(tags: Mapping[str, Any]) -> None:
    """Set tags of the experiment that is chosen."""
    for key, value in tags.items():
        set_experiment_tag(key, value)


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the experiment that is chosen."""
    client().delete_experiment_tag(current_id(), key)


def place(experiment_id: str | int | None) -> tuple[str, str]:
    """
    Return where a new run belongs: the id of its experiment, or its name.

    Args:
        experiment_id: What was asked for, if anything was.
    """
    if experiment_id is not None:
        if not isinstance(experiment_id, str | int):
            raise MlflowException(
                f"Invalid experiment id: {experiment_id} of type "
                f"{type(experiment_id)}. Must be one of str, int, or None.",
                INVALID_PARAMETER_VALUE,
            )
        return str(experiment_id), ""
    if chosen.experiment_id:
        return chosen.experiment_id, ""
    name = chosen.experiment_name or _said("EXPERIMENT_NAME")
    if name:
        return "0", name

    return _said("EXPERIMENT_ID") or "0", ""


def current_id() -> str:
    """Return the id of the experiment that is chosen; it is made if it is missing."""
    number, name = place(None)

    return _made(name).experiment_id if name else number


def _said(what: str) -> str:
    return os.environ.get(f"RUNSTONE_{what}") or os.environ.get(f"MLFLOW_{what}") or ""


def _named(name: str) -> Experiment:
    """Return the experiment of a name, made if it is missing."""
    ours = client()
    if ours.is_nowhere:
        return Experiment("0", name, "", "active")
    if options.mode() != "offline":
        try:
            # Opening a store on a disk takes a while too.
            found = patience.within(lambda: _ask(ours.door(settled=False), name))
        except RunstoneError as error:
            raise_as_mlflow(error)
        if found is not None:
            return found

    return LiveExperiment(name, lambda: _made(name))


def _ask(way: Door, name: str) -> Experiment:
    """Ask for an experiment once, and make it if it is missing."""
    try:
        found = calls.once(
            way, "GET", "experiments/get-by-name", {"experiment_name": name}
        )
    except RunstoneError as error:
        if error.code != "RESOURCE_DOES_NOT_EXIST":
            raise
        made = calls.once(way, "POST", "experiments/create", {"name": name})
        found = calls.once(way, "GET", "experiments/get", made)

    return reading.experiment(found["experiment"])


def _made(name: str) -> Experiment:
    """Return the experiment of a name, made if it is missing, however long it takes."""
    ours = client()
    found = ours.get_experiment_by_name(name)
    if found is None:
        try:
            return ours.get_experiment(ours.create_experiment(name))
        except MlflowException as error:  # somebody was faster
            if error.error_code != RESOURCE_ALREADY_EXISTS:
                raise
            found = ours.get_experiment_by_name(name)
    assert found is not None

    return found
