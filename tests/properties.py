"""What hypothesis draws for more than one test."""

import math

import numpy as np
from hypothesis import strategies as st

from runstone.analysis.columns import Columns
from runstone.limits import INT64_MAX, INT64_MIN
from runstone.model import Point


INT64 = st.integers(INT64_MIN, INT64_MAX)
FEW_STEPS = st.integers(-2, 5)
"""So few that points often meet on one step."""

STEPS = FEW_STEPS | INT64
VALUES = (
    st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf])
    | st.floats()
    | st.floats(width=32)
)


def points(key: str = "loss") -> st.SearchStrategy[Point]:
    """Points of one series that often collide, and sometimes are extreme."""
    return st.builds(Point, st.just(key), STEPS, STEPS, VALUES)


def columns(rows: list[Point]) -> Columns:
    """Turn points into columns as they stand."""
    return Columns(
        np.array([row.step for row in rows], np.int64),
        np.array([row.time_ms for row in rows], np.int64),
        np.array([row.value for row in rows], np.float64),
    )


def exact(found: Columns) -> list[tuple[int, int, str]]:
    """Spell points so that == tells -0.0 from 0.0 and finds a NaN equal to a NaN."""
    return [
        (step, time_ms, repr(value))
        for step, time_ms, value in zip(
            found.step.tolist(),
            found.time_ms.tolist(),
            found.value.tolist(),
            strict=True,
        )
    ]


def in_order(rows: list[Point]) -> list[tuple[int, int, str]]:
    """Sort points as the record does and drop the doubles: slow and plain."""

    def place(row: Point) -> tuple[int, int, bool, float, bool]:
        nan = math.isnan(row.value)
        value = 0.0 if nan else row.value
        return row.step, row.time_ms, nan, value, math.copysign(1, value) > 0

    spelled = [(r.step, r.time_ms, repr(r.value)) for r in sorted(rows, key=place)]

    return list(dict.fromkeys(spelled))
