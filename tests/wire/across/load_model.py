"""Find a model below the run that another client logged it to, and load it."""

import json
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris


said = json.loads(sys.argv[1])
run_id = said["run_id"]
client = MlflowClient()
top = {item.path: item.is_dir for item in client.list_artifacts(run_id)}
assert top == {"model": True, "notes.txt": False}, top
files = [item.path for item in client.list_artifacts(run_id, "model")]
assert len(files) == len(set(files)), files
assert {"model/MLmodel", "model/conda.yaml", "model/model.pkl"} <= set(files)
assert all(
    item.file_size for item in client.list_artifacts(run_id, "model") if not item.is_dir
)
assert client.list_artifacts(run_id, "model/MLmodel") == []

inputs, _ = load_iris(return_X_y=True)
for load in (mlflow.sklearn.load_model, mlflow.pyfunc.load_model):
    loaded = load(f"runs:/{run_id}/model")
    assert loaded.predict(inputs).tolist() == said["predicted"]
got = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="model/MLmodel")
assert "sklearn" in Path(got).read_text(encoding="utf-8")
whole = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=""))
assert (whole / "notes.txt").read_text(encoding="utf-8") == "beside the model"
if said["model_id"] and int(mlflow.__version__.partition(".")[0]) >= 3:
    loaded = mlflow.pyfunc.load_model(f"models:/{said['model_id']}")
    assert loaded.predict(inputs).tolist() == said["predicted"]
