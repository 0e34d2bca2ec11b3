"""Points that are woven by columns read as points that were written one by one."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runstone.analysis.columns import Columns
from runstone.server.mlflow import weaving, wire


INT64 = st.integers(-(2**63), 2**63 - 1)
POINTS = st.lists(st.tuples(INT64, INT64, st.floats()), max_size=30)


@given(key=st.text(min_size=1), run_id=st.none() | st.text(), points=POINTS)
def test_woven_points_are_those_of_the_slow_reference(
    key: str, run_id: str | None, points: list[tuple[int, int, float]]
) -> None:
    """Whatever the widths of the numbers: the blanks between them mean nothing."""
    woven = weaving.points(key, columns(points), run_id=run_id)

    assert json.loads(b"[" + woven + b"]") == [
        {
            "key": key,
            "value": wire.number(value),
            "timestamp": time_ms,
            "step": step,
            **({} if run_id is None else {"run_id": run_id}),
        }
        for step, time_ms, value in points
    ]


def test_every_double_comes_back_as_it_was() -> None:
    """Equality hides the sign of a zero."""
    values = [0.1, -0.0, 5e-324, 1e22, 123456789.123456789, math.pi]

    woven = weaving.points("m", columns([(0, 0, value) for value in values]))

    sent = [point["value"] for point in json.loads(b"[" + woven + b"]")]
    assert list(map(repr, sent)) == list(map(repr, values))


def columns(points: list[tuple[int, int, float]]) -> Columns:
    """Turn points into columns."""
    return Columns(
        np.array([point[0] for point in points], np.int64),
        np.array([point[1] for point in points], np.int64),
        np.array([point[2] for point in points], np.float64),
    )
