"""The same script leaves the same runs, by MLflow's own client and by ours."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runstone as mlflow
from dev import clients
from runstone.entities import Run
from tests.conftest import do_without
from tests.sdk.conftest import environment
from tests.sdk.mlflow_names import names
from tests.server.running import serving


SCRIPT = Path(__file__).parent / "scripts" / "same.py"
FLOWS = sorted(
    (Path(__file__).parents[1] / "wire" / "flows").glob("*.py"), key=lambda p: p.stem
)
PATIENCE_SECONDS = 120

NOT_ON_OURS = {
    "nonfinite": "Our client gives infinities back, MLflow's the largest number",
    "data_frames": "Our SDK does not log data frames as inputs yet",
    "sklearn_autolog": "Our SDK has no autologging yet",
    "sklearn_models": "Our SDK logs no models of libraries yet",
    "traces": "Our SDK traces nothing yet",
}
"""What MLflow's clients can do on our server and our own SDK cannot, and why."""

OWN_TAGS = {"runstone.error", "runstone.traceback"}
"""What only we say."""

GIT_TAGS = "mlflow.source.git."
"""What is captured beside the run, which these tests switch off."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


def run(words: list[str | Path], url: str, spool: Path, folder: Path) -> None:
    """Run a script in a folder of its own."""
    folder.mkdir()
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment(
            spool,
            MLFLOW_TRACKING_URI=url,
            MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
            MLFLOW_DISABLE_TELEMETRY="true",
            PATH=os.environ["PATH"],
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def ours(script: Path, *words: str) -> list[str | Path]:
    """Return the command line that runs a script over our SDK."""
    runstone: list[str | Path] = [sys.executable, "-m", "runstone", "exec"]

    return [*runstone, sys.executable, "-W", "ignore", script, *words]


@pytest.mark.clients
def test_a_script_leaves_the_same_runs_as_with_mlflow(
    url: str, spool: Path, tmp_path: Path
) -> None:
    """Params, every point, tags, artifacts, states and refusals."""
    try:
        python = clients.python("3.18")
    except clients.Missing as reason:
        do_without("clients", reason)
    run([python, "-P", "-W", "ignore", SCRIPT, "theirs"], url, spool, tmp_path / "a")
    run(ours(SCRIPT, "ours"), url, spool, tmp_path / "b")

    with names(url, spool):
        mine, theirs = told("ours"), told("theirs")

    assert set(mine) == set(theirs)
    for name in theirs:
        assert mine[name] == theirs[name]
    refusals = [
        json.loads((tmp_path / each / "refusals.json").read_text()) for each in "ab"
    ]
    assert refusals[0] == refusals[1]


def told(experiment: str) -> dict[str, dict[str, Any]]:
    """Return all that is said of the runs of an experiment, by name."""
    client = mlflow.MlflowClient()
    runs = mlflow.search_runs(experiment_names=[experiment], output_format="list")
    parents = {item.info.run_id: item.info.run_name for item in runs}

    return {item.info.run_name: _told(client, item, parents) for item in runs}


def _told(
    client: mlflow.MlflowClient, run: Run, parents: dict[str, str]
) -> dict[str, Any]:
    tags = {
        key: value
        for key, value in run.data.tags.items()
        if key not in OWN_TAGS and not key.startswith(GIT_TAGS)
    }
    if "mlflow.parentRunId" in tags:
        tags["mlflow.parentRunId"] = parents[tags["mlflow.parentRunId"]]
    points = {
        key: [
            (point.step, point.timestamp, repr(point.value))
            for point in client.get_metric_history(run.info.run_id, key)
        ]
        for key in run.data.metrics
    }

    return {
        "status": run.info.status,
        "ended": bool(run.info.end_time),
        "user": run.info.user_id,
        "params": run.data.params,
        "tags": tags,
        "points": points,
        "files": sorted(_files(client, run.info.run_id, None)),
    }


def _files(
    client: mlflow.MlflowClient, run_id: str, path: str | None
) -> Iterator[tuple[str, int | None]]:
    for item in client.list_artifacts(run_id, path):
        if item.is_dir:
            yield from _files(client, run_id, item.path)
        else:
            yield item.path, item.file_size


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_a_flow_for_mlflows_clients_runs_on_ours(
    flow: Path, url: str, spool: Path, tmp_path: Path
) -> None:
    """What MLflow's clients of three releases do on our server, ours does too."""
    if flow.stem in NOT_ON_OURS:
        pytest.skip(NOT_ON_OURS[flow.stem])

    run(ours(flow), url, spool, tmp_path / "flow")
