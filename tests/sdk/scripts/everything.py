"""Calls all of MLflow's names; run where nothing is recorded."""

import numpy as np

import runstone as mlflow
from runstone.data import from_numpy
from runstone.entities import Metric, Param, RunTag


mlflow.set_registry_uri("anywhere")
experiment = mlflow.set_experiment("nowhere")
with mlflow.start_run(run_name="none", tags={"a": "b"}) as run:
    mlflow.log_metric("m", 1)
    mlflow.log_metrics({"m": np.float32(2)}, step=1)
    mlflow.log_param("p", 1)
    mlflow.log_params({"q": 2})
    mlflow.set_tag("t", 1)
    mlflow.set_tags({"u": 2})
    mlflow.delete_tag("t")
    mlflow.delete_tag("never set")
    mlflow.log_text("text", "text.txt")
    mlflow.log_dict({"a": 1}, "a.json")
    mlflow.log_image(np.zeros((2, 2), dtype=np.uint8), "image.png")
    mlflow.log_image(np.zeros((2, 2), dtype=np.uint8), key="image", step=1)
    mlflow.log_table({"a": [1]}, "table.json")
    mlflow.log_artifact(__file__)
    mlflow.log_input(from_numpy(np.zeros(3)), context="training")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("child", 1)
    assert mlflow.get_artifact_uri() == ""
    assert run.info.run_id
    assert run.info.experiment_id == "0"

client = mlflow.MlflowClient()
made = client.create_run("0")
client.log_batch(
    made.info.run_id, [Metric("a", 1.0, 1)], [Param("b", "c")], [RunTag("d", "e")]
)
client.set_terminated(made.info.run_id)
assert client.get_run(run.info.run_id).info.run_id == run.info.run_id
assert client.get_metric_history(run.info.run_id, "m") == []
assert client.list_artifacts(run.info.run_id) == []
assert mlflow.search_runs(output_format="list") == []
assert mlflow.search_experiments() == []
assert mlflow.get_experiment_by_name("nowhere")
assert mlflow.create_experiment("another") == "0"
assert mlflow.last_active_run()
assert mlflow.register_model(f"runs:/{run.info.run_id}/model", "model").name == "model"
assert mlflow.search_registered_models() == []
client.set_registered_model_alias("model", "champion", 1)
assert client.get_model_version_by_alias("model", "champion").name == "model"
client.transition_model_version_stage("model", 1, "Staging")
client.update_model_version("model", 1, "words")
mlflow.delete_run(run.info.run_id)
