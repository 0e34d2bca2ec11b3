"""Load a version that another client registered, and predict with it."""

import json
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
from sklearn.datasets import load_iris


said, name = json.loads(sys.argv[1]), sys.argv[2]
inputs, _ = load_iris(return_X_y=True)
for uri in (f"models:/{name}/1", f"models:/{name}@champion"):
    loaded = mlflow.pyfunc.load_model(uri)
    assert loaded.predict(inputs).tolist() == said["predicted"], uri
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    assert {"MLmodel", "model.pkl"} <= {file.name for file in folder.iterdir()}, uri
