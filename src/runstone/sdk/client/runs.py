"""Runs, by MLflow's client."""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from runstone import errors, journal, names
from runstone.entities import (
    DatasetInput,
    Metric,
    PagedList,
    Param,
    Run,
    RunData,
    RunStatus,
    RunTag,
    ViewType,
)
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    MlflowException,
    raise_as_mlflow,
)
from runstone.model import RunStatus as Status
from runstone.sdk import checks, patience, reading
from runstone.sdk.client.base import Asking, Logged
from runstone.sdk.live import LiveInfo
from runstone.sdk.run import Run as OpenRun
from runstone.sdk.session import session


T = TypeVar("T")

NAME_TAG: Final = "mlflow.runName"
USER_TAG: Final = "mlflow.user"
PARENT_TAG: Final = "mlflow.parentRunId"
HISTORY_PAGE: Final = 25_000


class Runs(Asking):
    """What is asked and said of runs."""

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """
        Create a run that goes on until `set_terminated` ends it.

        Args:
            experiment_id: Where it belongs.

            start_time: Milliseconds since the epoch, UTC; now by default.

            tags: Labels.

            run_name: What people call it; some name by default.
        """
        said = checks.tags(tags or {})
        name = run_name or said.get(NAME_TAG) or names.new()
        begin = journal.Begin(
            experiment_id=str(experiment_id),
            name=name,
            user=said.get(USER_TAG, "unknown"),
            start_ms=start_time or time.time_ns() // 1_000_000,
            tags=said | {NAME_TAG: name},
        )
        run_id = uuid.uuid4().hex
        self._begin(run_id, begin)
        info = LiveInfo(run_id, begin, lambda: self.get_run(run_id).info)

        return Run(info, RunData(tags=dict(begin.tags)))

    def get_run(self, run_id: str) -> Run:
        """Return a run with what was logged."""
        found = self.ask("GET", "runs/get", run_id=checks.run_id(run_id))

        return reading.run(found["run"])

    def get_parent_run(self, run_id: str) -> Run | None:
        """Return the run that a run is nested in."""
        parent = self.get_run(run_id).data.tags.get(PARENT_TAG)

        return self.get_run(parent) if parent else None

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """
        Search runs, one page.

        Args:
            experiment_ids: Where to look.

            filter_string: Such as "metrics.accuracy > 0.9 AND params.lr = '0.1'".

            run_view_type: One of `ViewType`.

            max_results: Most runs of a page.

            order_by: Such as ["metrics.accuracy DESC"].

            page_token: Of the page before.
        """
        if isinstance(experiment_ids, str | int):
            experiment_ids = [str(experiment_ids)]
        found = self.ask(
            "POST",
            "runs/search",
            experiment_ids=[str(each) for each in experiment_ids],
            filter=filter_string or None,
            run_view_type=ViewType.to_string(run_view_type).upper(),
            max_results=max_results,
            order_by=_listed("order_by", order_by),
            page_token=page_token,
        )
        runs = [reading.run(each) for each in found.get("runs", ())]

        return PagedList(runs, found.get("next_page_token"))

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Return every point of a metric, as MLflow orders them."""
        found: list[Metric] = []
        token: str | None = None
        while True:
            page = self.ask(
                "GET",
                "metrics/get-history",
                run_id=checks.run_id(run_id),
                metric_key=key,
                max_results=HISTORY_PAGE,
                page_token=token,
            )
            found += [reading.metric(each, run_id) for each in page.get("metrics", ())]
            token = page.get("next_page_token")
            if not token:
                return found

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> Logged | None:
        """Log a metric; see `runstone.log_metric`."""
        log(self.open_run(run_id), {key: value}, step, timestamp)

        return _handle(synchronous)

    def log_param(
        self, run_id: str, key: str, value: Any, synchronous: bool | None = None
    ) -> Any:
        """Log a param and return its value."""
        run = self.open_run(run_id)
        run.log_params(checks.params({key: value}, run.params))

        return _handle(synchronous) or value

    def set_tag(
        self, run_id: str, key: str, value: Any, synchronous: bool | None = None
    ) -> Logged | None:
        """Set a tag."""
        self.open_run(run_id).set_tags(checks.tags({key: value}))

        return _handle(synchronous)

    def delete_tag(self, run_id: str, key: str) -> None:
        """
        Remove a tag.

        Raises:
            MlflowException: It is not there.
        """
        run = self.open_run(run_id)
        if checks.key(key) not in run.tags and not self._may_have_tag(run_id, key):
            raise MlflowException(
                f"No tag with name: {key} in run with id {run_id}",
                RESOURCE_DOES_NOT_EXIST,
            )
        run.delete_tag(key)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> Logged | None:
        """
        Log many metrics, params and tags; nothing of them where one cannot be kept.

        Args:
            run_id: The run's.

            metrics: Any number.

            params: Any number.

            tags: Any number.

            synchronous: False returns something to wait for.
        """
        run = self.open_run(run_id)
        calls = [
            (_checked(group), group[0].step, group[0].timestamp)
            for group in _together(metrics)
        ]
        kept = checks.params(_unlike(params), run.params)
        labels = checks.tags({tag.key: tag.value for tag in tags})
        for values, step, timestamp in calls:
            log(run, values, step, timestamp)
        run.log_params(kept)
        run.set_tags(labels)

        return _handle(synchronous)

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[Any] | None = None,
    ) -> None:
        """Note which datasets a run read."""
        read = [
            journal.Read(
                item.dataset.name,
                item.dataset.digest,
                item.dataset.source_type,
                item.dataset.source,
                item.dataset.schema,
                item.dataset.profile,
                {tag.key: tag.value for tag in item.tags},
            )
            for item in datasets or ()
        ]
        if read:
            self.open_run(run_id).say(journal.Inputs(read))
        if models:
            self.ask(
                "POST",
                "runs/log-inputs",
                run_id=run_id,
                models=[{"model_id": model.model_id} for model in models],
            )

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """Note which models a run made."""
        made = [{"model_id": each.model_id, "step": each.step} for each in models]
        self.ask("POST", "runs/outputs", run_id=run_id, models=made)

    def set_terminated(
        self, run_id: str, status: str | None = None, end_time: int | None = None
    ) -> None:
        """
        End a run.

        Args:
            run_id: The run's.

            status: FINISHED by default.

            end_time: Milliseconds since the epoch, UTC; now by default.
        """
        word = _word(status or "FINISHED")
        run = self.open_run(run_id)
        run.ended = word
        run.say(journal.Status(word, end_time or time.time_ns() // 1_000_000))

    def update_run(
        self, run_id: str, status: str | None = None, name: str | None = None
    ) -> None:
        """Change the state or the name of a run."""
        if status:
            word = _word(status)
            end_ms = (
                None if word is Status.RUNNING else self.get_run(run_id).info.end_time
            )
            self.open_run(run_id).say(journal.Status(word, end_ms))
        if name:
            self.open_run(run_id).set_tags({NAME_TAG: name})

    def delete_run(self, run_id: str) -> None:
        """Put a run into the bin."""
        self.ask("POST", "runs/delete", run_id=checks.run_id(run_id))
        self._known.discard(run_id)
        session.forget(run_id)

    def restore_run(self, run_id: str) -> None:
        """Take a run out of the bin."""
        self.ask("POST", "runs/restore", run_id=checks.run_id(run_id))
        session.forget(run_id)

    def _may_have_tag(self, run_id: str, key: str) -> bool:
        """Say whether a run has a tag, or nobody can say."""
        session.flush(patience.PATIENCE_SECONDS)
        try:
            found = self.glance(run_id)
        except MlflowException:
            if not session.has_begun(run_id):
                raise
            return True  # it is on its way

        return found is None or key in found.data.tags


def log(
    run: OpenRun, values: Mapping[str, Any], step: object, timestamp: object
) -> None:
    """
    Log metrics at a step.

    Raises:
        MlflowException: A name or a value is none.
    """
    if not checks.are_keys(tuple(values)):
        for name in values:
            checks.key(name, "name")  # one of them raises
    numbers = {
        name: value if type(value) is float else checks.number(name, value)
        for name, value in values.items()
    }
    name = next(iter(values), "")
    try:
        run.log(
            numbers,
            step=checks.step(name, step),
            time_ms=checks.time_ms(name, timestamp),
        )
    except errors.InvalidInput as error:
        raise_as_mlflow(error)


def _handle(synchronous: bool | None) -> Logged | None:
    return Logged() if synchronous is False else None


def _together(metrics: Iterable[Metric]) -> Iterator[list[Metric]]:
    """Put metrics of one step and time together, each key once."""
    group: list[Metric] = []
    for item in metrics:
        keys = {each.key for each in group}
        if group and (
            (item.step, item.timestamp) != (group[0].step, group[0].timestamp)
            or item.key in keys
        ):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _checked(group: Sequence[Metric]) -> dict[str, float]:
    return {
        checks.key(item.key, "name"): checks.number(item.key, item.value)
        for item in group
    }


def _unlike(params: Iterable[Param]) -> dict[str, object]:
    """Return params by key, each with one value."""
    found: dict[str, object] = {}
    for param in params:
        if found.setdefault(param.key, str(param.value)) != str(param.value):
            raise MlflowException(
                "Duplicate parameter keys have been submitted: "
                f"['{param.key}']. Please ensure the request contains only one param "
                "value per param key.",
                INVALID_PARAMETER_VALUE,
            )

    return found


def _word(status: str) -> Status:
    return Status(RunStatus.to_string(RunStatus.from_string(str(status))))


def _listed(name: str, given: Sequence[T] | None) -> list[T] | None:
    """Return a list that was given; a bare text is a mistake that looks right."""
    if isinstance(given, str):
        raise MlflowException(
            f"{name} is a string, expected a list such as ['metrics.loss ASC']",
            INVALID_PARAMETER_VALUE,
        )

    return None if given is None else list(given)
