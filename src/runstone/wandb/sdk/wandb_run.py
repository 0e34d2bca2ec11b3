"""`from wandb.sdk.wandb_run import Run`, as Lightning and others have it."""

from runstone.wandb.live import Run


__all__ = ["Run"]
