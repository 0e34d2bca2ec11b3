"""A training that MLflow's client and ours must leave alike on a server."""

import json
import math
import sys
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient


mlflow.set_experiment(sys.argv[1])
folder = Path("out")
(folder / "deep").mkdir(parents=True, exist_ok=True)
(folder / "a.txt").write_text("a")
(folder / "deep" / "b.txt").write_text("b")

with mlflow.start_run(run_name="parent", tags={"team": "7"}, description="why") as run:
    mlflow.log_params({"lr": 1e-3, "warm": True, "layers": [1, 2], "none": None})
    mlflow.log_param("text", "값 with spaces")
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    mlflow.log_metrics({"acc": 0.5, "f1": 1, "nan": math.nan}, step=3, timestamp=5)
    mlflow.log_metric("late", 2.0, step=9, timestamp=9)
    mlflow.log_metric("late", 1.0, step=-1, timestamp=10)
    mlflow.log_metric("plain", "0.25", timestamp=11)
    mlflow.set_tags({"a": "b", "gone": "x", "n": 3})
    mlflow.delete_tag("gone")
    mlflow.set_tag("a", "c")
    mlflow.log_text("hello", "words/hello.txt")
    mlflow.log_dict({"lr": 0.1, "deep": {"x": [1]}}, "config.json")
    mlflow.log_artifact("out/a.txt", "files")
    mlflow.log_artifacts("out", "all")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("x", 1, timestamp=1)
    client = MlflowClient()
    client.log_batch(
        run.info.run_id,
        [Metric("batch", step * 0.5, step, step) for step in range(5)],
        [Param("p", "1")],
        [RunTag("t", "u")],
    )

made = client.create_run(run.info.experiment_id, tags={"made": "yes"}, run_name="made")
client.log_metric(made.info.run_id, "y", 3, timestamp=3, step=2)
client.set_terminated(made.info.run_id, "KILLED")
client.update_run(made.info.run_id, name="renamed")

try:
    with mlflow.start_run(run_name="broken"):
        int("broken")
except ValueError:
    pass

refusals = []
with mlflow.start_run(run_name="refused"):
    mlflow.log_param("once", 1)
    for call in (
        lambda: mlflow.log_param("once", 2),
        lambda: mlflow.log_metric("a*b", 1),
        lambda: mlflow.log_metric("up/../down", 1),
        lambda: mlflow.log_metric("k" * 300, 1),
        lambda: mlflow.set_tag("../x", 1),
        lambda: mlflow.get_run("0" * 32),
        lambda: mlflow.get_experiment("987654"),
        lambda: mlflow.create_experiment(sys.argv[1]),
        lambda: mlflow.search_runs(filter_string="metrics.x ~ 1"),
        lambda: mlflow.start_run(run_id="0" * 32, nested=True),
    ):
        try:
            call()
        except mlflow.exceptions.MlflowException as error:
            refusals.append([error.error_code, error.get_http_status_code()])
Path("refusals.json").write_text(json.dumps(refusals))
