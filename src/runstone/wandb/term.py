"""Words on the terminal."""

from typing import Final

from runstone.sdk import say


ONCE: Final[set[str]] = set()
"""What was said and is not to be said again."""


def termlog(string: str = "", newline: bool = True, repeat: bool = True) -> None:
    """Say something that is good to know; *repeat* False says it once."""
    if _wanted(string, repeat):
        say.note(string)


def termwarn(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Say something that people may want to change."""
    if _wanted(string, repeat):
        say.warn(f"WARNING {string}")


def termerror(string: str, newline: bool = True, repeat: bool = True) -> None:
    """Say what went wrong."""
    if _wanted(string, repeat):
        say.warn(f"ERROR {string}")


def termsetup(settings: object = None, logger: object = None) -> None:
    """Do nothing; W&B's own terminal needs it."""


def _wanted(words: str, repeat: bool) -> bool:
    if repeat:
        return True
    known = words in ONCE
    ONCE.add(words)

    return not known
