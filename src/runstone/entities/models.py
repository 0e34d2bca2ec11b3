"""Registered models and their versions, as MLflow's names give them."""

from runstone.entities.base import Entity


class ModelVersion(Entity, frozen=True, kw_only=True):
    """A version of a registered model; times are milliseconds, UTC."""

    name: str
    version: str
    creation_timestamp: int = 0
    last_updated_timestamp: int | None = None
    description: str | None = None
    user_id: str | None = None
    current_stage: str | None = None
    source: str | None = None
    run_id: str | None = None
    status: str = "READY"
    status_message: str | None = None
    tags: dict[str, str] = {}
    run_link: str | None = None
    aliases: list[str] = []
    model_id: str | None = None


class RegisteredModel(Entity, frozen=True, kw_only=True):
    """A model with its versions; times are milliseconds since the epoch, UTC."""

    name: str
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    description: str | None = None
    latest_versions: list[ModelVersion] = []
    tags: dict[str, str] = {}
    aliases: dict[str, str] = {}
    """The version that each alias points to."""


class ModelVersionTag(Entity, frozen=True):
    """A label of a version."""

    key: str
    value: str


class RegisteredModelTag(Entity, frozen=True):
    """A label of a registered model."""

    key: str
    value: str


class RegisteredModelAlias(Entity, frozen=True):
    """A name that points to a version."""

    alias: str
    version: str
