"""Questions that are nice to have answered: training does not wait for them."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from runstone import errors


T = TypeVar("T")

PATIENCE_SECONDS: Final = 1.0


def within(act: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T | None:
    """
    Return what *act* does, or None where it takes longer or nobody answers.

    It goes on in its thread then, and what comes of it is not heard.

    Raises:
        RunstoneError: What *act* raised, but for an absent server.
    """
    answers: list[T] = []
    refusals: list[errors.RunstoneError] = []

    def run() -> None:
        try:
            answers.append(act())
        except errors.RunstoneError as error:
            refusals.append(error)

    thread = threading.Thread(target=run, name="runstone-question", daemon=True)
    thread.start()
    thread.join(seconds)
    if refusals and not isinstance(refusals[0], errors.Unavailable):
        raise refusals[0]

    return answers[0] if answers else None
