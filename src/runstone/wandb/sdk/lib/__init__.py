"""`from wandb.sdk.lib import RunDisabled`, as Lightning has it."""


class RunDisabled:
    """What W&B's disabled runs were once; no run of ours is one."""


__all__ = ["RunDisabled"]
