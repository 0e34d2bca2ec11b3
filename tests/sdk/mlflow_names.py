"""MLflow's names in this process, on a server of its own, for tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import runstone
from runstone.sdk.fluent import state
from runstone.sdk.session import session


@contextmanager
def names(uri: str | None, spool: Path) -> Iterator[None]:
    """
    Let MLflow's names in this process go to a store, and forget it afterwards.

    Args:
        uri: The store; None is what the environment says.

        spool: Where runs are kept meanwhile; the test's own, never the user's.
    """
    assert os.environ["RUNSTONE_SPOOL"] == str(spool)
    _forget()
    if uri is not None:
        runstone.set_tracking_uri(uri)
    try:
        yield
    finally:
        while runstone.active_run():
            runstone.end_run()
        session.close()
        _forget()


def _forget() -> None:
    session._uri = None
    state.chosen.experiment_id = state.chosen.experiment_name = None
    state.threads.last_id = None
