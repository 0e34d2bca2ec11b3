"""What the SDK says to people: few words, on standard error, never twice."""

import os
import sys


def note(words: str) -> None:
    """Tell something that is good to know."""
    if not is_silent():
        _print(f"runstone: {words}")


def warn(words: str) -> None:
    """Tell of something that people may want to change."""
    _print(f"runstone: {words}")


def is_silent() -> bool:
    """Say whether notes are unwanted."""
    names = ("RUNSTONE_SILENT", "WANDB_SILENT")

    return any(
        os.environ.get(name, "").lower() in ("1", "true", "on") for name in names
    )


def _print(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens: closed, or a process without a terminal
