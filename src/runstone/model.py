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


class Stage(StrEnum):
    """Where a version of a model stands; MLflow's four words."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class Change(StrEnum):
    """What a transition is about."""

    ALIAS = "alias"
    STAGE = "stage"
    NAME = "name"
    """A rename, or the end of a model."""


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


class Alias(NamedTuple):
    """A name for one version of a registered model."""

    alias: str
    version: int


class ModelVersion(NamedTuple):
    """One version of a registered model."""

    number: int
    """Small integer of the store; never leaves the server."""

    model: str
    version: int
    stage: Stage
    source: str
    """Where it came from, as it was told: `runs:/…`, `models:/…`, a URI."""

    storage_location: str
    """Where its files lie; another place than the source for a copy."""

    run_id: str
    """The run that made it, "" where none was told."""

    run_link: str
    description: str | None
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()
    aliases: tuple[str, ...] = ()


class RegisteredModel(NamedTuple):
    """A named line of versions."""

    number: int
    """Small integer of the store; never leaves the server."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()
    aliases: tuple[Alias, ...] = ()
    latest: tuple[ModelVersion, ...] = ()
    """The newest version of each stage that has one."""


class Transition(NamedTuple):
    """One change of an alias, of a stage or of a model's name; never taken back."""

    number: int
    """Later ones have greater numbers."""

    model: str
    """Name of the model at that time."""

    time_ms: int
    kind: Change
    subject: str
    """The alias, or the version whose stage it is; "" for a name."""

    old: str | None
    """Version, stage or name before; None where there was none."""

    new: str | None
    """Version, stage or name after; None where there is none any more."""

    author: str
    """Who did it, "" where the wire does not say."""

    why: str


class ArtifactEntry(NamedTuple):
    """One line of an artifact listing."""

    path: str
    """Relative to the root that was listed, with `/`."""

    is_folder: bool
    size_bytes: int | None
