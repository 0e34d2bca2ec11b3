"""Logging in the background; each operation can be waited for."""

import mlflow
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient


client = MlflowClient()
with mlflow.start_run() as run:
    waiting = [mlflow.log_params({"lr": 0.1}, synchronous=False)]
    waiting += [
        mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False)
        for step in range(200)
    ]
    waiting.append(mlflow.log_metrics({"accuracy": 0.9}, synchronous=False))
    waiting.append(
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("late", 1.0, 1, 1)],
            params=[Param("late", "1")],
            synchronous=False,
        )
    )
    for operation in waiting:
        operation.wait()

data = client.get_run(run.info.run_id).data
assert data.params == {"lr": "0.1", "late": "1"}
assert data.metrics == {"loss": 1 / 200, "accuracy": 0.9, "late": 1.0}
assert len(client.get_metric_history(run.info.run_id, "loss")) == 200
