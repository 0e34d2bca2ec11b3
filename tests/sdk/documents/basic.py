"""The training of 002, "기본 사용", with a network that is told."""

from pathlib import Path

import mlflow


def train_epoch(epoch):
    """Return a loss and an accuracy."""
    return 1 / (epoch + 1), 1 - 1 / (epoch + 2)


mlflow.set_experiment("image_classification")

with mlflow.start_run(run_name="resnet50_baseline"):
    params = {
        "model": "resnet50",
        "learning_rate": 0.001,
        "batch_size": 32,
        "epochs": 50,
        "optimizer": "Adam",
    }
    mlflow.log_params(params)
    for epoch in range(params["epochs"]):
        train_loss, train_acc = train_epoch(epoch)
        val_loss, val_acc = train_epoch(epoch)
        mlflow.log_metrics(
            {
                "train_loss": train_loss,
                "train_acc": train_acc,
                "val_loss": val_loss,
                "val_acc": val_acc,
            },
            step=epoch,
        )
    test_acc = 0.95
    mlflow.log_metric("test_acc", test_acc)
    Path("confusion_matrix.png").write_bytes(b"png")
    mlflow.log_artifact("confusion_matrix.png")
    mlflow.set_tags(
        {
            "team": "research",
            "project": "image-classification",
            "model_architecture": "resnet50",
        }
    )

run = mlflow.last_active_run()
client = mlflow.MlflowClient()
history = client.get_metric_history(run.info.run_id, "val_loss")
assert [point.step for point in history] == list(range(50))
assert [item.path for item in client.list_artifacts(run.info.run_id)] == [
    "confusion_matrix.png"
]
