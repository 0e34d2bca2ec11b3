"""What a script writes for TensorBoard, logged too."""

from runstone.wandb import runs
from runstone.wandb.live import Run
from runstone.wandb.tensorboard import following
from runstone.wandb.tensorboard.following import Follower


roots: list[str] = []
"""What `patch` was told, the last at the end."""


def patch(
    save: bool = True,
    tensorboard_x: bool | None = None,
    pytorch: bool | None = None,
    root_logdir: str = "",
) -> None:
    """
    Follow the event files of this process, for the run that is under way or the next.

    Args:
        save: Taken and unused: the files themselves stay where they are.

        tensorboard_x: Taken and unused: every writer is followed, also TensorFlow's.

        pytorch: Unused too.

        root_logdir: Folders below it stand in the names of metrics.
    """
    roots.append(root_logdir)
    if (run := runs.current()) is not None:
        follow(run)


def unpatch() -> None:
    """Follow no more; what was written so far is logged."""
    roots.clear()
    for follower in list(following._followers):  # noqa: SLF001  # ours
        follower.stop()


def follow(run: Run) -> Follower:
    """Follow the event files of this process for a run."""
    follower = Follower(run, roots[-1] if roots else "")
    following.patch(follower)
    follower.start()

    return follower
