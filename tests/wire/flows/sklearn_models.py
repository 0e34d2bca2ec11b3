"""A model of scikit-learn is logged, seen, loaded, and predicts the same."""

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


IS_NEW = int(mlflow.__version__.partition(".")[0]) >= 3
client = MlflowClient()
data = load_iris(as_frame=True)
model = LogisticRegression(max_iter=200).fit(data.data, data.target)
expected = model.predict(data.data)
mlflow.set_experiment("models")
with mlflow.start_run(run_name="baseline") as run:
    mlflow.log_params({"C": 1.0, "max_iter": 200})
    logged = mlflow.sklearn.log_model(
        model,
        **({"name": "model"} if IS_NEW else {"artifact_path": "model"}),
        signature=infer_signature(data.data, expected),
        input_example=data.data.head(3),
    )
    if IS_NEW:
        mlflow.log_metric("acc", 0.9, model_id=logged.model_id)

run_id = run.info.run_id
top = {item.path: item.is_dir for item in client.list_artifacts(run_id)}
assert top == {"model": True}, top
files = [item.path for item in client.list_artifacts(run_id, "model")]
assert len(files) == len(set(files)), files
assert {"model/MLmodel", "model/conda.yaml", "model/requirements.txt"} <= set(files)

uris = [f"runs:/{run_id}/model"]
if IS_NEW:
    uris.append(f"models:/{logged.model_id}")
for uri in uris:
    loaded = mlflow.pyfunc.load_model(uri)
    assert np.array_equal(loaded.predict(data.data), expected), uri
    assert loaded.metadata.signature.inputs.input_names() == list(data.data.columns)
    assert mlflow.sklearn.load_model(uri).predict_proba(data.data).shape == (150, 3)
    example = mlflow.models.Model.load(uri).load_input_example(
        mlflow.artifacts.download_artifacts(uri)
    )
    pd.testing.assert_frame_equal(example, data.data.head(3))

version = mlflow.register_model(f"runs:/{run_id}/model", "Iris")
registered = mlflow.pyfunc.load_model(f"models:/Iris/{version.version}")
assert np.array_equal(registered.predict(data.data), expected)
assert client.get_model_version("Iris", version.version).run_id == run_id

if IS_NEW:
    assert version.source == f"models:/{logged.model_id}"
    entity = client.get_logged_model(logged.model_id)
    assert entity.name == "model"
    assert str(entity.status) == "READY"
    assert entity.source_run_id == run_id
    assert entity.params == {"C": "1.0", "max_iter": "200"}
    assert [(point.key, point.value) for point in entity.metrics] == [("acc", 0.9)]
    assert [made.model_id for made in client.get_run(run_id).outputs.model_outputs] == [
        logged.model_id
    ]
    found = mlflow.search_logged_models(
        experiment_ids=[run.info.experiment_id],
        filter_string="metrics.acc > 0.8 AND params.C = '1.0'",
        order_by=[{"field_name": "metrics.acc", "ascending": False}],
        output_format="list",
    )
    assert [item.model_id for item in found] == [logged.model_id]
    client.set_logged_model_tags(logged.model_id, {"stage": "dev", "gone": "soon"})
    client.delete_logged_model_tag(logged.model_id, "gone")
    assert client.get_logged_model(logged.model_id).tags["stage"] == "dev"
    inside = client.list_logged_model_artifacts(logged.model_id)
    assert "MLmodel" in {item.path for item in inside}
