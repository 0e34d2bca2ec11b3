"""The tags under which W&B's notions are kept."""

from collections.abc import Iterable, Mapping
from typing import Final


NAME: Final = "mlflow.runName"
NOTES: Final = "mlflow.note.content"
ID: Final = "wandb.id"
ENTITY: Final = "wandb.entity"
GROUP: Final = "wandb.group"
JOB: Final = "wandb.job_type"
PREEMPTING: Final = "wandb.preempting"
LABEL: Final = "wandb.tag."
"""Before each of a run's tags, which in W&B are words without values."""

CONFIG: Final = "wandb.config"
"""The config as it was given, as JSON: params are flat, and text."""

SUMMARY: Final = "wandb.summary"
"""What people put into the summary, as JSON."""

METRICS: Final = "wandb.metrics"
"""What `define_metric` said, as JSON by name, so that whoever draws knows it."""


def words(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return a run's tags."""
    return tuple(key.removeprefix(LABEL) for key in tags if key.startswith(LABEL))


def of_words(labels: Iterable[str]) -> dict[str, str]:
    """Return the tags of ours for a run's tags."""
    return {LABEL + word: "true" for word in labels}
