"""Records of what was just begun here: what is not known yet is asked when wanted."""

from collections.abc import Callable
from typing import Any

from runstone import journal
from runstone.entities import Experiment, RunInfo


class LiveInfo(RunInfo):
    """
    The info of a run that this process began.

    Args:
        run_id: 32 hex digits.

        begin: What it began with.

        ask: Asks the store, once all was sent.
    """

    def __init__(
        self, run_id: str, begin: journal.Begin, ask: Callable[[], RunInfo]
    ) -> None:
        # Without RunInfo.__init__: what is missing is asked by `__getattr__`.
        self._ask = ask
        self.run_id = run_id
        self.user_id = begin.user
        self.status = "RUNNING"
        self.start_time = begin.start_ms
        self.end_time = None
        self.lifecycle_stage = "active"
        if begin.name:
            self.run_name = begin.name
        if not begin.experiment:
            self.experiment_id = begin.experiment_id

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any field
        if name not in ("experiment_id", "artifact_uri", "run_name"):
            raise AttributeError(name)
        found = self._ask()
        for field in ("experiment_id", "artifact_uri", "run_name"):
            self.__dict__.setdefault(field, getattr(found, field))

        return self.__dict__[name]


class LiveExperiment(Experiment):
    """
    An experiment that has a name, and whose server did not answer yet.

    Args:
        name: Its name.

        ask: Asks the store.
    """

    def __init__(self, name: str, ask: Callable[[], Experiment]) -> None:
        self._ask = ask
        self.name = name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # any field
        if name.startswith("_"):
            raise AttributeError(name)
        for field, value in self._ask():
            self.__dict__.setdefault(field, value)

        return self.__dict__[name]
