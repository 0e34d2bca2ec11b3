"""Runs: begin, end, find."""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from runstone import journal, names
from runstone.entities import Run, RunData, RunStatus, ViewType
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    MlflowException,
)
from runstone.model import RunStatus as Status
from runstone.sdk import (
    checks,
    frames,
    options,
    origin,
    patience,
    spool,
)
from runstone.sdk.client.base import every
from runstone.sdk.client.runs import NAME_TAG, PARENT_TAG
from runstone.sdk.fluent import experiments
from runstone.sdk.fluent.state import HOLDER, ActiveRun, client, stack, threads
from runstone.sdk.live import LiveInfo
from runstone.sdk.run import Run as OpenRun
from runstone.sdk.session import session


NOTE_TAG: Final = "mlflow.note.content"
MOST_ROWS: Final = 100_000

_beginning = threading.Lock()


def _begin_anew() -> None:
    """Forget a lock that another thread of the parent may have held."""
    global _beginning  # noqa: PLW0603  # one for the process
    _beginning = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """
    Begin a run, or let an old one go on; it waits for no server.

    Args:
        run_id: A run that goes on; otherwise a new one begins, unless RUNSTONE_RUN_ID
            or MLFLOW_RUN_ID names one.

        experiment_id: Where it belongs; by default what `set_experiment`,
            MLFLOW_EXPERIMENT_NAME or MLFLOW_EXPERIMENT_ID said.

        run_name: What people call it; some name by default.

        nested: Whether it may begin within another one.

        parent_run_id: The run that it is nested in; the active one by default.

        tags: Labels.

        description: A text for its page.

        log_system_metrics: Whether the machine is measured beside the run; by
            default what `MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING` says.

    Returns:
        The run, to be used in `with`.

    Raises:
        Exception: A run is active and *nested* is False, as with MLflow.
        MlflowException: The run that is to go on is not there, or in the bin.
    """
    if stack() and not nested:
        raise Exception(  # noqa: TRY002  # MLflow's own class
            f"Run with UUID {stack()[0].info.run_id} is already active. To start a new "
            "run, first end the current run with mlflow.end_run(). To start a nested "
            "run, call start_run with nested=True"
        )
    labels = _labels(tags, description)
    parts = _parts(log_system_metrics)
    goes_on = run_id or _taken("RUNSTONE_RUN_ID", "MLFLOW_RUN_ID")
    if goes_on:
        active = _resumed(checks.run_id(goes_on), run_name, labels, parts)
    else:
        parent = _parent(parent_run_id)
        active = _begun(experiment_id, run_name, parent, labels, parts)
    stack().append(active)

    return active


def end_run(status: str = "FINISHED") -> None:
    """
    End the active run, if there is one.

    Args:
        status: FINISHED, FAILED or KILLED.
    """
    word = Status(RunStatus.to_string(RunStatus.from_string(str(status))))
    if not stack():
        return
    active = stack().pop()
    threads.last_id = active.info.run_id
    if not active.is_ours:
        active.open_run.close()  # the parent ends it
        return
    session.leave(HOLDER, active.open_run, word)
    active.info.status = str(word)


def active_run() -> ActiveRun | None:
    """Return the run that this thread logs to, or None."""
    return stack()[-1] if stack() else None


def last_active_run() -> Run | None:
    """Return the active run, or the one that ended last in this thread, or None."""
    if stack():
        return stack()[-1]

    return get_run(threads.last_id) if threads.last_id else None


def get_run(run_id: str) -> Run:
    """Return a run with what was logged."""
    return client().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Return the run that a run is nested in, or None."""
    return client().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Put a run into the bin."""
    client().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Take a run out of the bin."""
    client().restore_run(run_id)


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = MOST_ROWS,
    order_by: Sequence[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """
    Search runs.

    Args:
        experiment_ids: Where to look; by default in the experiment that is chosen.

        filter_string: Such as "metrics.accuracy > 0.9 AND params.lr = '0.1'".

        run_view_type: One of `ViewType`.

        max_results: Most runs.

        order_by: Such as ["metrics.accuracy DESC"].

        output_format: "pandas" or "list".

        search_all_experiments: Look everywhere.

        experiment_names: Where to look, by name.

    Returns:
        DataFrame (see `runstone.sdk.frames.runs`), or list of runs.
    """
    if output_format not in ("pandas", "list"):
        raise ValueError(
            f"Unsupported output format: {output_format}. Supported string values are "
            "'pandas' or 'list'"
        )
    if experiment_ids and experiment_names:
        raise MlflowException(
            "Only experiment_ids or experiment_names can be used, but not both",
            INVALID_PARAMETER_VALUE,
        )
    where = _places(experiment_ids, experiment_names, everywhere=search_all_experiments)
    found = (
        every(
            lambda most, token: client().search_runs(
                where, filter_string, run_view_type, most, order_by, token
            ),
            max_results,
        )
        if where
        else []
    )

    return found if output_format == "list" else frames.runs(found)


def _places(
    ids: Sequence[str] | None, named: Sequence[str] | None, *, everywhere: bool
) -> list[str]:
    if ids:
        return [str(each) for each in ids]
    if named:
        found = [client().get_experiment_by_name(name) for name in named]
        return [each.experiment_id for each in found if each]
    if everywhere:
        return [each.experiment_id for each in experiments.search_experiments()]

    return [experiments.current_id()]


def _labels(tags: Mapping[str, Any] | None, description: str | None) -> dict[str, str]:
    labels = checks.tags(tags or {})
    if description:
        if NOTE_TAG in labels:
            raise MlflowException(
                f"Description is already set via the tag {NOTE_TAG} in tags. Remove "
                f"the key {NOTE_TAG} from the tags or omit the description.",
                INVALID_PARAMETER_VALUE,
            )
        labels[NOTE_TAG] = description

    return labels


def _parent(given: str | None) -> str | None:
    """Return the run that a new one is nested in."""
    active = stack()[-1].info.run_id if stack() else None
    if given is None:
        return active
    checks.run_id(given)
    if active and active != given:
        raise MlflowException(
            f"Current run with UUID {active} does not match the specified "
            f"parent_run_id {given}. To start a new nested run under the parent run "
            f"with UUID {active}, first end the current run with mlflow.end_run()."
        )
    if not session.has_begun(given):
        _require(given, "start run under parent run with ID")

    return given


def _begun(
    experiment_id: str | None,
    run_name: str | None,
    parent: str | None,
    labels: Mapping[str, str],
    parts: frozenset[str],
) -> ActiveRun:
    """Begin a new run."""
    name = run_name or labels.get(NAME_TAG) or _named() or names.new()
    all_tags = origin.tags() | dict(labels) | {NAME_TAG: name}
    if parent:
        all_tags[PARENT_TAG] = parent
    number, title = experiments.place(experiment_id)
    begin = journal.Begin(
        experiment=title,
        experiment_id=number,
        name=name,
        user=all_tags["mlflow.user"],
        start_ms=time.time_ns() // 1_000_000,
        tags=all_tags,
    )
    run = _open(begin, None, parts, shared=not stack())

    def ask() -> Any:
        return client().get_run(run.id).info

    return ActiveRun(LiveInfo(run.id, begin, ask), RunData(tags=dict(run.tags)), run)


def _resumed(
    run_id: str,
    run_name: str | None,
    labels: Mapping[str, str],
    parts: frozenset[str],
) -> ActiveRun:
    """Let an old run go on; what is known of it already is shown."""
    found = _require(run_id, "start run with ID")
    begin = journal.Begin(name=run_name or "", tags=dict(labels))
    run = _open(begin, run_id, parts, shared=not stack())
    if found is None:
        before = journal.Begin(experiment="?", user=origin.user())
        info: Any = LiveInfo(run_id, before, lambda: client().get_run(run_id).info)
        return ActiveRun(info, RunData(tags=dict(labels)), run)
    found.info.status, found.info.end_time = "RUNNING", None
    run.params |= found.data.params
    run.tags |= found.data.tags | dict(labels)
    data = RunData(found.data.metrics, found.data.params, dict(run.tags))

    return ActiveRun(found.info, data, run, found.inputs, found.outputs)


def _parts(log_system_metrics: bool | None) -> frozenset[str]:
    """Return what is captured beside the run."""
    usual = options.parts()
    if log_system_metrics is None:
        return usual

    return usual | {"system"} if log_system_metrics else usual - {"system"}


def _open(
    begin: journal.Begin, run_id: str | None, parts: frozenset[str], *, shared: bool
) -> OpenRun:
    """
    Open a run; the first one of the process is shared with W&B's names.

    A run that begins in another thread is one of its own.
    """
    with _beginning:
        if shared and not session.is_held(HOLDER):
            return session.join(HOLDER, begin, run_id, parts=parts)

        return session.begin(begin, run_id, parts=parts)


def _require(run_id: str, what: str) -> Run | None:
    """
    Return a run that must be there; None where nobody can say.

    Raises:
        MlflowException: It is not there, or in the bin.
    """
    session.flush(patience.PATIENCE_SECONDS)
    try:
        run = client().glance(run_id)
    except MlflowException:
        if spool.writers(options.spool() / run_id):
            return None  # it waits on this machine for its server
        raise
    if run is None:
        return None
    if run.info.lifecycle_stage == "deleted":
        raise MlflowException(
            f"Cannot {what} {run_id} because it is in the deleted state."
        )

    return run


def _taken(*variables: str) -> str | None:
    """Return the run that the environment names, once."""
    for name in variables:
        if found := os.environ.pop(name, ""):
            return found

    return None


def _named() -> str:
    for name in ("RUNSTONE_RUN_NAME", "MLFLOW_RUN_NAME"):
        if os.environ.get(name):
            return os.environ[name]

    return ""
