"""
The series store: sorted, compressed chunks, and how blocks become them.

A series is its chunks, in order and disjoint, and the points that still lie in
blocks.  A chunk holds up to `CHUNK_POINTS` points as compressed columns, and a
pyramid: the first, last, lowest and highest of each `BUCKET_POINTS`.
"""

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from runstone import errors
from runstone.analysis import thin
from runstone.analysis.columns import Columns, by_time, is_timely, join, ordered
from runstone.storage import runs, words
from runstone.storage.db import Row, Tx
from runstone.storage.metrics import POINT


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


class Page(NamedTuple):
    """Part of a series, and where the next part begins."""

    columns: Columns
    next_offset: int | None


class Chart(NamedTuple):
    """A series thinned for a screen."""

    columns: Columns
    points: int
    """Points of the series in this range."""

    exact: bool
    """Whether all of them are here."""


class Source(NamedTuple):
    """Where the points of one series lie."""

    chunks: list[Chunk]
    fresh: Columns
    """Points that are still in blocks, sorted."""

    @property
    def in_order(self) -> bool:
        """Whether the fresh points all come after the chunks."""
        if not self.chunks or not self.fresh.size:
            return True

        return self.chunks[-1].last < _first(self.fresh)

    @property
    def is_timely(self) -> bool:
        """Whether time never runs back along the whole series."""
        times = [(c.first_time_ms, c.last_time_ms, c.is_timely) for c in self.chunks]
        if self.fresh.size:
            ends = int(self.fresh.time_ms[0]), int(self.fresh.time_ms[-1])
            times.append((*ends, int(is_timely(self.fresh))))

        return all(timely for *_, timely in times) and all(
            a[1] <= b[0] for a, b in pairwise(times)
        )


def whole(tx: Tx, run_id: str, key: str) -> Columns:
    """
    Return a series, sorted by step, time and value, each point once.

    Raises:
        RunNotFound: No run has this id.
    """
    place = runs.require(tx, run_id)
    number = words.find(tx, [key]).get(key, 0)

    return _whole(tx, _source(tx, place.run, number))


def page(tx: Tx, run_id: str, key: str, *, offset: int, limit: int) -> Page:
    """
    Return *limit* points from *offset* on, sorted by time, step and value.

    Source: the order of `SqlAlchemyStore.get_metric_history`, MLflow 3.18.

    Raises:
        RunNotFound: No run has this id.
    """
    place = runs.require(tx, run_id)
    number = words.find(tx, [key]).get(key, 0)
    source = _source(tx, place.run, number)
    if not (source.in_order and source.is_timely):
        columns = by_time(_whole(tx, source))

        return _cut(columns, offset, limit, columns.size)

    # Time and step agree, so only the chunks of this page are read.
    total = sum(chunk.points for chunk in source.chunks) + source.fresh.size
    wanted, before = [], 0
    skipped = 0
    for chunk in source.chunks:
        if before + chunk.points <= offset:
            skipped += chunk.points
        elif before < offset + limit:
            wanted.append(chunk.id)
        before += chunk.points
    parts = _bodies(tx, wanted)
    if offset + limit > before:
        parts.append(source.fresh)
    columns = join(parts)
    part = columns.take(slice(offset - skipped, offset - skipped + limit))
    ended = offset + part.size >= total

    return Page(part, None if ended else offset + part.size)


def chart(
    tx: Tx,
    run_ids: Sequence[str],
    key: str,
    *,
    pixels: int,
    first_step: int | None = None,
    last_step: int | None = None,
) -> dict[str, Chart]:
    """
    Return a series of each run, thinned to *pixels* columns (see `thin.m4`).

    Where the points are far more than the pixels, the pyramids are read and
    not the points.  Every peak is still there, at its own step; only a lesser
    one may be missing where a bucket lies across the edge of a pixel column.

    Args:
        tx: Transaction.

        run_ids: Runs; one that has no such series has an empty chart.

        key: Metric.

        pixels: Width of the chart, at least 1.

        first_step: Where the range begins; None is the first point.

        last_step: Where the range ends, inclusive; None is the last point.

    Raises:
        RunNotFound: A run does not exist.
    """
    number = words.find(tx, [key]).get(key, 0)
    places = {runs.require(tx, run_id).run: run_id for run_id in run_ids}
    sources = _sources(tx, list(places), number)
    span = (
        -(2**63) if first_step is None else first_step,
        2**63 - 1 if last_step is None else last_step,
    )

    return {
        run_id: _chart(tx, sources[run], pixels, span) for run, run_id in places.items()
    }


class Plan(NamedTuple):
    """What a compaction will do: made from a snapshot, off the writer."""

    run: int
    blocks: list[int]
    """Versions."""

    replaced: list[int]
    chunks: list[dict[str, int | bytes]]
    dropped: dict[int, int]
    """Points of each key that had come twice."""


def plan(tx: Tx, run: int, *, most_blocks: int) -> Plan:
    """Read a run's oldest blocks and prepare the chunks that they become."""
    rows = tx.all(
        """
        SELECT version, body FROM block
        WHERE run_id = :run ORDER BY version LIMIT :most
        """,
        run=run,
        most=most_blocks,
    )
    if not rows:
        return Plan(run, [], [], [], {})
    made = Plan(run, [row[0] for row in rows], [], [], {})
    if not rows:
        return made  # another server was first
    for key, fresh in _by_key(b"".join(row[1] for row in rows)).items():
        _plan_series(tx, made, key, fresh)

    return made


def apply(tx: Tx, made: Plan) -> None:
    """
    Put the chunks of *made* in the place of its blocks.

    Raises:
        Conflict: Another server has compacted the same blocks; nothing is
            written, and nothing is lost.
    """
    _remove(tx, "block", "version", made.run, made.blocks)
    _remove(tx, "chunk", "id", made.run, made.replaced)
    tx.run_many(
        """
        INSERT INTO chunk (run_id, key_id, first_step, first_time_ms, last_step,
            last_time_ms, is_timely, points, pyramid, body)
        VALUES (:run, :key, :first_step, :first_time_ms, :last_step,
            :last_time_ms, :is_timely, :points, :pyramid, :body)
        """,
        made.chunks,
    )
    tx.run_many(
        """
        UPDATE latest SET points = points - :dropped
        WHERE run_id = :run AND key_id = :key
        """,
        [
            {"run": made.run, "key": key, "dropped": count}
            for key, count in made.dropped.items()
            if count
        ],
    )


class Waiting(NamedTuple):
    """A run that has blocks."""

    run: int
    blocks: int
    points: int
    newest: int
    """Version of its newest block."""


def waiting(tx: Tx) -> list[Waiting]:
    """Return the runs that have blocks."""
    rows = tx.all(
        """
        SELECT run_id, COUNT(*), SUM(points), MAX(version) FROM block
        GROUP BY run_id
        """
    )

    return [Waiting(*(int(item) for item in row)) for row in rows]


def encode(columns: Columns) -> bytes:
    """Compress columns: the length of each part, then the parts."""
    parts = [standalone.simple_compress(column, CODEC) for column in columns]

    return struct.pack("<II", len(parts[0]), len(parts[1])) + b"".join(parts)


def decode(body: bytes) -> Columns:
    """Return what `encode` was given."""
    first, second = struct.unpack_from("<II", body)
    a, b = 8 + first, 8 + first + second

    return Columns(
        standalone.simple_decompress(body[8:a]),
        standalone.simple_decompress(body[a:b]),
        standalone.simple_decompress(body[b:]),
    )


def _plan_series(tx: Tx, made: Plan, key: int, fresh: Columns) -> None:
    """Merge fresh points of one series with the chunks that they meet."""
    sent = fresh.size
    fresh = ordered(fresh)
    chunks = _chunks(tx, [made.run], key).get(made.run, [])
    start, end = _met(chunks, _first(fresh), _last(fresh))
    met = chunks[start:end]
    merged = ordered(join([*_bodies(tx, [chunk.id for chunk in met]), fresh]))
    made.dropped[key] = sent + sum(chunk.points for chunk in met) - merged.size
    made.replaced.extend(chunk.id for chunk in met)
    for part in _pieces(merged, at_end=end == len(chunks)):
        made.chunks.append({"run": made.run, "key": key, **_chunk_row(part)})


def _met(
    chunks: list[Chunk], first: tuple[int, int], last: tuple[int, int]
) -> tuple[int, int]:
    """
    Find the chunks to merge with points from *first* to *last*.

    Those that overlap, and on each side the next one while it has room, so
    that a slow series does not end as thousands of small chunks.
    """
    start = sum(chunk.last < first for chunk in chunks)
    end = sum(chunk.first <= last for chunk in chunks)
    if start > 0 and chunks[start - 1].points < CHUNK_POINTS:
        start -= 1
    if end < len(chunks) and chunks[end].points < CHUNK_POINTS:
        end += 1

    return start, max(start, end)


def _pieces(merged: Columns, *, at_end: bool) -> list[Columns]:
    """Cut into chunks: full ones where the series goes on, else equal ones."""
    count = -(-merged.size // CHUNK_POINTS)
    size = CHUNK_POINTS if at_end else -(-merged.size // count)

    return [
        merged.take(slice(start, start + size)) for start in range(0, merged.size, size)
    ]


def _chunk_row(columns: Columns) -> dict[str, int | bytes]:
    first, last = _first(columns), _last(columns)
    pyramid = thin.buckets(columns, BUCKET_POINTS)

    return {
        "first_step": first[0],
        "first_time_ms": first[1],
        "last_step": last[0],
        "last_time_ms": last[1],
        "is_timely": int(is_timely(columns)),
        "points": columns.size,
        "pyramid": b"".join(column.tobytes() for column in pyramid),
        "body": encode(columns),
    }


def _remove(tx: Tx, table: str, column: str, run: int, ids: list[int]) -> None:
    gone = 0
    for start in range(0, len(ids), 500):
        gone += tx.run(
            f"DELETE FROM {table} WHERE run_id = :run AND {column} IN (:ids)",  # noqa: S608  # names of ours
            run=run,
            ids=ids[start : start + 500],
        )
    if gone != len(ids):
        raise errors.Conflict("Another server has compacted this run")


def _chart(tx: Tx, source: Source, pixels: int, span: tuple[int, int]) -> Chart:
    if not source.in_order:
        return _thinned(ordered(_whole(tx, source)), pixels, span)
    inside = [
        c for c in source.chunks if c.last_step >= span[0] and c.first_step <= span[1]
    ]
    total = sum(chunk.points for chunk in inside) + source.fresh.size
    if total < BUCKET_POINTS * pixels:
        parts = [*_bodies(tx, [chunk.id for chunk in inside]), source.fresh]

        return _thinned(join(parts), pixels, span)
    # A chunk that lies inside gives its peaks, one that is cut its points.
    cut = {c.id for c in inside if c.first_step < span[0] or c.last_step > span[1]}
    peaks = _pyramids(tx, [chunk.id for chunk in inside if chunk.id not in cut])
    edges = dict(zip(cut, map(_inside(span), _bodies(tx, list(cut))), strict=True))
    parts = [edges[c.id] if c.id in cut else peaks.pop(0) for c in inside]
    parts.append(_inside(span)(source.fresh))
    count = (
        sum(edges[c.id].size if c.id in cut else c.points for c in inside)
        + parts[-1].size
    )

    return Chart(thin.m4(join(parts), pixels), count, exact=False)


def _inside(span: tuple[int, int]) -> Callable[[Columns], Columns]:
    """Make a function that keeps the points whose step lies in *span*."""

    def keep(columns: Columns) -> Columns:
        start = int(np.searchsorted(columns.step, span[0], side="left"))
        end = int(np.searchsorted(columns.step, span[1], side="right"))

        return columns.take(slice(start, end))

    return keep


def _thinned(columns: Columns, pixels: int, span: tuple[int, int]) -> Chart:
    part = _inside(span)(columns)
    kept = thin.m4(part, pixels)

    return Chart(kept, part.size, exact=kept.size == part.size)


def _cut(columns: Columns, offset: int, limit: int, total: int) -> Page:
    part = columns.take(slice(offset, offset + limit))
    ended = offset + part.size >= total

    return Page(part, None if ended else offset + part.size)


def _whole(tx: Tx, source: Source) -> Columns:
    parts = _bodies(tx, [chunk.id for chunk in source.chunks])

    return ordered(join([*parts, source.fresh]))


def _source(tx: Tx, run: int, key: int) -> Source:
    return _sources(tx, [run], key)[run]


def _sources(tx: Tx, numbers: list[int], key: int) -> dict[int, Source]:
    chunks = _chunks(tx, numbers, key)
    blocks: dict[int, list[bytes]] = {}
    rows = tx.all(
        "SELECT run_id, body FROM block WHERE run_id IN (:runs)",
        runs=numbers,
    )
    for run, body in rows:
        blocks.setdefault(run, []).append(body)

    return {
        run: Source(chunks.get(run, []), _fresh(blocks.get(run, []), key))
        for run in numbers
    }


def _chunks(tx: Tx, numbers: list[int], key: int) -> dict[int, list[Chunk]]:
    rows = tx.all(
        f"""
        SELECT run_id, id, {SPAN} FROM chunk
        WHERE run_id IN (:runs) AND key_id = :key
        ORDER BY run_id, first_step, first_time_ms, id
        """,  # noqa: S608  # our own column list
        runs=numbers,
        key=key,
    )
    found: dict[int, list[Chunk]] = {}
    for run, *span in rows:
        found.setdefault(run, []).append(Chunk(*span))

    return found


def _bodies(tx: Tx, ids: list[int]) -> list[Columns]:
    return [decode(body) for body in _blobs(tx, "body", ids)]


def _pyramids(tx: Tx, ids: list[int]) -> list[Columns]:
    return [_peaks(blob) for blob in _blobs(tx, "pyramid", ids)]


def _peaks(blob: bytes) -> Columns:
    size = len(blob) // 24

    return Columns(
        np.frombuffer(blob, np.int64, size),
        np.frombuffer(blob, np.int64, size, 8 * size),
        np.frombuffer(blob, np.float64, size, 16 * size),
    )


def _blobs(tx: Tx, column: str, ids: list[int]) -> list[bytes]:
    """Return one column of the chunks, in the order of *ids*."""
    found: dict[int, bytes] = {}
    for start in range(0, len(ids), 500):
        rows: list[Row] = tx.all(
            f"SELECT id, {column} FROM chunk WHERE id IN (:ids)",  # noqa: S608  # one of two names of ours
            ids=ids[start : start + 500],
        )
        found.update((row[0], row[1]) for row in rows)

    return [found[number] for number in ids]


def _fresh(bodies: list[bytes], key: int) -> Columns:
    points = np.frombuffer(b"".join(bodies), POINT)
    points = points[points["key"] == key]

    return ordered(_columns(points))


def _by_key(body: bytes) -> dict[int, Columns]:
    """Part records by key, each in the order in which it came."""
    points = np.frombuffer(body, POINT)
    order = np.argsort(points["key"], kind="stable")
    points = points[order]
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


def _first(columns: Columns) -> tuple[int, int]:
    return int(columns.step[0]), int(columns.time_ms[0])


def _last(columns: Columns) -> tuple[int, int]:
    return int(columns.step[-1]), int(columns.time_ms[-1])
