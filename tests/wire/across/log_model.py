"""Log a model as this client does by default, and say where it is."""

import json

import mlflow
import mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


inputs, target = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=200).fit(inputs, target)
mlflow.set_experiment("across")
with mlflow.start_run() as run:
    mlflow.log_text("beside the model", "notes.txt")
    if int(mlflow.__version__.partition(".")[0]) >= 3:
        # The format that every client can read; newer ones prefer another.
        logged = mlflow.sklearn.log_model(
            model, name="model", serialization_format="cloudpickle"
        )
    else:
        logged = mlflow.sklearn.log_model(model, artifact_path="model")

said = {"run_id": run.info.run_id, "model_id": getattr(logged, "model_id", None)}
print(json.dumps(said | {"predicted": model.predict(inputs).tolist()}))  # noqa: T201  # its answer
