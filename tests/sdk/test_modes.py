"""Without a server: offline keeps everything here, disabled keeps nothing anywhere."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import runstone as mlflow
from runstone.exceptions import MlflowException
from tests.sdk.conftest import environment, sync
from tests.sdk.mlflow_names import names
from tests.server.running import Server


EVERYTHING = Path(__file__).parent / "scripts" / "everything.py"
PATIENCE_SECONDS = 60


@pytest.mark.parametrize(
    "off",
    [
        {"RUNSTONE_MODE": "disabled"},
        {"MLFLOW_TRACKING_URI": ""},
        {"RUNSTONE_TRACKING_URI": "", "MLFLOW_TRACKING_URI": "http://localhost:1"},
    ],
)
def test_every_name_works_where_nothing_is_recorded(
    off: dict[str, str], spool: Path, tmp_path: Path
) -> None:
    """Other ranks of a training run the same script and leave no trace (T7)."""
    home = tmp_path / "home"
    home.mkdir()

    done = subprocess.run(
        [sys.executable, "-W", "error", EVERYTHING],
        cwd=home,
        env=environment(spool, HOME=str(home), **off),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not spool.exists()
    assert list(home.rglob("*")) == []


def test_offline_a_run_is_kept_until_it_is_sent(
    spool: Path,
    start: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logging works without any server; questions say why they cannot be answered."""
    monkeypatch.setenv("RUNSTONE_MODE", "offline")
    server = start()
    with names(server.url, spool):
        experiment = mlflow.set_experiment("train on a ship")
        with mlflow.start_run(run_name="adrift") as run:
            mlflow.log_params({"lr": 0.1})
            mlflow.log_metric("loss", 0.5, step=3)
            mlflow.log_text("log", "log.txt")
            mlflow.MlflowClient().set_tag(run.info.run_id, "by", "client")
        for question in (
            lambda: mlflow.get_run(run.info.run_id),
            lambda: mlflow.search_runs(),
            lambda: mlflow.get_experiment_by_name("train on a ship"),
            lambda: experiment.experiment_id,
            lambda: run.info.artifact_uri,
        ):
            with pytest.raises(MlflowException, match="runstone sync") as refusal:
                question()
            assert refusal.value.error_code == "TEMPORARILY_UNAVAILABLE"
    monkeypatch.delenv("RUNSTONE_MODE")

    sent = sync(spool)

    assert sent.returncode == 0, sent.stderr
    with names(server.url, spool):
        found = mlflow.get_run(run.info.run_id)
        assert mlflow.get_experiment(found.info.experiment_id).name == experiment.name
        assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/log.txt") == "log"
    assert (found.info.run_name, found.info.status) == ("adrift", "FINISHED")
    assert found.data.metrics == {"loss": 0.5}
    assert found.data.tags["by"] == "client"


def test_a_server_that_is_away_stops_nobody(spool: Path, tmp_path: Path) -> None:
    """The script ends in its time, and all it said is kept."""
    file = tmp_path / "train.py"
    file.write_text(
        "import json, time\n"
        "import runstone as mlflow\n"
        "mlflow.log_metric('warm', 1)\n"
        "mlflow.end_run()\n"
        "started = time.monotonic()\n"
        "mlflow.set_experiment('away')\n"
        "with mlflow.start_run() as run:\n"
        "    for step in range(100):\n"
        "        mlflow.log_metric('loss', 0.5, step=step)\n"
        "print(json.dumps([run.info.run_id, time.monotonic() - started]))\n"
    )

    done = subprocess.run(
        [sys.executable, file],
        env=environment(
            spool,
            MLFLOW_TRACKING_URI="http://127.0.0.1:9",
            RUNSTONE_EXIT_SECONDS="0.1",
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    run_id, seconds = json.loads(done.stdout)
    assert done.returncode == 0
    assert (spool / run_id).exists()
    # A second for the question of the experiment, and much room for a busy machine.
    assert seconds < 10
