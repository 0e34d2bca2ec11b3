"""Thinning keeps what the eye would look for."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.analysis import thin
from runstone.analysis.columns import Columns, ordered
from runstone.model import Point
from tests.properties import VALUES, columns, exact


STEPS = st.integers(0, 60) | st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(
    st.builds(Point, st.just("loss"), STEPS, st.just(0), VALUES), max_size=80
)


@given(rows=ROWS, pixels=st.integers(1, 12))
def test_it_is_that_of_a_slow_reference(rows: list[Point], pixels: int) -> None:
    """Each pixel column has its own first, last, lowest and highest point."""
    whole = ordered(columns(rows))

    kept = thin.m4(whole, pixels)

    assert exact(kept) == exact(slow_m4(whole, pixels))


@given(rows=ROWS, pixels=st.integers(1, 12))
def test_it_is_small_and_true(rows: list[Point], pixels: int) -> None:
    """At most four points a pixel column, each of them a point that was logged."""
    whole = ordered(columns(rows))

    kept = thin.m4(whole, pixels)

    assert kept.size <= thin.POINTS_A_COLUMN * pixels
    assert set(exact(kept)) <= set(exact(whole))


@given(rows=ROWS.filter(bool), size=st.integers(1, 9))
def test_a_bucket_keeps_its_extremes(rows: list[Point], size: int) -> None:
    """The pyramid of a chunk is made of these."""
    whole = ordered(columns(rows))

    kept = exact(thin.buckets(whole, size))

    places: set[int] = set()
    for start in range(0, whole.size, size):
        places |= slow_extremes(whole.value.tolist(), start, start + size)
    assert kept == exact(whole.take(np.array(sorted(places))))


@pytest.mark.parametrize("pixels", [1, 2, 7, 100, 999, 1920])
def test_a_spike_of_one_step_is_seen(pixels: int) -> None:
    """An exploding loss in ten thousand calm steps is what people look for."""
    value = np.zeros(10_000)
    value[6_789] = 1e9
    steps = np.arange(10_000)

    kept = thin.m4(Columns(steps, steps, value), pixels)

    assert kept.value.max() == 1e9
    assert kept.step[kept.value.argmax()] == 6_789


def slow_m4(whole: Columns, pixels: int) -> Columns:
    """Look at each pixel column by itself."""
    if whole.size <= 4 * pixels:
        return whole
    low, high = float(whole.step[0]), float(whole.step[-1])
    edges = [*np.linspace(low, high, pixels + 1)[:-1].tolist(), math.inf]
    values = whole.value.tolist()
    steps = [float(step) for step in whole.step.tolist()]
    places: set[int] = set()
    for left, right in pairwise(edges):
        inside = [i for i, step in enumerate(steps) if left <= step < right]
        if inside:
            places |= slow_extremes(values, inside[0], inside[-1] + 1)

    return whole.take(np.array(sorted(places)))


def slow_extremes(values: list[float], start: int, end: int) -> set[int]:
    """Find first, last, lowest and highest, the first where several are equal."""
    inside = list(range(start, min(end, len(values))))
    places = {inside[0], inside[-1]}
    numbers = [i for i in inside if not math.isnan(values[i])]
    if numbers:
        places |= {
            min(numbers, key=lambda i: values[i]),
            max(numbers, key=lambda i: values[i]),
        }

    return places
