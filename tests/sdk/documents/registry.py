"""Versions, aliases, stages and approval of 002 and 004, without flavors."""

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


client = MlflowClient()
model_name = "iris-classifier"
for accuracy in (0.8, 0.95):
    with mlflow.start_run() as run:
        mlflow.log_metrics({"accuracy": accuracy, "f1_macro": accuracy - 0.01})
        mlflow.log_text("flavors: {}\n", "model/MLmodel")
    result = mlflow.register_model(
        model_uri=f"runs:/{run.info.run_id}/model", name=model_name
    )
print(f"Model Version: {result.version}")
client.update_model_version(
    name=model_name,
    version=result.version,
    description="RandomForest baseline model with 100 trees, accuracy 0.95",
)
client.set_model_version_tag(
    name=model_name, version=result.version, key="validation_status", value="approved"
)
client.set_registered_model_alias(name=model_name, alias="champion", version=1)
client.set_registered_model_alias(name=model_name, alias="challenger", version=2)
client.transition_model_version_stage(name=model_name, version=1, stage="Staging")


def compare_model_versions(name, versions):
    """Return versions side by side."""
    comparison = []
    for version in versions:
        mv = client.get_model_version(name, version)
        run = client.get_run(mv.run_id)
        comparison.append((version, mv.current_stage, run.data.metrics.get("accuracy")))
        assert mv.creation_timestamp
    return comparison


assert compare_model_versions(model_name, [1, 2]) == [
    (1, "Staging", 0.8),
    (2, "None", 0.95),
]


def model_approval_workflow(name, version):
    """Let a version into staging if its metrics are good enough."""
    run = client.get_run(client.get_model_version(name, version).run_id)
    quality_gates = {
        "accuracy >= 0.90": run.data.metrics.get("accuracy", 0) >= 0.90,
        "f1_macro >= 0.85": run.data.metrics.get("f1_macro", 0) >= 0.85,
    }
    passed = all(quality_gates.values())
    client.set_model_version_tag(
        name=name,
        version=version,
        key="approval_status",
        value="approved" if passed else "rejected",
    )
    if passed:
        client.set_registered_model_alias(name=name, alias="staging", version=version)
    return passed


assert not model_approval_workflow(model_name, 1)
assert model_approval_workflow(model_name, 2)
assert client.get_model_version_by_alias(model_name, "staging").version == "2"


def safe_transition_model(name, version, target_alias):
    """Move an alias, also one that is not there."""
    try:
        client.get_model_version_by_alias(name, target_alias)
    except MlflowException as error:
        print(f"No current {target_alias} found: {error.error_code}")
    client.set_registered_model_alias(name=name, alias=target_alias, version=version)
    return True


assert safe_transition_model(model_name, 2, "fresh")
tags = client.get_model_version(model_name, "2").tags
assert tags == {"validation_status": "approved", "approval_status": "approved"}
text = mlflow.artifacts.load_text(f"models:/{model_name}@champion/MLmodel")
assert text == "flavors: {}\n"
assert [v.version for v in client.get_latest_versions(model_name, ["Staging"])] == ["1"]
found = client.search_model_versions(
    f"name = '{model_name}'", order_by=["version_number DESC"]
)
assert [v.version for v in found] == ["2", "1"]
copied = client.copy_model_version(f"models:/{model_name}/2", "copied")
assert (copied.name, copied.version) == ("copied", "1")
client.set_registered_model_tag("copied", "a", "b")
client.rename_registered_model("copied", "renamed")
assert client.get_registered_model("renamed").tags == {"a": "b"}
assert {m.name for m in mlflow.search_registered_models()} == {model_name, "renamed"}
client.delete_registered_model("renamed")
client.delete_registered_model_alias(model_name, "fresh")
assert client.get_registered_model(model_name).aliases == {
    "champion": "1",
    "challenger": "2",
    "staging": "2",
}
