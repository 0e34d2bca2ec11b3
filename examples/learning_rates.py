"""
A network in plain NumPy: six learning rates, of which one is far too high.

A last run has a large network, little data and some wrong labels in it: it learns
them by heart, and its two loss curves part.

An unchanged MLflow script:
`MLFLOW_TRACKING_URI=http://localhost:5000 python learning_rates.py`
"""

from typing import NamedTuple

import mlflow
import numpy as np
from sklearn.datasets import load_digits


EPOCHS = 60
BATCH = 64
LEAK = 0.1
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 10.0)


class Setting(NamedTuple):
    """What is varied."""

    name: str
    rate: float
    hidden: int = 32
    examples: int = 1_200
    epochs: int = EPOCHS
    wrong_labels: float = 0.0


class Network:
    """One hidden layer of leaky ReLUs, softmax at the end."""

    def __init__(self, hidden: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.inner = random.normal(0, 64**-0.5, (64, hidden))
        self.outer = random.normal(0, hidden**-0.5, (hidden, 10))

    def guess(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the hidden layer [n, hidden] and log probabilities [n, 10]."""
        hidden = images @ self.inner
        hidden = np.maximum(hidden, LEAK * hidden)
        scores = hidden @ self.outer
        scores -= scores.max(axis=1, keepdims=True)
        return hidden, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def learn(self, images: np.ndarray, labels: np.ndarray, rate: float) -> None:
        """Take one step down the gradient of the cross entropy."""
        hidden, logs = self.guess(images)
        error = np.exp(logs)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        back = (error @ self.outer.T) * np.where(hidden > 0, 1, LEAK)
        self.outer -= rate * hidden.T @ error
        self.inner -= rate * images.T @ back

    def judge(self, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """Return the mean loss in nats and the accuracy."""
        _, logs = self.guess(images)
        loss = -logs[np.arange(len(labels)), labels].mean()
        return float(loss), float((logs.argmax(axis=1) == labels).mean())


def train(setting: Setting) -> None:
    """Train with one setting and record every epoch."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    train_x, train_y = images[: setting.examples], labels[: setting.examples].copy()
    train_y[: int(setting.wrong_labels * len(train_y))] = 0
    network = Network(setting.hidden)

    with mlflow.start_run(run_name=setting.name):
        mlflow.log_params({**setting._asdict(), "batch_size": BATCH})
        mlflow.set_tags({"data": "digits", "model": "numpy"})
        # What diverges overflows on its way to NaN: that is what we want to see.
        with np.errstate(all="ignore"):
            for epoch in range(setting.epochs):
                for start in range(0, len(train_y), BATCH):
                    batch = slice(start, start + BATCH)
                    network.learn(train_x[batch], train_y[batch], setting.rate)
                train_loss, train_accuracy = network.judge(train_x, train_y)
                val_loss, val_accuracy = network.judge(images[1_200:], labels[1_200:])
                points = {
                    "train_loss": train_loss,
                    "train_accuracy": train_accuracy,
                    "val_loss": val_loss,
                    "val_accuracy": val_accuracy,
                }
                mlflow.log_metrics(points, step=epoch)
        outcome = "converged" if np.isfinite(train_loss) else "diverged"
        mlflow.set_tag("outcome", outcome)

    print(f"{setting.name:<28} {setting.epochs} epochs, {outcome}, val {val_loss:.2f}")


def main() -> None:
    """Train with every rate, then learn by heart."""
    mlflow.set_experiment("learning-rates")
    for rate in RATES:
        train(Setting(f"lr {rate:g}", rate))
    train(Setting("overfit", 0.3, 512, examples=120, epochs=150, wrong_labels=0.2))


if __name__ == "__main__":
    main()
