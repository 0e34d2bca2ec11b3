"""Frames of pandas as inputs of runs, with context and tags; models as inputs too."""

import json

import mlflow
import mlflow.data
import mlflow.sklearn
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


IS_NEW = int(mlflow.__version__.partition(".")[0]) >= 3
client = MlflowClient()
frame = load_iris(as_frame=True).frame
train, held = frame.iloc[::2], frame.iloc[1::2]
used = mlflow.data.from_pandas(train, source="data/iris.csv", name="iris-train")
seen = mlflow.data.from_pandas(held, name="iris-held", targets="target")
mlflow.set_experiment("frames")
with mlflow.start_run() as first:
    mlflow.log_input(used, context="training", tags={"half": "even"})
    mlflow.log_input(seen, context="evaluation")
    mlflow.log_input(used, context="training")

found = client.get_run(first.info.run_id).inputs.dataset_inputs
named = {item.dataset.name: item for item in found}
assert set(named) == {"iris-train", "iris-held"}
tags = {tag.key: tag.value for tag in named["iris-train"].tags}
assert tags == {"mlflow.data.context": "training", "half": "even"}
assert named["iris-train"].dataset.digest == used.digest
assert json.loads(named["iris-train"].dataset.profile)["num_rows"] == 75
assert "target" in named["iris-train"].dataset.schema
source = mlflow.data.get_source(named["iris-train"].dataset)
assert source.uri == "data/iris.csv"
for text in (
    "dataset.name = 'iris-train'",
    f"dataset.digest = '{seen.digest}'",
    "dataset.context = 'evaluation'",
):
    runs = client.search_runs([first.info.experiment_id], text)
    assert [run.info.run_id for run in runs] == [first.info.run_id], text

if IS_NEW:
    from mlflow.entities import LoggedModelInput

    model = LogisticRegression(max_iter=200)
    model.fit(train.drop(columns="target"), train["target"])
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(model, name="model")
    with mlflow.start_run() as second:
        mlflow.log_input(seen, "evaluation", model=LoggedModelInput(logged.model_id))
        mlflow.log_metric("acc", 0.9, model_id=logged.model_id, dataset=seen)
        mlflow.log_metrics({"f1": 0.8, "auc": 0.7}, model_id=logged.model_id, step=2)

    inputs = client.get_run(second.info.run_id).inputs
    assert [item.model_id for item in inputs.model_inputs] == [logged.model_id]
    assert [item.dataset.name for item in inputs.dataset_inputs] == ["iris-held"]
    points = {
        point.key: point for point in client.get_logged_model(logged.model_id).metrics
    }
    assert set(points) == {"acc", "f1", "auc"}
    assert points["acc"].dataset_name == "iris-held"
    assert points["acc"].dataset_digest == seen.digest
    assert points["acc"].run_id == second.info.run_id
    assert (points["f1"].value, points["f1"].step) == (0.8, 2)
    for asked, count in (("iris-held", 1), ("iris-train", 0)):
        models = client.search_logged_models(
            [second.info.experiment_id],
            "metrics.acc > 0.5",
            datasets=[{"dataset_name": asked}],
        )
        assert len(models) == count, asked
