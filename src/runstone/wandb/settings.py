"""What a run is told at its start: by arguments, settings or the environment."""

import os
from collections.abc import Mapping
from typing import Any, Final


PROJECT: Final = "uncategorized"
"""Where runs go that name no project; W&B's own name for it."""

VARIABLES: Final = {
    "entity": "WANDB_ENTITY",
    "project": "WANDB_PROJECT",
    "root_dir": "WANDB_DIR",
    "run_id": "WANDB_RUN_ID",
    "run_name": "WANDB_NAME",
    "run_notes": "WANDB_NOTES",
    "run_tags": "WANDB_TAGS",
    "run_group": "WANDB_RUN_GROUP",
    "run_job_type": "WANDB_JOB_TYPE",
    "mode": "WANDB_MODE",
    "resume": "WANDB_RESUME",
    "base_url": "WANDB_BASE_URL",
}
"""From a field to its variable."""


class Settings:
    """
    What a run is told at its start.

    Every field of W&B's is taken; those that mean nothing here are kept and unused.
    """

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        """Return what was not said: what the environment says, or nothing."""
        if name.startswith("__"):
            raise AttributeError(name)
        variable = VARIABLES.get(name)

        return os.environ.get(variable) or None if variable else None

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"

    def update(self, fields: Mapping[str, Any]) -> None:
        """Say more; what is None says nothing."""
        self.__dict__.update({k: v for k, v in fields.items() if v is not None})

    @property
    def labels(self) -> tuple[str, ...]:
        """The run's tags; in the environment commas stand between them."""
        given = self.run_tags or ()
        words = given.split(",") if isinstance(given, str) else given

        return tuple(dict.fromkeys(str(word).strip() for word in words if word))


def made(given: "Settings | Mapping[str, Any] | None") -> Settings:
    """Return settings of our own, of whatever was given."""
    if given is None:
        return Settings()

    return Settings(**(vars(given) if isinstance(given, Settings) else given))
