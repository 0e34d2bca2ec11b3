"""The life of experiments and runs, into the bin and back."""

import mlflow
from mlflow.tracking import MlflowClient


client = MlflowClient()
first = mlflow.set_experiment("life")
assert mlflow.set_experiment("life").experiment_id == first.experiment_id
assert mlflow.get_experiment_by_name("nothing") is None

client.set_experiment_tag(first.experiment_id, "note", "한국어")
assert client.get_experiment(first.experiment_id).tags["note"] == "한국어"
client.rename_experiment(first.experiment_id, "lives")
with mlflow.start_run() as run:
    pass
assert run.info.experiment_id == first.experiment_id
assert run.info.run_name

client.delete_run(run.info.run_id)
assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
client.restore_run(run.info.run_id)
assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"

client.delete_experiment(first.experiment_id)
gone = client.get_experiment_by_name("lives")
assert gone.lifecycle_stage == "deleted"
assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
client.restore_experiment(first.experiment_id)
assert client.get_experiment(first.experiment_id).lifecycle_stage == "active"

with mlflow.start_run(run_id=run.info.run_id):
    mlflow.log_metric("more", 1)
assert client.get_run(run.info.run_id).data.metrics == {"more": 1}
