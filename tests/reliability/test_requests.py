"""Bodies that are cut, doubled or empty do what a reader of the log expects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.client import API
from tests.reliability.inside import Inside, inside


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Inside]:
    """Give an application."""
    with inside(tmp_path) as server:
        yield server


def test_a_client_that_leaves_before_its_body_has_said_nothing(server: Inside) -> None:
    """No body at all would be a run with nothing but defaults."""
    answer = server.ask("POST", API + "runs/create", cut=True)

    assert answer.status == 503
    assert "runs" not in server.json(
        "POST", API + "runs/search", {"experiment_ids": ["0"]}
    )


def test_a_body_that_was_cut_is_not_taken_for_the_whole(server: Inside) -> None:
    """What came may be JSON by itself: here, two spaces were still to come."""
    body = b'{"run_name": "half"}' + b" " * 20

    answer = server.ask("POST", API + "runs/create", body=body, parts=2, cut=True)

    assert answer.status == 503
    assert "runs" not in server.json(
        "POST", API + "runs/search", {"experiment_ids": ["0"]}
    )


def test_an_upload_that_was_cut_leaves_nothing(server: Inside) -> None:
    """Half a model is worse than none."""
    place = "/api/2.0/mlflow-artifacts/artifacts/model.bin"

    answer = server.ask("PUT", place, body=b"x" * 100, parts=4, cut=True)

    assert answer.status == 503
    assert server.ask("GET", place).status == 404
    assert server.json("GET", "/api/2.0/mlflow-artifacts/artifacts") == {}


def test_head_is_get_without_the_body(server: Inside) -> None:
    """Balancers and link checkers ask so (RFC 9110, 9.3.2)."""
    path, query = API + "experiments/get", b"experiment_id=0"

    whole = server.ask("GET", path, query=query)
    bare = server.ask("HEAD", path, query=query)

    assert (bare.status, bare.headers, bare.body) == (200, whole.headers, b"")
