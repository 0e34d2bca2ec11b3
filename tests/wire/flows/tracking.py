"""Nested runs with params, metrics and tags; two runs compared."""

import mlflow
from mlflow.tracking import MlflowClient


mlflow.set_experiment("iris-classification")
scores = {0.1: 0.91, 0.01: 0.95}
with mlflow.start_run(run_name="hyperparameter_search") as parent:
    mlflow.set_tags({"team": "vision", "project": "iris"})
    for rate, score in scores.items():
        with mlflow.start_run(run_name=f"lr_{rate}", nested=True):
            mlflow.log_params({"lr": rate, "epochs": 3})
            for epoch in range(3):
                mlflow.log_metrics(
                    {"accuracy": score - 0.01 * (2 - epoch), "loss": 1 / (epoch + 1)},
                    step=epoch,
                )
            mlflow.log_metric("test_acc", score)
    mlflow.log_metric("best_accuracy", max(scores.values()))

client = MlflowClient()
experiment = client.get_experiment_by_name("iris-classification")
children = client.search_runs(
    [experiment.experiment_id],
    f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
    order_by=["metrics.accuracy DESC"],
)
assert [run.info.run_name for run in children] == ["lr_0.01", "lr_0.1"]
assert children[0].data.params == {"lr": "0.01", "epochs": "3"}
assert children[0].info.status == "FINISHED"
assert abs(children[0].data.metrics["accuracy"] - 0.95) < 1e-12

history = client.get_metric_history(children[0].info.run_id, "loss")
assert [(point.step, point.value) for point in history] == [
    (0, 1),
    (1, 0.5),
    (2, 1 / 3),
]

first, second = (client.get_run(run.info.run_id) for run in children)
table = {
    key: (first.data.metrics[key], second.data.metrics.get(key, "N/A"))
    for key in first.data.metrics
}
assert table["test_acc"] == (0.95, 0.91)

found = client.get_run(parent.info.run_id)
assert found.data.tags["team"] == "vision"
assert found.data.tags["mlflow.runName"] == "hyperparameter_search"
assert found.info.start_time <= found.info.end_time
