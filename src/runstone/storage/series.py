"""
Reading series: whole, page by page, or thinned for a screen.

A series is its chunks, in order and disjoint, and the points that lie in its
run's rest and blocks.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from runstone.analysis import thin
from runstone.analysis.columns import Columns, by_time, is_timely, join, ordered
from runstone.storage import blocks, chunks, runs, words
from runstone.storage.chunks import Chunk
from runstone.storage.tx import Tx


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
    """Points of the run's rest and blocks, sorted."""

    @property
    def in_order(self) -> bool:
        """Whether the fresh points all come after the chunks."""
        if not self.chunks or not self.fresh.size:
            return True

        return self.chunks[-1].last < chunks.first(self.fresh)

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
    parts = chunks.bodies(tx, wanted)
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


def _chart(tx: Tx, source: Source, pixels: int, span: tuple[int, int]) -> Chart:
    if not source.in_order:
        return _thinned(_whole(tx, source), pixels, span)
    inside = [
        c for c in source.chunks if c.last_step >= span[0] and c.first_step <= span[1]
    ]
    total = sum(chunk.points for chunk in inside) + source.fresh.size
    if total < chunks.BUCKET_POINTS * pixels:
        parts = [*chunks.bodies(tx, [chunk.id for chunk in inside]), source.fresh]

        return _thinned(join(parts), pixels, span)

    return _peaked(tx, Source(inside, source.fresh), pixels, span)


def _peaked(tx: Tx, source: Source, pixels: int, span: tuple[int, int]) -> Chart:
    """Thin the peaks of the chunks that lie inside, the points of those cut."""
    cut = [
        c.id for c in source.chunks if c.first_step < span[0] or c.last_step > span[1]
    ]
    whole = [chunk for chunk in source.chunks if chunk.id not in cut]
    found = dict(zip(cut, chunks.bodies(tx, cut), strict=True))
    found = {number: _inside(columns, span) for number, columns in found.items()}
    fresh = _inside(source.fresh, span)
    count = sum(chunk.points for chunk in whole) + fresh.size
    count += sum(columns.size for columns in found.values())

    ids = [chunk.id for chunk in whole]
    found |= zip(ids, chunks.pyramids(tx, ids), strict=True)
    kept = thin.m4(join([*(found[c.id] for c in source.chunks), fresh]), pixels)

    return Chart(kept, count, exact=kept.size == count)


def _inside(columns: Columns, span: tuple[int, int]) -> Columns:
    """Return the points whose step lies in *span*."""
    start = int(np.searchsorted(columns.step, span[0], side="left"))
    end = int(np.searchsorted(columns.step, span[1], side="right"))

    return columns.take(slice(start, end))


def _thinned(columns: Columns, pixels: int, span: tuple[int, int]) -> Chart:
    part = _inside(columns, span)
    kept = thin.m4(part, pixels)

    return Chart(kept, part.size, exact=kept.size == part.size)


def _cut(columns: Columns, offset: int, limit: int, total: int) -> Page:
    part = columns.take(slice(offset, offset + limit))
    ended = offset + part.size >= total

    return Page(part, None if ended else offset + part.size)


def _whole(tx: Tx, source: Source) -> Columns:
    parts = chunks.bodies(tx, [chunk.id for chunk in source.chunks])

    return ordered(join([*parts, source.fresh]))


def _source(tx: Tx, run: int, key: int) -> Source:
    return _sources(tx, [run], key)[run]


def _sources(tx: Tx, numbers: list[int], key: int) -> dict[int, Source]:
    sorted_away = chunks.of(tx, numbers, key)
    fresh = blocks.of(tx, numbers, key)

    return {run: Source(sorted_away.get(run, []), fresh[run]) for run in numbers}
