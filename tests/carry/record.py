"""
Write what the recorded stores hold, with a real MLflow; run by hand.

    MLFLOW_TRACKING_URI=sqlite:///mlflow.db python record.py models

Folders are made with MLFLOW_TRACKING_URI=file:./mlruns; MLflow 3.18 wants
MLFLOW_ALLOW_FILE_STORE=true for that.  The folders of 2.9 and 2.22 were made without
`models`.
"""

import math
import sys

from mlflow import MlflowClient


VALUES = (0.1, math.nan, math.inf, -math.inf, 1e-300, 0.1 + 0.2)


def fill(client: MlflowClient) -> str:
    """Make experiments and runs, live and deleted; return the id of the full one."""
    cats = client.create_experiment("cats & dogs")
    client.set_experiment_tag(cats, "owner", "Ä")
    run = client.create_run(cats, run_name="first", start_time=1000).info.run_id
    for step, value in enumerate(VALUES):
        client.log_metric(run, "val/loss", value, timestamp=5000 + step, step=step)
    client.log_metric(run, "one", 3, timestamp=7, step=-2)
    client.log_param(run, "a/b", "line\nbreak  ")
    client.log_param(run, "lr", "0.1")
    client.set_tag(run, "note", "x" * 3000)
    client.log_text(run, "hello", "deep/er/hello.txt")
    client.set_terminated(run, "FAILED", 9000)
    client.delete_run(client.create_run(cats).info.run_id)
    gone = client.create_experiment("gone")
    client.create_run(gone)
    client.delete_experiment(gone)

    return str(run)


def register(client: MlflowClient, run_id: str) -> None:
    """Make a model with a deleted version, a stage and an alias."""
    client.create_registered_model("m", tags={"k": "v"}, description="about")
    source = f"{client.get_run(run_id).info.artifact_uri}/deep"
    for _ in range(3):
        client.create_model_version(
            "m", source, run_id=run_id, tags={"t": "1"}, description="d"
        )
    client.delete_model_version("m", "2")
    client.transition_model_version_stage("m", "3", "Production")
    client.set_registered_model_alias("m", "champion", "1")


if __name__ == "__main__":
    made = fill(MlflowClient())
    if "models" in sys.argv:
        register(MlflowClient(), made)
