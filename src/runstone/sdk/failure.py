"""What a run keeps of the exception that ended it."""

from typing import Final


ERROR_TAG: Final = "runstone.error"
TRACEBACK_TAG: Final = "runstone.traceback"
ERROR_CHARS: Final = 5_000
TRACEBACK_CHARS: Final = 20_000
FRAMES: Final = 20
"""How many of the last frames are kept: where it happened, not how it was started."""


def tags(error: BaseException) -> dict[str, str]:
    """Return the words of an exception and its last frames, without secrets."""
    import traceback

    from runstone.sdk.capture.secrets import Redactor

    redactor = Redactor()
    words = f"{type(error).__name__}: {error}"[:ERROR_CHARS]
    frames = "".join(traceback.format_exception(error, limit=-FRAMES))

    return {
        ERROR_TAG: redactor.text(words),
        TRACEBACK_TAG: redactor.text(frames)[-TRACEBACK_CHARS:],
    }
