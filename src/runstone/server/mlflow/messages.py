"""Parts of MLflow's messages that several endpoints share."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from runstone import errors, limits
from runstone.keys import fault
from runstone.model import Lifecycle
from runstone.server.http import Int64, Needed, lacking


INTEGER: Final = re.compile(r"[+-]?[0-9]+")


# `gc=False`: they hold nothing that could lead back to them, and a request brings a
# thousand, which the garbage collector would look through.
class KeyValue(msgspec.Struct, gc=False):
    """A param or a tag."""

    key: Needed
    value: str = ""


class Metric(msgspec.Struct, gc=False):
    """A point; steps that are not given are 0."""

    key: Needed
    value: float
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


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
        InvalidInput: It is not a number.
        ExperimentNotFound: No experiment can have this id.
    """
    if not INTEGER.fullmatch(text):
        raise errors.InvalidInput(
            f"Invalid experiment ID {text[:100]!r}. Experiment ID must be a valid "
            "integer."
        )
    if len(text) > 19 or not 0 <= int(text) <= limits.INT64_MAX:
        raise errors.ExperimentNotFound(text[:100])

    return int(text)


def version_number(text: str) -> int:
    """
    Read the number of a version.

    Raises:
        InvalidInput: It is no whole number of 64 bits.
    """
    is_odd = len(text) > 19 or not INTEGER.fullmatch(text)
    if is_odd or abs(int(text)) > limits.INT64_MAX:
        raise errors.InvalidInput(
            f"Parameter 'version' must be an integer, got '{text[:100]}'."
        )

    return int(text)


def run_id(message: RunId) -> str:
    """
    Return the run that a message is about.

    Raises:
        InvalidInput: It names none.
    """
    found = message.run_id or message.run_uuid
    if not found:
        raise lacking("run_id")

    return found


def named(keys: Sequence[str], place: str) -> None:
    """
    Make sure that MLflow would take these as keys of metrics, params or tags.

    Args:
        keys: Keys, the same one perhaps often.

        place: What to call one of them, as `metrics[{}].name`.

    Raises:
        InvalidInput: One has other characters, or is a path to something else.
    """
    for key in dict.fromkeys(keys):
        wrong = fault(key)
        if wrong:
            where = place.format(keys.index(key))
            shown = msgspec.json.encode(key[:300]).decode()
            raise errors.InvalidInput(
                f"Invalid value {shown} for parameter '{where}' supplied: {wrong}"
            )
