"""What the environment tells the SDK; RUNSTONE_ goes before MLFLOW_ and WANDB_."""

import os
from pathlib import Path
from typing import Final, Literal

from runstone import locations


Mode = Literal["online", "offline", "disabled"]

DEFAULT_URI: Final = "./mlruns"
EXIT_SECONDS: Final = 15.0


def tracking_uri() -> str:
    """Return where runs go; "" where somebody said so, which means nowhere."""
    for name in ("RUNSTONE_TRACKING_URI", "MLFLOW_TRACKING_URI", "WANDB_BASE_URL"):
        if name in os.environ:
            return os.environ[name]

    return DEFAULT_URI


def fixed(uri: str) -> str:
    """
    Return a tracking URI that means the same from any folder.

    Raises:
        Unusable: No store is spelled like this.
    """
    if not uri or uri.startswith(("http://", "https://")):
        return uri.rstrip("/")
    store = locations.locate(uri)
    if store.folder:
        return str(store.folder)

    return f"sqlite:///{store.file}" if store.file else uri


def mode() -> Mode:
    """Return whether runs are sent, only kept on this machine, or not even that."""
    if os.environ.get("WANDB_DISABLED", "").lower() in ("1", "true"):
        return "disabled"
    said = os.environ.get("RUNSTONE_MODE") or os.environ.get("WANDB_MODE") or "online"
    if said in ("offline", "dryrun"):
        return "offline"

    return "disabled" if said == "disabled" else "online"


def spool() -> Path:
    """Return the folder where runs are kept until their server has them."""
    if given := os.environ.get("RUNSTONE_SPOOL"):
        return Path(given).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()

    return Path(state) / "runstone" / "spool"


def exit_seconds() -> float:
    """Return how long the end of a script may wait for its server."""
    try:
        return float(os.environ["RUNSTONE_EXIT_SECONDS"])
    except (KeyError, ValueError):
        return EXIT_SECONDS
