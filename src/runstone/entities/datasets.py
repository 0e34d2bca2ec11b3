"""What runs read and made, as MLflow's names give it."""

from runstone.entities.base import Entity


class Dataset(Entity, frozen=True):
    """Data that a run read, described and not copied."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class InputTag(Entity, frozen=True):
    """A label of a dataset as one run used it."""

    key: str
    value: str


class DatasetInput(Entity, frozen=True):
    """A dataset as one run used it."""

    dataset: Dataset
    tags: list[InputTag] = []


class LoggedModelInput(Entity, frozen=True):
    """A model that a run used."""

    model_id: str


class LoggedModelOutput(Entity, frozen=True):
    """A model that a run made, and at which step."""

    model_id: str
    step: int = 0


class RunInputs(Entity, frozen=True):
    """What a run read."""

    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[LoggedModelInput] = []


class RunOutputs(Entity, frozen=True):
    """Which models a run made."""

    model_outputs: list[LoggedModelOutput] = []
