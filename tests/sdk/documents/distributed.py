"""The workers of 004, "분산 학습 환경에서의 실험 추적"."""

import os
import subprocess
import sys

import mlflow


def setup_mlflow_distributed():
    """Let the first worker log, and the others not."""
    rank = int(os.environ.get("RANK", 0))
    world_size = int(os.environ.get("WORLD_SIZE", 1))
    if rank == 0:
        mlflow.set_experiment("distributed-training")
        run = mlflow.start_run(run_name=f"dist-train-{world_size}gpu")
        mlflow.log_param("world_size", world_size)
        return run
    os.environ["MLFLOW_TRACKING_URI"] = ""
    return None


def log_distributed_metrics(metrics, step, rank=0):
    """Log from the first worker only."""
    if rank == 0:
        mlflow.log_metrics(metrics, step=step)


if "RANK" not in os.environ:
    for rank in range(3):
        worker = os.environ | {"RANK": str(rank), "WORLD_SIZE": "3"}
        subprocess.check_call([sys.executable, __file__], env=worker)
    mlflow.set_experiment("distributed-training")
    (run,) = mlflow.search_runs(output_format="list")
    assert run.info.run_name == "dist-train-3gpu"
    assert run.data.metrics == {"loss": 0.25}
    everything = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert "of a worker" not in {each.info.run_name for each in everything}
else:
    os.environ.pop("RUNSTONE_TRACKING_URI", None)
    setup_mlflow_distributed()
    for step in range(4):
        log_distributed_metrics({"loss": 1 / (step + 1)}, step, int(os.environ["RANK"]))
    if os.environ["RANK"] != "0":
        # Whatever a library logs by itself goes nowhere.
        with mlflow.start_run(run_name="of a worker"):
            mlflow.log_metric("loss", 99)
