"""`from wandb.wandb_run import Run`, as older libraries have it."""

from runstone.wandb.live import Run


__all__ = ["Run"]
