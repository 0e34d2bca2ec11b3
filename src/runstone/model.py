"""
The nouns: what the record holds, as records that never change.

Times are int milliseconds since the Unix epoch, UTC.
"""

from enum import StrEnum
from typing import NamedTuple


class Lifecycle(StrEnum):
    """Whether something is in use or in the bin."""

    ACTIVE = "active"
    DELETED = "deleted"


class RunStatus(StrEnum):
    """How far a run has come; MLflow's five words."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Tag(NamedTuple):
    """A label that may change."""

    key: str
    value: str


class Param(NamedTuple):
    """An input of a run; written once."""

    key: str
    value: str


class Point(NamedTuple):
    """One value of one series."""

    key: str
    step: int
    time_ms: int
    value: float


class Experiment(NamedTuple):
    """A named group of runs."""

    id: int
    name: str
    artifact_location: str
    lifecycle: Lifecycle
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()


class Run(NamedTuple):
    """One execution, without its params, tags and series."""

    number: int
    """Small integer that every hot table leads with; never leaves the server."""

    id: str
    """32 hex digits; what users see."""

    experiment_id: int
    name: str
    user: str
    status: RunStatus
    lifecycle: Lifecycle
    start_ms: int | None
    end_ms: int | None
    artifact_uri: str


class Dataset(NamedTuple):
    """Data that a run read, described and not copied."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(NamedTuple):
    """A dataset as one run used it."""

    dataset: Dataset
    tags: tuple[Tag, ...] = ()


class ArtifactEntry(NamedTuple):
    """One line of an artifact listing."""

    path: str
    """Relative to the root that was listed, with `/`."""

    is_folder: bool
    size_bytes: int | None
