"""Register a model that another client logged, by its run."""

import json
import sys

import mlflow


run_id, name = json.loads(sys.argv[1])["run_id"], sys.argv[2]
version = mlflow.register_model(f"runs:/{run_id}/model", name)
mlflow.MlflowClient().set_registered_model_alias(name, "champion", version.version)
assert str(version.version) == "1"
assert version.run_id == run_id
