"""Where a run comes from, as the tags that MLflow sets by itself."""

import getpass
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from runstone.sdk.run import Run


GIT_SECONDS: Final = 5.0
"""How long git may take; on a slow network drive it can be for ever."""

WAIT_SECONDS: Final = 0.5
"""How long the end of a run waits for git."""

COMMIT_TAG: Final = "mlflow.source.git.commit"


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


class Git:
    """What git says of the script; asked once, beside the training."""

    def __init__(self) -> None:
        self._found: dict[str, str] | None = None
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def tag(self, run: Run) -> None:
        """Tag a run with what is found, as soon as it is."""
        if self._found is not None:
            run.set_tags(self._missing(run))
            return
        thread = threading.Thread(
            target=self._look, args=(run,), name="runstone-git", daemon=True
        )
        self._threads[run.id] = thread
        thread.start()

    def settle(self, run: Run) -> None:
        """Wait a moment for what is on its way, before the run ends."""
        thread = self._threads.pop(run.id, None)
        if thread:
            thread.join(WAIT_SECONDS)

    def _look(self, run: Run) -> None:
        with self._lock:
            if self._found is None:
                self._found = _found()
        if not run.ended:
            run.set_tags(self._missing(run))

    def _missing(self, run: Run) -> dict[str, str]:
        """Return the tags that the user did not set."""
        return {k: v for k, v in (self._found or {}).items() if k not in run.tags}


def _found() -> dict[str, str]:
    main = Path(sys.argv[0] if sys.argv and sys.argv[0] else ".")
    folder = main if main.is_dir() else main.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    found = {
        COMMIT_TAG: commit,
        "mlflow.source.git.branch": _git(folder, "branch", "--show-current"),
        "mlflow.source.git.repoURL": _bare(_git(folder, "remote", "get-url", "origin")),
    }

    return {key: value for key, value in found.items() if value}


def _git(folder: Path, *words: str) -> str:
    """Return what git answers; nothing where there is none."""
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and the words are ours
            ["git", *words],  # noqa: S607  # the user's own
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
            text=True,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""

    return done.stdout.strip() if done.returncode == 0 else ""


def _bare(url: str) -> str:
    """Return a URL without the password that may stand in it."""
    parts = urlsplit(url)
    if not parts.hostname or "@" not in parts.netloc:
        return url

    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


git: Final = Git()
