"""
Train neural networks of three sizes on handwritten digits, a point for every epoch.

An unchanged MLflow script: `MLFLOW_TRACKING_URI=http://localhost:5000 python digits.py`
"""

import mlflow
import numpy as np
from pictures import heat_map
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report, confusion_matrix, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


EPOCHS = 40
SIZES = ((16,), (64,), (128, 64))


def train(hidden: tuple[int, ...]) -> None:
    """Train one network and record how it went."""
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16, labels, test_size=0.25, random_state=0)
    train_x, validation_x, train_y, validation_y = split
    params = {"hidden": hidden, "learning_rate": 0.002, "batch_size": 64, "seed": 0}
    model = MLPClassifier(
        hidden, learning_rate_init=0.002, batch_size=64, random_state=0
    )

    with mlflow.start_run(run_name=f"mlp {'-'.join(map(str, hidden))}"):
        mlflow.log_params({**params, "epochs": EPOCHS})
        mlflow.set_tags({"data": "digits", "model": "MLPClassifier"})
        for epoch in range(EPOCHS):
            model.partial_fit(train_x, train_y, classes=np.arange(10))
            points = {
                "train_loss": log_loss(train_y, model.predict_proba(train_x)),
                "train_accuracy": model.score(train_x, train_y),
                "val_loss": log_loss(validation_y, model.predict_proba(validation_x)),
                "val_accuracy": model.score(validation_x, validation_y),
            }
            mlflow.log_metrics(points, step=epoch)
        report(validation_y, model.predict(validation_x))

    size = " x ".join(map(str, hidden))
    print(f"{size:<28} {EPOCHS} epochs, accuracy {points['val_accuracy']:.3f}")


def report(truth: np.ndarray, guess: np.ndarray) -> None:
    """Keep where the network was wrong: as a table, as text and as a picture."""
    confusion = confusion_matrix(truth, guess)
    table = "\n".join(",".join(map(str, row)) for row in confusion)
    mlflow.log_text(table + "\n", "confusion/matrix.csv")
    mlflow.log_text(classification_report(truth, guess), "report.txt")
    heat_map(confusion, "confusion/matrix.png")


def main() -> None:
    """Train each size."""
    mlflow.set_experiment("digits")
    for hidden in SIZES:
        train(hidden)


if __name__ == "__main__":
    main()
