"""
What MLflow's functions remember: the runs that are under way, the experiment.

Each thread has runs of its own, as with MLflow.
"""

import os
import threading
from typing import Final, Self

from runstone.entities import Run, RunData, RunInfo, RunInputs, RunOutputs
from runstone.exceptions import MlflowException
from runstone.model import RunStatus
from runstone.sdk import failure
from runstone.sdk.client import MlflowClient
from runstone.sdk.run import Run as OpenRun


HOLDER: Final = "mlflow"


class ActiveRun(Run):
    """
    A run that is under way; leaving its `with` block ends it.

    An exception makes it FAILED and Ctrl-C KILLED.

    Args:
        info: What it is.

        data: What it began with.

        open_run: What is said goes there.

        inputs: What it read before, where it goes on.

        outputs: Which models it made before.
    """

    def __init__(
        self,
        info: RunInfo,
        data: RunData,
        open_run: OpenRun,
        inputs: RunInputs | None = None,
        outputs: RunOutputs | None = None,
    ) -> None:
        super().__init__(info, data, inputs or RunInputs(), outputs or RunOutputs())
        self.open_run = open_run
        self._process = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this process began it; a forked child only adds to it."""
        return self._process == os.getpid()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        from runstone.sdk.fluent.runs import end_run

        if self not in stack():
            return
        status = _status(error)
        if error is not None and status is not RunStatus.FINISHED and self.is_ours:
            self.open_run.set_tags(failure.tags(error))
        while stack()[-1] is not self:
            end_run(status)  # what was begun within, and forgotten
        end_run(status)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _status(error: BaseException | None) -> RunStatus:
    """Return what an exception makes of a run; `sys.exit(0)` is a good end."""
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return RunStatus.FINISHED

    return (
        RunStatus.KILLED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED
    )


class _Threads(threading.local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.stack: list[ActiveRun] = []
        self.last_id: str | None = None


class _Chosen:
    """The experiment that this process chose."""

    experiment_id: str | None = None
    experiment_name: str | None = None


threads: Final = _Threads()
chosen: Final = _Chosen()

_client: Final = MlflowClient()


def stack() -> list[ActiveRun]:
    """Return this thread's runs, the innermost last."""
    return threads.stack


def client() -> MlflowClient:
    """Return the client that MLflow's functions share."""
    return _client


def current() -> OpenRun:
    """Return the run that is logged to; without one, a run begins."""
    from runstone.sdk.fluent.runs import start_run

    runs = threads.stack
    active = runs[-1] if runs else start_run()

    return active.open_run


def run_of(run_id: str | None) -> OpenRun:
    """Return a run to add to; None is the one that is under way."""
    return current() if run_id is None else client().open_run(run_id)


def require_active() -> ActiveRun:
    """
    Return the run that is under way; without one, a run begins.

    Raises:
        MlflowException: None is.
    """
    current()
    if not threads.stack:
        raise MlflowException("No run is active")

    return threads.stack[-1]
