"""
Search two parameters of a model, each try a run inside the search's run.

An unchanged MLflow script: `MLFLOW_TRACKING_URI=http://localhost:5000 python iris.py`
"""

import mlflow
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC


FOLDS = 5
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
KERNELS = ("linear", "rbf", "poly")


def attempt(kernel: str, strength: float) -> float:
    """Judge one setting by its mean accuracy over the folds."""
    flowers = load_iris()
    model = SVC(kernel=kernel, C=strength)
    scores = cross_val_score(model, flowers.data, flowers.target, cv=FOLDS)

    with mlflow.start_run(run_name=f"{kernel} C={strength}", nested=True):
        mlflow.log_params({"kernel": kernel, "C": strength, "folds": FOLDS})
        for fold, score in enumerate(scores):
            mlflow.log_metric("fold_accuracy", score, step=fold)
        mlflow.log_metrics({"accuracy": scores.mean(), "accuracy_std": scores.std()})

    return float(scores.mean())


def main() -> None:
    """Try every setting and keep the best."""
    mlflow.set_experiment("iris")
    best = 0.0
    with mlflow.start_run(run_name="svm search"):
        mlflow.set_tags({"data": "iris", "model": "SVC"})
        for kernel in KERNELS:
            for strength in STRENGTHS:
                accuracy = attempt(kernel, strength)
                if accuracy > best:
                    best = accuracy
                    mlflow.set_tag("best", f"{kernel} C={strength}")
            print(f"{kernel:<28} {len(STRENGTHS)} settings, best so far {best:.3f}")
        mlflow.log_metric("best_accuracy", best)


if __name__ == "__main__":
    main()
