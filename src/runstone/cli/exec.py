"""`runstone exec`: run a script that was written for MLflow or W&B."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click


@click.command(
    name="exec",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--tracking-uri", metavar="URI", help="Where runs go.")
@click.option("--experiment", metavar="NAME", help="Experiment of runs that name none.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(
    command: tuple[str, ...], *, tracking_uri: str | None, experiment: str | None
) -> int:
    """
    Run a COMMAND whose `import mlflow` and `import wandb` are Runstone's.

    Not one line of the script changes, and neither mlflow nor wandb is needed.  It
    holds for every Python that the command starts, if Runstone is installed there,
    but not for `python -I` and `python -E`, which read no environment.

    \b
    Examples:
      runstone exec python train.py --lr 0.1
      runstone exec --tracking-uri http://tracking:5000 torchrun train.py
      runstone exec ./train.py
    """
    program = shutil.which(command[0])
    if program is None:
        raise click.UsageError(f"No program {command[0]!r}; check its name and rights")
    environment = os.environ | {"PYTHONPATH": _path(os.environ.get("PYTHONPATH"))}
    if tracking_uri is not None:
        environment["RUNSTONE_TRACKING_URI"] = tracking_uri
    if experiment is not None:
        environment["RUNSTONE_EXPERIMENT_NAME"] = experiment
    sys.stdout.flush()
    if os.name == "posix":
        # In place of this process: signals and the exit code are the script's.
        os.execve(program, list(command), environment)  # noqa: S606  # no shell wanted

    words = [program, *command[1:]]
    done = subprocess.run(words, env=environment, check=False)  # noqa: S603  # the user's own

    return done.returncode


def _path(before: str | None) -> str:
    """Return PYTHONPATH with our folder first."""
    folder = str(Path(__file__).parent / "standin")
    others = [path for path in (before or "").split(os.pathsep) if path != folder]

    return os.pathsep.join([folder, *filter(None, others)])
