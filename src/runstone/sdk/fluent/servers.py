"""Where runs go, and whether they are there."""

import os
from pathlib import Path
from typing import Any

from runstone import errors
from runstone.exceptions import raise_as_mlflow
from runstone.sdk.fluent.state import chosen
from runstone.sdk.session import session


VARIABLES = ("RUNSTONE_TRACKING_URI", "MLFLOW_TRACKING_URI")


def set_tracking_uri(uri: str | Path) -> None:
    """
    Say where runs go from now on.

    Args:
        uri: http://… of a server, a folder, file:…, sqlite:///… or another database;
            "" is nowhere.
    """
    try:
        session.set_tracking_uri(str(uri))
    except errors.RunstoneError as error:
        raise_as_mlflow(error)
    chosen.experiment_id = None  # an id belongs to one store
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    # The processes that this one starts log beside it.
    os.environ["MLFLOW_TRACKING_URI"] = session.tracking_uri
    if "RUNSTONE_TRACKING_URI" in os.environ:
        os.environ["RUNSTONE_TRACKING_URI"] = session.tracking_uri


def get_tracking_uri() -> str:
    """Return where runs go."""
    return session.tracking_uri


def is_tracking_uri_set() -> bool:
    """Say whether somebody said where runs go."""
    return session.is_uri_set or any(os.environ.get(name) for name in VARIABLES)


def set_registry_uri(uri: str) -> None:
    """Take note of it for MLflow's sake: the registry is where runs are."""


def get_registry_uri() -> str:
    """Return where the model registry is."""
    return session.tracking_uri


def flush_async_logging() -> None:
    """Wait until the server has what was logged, for a minute at most."""
    session.flush()


def flush_artifact_async_logging() -> None:
    """Wait until the server has what was logged, for a minute at most."""
    session.flush()


def doctor(mask_envs: bool = False) -> None:
    """Print what a report of a problem should say."""
    import platform

    from runstone._version import __version__

    print(f"runstone {__version__}")  # noqa: T201  # that is its work
    print(f"Python {platform.python_version()} on {platform.platform()}")  # noqa: T201
    print(f"tracking URI {session.tracking_uri!r}")  # noqa: T201


def login(*_: Any, **__: Any) -> None:
    """Do nothing: the rights of a server come from the environment."""


def enable_system_metrics_logging() -> None:
    """Take note of it for MLflow's sake."""


def disable_system_metrics_logging() -> None:
    """Take note of it for MLflow's sake."""
