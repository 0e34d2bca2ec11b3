"""Parts of MLflow's messages that several endpoints share."""

from enum import StrEnum

import msgspec

from runstone import errors, limits
from runstone.model import Lifecycle
from runstone.server.http import Int64


class KeyValue(msgspec.Struct):
    """A param or a tag."""

    key: str
    value: str = ""


class Metric(msgspec.Struct):
    """A point; steps that are not given are 0."""

    key: str
    value: float
    timestamp: Int64
    step: Int64 = 0


class RunId(msgspec.Struct):
    """What names a run; clients before 1.0 say run_uuid, and all send both."""

    run_id: str = ""
    run_uuid: str = ""


class View(StrEnum):
    """Which lifecycles a search is about; protobuf's names and numbers."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    @property
    def lifecycles(self) -> tuple[Lifecycle, ...]:
        """The lifecycles that this view shows."""
        if self is View.ALL:
            return (Lifecycle.ACTIVE, Lifecycle.DELETED)
        if self is View.DELETED_ONLY:
            return (Lifecycle.DELETED,)

        return (Lifecycle.ACTIVE,)

    @classmethod
    def read(cls, sent: str | int | None) -> "View":
        """
        Read a view by its name or number; none is the active ones.

        Raises:
            InvalidInput: There is no such view.
        """
        numbers = {"1": cls.ACTIVE_ONLY, "2": cls.DELETED_ONLY, "3": cls.ALL}
        text = str(sent or cls.ACTIVE_ONLY)
        if text in numbers:
            return numbers[text]
        try:
            return cls(text)
        except ValueError:
            raise errors.InvalidInput(
                f"Invalid view type {text!r}: expected ACTIVE_ONLY, DELETED_ONLY or ALL"
            ) from None


def experiment_id(text: str) -> int:
    """
    Read an experiment's id.

    Raises:
        ExperimentNotFound: No experiment can have this id.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise errors.ExperimentNotFound(text)
    number = int(text)
    if number > limits.INT64_MAX:
        raise errors.ExperimentNotFound(text)

    return number


def run_id(message: RunId) -> str:
    """
    Return the run that a message is about.

    Raises:
        InvalidInput: It names none.
    """
    found = message.run_id or message.run_uuid
    if not found:
        raise errors.InvalidInput(
            "Missing value for required parameter 'run_id'. See the API docs for more "
            "information about request parameters."
        )

    return found
