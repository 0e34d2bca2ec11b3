"""The search of hyper-parameters of 002, "Nested Runs"."""

import mlflow


def train_model(lr, batch_size):
    """Return a model that is none."""
    return lr * batch_size


def evaluate(model):
    """Return an accuracy."""
    return 1 / (1 + model)


all_accuracies = []
with mlflow.start_run(run_name="hyperparameter_search") as parent_run:
    for lr in [0.001, 0.01, 0.1]:
        for batch_size in [16, 32, 64]:
            with mlflow.start_run(run_name=f"lr_{lr}_batch_{batch_size}", nested=True):
                mlflow.log_params({"learning_rate": lr, "batch_size": batch_size})
                model = train_model(lr, batch_size)
                acc = evaluate(model)
                all_accuracies.append(acc)
                mlflow.log_metric("accuracy", acc)

    best_acc = max(all_accuracies)
    mlflow.log_metric("best_accuracy", best_acc)

children = mlflow.search_runs(
    filter_string=f"tags.mlflow.parentRunId = '{parent_run.info.run_id}'"
)
assert len(children) == 9
assert children["metrics.accuracy"].max() == best_acc
