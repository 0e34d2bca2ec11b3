"""MLflow's functions over our SDK: what they log is on the server, without a wait."""

import math
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import runstone as mlflow
from runstone.entities import Run
from runstone.exceptions import MlflowException, RestException
from runstone.sdk.session import session
from tests.sdk.mlflow_names import names
from tests.server.running import serving


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
def server(spool: Path, url: str) -> Iterator[str]:
    """Where runs go: a server."""
    with names(url, spool):
        yield url


def stored(run: Run | mlflow.ActiveRun) -> Run:
    """Return a run as the server has it."""
    return mlflow.get_run(run.info.run_id)


@pytest.mark.parametrize("where", ["server", "path"])
def test_what_is_logged_is_on_the_server(where: str, tmp_path: Path) -> None:
    """The loop of every tutorial, with a server and without one."""
    if where == "path":
        mlflow.set_tracking_uri(tmp_path / "mlruns")
    mlflow.set_experiment("iris")
    with mlflow.start_run(run_name="rf", tags={"team": 1}, description="why") as run:
        mlflow.log_params({"solver": "lbfgs", "max_iter": 1000, "warm": True})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"acc": 0.5, "f1": 1}, step=4)
        mlflow.set_tags({"a": "b"})

    found = stored(run)

    assert found.info.status == "FINISHED"
    assert found.info.run_name == "rf"
    assert found.data.params == {"solver": "lbfgs", "max_iter": "1000", "warm": "True"}
    assert found.data.metrics == {"loss": 0.2, "acc": 0.5, "f1": 1.0}
    assert (
        found.data.tags.items()
        >= {
            "team": "1",
            "a": "b",
            "mlflow.note.content": "why",
            "mlflow.source.type": "LOCAL",
        }.items()
    )
    assert mlflow.get_experiment(found.info.experiment_id).name == "iris"
    assert mlflow.last_active_run() == found


def test_a_nested_run_knows_its_parent() -> None:
    """A search of hyper-parameters is a tree (S2.13)."""
    with mlflow.start_run() as parent:
        with mlflow.start_run(nested=True, run_name="kid") as child:
            mlflow.log_metric("x", 1)
            assert mlflow.active_run() is child
        assert mlflow.active_run() is parent
        mlflow.log_metric("best", 1)

    above = mlflow.get_parent_run(child.info.run_id)

    assert above is not None
    assert above.info.run_id == parent.info.run_id
    assert stored(child).data.metrics == {"x": 1.0}
    assert above.data.metrics == {"best": 1.0}


def test_a_second_run_needs_to_be_nested() -> None:
    """Whoever forgets to end one is told, in MLflow's words."""
    mlflow.start_run()

    with pytest.raises(Exception, match="is already active"):
        mlflow.start_run()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no"), "FAILED"),
        (SystemExit(2), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
    ],
)
def test_an_exception_ends_the_run_as_what_it_is(
    error: BaseException, status: str
) -> None:
    """A table of runs tells which of them died, and of what."""
    with pytest.raises(type(error)), mlflow.start_run() as run:
        raise error

    found = stored(run)

    assert found.info.status == status
    assert type(error).__name__ in found.data.tags["runstone.error"]


def test_a_script_that_exits_well_has_finished() -> None:
    """`sys.exit(0)` in a block is no failure."""
    with pytest.raises(SystemExit), mlflow.start_run() as run:
        sys.exit(0)

    assert stored(run).info.status == "FINISHED"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_adds_to_a_run_and_does_not_end_it() -> None:
    """Data loaders and launchers fork within the block."""
    with mlflow.start_run() as run:
        child = os.fork()
        if not child:
            try:
                with run:
                    mlflow.log_metric("child", 1)
                session.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        session.flush()
        assert stored(run).info.status == "RUNNING"
        mlflow.log_metric("parent", 1)

    found = stored(run)
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"child": 1.0, "parent": 1.0}


def test_logging_without_a_run_begins_one() -> None:
    """As MLflow does; it goes on until somebody ends it."""
    mlflow.log_metric("x", 1)
    run = mlflow.active_run()
    assert run is not None

    mlflow.end_run()

    assert stored(run).data.metrics == {"x": 1.0}
    assert mlflow.active_run() is None


def test_a_run_goes_on_by_its_id() -> None:
    """A training that was interrupted is taken up again."""
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("lr", 0.1)

    with mlflow.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as again:
        assert again.data.params == {"lr": "0.1"}
        mlflow.log_metric("x", 2)
        assert stored(run).info.status == "RUNNING"

    found = stored(run)
    assert (found.info.run_name, found.info.status) == ("first", "FINISHED")
    assert found.data.tags["again"] == "yes"
    assert found.data.metrics == {"x": 2.0}


def test_a_run_that_is_not_there_does_not_go_on() -> None:
    """A wrong id is a mistake, not a new run."""
    with pytest.raises(RestException) as refusal:
        mlflow.start_run(run_id="0" * 32)

    assert refusal.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert refusal.value.get_http_status_code() == 404


def test_a_param_does_not_change() -> None:
    """Neither alone nor among others, of which none is kept then."""
    with mlflow.start_run() as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_param("lr", 0.1)
        with pytest.raises(MlflowException, match="Changing param values") as refusal:
            mlflow.log_params({"depth": 3, "lr": 0.2})

    assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
    assert stored(run).data.params == {"lr": "0.1"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.array([0.25]), 0.25),
        (True, 1.0),
        ("0.5", 0.5),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (10**400, None),
        ("high", None),
        (None, None),
        (np.array([1.0, 2.0]), None),
        ([1.0], None),
        (1j, None),
    ],
)
def test_a_value_is_one_number_or_refused(value: object, kept: float | None) -> None:
    """A scalar of any library is one; what is none raises where it stands."""
    with mlflow.start_run() as run:
        if kept is None:
            with pytest.raises(MlflowException) as refusal:
                mlflow.log_metric("m", value)  # type: ignore[arg-type]  # that is the test
            assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
        else:
            mlflow.log_metric("m", value, step=np.int64(2))  # type: ignore[arg-type]  # NumPy counts too

    assert stored(run).data.metrics == ({} if kept is None else {"m": kept})


def test_nan_is_kept() -> None:
    """A training that diverged says so."""
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", math.nan)

    assert math.isnan(stored(run).data.metrics["loss"])


@pytest.mark.parametrize("key", ["", None, "a\0b", "../up", "a//b", "/root", "k" * 251])
def test_a_key_that_mlflow_refuses_is_refused(key: str) -> None:
    """At once, and nothing of the call is kept."""
    with mlflow.start_run() as run:
        for call in (mlflow.log_metric, mlflow.log_param, mlflow.set_tag):
            with pytest.raises(MlflowException) as refusal:
                call(key, 1)
            assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
        with pytest.raises(MlflowException):
            mlflow.log_metric(key, 0.5, step=1)

    found = stored(run).data
    assert (found.metrics, found.params) == ({}, {})


@pytest.mark.parametrize("step", ["one", 2**63, math.nan, [1]])
def test_a_step_is_an_integer(step: object) -> None:
    """One that the store cannot keep is refused where it is said."""
    with mlflow.start_run(), pytest.raises(MlflowException):
        mlflow.log_metric("m", 1.0, step=step)  # type: ignore[arg-type]  # that is the test


def test_each_thread_has_runs_of_its_own() -> None:
    """A pool of threads that each train something makes a run each."""
    runs: list[mlflow.ActiveRun] = []

    def train(number: int) -> None:
        with mlflow.start_run(run_name=f"thread {number}") as run:
            mlflow.log_metric("number", number)
            runs.append(run)

    with mlflow.start_run() as outer:
        threads = [threading.Thread(target=train, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mlflow.log_metric("number", 99)

    found = {stored(run).data.metrics["number"] for run in [*runs, outer]}
    assert found == {0, 1, 2, 3, 99}


def test_the_environment_names_experiment_and_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Launchers set variables; a run id is taken once."""
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    monkeypatch.setenv("MLFLOW_RUN_NAME", "a name")
    with mlflow.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)

    with mlflow.start_run() as again:
        mlflow.log_metric("x", 1)
    with mlflow.start_run() as other:
        pass

    found = stored(run)
    experiment = mlflow.get_experiment_by_name("from the environment")
    assert experiment is not None
    assert found.info.experiment_id == experiment.experiment_id
    assert found.info.run_name == "a name"
    assert again.info.run_id == run.info.run_id != other.info.run_id
    assert "MLFLOW_RUN_ID" not in os.environ


def test_a_deleted_experiment_is_not_chosen() -> None:
    """A run in the bin would be seen by nobody."""
    number = mlflow.create_experiment("binned")
    mlflow.delete_experiment(number)

    with pytest.raises(MlflowException, match="deleted experiment 'binned'"):
        mlflow.set_experiment("binned")

    mlflow.restore_experiment(number)
    assert mlflow.set_experiment(experiment_id=number).name == "binned"
    mlflow.set_experiment_tags({"a": 1, "b": 2})
    assert mlflow.get_experiment(number).tags == {"a": "1", "b": "2"}


def test_runs_are_searched_as_a_frame_and_as_a_list() -> None:
    """Columns are MLflow's, missing values too."""
    mlflow.set_experiment("searched")
    for number in range(3):
        with mlflow.start_run():
            mlflow.log_param("n", number)
            if number:
                mlflow.log_metric("acc", number / 10)

    frame = mlflow.search_runs(order_by=["metrics.acc DESC"], max_results=2)
    rest = mlflow.search_runs(filter_string="params.n = '0'", output_format="list")
    everywhere = mlflow.search_runs(search_all_experiments=True, output_format="list")

    assert frame["params.n"].tolist() == ["2", "1"]
    assert frame["metrics.acc"].tolist() == [0.2, 0.1]
    assert str(frame["start_time"].dtype).startswith("datetime64")
    assert [run.data.params for run in rest] == [{"n": "0"}]
    assert len(everywhere) >= 3
    assert {e.name for e in mlflow.search_experiments()} >= {"Default", "searched"}
    with pytest.raises(MlflowException, match="but not both"):
        mlflow.search_runs(experiment_ids=["0"], experiment_names=["searched"])


def test_a_dataset_is_an_input() -> None:
    """Which data a model comes from, by its digest."""
    from runstone.data import from_numpy

    data = from_numpy(np.arange(6).reshape(2, 3), source="train.npy", name="train")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training", tags={"v": "5"})

    inputs = stored(run).inputs
    assert inputs is not None
    (item,) = inputs.dataset_inputs
    assert (item.dataset.name, item.dataset.digest) == ("train", data.digest)
    assert {t.key: t.value for t in item.tags} == {
        "mlflow.data.context": "training",
        "v": "5",
    }


def test_what_is_asked_for_later_can_be_waited_for() -> None:
    """`synchronous=False` gives what MLflow gives."""
    with mlflow.start_run():
        logged = mlflow.log_metric("x", 1.0, synchronous=False)
        assert logged is not None
        logged.wait()
        assert mlflow.log_param("p", 3) == 3

    assert session.flush()
