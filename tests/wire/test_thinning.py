"""`get-history-bulk-interval`: few points, and yet what was seen is there."""

from collections.abc import Iterator

import pytest

from tests.wire import calls


POINTS = 3_000
PEAK = 1_234
PATH = "metrics/get-history-bulk-interval"


@pytest.fixture(scope="module")
def player(server: str) -> Iterator[calls.Player]:
    """Give a player whose server has a long series with one peak."""
    player = calls.Player(server)
    body = {"experiment_id": "0", "start_time": 1}
    player.play(calls.post("make", "runs/create", body, run="run.info.run_id"))
    for start in range(0, POINTS, 1000):
        metrics = [
            {"key": "m", "value": 99 if i == PEAK else i % 7, "timestamp": i, "step": i}
            for i in range(start, start + 1000)
        ]
        player.play(
            calls.post("log", "runs/log-batch", {"run_id": "{run}", "metrics": metrics})
        )

    yield player
    player.close()


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 100, 2500])
def test_no_more_points_than_asked_for(player: calls.Player, most: int) -> None:
    """The UI sizes its request after its screen."""
    query = {"run_ids": ["{run}"], "metric_key": "m", "max_results": most}
    points = player.play(calls.get("ask", PATH, query)).body["metrics"]

    assert 1 <= len(points) <= most
    assert points[0]["step"] == 0
    if most > 1:
        assert points[-1]["step"] == POINTS - 1


def test_a_peak_is_always_there(player: calls.Player) -> None:
    """Where MLflow samples evenly and loses it."""
    query = {"run_ids": ["{run}"], "metric_key": "m", "max_results": 100}
    points = player.play(calls.get("ask", PATH, query)).body["metrics"]

    assert max(point["value"] for point in points) == 99
    assert [p["step"] for p in points] == sorted({p["step"] for p in points})
    assert all(point["run_id"] == "{run}" for point in points)
