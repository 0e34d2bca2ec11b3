"""
Blocks: points as they came, until compaction makes chunks of them.

A block is an array of 28-byte records, so blocks are joined by putting their
bytes together.
"""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runstone.analysis.columns import Columns, ordered


RECORD: Final = struct.Struct("<Iqqd")
POINT: Final = np.dtype(
    [("key", "<u4"), ("step", "<i8"), ("time_ms", "<i8"), ("value", "<f8")]
)
"""The same record as `RECORD`, as NumPy sees it."""


def series(bodies: Sequence[bytes], key: int) -> Columns:
    """Return the points of one series, in order and each once."""
    points = np.frombuffer(b"".join(bodies), POINT)
    points = points[points["key"] == key]

    return ordered(_columns(points))


def by_key(bodies: Sequence[bytes]) -> dict[int, Columns]:
    """Part records by key, each in the order in which it came."""
    points = np.frombuffer(b"".join(bodies), POINT)
    points = points[np.argsort(points["key"], kind="stable")]
    keys, starts = np.unique(points["key"], return_index=True)
    ends = np.append(starts[1:], len(points))

    return {
        int(key): _columns(points[start:end])
        for key, start, end in zip(keys, starts, ends, strict=True)
    }


def _columns(points: NDArray[np.void]) -> Columns:
    # A copy, since a field of packed records is neither aligned nor dense.
    return Columns(
        points["step"].copy(), points["time_ms"].copy(), points["value"].copy()
    )
