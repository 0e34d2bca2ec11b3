"""MLflow's client over our SDK."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import runstone as mlflow
from runstone.entities import Metric, PagedList, Param, RunTag, ViewType
from runstone.exceptions import MlflowException
from runstone.sdk.session import ATTACHED_RUNS
from runstone.sdk.uris import ModelUri, RunUri
from tests.sdk.mlflow_names import names
from tests.server.running import serving


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
def client(spool: Path, url: str) -> Iterator[mlflow.MlflowClient]:
    """Yield a client of the server."""
    with names(url, spool):
        yield mlflow.MlflowClient()


def test_a_run_is_made_filled_and_ended(client: mlflow.MlflowClient) -> None:
    """It is no run of this process: only `set_terminated` ends it."""
    experiment_id = client.create_experiment("by client", tags={"a": "b"})
    run = client.create_run(experiment_id, tags={"t": "u"}, run_name="named")
    run_id = run.info.run_id
    client.log_batch(
        run_id,
        [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(2000)],
        [Param("p", "1")],
        [RunTag("v", "w")],
    )
    client.log_metric(run_id, "acc", 0.5, timestamp=7, step=3)
    before = client.get_run(run_id)
    client.set_terminated(run_id, "FAILED", end_time=9)

    after = client.get_run(run_id)

    assert run.info.experiment_id == experiment_id
    assert run.info.run_name == before.info.run_name == "named"
    assert (before.info.status, after.info.status) == ("RUNNING", "FAILED")
    assert after.info.end_time == 9
    assert after.data.tags.items() >= {"t": "u", "v": "w"}.items()
    history = client.get_metric_history(run_id, "loss")
    assert [point.step for point in history] == list(range(2000))
    assert history[4] == Metric("loss", 0.2, 1004, 4, run_id=run_id)
    assert client.get_metric_history(run_id, "none") == []


def test_a_long_history_comes_in_pages(client: mlflow.MlflowClient) -> None:
    """More than a page of the wire holds, and none twice."""
    run = client.create_run("0")
    points = 26_000
    client.log_batch(
        run.info.run_id, [Metric("m", step, step, step) for step in range(points)]
    )

    history = client.get_metric_history(run.info.run_id, "m")

    assert [point.step for point in history] == list(range(points))


def test_runs_of_others_are_added_to_and_left_as_they_are(
    client: mlflow.MlflowClient,
) -> None:
    """More of them than are held open, each in the order that was said."""
    with mlflow.start_run() as failed:
        pass
    client.set_terminated(failed.info.run_id, "FAILED")
    others = [client.create_run("0").info.run_id for _ in range(ATTACHED_RUNS + 4)]
    for value in range(3):
        for run_id in [*others, failed.info.run_id]:
            client.set_tag(run_id, "value", value)
            client.log_text(run_id, str(value), "value.txt")

    tags = [client.get_run(run_id).data.tags["value"] for run_id in others]

    assert tags == ["2"] * len(others)
    assert client.get_run(failed.info.run_id).info.status == "FAILED"
    texts = [
        mlflow.artifacts.load_text(f"runs:/{run_id}/value.txt") for run_id in others
    ]
    assert texts == ["2"] * len(others)


def test_the_active_run_is_the_same_for_functions_and_client(
    client: mlflow.MlflowClient,
) -> None:
    """What one said before the other comes before it."""
    with mlflow.start_run() as run:
        mlflow.set_tag("order", 1)
        client.set_tag(run.info.run_id, "order", 2)
        mlflow.set_tag("order", 3)
        client.log_param(run.info.run_id, "p", 1)
        with pytest.raises(MlflowException, match="Changing param values"):
            mlflow.log_param("p", 2)

    assert client.get_run(run.info.run_id).data.tags["order"] == "3"


def test_another_store_can_be_asked_and_added_to(
    client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    """A client with an address of its own leaves the others alone."""
    with serving(tmp_path / "other") as other:
        there = mlflow.MlflowClient(tracking_uri=other.url)
        run = there.create_run("0", run_name="there")
        there.log_metric(run.info.run_id, "x", 1)

        assert there.get_run(run.info.run_id).data.metrics == {"x": 1.0}
        with pytest.raises(MlflowException, match="not found"):
            client.get_run(run.info.run_id)


def test_pages_follow_each_other(client: mlflow.MlflowClient) -> None:
    """A token leads to the rest, and to no more."""
    experiment_id = client.create_experiment("pages")
    made = {client.create_run(experiment_id).info.run_id for _ in range(5)}

    first = client.search_runs([experiment_id], max_results=3)
    second = client.search_runs([experiment_id], max_results=3, page_token=first.token)

    assert isinstance(first, PagedList)
    assert first.token
    assert not second.token
    assert {run.info.run_id for run in [*first, *second]} == made
    with pytest.raises(MlflowException, match="is a string"):
        client.search_runs([experiment_id], order_by="metrics.x DESC")


def test_what_is_deleted_can_be_found_and_restored(
    client: mlflow.MlflowClient,
) -> None:
    """The bin is a view; what lies in it takes nothing."""
    experiment_id = client.create_experiment("bin")
    run_id = client.create_run(experiment_id).info.run_id
    client.delete_run(run_id)

    deleted = client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.log_metric(run_id, "m", 1)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)

    assert [run.info.run_id for run in deleted] == [run_id]
    assert client.get_run(run_id).data.metrics == {"m": 1.0}


def test_a_batch_is_kept_whole_or_not_at_all(client: mlflow.MlflowClient) -> None:
    """One value that is none, and nothing of the call is said."""
    run_id = client.create_run("0").info.run_id
    good, bad = Metric("a", 1.0, 1, 1), Metric("b", "x", 1, 1)  # type: ignore[arg-type]  # that is the test

    with pytest.raises(MlflowException):
        client.log_batch(run_id, [good, bad], [Param("p", "1")])
    with pytest.raises(MlflowException, match="Duplicate parameter keys"):
        client.log_batch(run_id, [good], [Param("p", "1"), Param("p", "2")])

    found = client.get_run(run_id).data
    assert (found.metrics, found.params) == ({}, {})


def test_a_tag_is_removed_once(client: mlflow.MlflowClient) -> None:
    """Removing what is not there is a mistake, as with MLflow."""
    run_id = client.create_run("0", tags={"a": "b"}).info.run_id
    client.delete_tag(run_id, "a")
    client.set_tag(run_id, "c", "d")

    with pytest.raises(MlflowException, match="No tag with name: none"):
        client.delete_tag(run_id, "none")

    assert "a" not in client.get_run(run_id).data.tags


def test_many_threads_may_use_one_client(client: mlflow.MlflowClient) -> None:
    """Each point arrives, once."""
    run_id = client.create_run("0").info.run_id

    def log(thread: int) -> None:
        for step in range(200):
            client.log_metric(run_id, f"m{thread}", step, step=step)

    threads = [threading.Thread(target=log, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for thread_number in range(8):
        history = client.get_metric_history(run_id, f"m{thread_number}")
        assert [point.step for point in history] == list(range(200))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("models:/a/3", ModelUri("a", version="3")),
        ("models:/a/Production", ModelUri("a", stage="Production")),
        ("models:/a/latest", ModelUri("a", stage="latest")),
        ("models:/a@champion", ModelUri("a", alias="champion")),
        ("models:/a/3/MLmodel", ModelUri("a", version="3", path="MLmodel")),
        ("models:/a b%20c/1", ModelUri("a b c", version="1")),
    ],
)
def test_a_uri_of_a_model_is_read(uri: str, expected: ModelUri) -> None:
    """By number, stage or alias."""
    assert ModelUri.read(uri) == expected


@pytest.mark.parametrize("uri", ["models:/", "runs:/", "models:/a", "models:/a/x", "x"])
def test_a_uri_of_nothing_is_refused(uri: str) -> None:
    """The words show what one looks like."""
    with pytest.raises(MlflowException, match="must be of the form"):
        (RunUri if uri.startswith("runs") else ModelUri).read(uri)
