"""Experiments, as MLflow's names give them."""

from collections.abc import Iterator
from typing import Any


class Experiment:
    """
    A named group of runs; times are milliseconds since the epoch, UTC.

    Args:
        experiment_id: A number, as text.

        name: What people call it.

        artifact_location: Below which its runs keep their artifacts.

        lifecycle_stage: "active", or "deleted" for what lies in the bin.

        tags: Labels, by name.

        creation_time: When it was made.

        last_update_time: When it was changed last.
    """

    def __init__(  # MLflow's signature
        self,
        experiment_id: str,
        name: str,
        artifact_location: str,
        lifecycle_stage: str,
        tags: dict[str, str] | None = None,
        creation_time: int | None = None,
        last_update_time: int | None = None,
    ) -> None:
        self.experiment_id = experiment_id
        self.name = name
        self.artifact_location = artifact_location
        self.lifecycle_stage = lifecycle_stage
        self.tags = tags or {}
        self.creation_time = creation_time
        self.last_update_time = last_update_time

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in FIELDS:
            yield name, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash(self.experiment_id)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self)

        return f"<Experiment: {fields}>"


FIELDS = (
    "artifact_location",
    "creation_time",
    "experiment_id",
    "last_update_time",
    "lifecycle_stage",
    "name",
    "tags",
)
