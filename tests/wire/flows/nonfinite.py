"""NaN and infinities go in and come back."""

import math
import sys

import mlflow
from mlflow.tracking import MlflowClient


with mlflow.start_run() as run:
    for step, value in enumerate([0.5, math.nan, math.inf, -math.inf]):
        mlflow.log_metric("loss", value, step=step)
    mlflow.log_metrics({"nan": math.nan, "inf": math.inf})

client = MlflowClient()
values = [p.value for p in client.get_metric_history(run.info.run_id, "loss")]
assert values[0] == 0.5
assert math.isnan(values[1])
assert values[2:] == [sys.float_info.max, -sys.float_info.max]
metrics = client.get_run(run.info.run_id).data.metrics
assert math.isnan(metrics["nan"])
assert metrics["inf"] == sys.float_info.max
