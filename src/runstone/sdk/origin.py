"""Where a run comes from, as the tags that MLflow sets by itself."""

import getpass
import json
import os
import sys
from contextlib import suppress


def user() -> str:
    """Return who is at work."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "unknown"


def tags() -> dict[str, str]:
    """
    Return the tags that say who ran what.

    Source: `DefaultRunContext` and `SystemEnvironmentContext`, MLflow 3.18.
    """
    name = sys.argv[0] if sys.argv and sys.argv[0] else "<console>"
    kind = "LOCAL"
    if "ipykernel" in sys.modules:
        kind = "NOTEBOOK"
        name = os.environ.get("JPY_SESSION_NAME") or name
    found = {
        "mlflow.user": os.environ.get("MLFLOW_TRACKING_USERNAME") or user(),
        "mlflow.source.name": name,
        "mlflow.source.type": kind,
    }
    with suppress(ValueError, AttributeError):
        said = json.loads(os.environ.get("MLFLOW_RUN_CONTEXT", "{}"))
        found |= {str(key): str(value) for key, value in said.items()}

    return found
