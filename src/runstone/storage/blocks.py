"""
Blocks: points as they came, until compaction sorts them.

A block is an array of 28-byte records, so blocks are joined by putting their
bytes together.  Compaction makes chunks of long series; the short ones of a run
stay together as its rest: the same records, sorted, as compressed columns.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pcodec import standalone

from runstone.analysis.columns import Columns, join, ordered
from runstone.storage.chunks import CODEC
from runstone.storage.tx import Tx


RECORD: Final = struct.Struct("<Iqqd")
POINT: Final = np.dtype(
    [("key", "<u4"), ("step", "<i8"), ("time_ms", "<i8"), ("value", "<f8")]
)
"""The same record as `RECORD`, as NumPy sees it."""


def of(tx: Tx, numbers: Sequence[int], key: int) -> dict[int, Columns]:
    """Return the points of one series in the rest and the blocks of each run."""
    found: dict[int, list[Columns]] = {run: [] for run in numbers}
    waiting: dict[int, list[bytes]] = {}
    rests = tx.all(
        "SELECT run_id, body FROM rest WHERE run_id IN (:runs)", runs=numbers
    )
    for run, body in rests:
        found[run].append(series(decode_rest(body), key))
    rows = tx.all(
        "SELECT run_id, body FROM block WHERE run_id IN (:runs)", runs=numbers
    )
    for run, body in rows:
        waiting.setdefault(run, []).append(body)
    for run, bodies in waiting.items():
        found[run].append(series(read(bodies), key))

    return {run: ordered(join(parts)) for run, parts in found.items()}


def read(bodies: Sequence[bytes]) -> NDArray[np.void]:
    """Return the records of blocks."""
    return np.frombuffer(b"".join(bodies), POINT)


def series(points: NDArray[np.void], key: int) -> Columns:
    """Return the points of one series, in order and each once."""
    return ordered(_columns(points[points["key"] == key]))


def by_key(points: NDArray[np.void]) -> dict[int, Columns]:
    """Part records by key, each in the order in which it came."""
    points = points[np.argsort(points["key"], kind="stable")]
    keys, starts = np.unique(points["key"], return_index=True)
    ends = np.append(starts[1:], len(points))

    return {
        int(key): _columns(points[start:end])
        for key, start, end in zip(keys, starts, ends, strict=True)
    }


def encode_rest(short: Mapping[int, Columns]) -> bytes:
    """Compress series: the length of each column but the last, then the columns."""
    keys = np.repeat(
        np.fromiter(short, np.uint32), [columns.size for columns in short.values()]
    )
    parts = [
        standalone.simple_compress(column, CODEC)
        for column in (keys, *join(list(short.values())))
    ]

    return struct.pack("<III", *map(len, parts[:3])) + b"".join(parts)


def decode_rest(body: bytes) -> NDArray[np.void]:
    """Return the records of what `encode_rest` was given."""
    sizes = struct.unpack_from("<III", body)
    ends = [12, *(12 + sum(sizes[:count]) for count in (1, 2, 3)), len(body)]
    columns = [
        standalone.simple_decompress(body[start:end]) for start, end in pairwise(ends)
    ]
    points = np.empty(len(columns[0]), POINT)
    for name, column in zip(POINT.names or (), columns, strict=True):
        points[name] = column

    return points


def _columns(points: NDArray[np.void]) -> Columns:
    # A copy, since a field of packed records is neither aligned nor dense.
    return Columns(
        points["step"].copy(), points["time_ms"].copy(), points["value"].copy()
    )
