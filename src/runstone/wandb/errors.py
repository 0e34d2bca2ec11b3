"""What W&B's names raise."""

from runstone.errors import NotBuilt, RunstoneError


class Error(RunstoneError):
    """Anything that W&B's names raise on purpose."""


class CommError(Error):
    """The server said no, or nothing."""


class UsageError(Error):
    """A name was used in a way that cannot mean anything."""


class ConfigError(UsageError):
    """A value of the config was to change, and nobody allowed it."""

    def __init__(self, key: str, old: object, new: object) -> None:
        super().__init__(key, old, new)
        self.key = key
        self.old = old
        self.new = new

    def __str__(self) -> str:
        return (
            f'Attempted to change value of key "{self.key}" from {self.old} to '
            f"{self.new}; if you mean it, say "
            "config.update(..., allow_val_change=True)"
        )


class Missing(Error, NotBuilt):
    """W&B has it, Runstone does not (yet)."""


__all__ = ["CommError", "ConfigError", "Error", "Missing", "UsageError"]
