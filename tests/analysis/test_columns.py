"""The order of points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runstone.analysis.columns import EMPTY, by_time, is_timely, join, ordered
from runstone.model import Point
from tests.properties import columns, exact, in_order, points


ROWS = st.lists(points(), max_size=12)


@given(rows=ROWS)
def test_order_is_that_of_a_slow_sort(rows: list[Point]) -> None:
    """Every kind of value has its place, and what comes twice is there once."""
    assert exact(ordered(columns(rows))) == in_order(rows)


@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_order_does_not_depend_on_arrival(rows: list[Point], seed: object) -> None:
    """Two servers that got the same points in other orders hold the same series."""
    shuffled = list(rows)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random

    assert exact(ordered(columns(shuffled))) == exact(ordered(columns(rows)))


@given(rows=ROWS)
def test_order_by_time_only_moves_points(rows: list[Point]) -> None:
    """MLflow's order: time, then step, then value."""
    sorted_by_time = by_time(ordered(columns(rows)))

    keys = list(
        zip(sorted_by_time.time_ms.tolist(), sorted_by_time.step.tolist(), strict=True)
    )
    assert keys == sorted(keys)
    assert is_timely(sorted_by_time)
    assert sorted(exact(sorted_by_time)) == sorted(in_order(rows))


def test_nothing_joined_is_empty() -> None:
    """A series that nobody logged has columns too."""
    assert join([]).size == 0
    assert join([EMPTY, EMPTY]).value.dtype == np.float64
