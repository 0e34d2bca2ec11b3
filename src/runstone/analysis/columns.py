"""A series as columns, in the order of the record."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Columns(NamedTuple):
    """Points of one series, or of part of it."""

    step: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.step)

    def take(self, places: slice | NDArray[np.intp] | NDArray[np.bool_]) -> "Columns":
        """Return the points at *places*."""
        return Columns(self.step[places], self.time_ms[places], self.value[places])


EMPTY = Columns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def join(parts: Sequence[Columns]) -> Columns:
    """Put *parts* one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return EMPTY

    return Columns(
        np.concatenate([part.step for part in parts]),
        np.concatenate([part.time_ms for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def ordered(columns: Columns) -> Columns:
    """
    Sort by step, then time, then value, and drop what comes twice.

    Two points are one if step, time and value are equal; a NaN equals a NaN,
    and comes after every number of its step and time; -0.0 comes before 0.0.
    """
    if _rises(columns):
        return columns
    rank = _rank(columns.value)
    order = np.lexsort((rank, columns.time_ms, columns.step))
    columns, rank = columns.take(order), rank[order]
    same = (
        (columns.step[1:] == columns.step[:-1])
        & (columns.time_ms[1:] == columns.time_ms[:-1])
        & (rank[1:] == rank[:-1])
    )
    if not same.any():
        return columns

    return columns.take(np.concatenate(([True], ~same)))


def by_time(columns: Columns) -> Columns:
    """Sort by time, then step, then value: the order of MLflow's get-history."""
    if is_timely(columns):
        return columns

    return columns.take(np.lexsort((columns.value, columns.step, columns.time_ms)))


def is_timely(columns: Columns) -> bool:
    """Say whether time never runs back while steps go on."""
    return bool((columns.time_ms[1:] >= columns.time_ms[:-1]).all())


def _rises(columns: Columns) -> bool:
    """Say whether each point is after the one before by step, or else by time."""
    step, time_ms, _ = columns
    later = step[1:] > step[:-1]
    if later.all():
        return True
    same_step = step[1:] == step[:-1]

    return bool((later | (same_step & (time_ms[1:] > time_ms[:-1]))).all())


def _rank(value: NDArray[np.float64]) -> NDArray[np.int64]:
    """
    Return integers that stand in the order of *value*, equal only for one value.

    Source: totalOrder of IEEE 754-2019, section 5.10; here every NaN is one.
    """
    bits = np.where(np.isnan(value), np.nan, value).view(np.int64)

    # Of negative numbers the greater bits are the lesser number.
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))
