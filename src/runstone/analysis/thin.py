"""
Thin a series to what a screen can show, without losing a spike.

Source:
    M4: Jugel, Jerzak, Hackenbroich, Markl, "M4: A Visualization-Oriented
    Time Series Data Aggregation", PVLDB 7(10), 2014.
"""

import numpy as np
from numpy.typing import NDArray

from runstone.analysis.columns import Columns


POINTS_A_COLUMN = 4
"""First, last, lowest and highest."""


def m4(columns: Columns, pixels: int) -> Columns:
    """
    Keep the first, last, lowest and highest point of each pixel column.

    The steps are cut into *pixels* equal columns.  A series that has no more
    points than that keeps them all.  Nothing is averaged: every point of the
    answer is a point of the series.

    Args:
        columns: Sorted by step.

        pixels: Width of the chart, at least 1.

    Returns:
        At most 4 x *pixels* points, sorted by step.
    """
    if columns.size <= POINTS_A_COLUMN * pixels:
        return columns
    low, high = float(columns.step[0]), float(columns.step[-1])
    edges = np.linspace(low, high, pixels + 1)[:-1]
    starts = np.searchsorted(columns.step, edges, side="left")

    is_new = np.ones(len(starts), np.bool_)  # columns without points drop out
    is_new[1:] = starts[1:] != starts[:-1]

    return columns.take(extremes(columns.value, starts[is_new]))


def buckets(columns: Columns, size: int) -> Columns:
    """Keep the first, last, lowest and highest of each *size* points."""
    starts = np.arange(0, columns.size, size)

    return columns.take(extremes(columns.value, starts))


def extremes(value: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """
    Find the first, last, lowest and highest of each part of *value*.

    Args:
        value: float64[n].

        starts: Where each part begins, ascending and distinct, the first 0.

    Returns:
        Their places, ascending, each once.  NaN is neither low nor high.
    """
    ends = np.append(starts[1:], len(value))
    lengths = ends - starts
    kept = np.zeros(len(value), np.bool_)
    kept[starts] = kept[ends - 1] = True
    for lowest_or_highest in (np.fmin, np.fmax):
        wanted = lowest_or_highest.reduceat(value, starts)
        kept[_places(value, wanted, starts, lengths)] = True

    return np.flatnonzero(kept)


def _places(
    value: NDArray[np.float64],
    wanted: NDArray[np.float64],
    starts: NDArray[np.intp],
    lengths: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Find the first place in each part that holds the wanted value."""
    hits = np.flatnonzero(value == np.repeat(wanted, lengths))
    _, first = np.unique(np.searchsorted(starts, hits, side="right"), return_index=True)

    return hits[first]
