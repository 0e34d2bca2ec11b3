"""What the environment tells the SDK; RUNSTONE_ goes before MLFLOW_ and WANDB_."""

import os
from pathlib import Path
from typing import Final, Literal

from runstone import locations


Mode = Literal["online", "offline", "disabled"]

PARTS: Final = frozenset(
    {"command", "git", "packages", "machine", "code", "notebook", "console", "system"}
)
"""What can be captured beside a run."""

USUAL_PARTS: Final = PARTS - {"system"}
"""What is captured where nobody says anything; `system` costs points, so it is asked
for (W&B's names do)."""

SYSTEM_SECONDS: Final = 10.0

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


def parts(usual: frozenset[str] = USUAL_PARTS) -> frozenset[str]:
    """
    Return what is captured beside a run.

    `RUNSTONE_CAPTURE` is "none", "all", or names with commas, where `-name` leaves
    one out; `RUNSTONE_CONSOLE=0` leaves out the console, and
    `MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING` adds system metrics.

    Args:
        usual: What is captured where the environment says nothing.
    """
    found = _named(os.environ.get("RUNSTONE_CAPTURE", ""), usual)
    said = os.environ.get("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING")
    if said and not os.environ.get("RUNSTONE_CAPTURE"):
        found = found | {"system"} if _is_yes(said) else found - {"system"}
    if os.environ.get("RUNSTONE_CONSOLE", "1").lower() in ("0", "false", "off"):
        found -= {"console"}

    return found


def system_seconds() -> float:
    """Return how often the machine is measured."""
    names = ("RUNSTONE_SYSTEM_SECONDS", "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL")
    for name in names:
        try:
            return max(0.05, float(os.environ[name]))
        except (KeyError, ValueError):
            continue

    return SYSTEM_SECONDS


def system_samples() -> int:
    """Return how many measurements become one point."""
    text = os.environ.get("MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", "")

    return max(1, int(text)) if text.isdecimal() else 1


def _named(said: str, usual: frozenset[str]) -> frozenset[str]:
    names = {name.strip().lower() for name in said.split(",")} - {""}
    if "none" in names or said.strip() in ("0", "off", "false"):
        return frozenset()
    without = {name[1:] for name in names if name.startswith("-")}
    wanted = names - {f"-{name}" for name in without}
    found = PARTS if "all" in wanted else frozenset(wanted & PARTS) or usual

    return found - without


def _is_yes(said: str) -> bool:
    return said.strip().lower() in ("1", "true", "yes", "on")
