"""
The nouns: what the record holds, as records that never change.

Times are int milliseconds since the Unix epoch, UTC.
"""

from collections.abc import Mapping
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


class ModelStatus(StrEnum):
    """How far the upload of a model has come; MLflow's words, in its order."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class TraceState(StrEnum):
    """How far a trace has come; MLflow's words."""

    UNKNOWN = "STATE_UNSPECIFIED"
    OK = "OK"
    ERROR = "ERROR"
    IN_PROGRESS = "IN_PROGRESS"


class AssessmentKind(StrEnum):
    """What an assessment is: what was thought, what was expected, what is wrong."""

    FEEDBACK = "feedback"
    EXPECTATION = "expectation"
    ISSUE = "issue"


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


class ModelPoint(NamedTuple):
    """One value that a run measured of a model, perhaps on a dataset."""

    model_id: str
    point: Point
    dataset_name: str = ""
    dataset_digest: str = ""
    run_id: str = ""
    """The run that measured it; empty where that is said elsewhere."""


class LoggedModel(NamedTuple):
    """A model that was logged to an experiment, by a run or without one."""

    number: int
    """Small integer that its tables lead with; never leaves the server."""

    id: str
    """`m-` and 32 hex digits; what users see."""

    experiment_id: int
    name: str
    type: str
    source_run_id: str
    """The run that made it, or empty."""

    artifact_uri: str
    status: ModelStatus
    lifecycle: Lifecycle
    created_ms: int
    updated_ms: int
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    points: tuple[ModelPoint, ...] = ()


class WebhookStatus(StrEnum):
    """Whether a webhook is told anything."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class Webhook(NamedTuple):
    """Somebody who wants to hear of what happens in the registry."""

    number: int
    """Small integer of the store; never leaves the server."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    """Such as "model_version.created"."""

    description: str
    status: WebhookStatus
    secret: str
    """Signs what is sent; never leaves the server."""

    created_ms: int
    updated_ms: int


class DeliveryStatus(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(NamedTuple):
    """One message to one webhook."""

    number: int
    """Small integer of the store; never leaves the server."""

    id: str
    """The same for every try, so that a receiver can tell a repetition."""

    webhook: int
    event: str
    body: str
    status: DeliveryStatus
    created_ms: int
    due_ms: int
    """When it is sent next, or belongs to nobody any more."""

    tries: int
    response: int | None
    """HTTP status of the last try; None where there was no answer."""

    error: str


class Assessment(NamedTuple):
    """What somebody, or something, thinks of a trace."""

    id: str
    trace_id: str
    kind: AssessmentKind
    name: str
    value: str
    """JSON."""

    source_type: str
    created_ms: int
    updated_ms: int
    error: str | None = None
    """JSON object: why there is no value."""

    source_id: str | None = None
    span_id: str | None = None
    rationale: str | None = None
    overrides: str | None = None
    """Id of the assessment that this one takes the place of."""

    is_valid: bool = True
    """Whether no other assessment has taken its place."""

    metadata: Mapping[str, str] = {}


class Trace(NamedTuple):
    """One request through a program, without its spans."""

    id: str
    experiment_id: int
    start_ms: int
    state: TraceState
    duration_ms: int | None = None
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    tags: Mapping[str, str] = {}
    metadata: Mapping[str, str] = {}
    """Like tags, but for what never changes again."""

    assessments: tuple[Assessment, ...] = ()


class Span(NamedTuple):
    """One step of a trace; its parts are those that a search asks for."""

    id: str
    """16 hex digits."""

    parent_id: str | None
    name: str
    type: str
    """What kind of step, or ""."""

    status: str
    """OK, ERROR or UNSET."""

    start_ns: int
    """Nanoseconds since the Unix epoch, UTC."""

    end_ns: int | None
    body: str
    """All of it, as JSON in the form that it is sent in."""


class ArtifactEntry(NamedTuple):
    """One line of an artifact listing."""

    path: str
    """Relative to the root that was listed, with `/`."""

    is_folder: bool
    size_bytes: int | None
