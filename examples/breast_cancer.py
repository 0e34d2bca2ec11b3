"""
Compare five models on one question: which tumours are malignant?

An unchanged MLflow script:
`MLFLOW_TRACKING_URI=http://localhost:5000 python breast_cancer.py`
"""

import mlflow
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


MODELS = (
    LogisticRegression(C=0.5),
    KNeighborsClassifier(n_neighbors=7),
    SVC(C=2.0),
    RandomForestClassifier(n_estimators=120, random_state=0),
    GradientBoostingClassifier(n_estimators=80, random_state=0),
)


def compare(model: ClassifierMixin) -> None:
    """Fit one model and record how well it tells the tumours apart."""
    tumours = load_breast_cancer()
    split = train_test_split(
        tumours.data, tumours.target, test_size=0.3, random_state=0
    )
    train_x, test_x, train_y, test_y = split
    pipeline = make_pipeline(StandardScaler(), model).fit(train_x, train_y)
    name = type(model).__name__
    decide = getattr(pipeline, "decision_function", None)
    scores = decide(test_x) if decide else pipeline.predict_proba(test_x)[:, 1]
    guess = pipeline.predict(test_x)
    metrics = {
        "accuracy": pipeline.score(test_x, test_y),
        "f1": f1_score(test_y, guess),
        "roc_auc": roc_auc_score(test_y, scores),
    }

    with mlflow.start_run(run_name=name):
        mlflow.log_params(model.get_params())
        mlflow.log_metrics(metrics)
        mlflow.set_tags({"data": "breast_cancer", "model": name})
        mlflow.log_dict(metrics, "metrics.json")
        mlflow.log_text(classification_report(test_y, guess), "report.txt")

    print(f"{name:<28} accuracy {metrics['accuracy']:.3f}")


def main() -> None:
    """Give each model the same data."""
    mlflow.set_experiment("breast-cancer")
    for model in MODELS:
        compare(model)


if __name__ == "__main__":
    main()
