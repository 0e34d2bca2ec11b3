"""Batches, large ones too, and the same batch sent twice."""

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient


client = MlflowClient()
run = client.create_run("0", run_name="batches")
run_id = run.info.run_id
points = [Metric("loss", 1 / (step + 1), 1000 + step, step) for step in range(1000)]
for _ in range(2):
    client.log_batch(run_id, metrics=points)
client.log_batch(
    run_id,
    params=[Param(f"p{i}", str(i)) for i in range(100)],
    tags=[RunTag(f"t{i}", "x" * 5000) for i in range(100)],
)

history = client.get_metric_history(run_id, "loss")
assert len(history) == 1000
assert [point.step for point in history] == list(range(1000))
data = client.get_run(run_id).data
assert len(data.params) == 100
assert data.tags["t99"] == "x" * 5000
assert data.metrics == {"loss": 1 / 1000}

client.set_tag(run_id, "t1", 5)
client.delete_tag(run_id, "t2")
tags = client.get_run(run_id).data.tags
assert tags["t1"] == "5"
assert "t2" not in tags
client.set_terminated(run_id, "KILLED", end_time=5)
assert client.get_run(run_id).info.status == "KILLED"
assert client.get_run(run_id).info.end_time == 5
client.update_run(run_id, status="FINISHED", name="renamed")
assert client.get_run(run_id).info.run_name == "renamed"
