"""Where the rows of a trace lie, and the lock that every write to it begins with."""

from typing import NamedTuple

from runstone import errors
from runstone.storage.tx import Tx


class Place(NamedTuple):
    """Where the rows of a trace lie."""

    number: int
    experiment: int


def require(tx: Tx, trace_id: str) -> Place:
    """
    Return where a trace's rows lie.

    Raises:
        TraceNotFound: No trace has this id.
    """
    return _place(tx, trace_id, "")


def lock(tx: Tx, trace_id: str) -> Place:
    """
    Return where the rows of a trace lie that is about to change; nobody else may.

    Raises:
        TraceNotFound: No trace has this id.
    """
    return _place(tx, trace_id, tx.for_update)


def _place(tx: Tx, trace_id: str, for_update: str) -> Place:
    row = tx.one(
        "SELECT id, experiment_id FROM trace WHERE uuid = :uuid" + for_update,  # noqa: S608  # our own text
        uuid=trace_id,
    )
    if row is None:
        raise errors.TraceNotFound(trace_id)

    return Place(*row)
