"""Runs and what stands in them, as MLflow's names give them."""

from collections.abc import Iterator
from typing import Any

from runstone.entities.base import Entity
from runstone.entities.datasets import RunInputs, RunOutputs


class Metric(Entity, frozen=True):
    """One value of one series; the time is milliseconds since the epoch, UTC."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None


class Param(Entity, frozen=True):
    """An input of a run."""

    key: str
    value: str


class RunTag(Entity, frozen=True):
    """A label of a run."""

    key: str
    value: str


class RunInfo:
    """
    A run, without what was logged; times are milliseconds since the epoch, UTC.

    Args:
        run_id: 32 hex digits.

        experiment_id: Where it belongs.

        user_id: Who started it.

        status: RUNNING, SCHEDULED, FINISHED, FAILED or KILLED.

        start_time: When it began.

        end_time: When it ended, or None.

        lifecycle_stage: "active", or "deleted" for what lies in the bin.

        artifact_uri: Where its artifacts lie.

        run_name: What people call it.
    """

    def __init__(  # noqa: PLR0913  # MLflow's signature
        self,
        run_id: str,
        experiment_id: str,
        user_id: str,
        status: str,
        start_time: int,
        end_time: int | None,
        lifecycle_stage: str,
        artifact_uri: str | None = None,
        run_name: str | None = None,
    ) -> None:
        self.run_id = run_id
        self.experiment_id = experiment_id
        self.user_id = user_id
        self.status = status
        self.start_time = start_time
        self.end_time = end_time
        self.lifecycle_stage = lifecycle_stage
        self.artifact_uri = artifact_uri
        self.run_name = run_name

    @property
    def run_uuid(self) -> str:
        """The id, under the name it had once."""
        return self.run_id

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in INFO_FIELDS:
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunInfo) and dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash(self.run_id)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self)

        return f"<RunInfo: {fields}>"


INFO_FIELDS = (
    "artifact_uri",
    "end_time",
    "experiment_id",
    "lifecycle_stage",
    "run_id",
    "run_name",
    "start_time",
    "status",
    "user_id",
)


class RunData(Entity, frozen=True):
    """What was logged: the last value of each metric, params and tags, by name."""

    metrics: dict[str, float] = {}
    params: dict[str, str] = {}
    tags: dict[str, str] = {}


class Run:
    """
    A run.

    Args:
        run_info: What it is.

        run_data: What was logged.

        run_inputs: What it read.

        run_outputs: Which models it made.
    """

    def __init__(
        self,
        run_info: RunInfo,
        run_data: RunData,
        run_inputs: RunInputs | None = None,
        run_outputs: RunOutputs | None = None,
    ) -> None:
        self._info = run_info
        self._data = run_data
        self._inputs = run_inputs
        self._outputs = run_outputs

    @property
    def info(self) -> RunInfo:
        """What it is: id, name, state, times."""
        return self._info

    @property
    def data(self) -> RunData:
        """What was logged: metrics, params and tags."""
        return self._data

    @property
    def inputs(self) -> RunInputs | None:
        """What it read."""
        return self._inputs

    @property
    def outputs(self) -> RunOutputs | None:
        """Which models it made."""
        return self._outputs

    def to_dictionary(self) -> dict[str, Any]:
        """Return all of it as dicts."""
        found: dict[str, Any] = {"info": dict(self.info)}
        for name in ("data", "inputs", "outputs"):
            part = getattr(self, name)
            if part is not None:
                found[name] = part.to_dictionary()

        return found

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in ("data", "info", "inputs", "outputs"):
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash(self.info.run_id)

    def __repr__(self) -> str:
        return f"<Run: data={self.data!r}, info={self.info!r}, inputs={self.inputs!r}>"
