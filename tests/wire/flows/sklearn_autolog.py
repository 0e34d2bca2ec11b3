"""Autologging: a fit becomes a run with a model, a search a tree of runs."""

import mlflow
import mlflow.sklearn
import numpy as np
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.svm import SVC


client = MlflowClient()
inputs, target = load_iris(return_X_y=True, as_frame=True)
inputs, held, target, held_target = train_test_split(inputs, target, random_state=0)
experiment = mlflow.set_experiment("autolog")
mlflow.sklearn.autolog()

with mlflow.start_run() as run:
    forest = RandomForestClassifier(n_estimators=10, random_state=0)
    forest.fit(inputs, target)
    forest.score(held, held_target)

found = client.get_run(run.info.run_id)
assert found.data.params["n_estimators"] == "10"
assert found.data.metrics["training_accuracy_score"] > 0.9
assert any(key.startswith("RandomForestClassifier_score") for key in found.data.metrics)
assert found.data.tags["estimator_name"] == "RandomForestClassifier"
contexts = [tag.value for used in found.inputs.dataset_inputs for tag in used.tags]
assert "train" in contexts, contexts
loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
assert np.array_equal(loaded.predict(held), forest.predict(held))

with mlflow.start_run() as parent:
    search = GridSearchCV(SVC(), {"kernel": ["linear", "rbf"], "C": [1, 10]}, cv=2)
    search.fit(inputs, target)

parent_id = parent.info.run_id
children = client.search_runs(
    [experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent_id}'"
)
assert len(children) == 4
assert {child.data.params["kernel"] for child in children} == {"linear", "rbf"}
assert all("mean_test_score" in child.data.metrics for child in children)
best = client.get_run(parent_id).data
assert best.params["best_C"] == str(search.best_params_["C"])
for name in ("model", "best_estimator"):
    loaded = mlflow.sklearn.load_model(f"runs:/{parent_id}/{name}")
    assert np.array_equal(loaded.predict(held), search.predict(held)), name
