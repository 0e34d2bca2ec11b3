"""Logging and searching of 004, "MLflow Search API"."""

import mlflow
from mlflow.tracking import MlflowClient


mlflow.set_experiment("iris-classification")
for trees, accuracy in ((100, 0.95), (100, 0.97), (50, 0.99), (100, 0.8)):
    with mlflow.start_run(run_name=f"rf-{trees}") as run:
        mlflow.log_params({"n_estimators": trees, "max_depth": 5})
        metrics = {"accuracy": accuracy, "f1_macro": accuracy - 0.01}
        mlflow.log_metrics(metrics)
    print(f"Run ID: {run.info.run_id}")

client = MlflowClient(tracking_uri=mlflow.get_tracking_uri())
experiment = client.get_experiment_by_name("iris-classification")
runs = client.search_runs(
    experiment_ids=[experiment.experiment_id],
    filter_string="metrics.accuracy > 0.9 AND params.n_estimators = '100'",
    order_by=["metrics.f1_macro DESC"],
    max_results=10,
)
for run in runs:
    print(f"Run ID: {run.info.run_id}")
    print(f"  Accuracy: {run.data.metrics.get('accuracy', 'N/A')}")
    print(f"  Params: {run.data.params}")

run1 = runs[0]
run2 = runs[1] if len(runs) > 1 else None
if run2:
    for metric_key in run1.data.metrics:
        v1 = run1.data.metrics[metric_key]
        v2 = run2.data.metrics.get(metric_key, "N/A")
        print(f"  {metric_key}: {v1} vs {v2}")

assert [run.data.metrics["accuracy"] for run in runs] == [0.97, 0.95]
