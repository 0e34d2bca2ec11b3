"""
Chunks: sorted, compressed parts of a series.

A chunk holds about `CHUNK_POINTS` points as compressed columns, and a pyramid:
the first, last, lowest and highest of each `BUCKET_POINTS`.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from pcodec import ChunkConfig, standalone

from runstone.analysis import thin
from runstone.analysis.columns import Columns, is_timely
from runstone.storage.tx import Row, Tx


CHUNK_POINTS: Final = 8192
BUCKET_POINTS: Final = 512
CODEC: Final = ChunkConfig(compression_level=4)
"""Half the time of the default level 8 for a hundredth more bytes."""

SPAN: Final = "first_step, first_time_ms, last_step, last_time_ms, is_timely, points"


class Chunk(NamedTuple):
    """A chunk without its points."""

    id: int
    first_step: int
    first_time_ms: int
    last_step: int
    last_time_ms: int
    is_timely: int
    points: int

    @property
    def first(self) -> tuple[int, int]:
        """Step and time of its first point."""
        return self.first_step, self.first_time_ms

    @property
    def last(self) -> tuple[int, int]:
        """Step and time of its last point."""
        return self.last_step, self.last_time_ms


def of_run(tx: Tx, run: int) -> dict[int, list[Chunk]]:
    """Return the chunks of a run by key, each series in order."""
    rows = tx.all(
        f"""
        SELECT key_id, id, {SPAN} FROM chunk
        WHERE run_id = :run ORDER BY key_id, first_step, first_time_ms
        """,  # noqa: S608  # our own column list
        run=run,
    )

    return _grouped(rows)


def of(tx: Tx, numbers: Sequence[int], key: int) -> dict[int, list[Chunk]]:
    """Return the chunks of one series of each run, in order."""
    rows = tx.all(
        f"""
        SELECT run_id, id, {SPAN} FROM chunk
        WHERE run_id IN (:runs) AND key_id = :key
        ORDER BY run_id, first_step, first_time_ms
        """,  # noqa: S608  # our own column list
        runs=numbers,
        key=key,
    )

    return _grouped(rows)


def bodies(tx: Tx, ids: Sequence[int]) -> list[Columns]:
    """Return the points of chunks, in the order of *ids*."""
    return [decode(body) for body in _blobs(tx, "body", ids)]


def pyramids(tx: Tx, ids: Sequence[int]) -> list[Columns]:
    """Return the peaks of chunks (see `thin.buckets`), in the order of *ids*."""
    return [_peaks(blob) for blob in _blobs(tx, "pyramid", ids)]


def pieces(merged: Columns, *, at_end: bool) -> list[Columns]:
    """
    Cut into chunks: full ones where the series goes on, else equal ones.

    Points of one step and time stay together, so that chunks are disjoint.
    """
    count = -(-merged.size // CHUNK_POINTS)
    size = CHUNK_POINTS if at_end else -(-merged.size // count)
    step, time_ms, _ = merged
    changes = (step[1:] != step[:-1]) | (time_ms[1:] != time_ms[:-1])
    moments = np.concatenate(([0], np.flatnonzero(changes) + 1))
    wanted = np.arange(0, merged.size, size)
    places = np.searchsorted(moments, wanted, side="right") - 1
    cuts = [*np.unique(moments[places]).tolist(), merged.size]

    return [merged.take(slice(start, end)) for start, end in pairwise(cuts)]


def row(columns: Columns) -> dict[str, int | bytes]:
    """Return the row of a chunk of these points, which are in order."""
    first_step, first_time_ms = first(columns)
    last_step, last_time_ms = last(columns)
    pyramid = thin.buckets(columns, BUCKET_POINTS)

    return {
        "first_step": first_step,
        "first_time_ms": first_time_ms,
        "last_step": last_step,
        "last_time_ms": last_time_ms,
        "is_timely": int(is_timely(columns)),
        "points": columns.size,
        "pyramid": b"".join(column.tobytes() for column in pyramid),
        "body": encode(columns),
    }


def first(columns: Columns) -> tuple[int, int]:
    """Return step and time of the first point."""
    return int(columns.step[0]), int(columns.time_ms[0])


def last(columns: Columns) -> tuple[int, int]:
    """Return step and time of the last point."""
    return int(columns.step[-1]), int(columns.time_ms[-1])


def encode(columns: Columns) -> bytes:
    """Compress columns: the length of each part, then the parts."""
    parts = [standalone.simple_compress(column, CODEC) for column in columns]

    return struct.pack("<II", len(parts[0]), len(parts[1])) + b"".join(parts)


def decode(body: bytes) -> Columns:
    """Return what `encode` was given."""
    steps, times = struct.unpack_from("<II", body)
    a, b = 8 + steps, 8 + steps + times

    return Columns(
        standalone.simple_decompress(body[8:a]),
        standalone.simple_decompress(body[a:b]),
        standalone.simple_decompress(body[b:]),
    )


def _grouped(rows: list[Row]) -> dict[int, list[Chunk]]:
    found: dict[int, list[Chunk]] = {}
    for owner, *span in rows:
        found.setdefault(owner, []).append(Chunk(*span))

    return found


def _peaks(blob: bytes) -> Columns:
    size = len(blob) // 24

    return Columns(
        np.frombuffer(blob, np.int64, size),
        np.frombuffer(blob, np.int64, size, 8 * size),
        np.frombuffer(blob, np.float64, size, 16 * size),
    )


def _blobs(tx: Tx, column: str, ids: Sequence[int]) -> list[bytes]:
    """Return one column of the chunks, in the order of *ids*."""
    found: dict[int, bytes] = {}
    for start in range(0, len(ids), 500):
        rows: list[Row] = tx.all(
            f"SELECT id, {column} FROM chunk WHERE id IN (:ids)",  # noqa: S608  # one of two names of ours
            ids=ids[start : start + 500],
        )
        found.update((row[0], row[1]) for row in rows)

    return [found[number] for number in ids]
