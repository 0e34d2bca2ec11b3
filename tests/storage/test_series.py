"""A series is read back whole, page by page, or thinned, and is always the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from runstone import errors
from runstone.analysis import thin
from runstone.analysis.columns import EMPTY, Columns, by_time, join, ordered
from runstone.model import Point
from runstone.storage import chunks, compaction, series
from runstone.storage.db import Database
from runstone.storage.metrics import Batch, append
from tests.factories import log, new_run
from tests.properties import FEW_STEPS, VALUES, columns, exact, points


TIMELY = st.lists(VALUES, max_size=30).map(
    lambda values: [Point("loss", i, 10 * i, v) for i, v in enumerate(values)]
)
SOON = st.builds(Point, st.just("loss"), FEW_STEPS, FEW_STEPS, VALUES)
ROWS = st.lists(SOON, max_size=30) | TIMELY | st.lists(points(), max_size=10)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few points be many chunks and buckets."""
    monkeypatch.setattr(chunks, "CHUNK_POINTS", 6)
    monkeypatch.setattr(chunks, "BUCKET_POINTS", 2)


@settings(max_examples=60)
@given(rows=ROWS, late=ROWS, limit=st.integers(1, 9), cut=st.integers(0, 30))
def test_pages_put_together_are_the_series_by_time(
    db: Database, rows: list[Point], late: list[Point], limit: int, cut: int
) -> None:
    """MLflow's clients page through get-history; no point is lost or comes twice."""
    run_id = new_run(db)
    for part in (rows[:cut], rows[cut:]):
        log(db, run_id, part)
        compaction.compact_all(db)
    log(db, run_id, late)

    whole = by_time(ordered(columns(rows + late)))
    assert exact(join(pages(db, run_id, limit))) == exact(whole)


def pages(db: Database, run_id: str, limit: int) -> list[Columns]:
    """Read page after page, as a client does."""
    found, offset = [EMPTY], 0
    while True:
        page = db.look(series.page, run_id, "loss", offset=offset, limit=limit)
        assert page.columns.size <= limit
        found.append(page.columns)
        if page.next_offset is None:
            return found
        assert page.next_offset > offset
        offset = page.next_offset


@settings(max_examples=30)
@given(rows=ROWS, offset=st.integers(0, 40), limit=st.integers(1, 2**63 - 1))
def test_a_page_can_be_asked_for_alone(
    db: Database, rows: list[Point], offset: int, limit: int
) -> None:
    """An offset past the end is an empty last page."""
    run_id = new_run(db)
    log(db, run_id, rows)
    compaction.compact_all(db)

    page = db.look(series.page, run_id, "loss", offset=offset, limit=limit)

    whole = exact(by_time(ordered(columns(rows))))
    assert exact(page.columns) == whole[offset : offset + limit]
    assert (page.next_offset is None) == (offset + limit >= len(whole))


@settings(max_examples=80)
@given(
    rows=ROWS,
    fresh=ROWS,
    pixels=st.integers(1, 6),
    span=st.tuples(st.none() | FEW_STEPS, st.none() | FEW_STEPS),
)
def test_a_chart_is_true(
    db: Database,
    rows: list[Point],
    fresh: list[Point],
    pixels: int,
    span: tuple[int | None, int | None],
) -> None:
    """Points of the series only, in order, with its ends and its peaks."""
    run_id = new_run(db)
    log(db, run_id, rows)
    compaction.compact_all(db)
    log(db, run_id, fresh)
    low, high = span

    charts = db.look(
        series.chart, [run_id], "loss", pixels=pixels, first_step=low, last_step=high
    )

    check_chart(charts[run_id], inside(ordered(columns(rows + fresh)), low, high))
    assert charts[run_id].columns.size <= thin.POINTS_A_COLUMN * pixels


def inside(whole: Columns, low: int | None, high: int | None) -> Columns:
    """Keep the points of a range, both ends inclusive."""
    kept = np.ones(whole.size, bool)
    if low is not None:
        kept &= whole.step >= low
    if high is not None:
        kept &= whole.step <= high

    return whole.take(kept)


def check_chart(chart: series.Chart, whole: Columns) -> None:
    """Compare a chart with all points of its range."""
    drawn, there = exact(chart.columns), exact(whole)
    assert chart.points == len(there)
    assert chart.exact is (len(drawn) == len(there))
    left = iter(there)
    assert all(point in left for point in drawn)  # in order, each once
    if not there:
        return
    assert drawn[0] == there[0]
    assert drawn[-1] == there[-1]
    assert repr(np.fmin.reduce(chart.columns.value) + 0.0) == repr(
        np.fmin.reduce(whole.value) + 0.0
    )
    assert repr(np.fmax.reduce(chart.columns.value) + 0.0) == repr(
        np.fmax.reduce(whole.value) + 0.0
    )


@pytest.mark.parametrize("pixels", [1, 3, 10, 50, 400, 1000])
@pytest.mark.parametrize("fresh", [0, 700])
def test_a_spike_is_drawn_at_every_width(db: Database, pixels: int, fresh: int) -> None:
    """Through the pyramids and without them; a chart that hides a spike lies."""
    count = 2_000
    value = np.sin(np.arange(count) / 50)
    value[[17, 1_111, 1_999]] = [50.0, -50.0, np.nan]
    run_id = new_run(db)
    send(db, run_id, value[: count - fresh], first_step=0)
    compaction.compact_all(db)
    send(db, run_id, value[count - fresh :], first_step=count - fresh)

    chart = db.look(series.chart, [run_id], "loss", pixels=pixels)[run_id]

    drawn = dict(
        zip(chart.columns.step.tolist(), chart.columns.value.tolist(), strict=True)
    )
    assert drawn[17] == 50.0
    assert drawn[1_111] == -50.0
    assert {0, 1_999} <= drawn.keys()
    check_chart(chart, whole_of(db, run_id))


@pytest.mark.parametrize("span", [(100, 1_500), (7, 7), (5, 8), (1_990, 9_999)])
def test_a_range_is_exact_at_its_edges(db: Database, span: tuple[int, int]) -> None:
    """A chunk that the range cuts gives its points, one inside gives its peaks."""
    run_id = new_run(db)
    send(db, run_id, np.cos(np.arange(2_000) * 0.7), first_step=0)
    compaction.compact_all(db)

    chart = db.look(
        series.chart,
        [run_id],
        "loss",
        pixels=4,
        first_step=span[0],
        last_step=span[1],
    )[run_id]

    check_chart(chart, inside(whole_of(db, run_id), *span))


def test_charts_of_many_runs_do_not_mix(db: Database) -> None:
    """One question for a page of runs, an answer for each."""
    names = [new_run(db) for _ in range(3)]
    for number, run_id in enumerate(names):
        log(db, run_id, [Point("loss", 0, 0, float(number))])
    compaction.compact_all(db)
    log(db, names[0], [Point("loss", 1, 1, 9.0)])
    log(db, names[0], [Point("other", 1, 1, 7.0)])

    charts = db.look(series.chart, names, "loss", pixels=10)

    drawn = {names.index(run): charts[run].columns.value.tolist() for run in charts}
    assert drawn == {0: [0.0, 9.0], 1: [1.0], 2: [2.0]}


def test_a_series_that_nobody_logged_is_empty(db: Database) -> None:
    """Charts ask for a metric of many runs, of which some lack it."""
    run_id = new_run(db)

    chart = db.look(series.chart, [run_id], "loss", pixels=10)[run_id]
    page = db.look(series.page, run_id, "loss", offset=0, limit=10)

    assert (chart.columns.size, chart.points, chart.exact) == (0, 0, True)
    assert (page.columns.size, page.next_offset) == (0, None)


def test_a_run_that_is_not_there_has_no_series(db: Database) -> None:
    """Neither whole, nor a page, nor a chart."""
    with pytest.raises(errors.RunNotFound):
        db.look(series.whole, "0" * 32, "loss")
    with pytest.raises(errors.RunNotFound):
        db.look(series.page, "0" * 32, "loss", offset=0, limit=1)
    with pytest.raises(errors.RunNotFound):
        db.look(series.chart, ["0" * 32], "loss", pixels=1)


def send(
    db: Database, run_id: str, value: NDArray[np.float64], *, first_step: int
) -> None:
    """Log values at consecutive steps, one a millisecond."""
    count = len(value)
    steps = range(first_step, first_step + count)
    db.transact(
        append, run_id, Batch(["loss"] * count, steps, list(steps), value.tolist())
    )


def whole_of(db: Database, run_id: str) -> Columns:
    """Read all points of the loss."""
    return db.look(series.whole, run_id, "loss")
