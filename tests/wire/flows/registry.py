"""The registry from the first version to the last, as a team uses it."""

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient


client = MlflowClient()
experiment_id = client.create_experiment("registry")
NAME = "iris classifier (v2)"


def code(call, *given, **named):
    """Return the code of a refusal."""
    try:
        call(*given, **named)
    except MlflowException as error:
        return error.error_code
    raise AssertionError(call)


def trained(accuracy):
    """Log a run with the files of a model, and register them."""
    run = client.create_run(experiment_id)
    Path("MLmodel").write_text(f"accuracy: {accuracy}\n", encoding="utf-8")
    client.log_artifact(run.info.run_id, "MLmodel", "model")
    client.log_metric(run.info.run_id, "accuracy", accuracy)
    version = client.create_model_version(
        NAME,
        f"runs:/{run.info.run_id}/model",
        run.info.run_id,
        tags={"validation_status": "pending"},
        description=f"accuracy {accuracy}",
    )
    assert version.run_id == run.info.run_id
    return version


client.create_registered_model(NAME, tags={"team": "vision"}, description="for iris")
assert code(client.create_registered_model, NAME) == "RESOURCE_ALREADY_EXISTS"
versions = [trained(accuracy) for accuracy in (0.8, 0.9, 0.95)]
assert [str(version.version) for version in versions] == ["1", "2", "3"]
assert all(version.status == "READY" for version in versions)
assert all(version.current_stage == "None" for version in versions)

registered = mlflow.register_model(versions[0].source, NAME)
assert str(registered.version) == "4"
client.delete_model_version(NAME, "4")
assert code(client.get_model_version, NAME, "4") == "RESOURCE_DOES_NOT_EXIST"

client.update_model_version(NAME, "3", description="the best")
client.set_model_version_tag(NAME, "3", "validation_status", "approved")
third = client.get_model_version(NAME, "3")
assert third.description == "the best"
assert third.tags == {"validation_status": "approved"}
assert third.creation_timestamp <= third.last_updated_timestamp
client.delete_model_version_tag(NAME, "3", "validation_status")
assert client.get_model_version(NAME, "3").tags == {}

client.set_registered_model_alias(NAME, "champion", "1")
client.set_registered_model_alias(NAME, "challenger", "3")
client.set_registered_model_alias(NAME, "champion", "2")
assert str(client.get_model_version_by_alias(NAME, "champion").version) == "2"
model = client.get_registered_model(NAME)
assert {alias: str(version) for alias, version in model.aliases.items()} == {
    "champion": "2",
    "challenger": "3",
}
assert model.tags == {"team": "vision"}
assert model.description == "for iris"
client.delete_registered_model_alias(NAME, "challenger")
assert code(client.get_model_version_by_alias, NAME, "challenger") == (
    "INVALID_PARAMETER_VALUE"
)

client.transition_model_version_stage(NAME, "1", "Production")
client.transition_model_version_stage(NAME, "2", "staging")
client.transition_model_version_stage(
    NAME, "2", "Production", archive_existing_versions=True
)
stages = {
    str(version.version): version.current_stage
    for version in client.search_model_versions(f"name='{NAME}'")
}
assert stages == {"1": "Archived", "2": "Production", "3": "None"}
latest = client.get_latest_versions(NAME, stages=["Production"])
assert [str(version.version) for version in latest] == ["2"]
assert len(client.get_latest_versions(NAME)) == 3

for uri in (
    f"models:/{NAME}/2",
    f"models:/{NAME}/Production",
    f"models:/{NAME}@champion",
    f"runs:/{versions[1].run_id}/model",
):
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    assert (folder / "MLmodel").read_text(encoding="utf-8") == "accuracy: 0.9\n", uri
latest_folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/latest"))
assert "0.95" in (latest_folder / "MLmodel").read_text(encoding="utf-8")

copy = client.copy_model_version(f"models:/{NAME}/2", "production models")
assert str(copy.version) == "1"
assert copy.run_id == versions[1].run_id
copied = Path(mlflow.artifacts.download_artifacts("models:/production models/1"))
assert (copied / "MLmodel").read_text(encoding="utf-8") == "accuracy: 0.9\n"

found = client.search_registered_models("name LIKE 'iris%' AND tags.team = 'vision'")
assert [each.name for each in found] == [NAME]
found = client.search_model_versions(
    f"name = '{NAME}'", order_by=["version_number ASC"], max_results=2
)
assert [str(version.version) for version in found] == ["1", "2"]
rest = client.search_model_versions(
    f"name = '{NAME}'",
    order_by=["version_number ASC"],
    max_results=2,
    page_token=found.token,
)
assert [str(version.version) for version in rest] == ["3"]
by_run = client.search_model_versions(f"run_id = '{versions[0].run_id}'")
assert [str(version.version) for version in by_run] == ["1"]

client.rename_registered_model(NAME, "꽃 분류기")
assert code(client.get_registered_model, NAME) == "RESOURCE_DOES_NOT_EXIST"
assert str(client.get_model_version_by_alias("꽃 분류기", "champion").version) == "2"
renamed = Path(mlflow.artifacts.download_artifacts("models:/꽃 분류기@champion"))
assert (renamed / "MLmodel").exists()

client.delete_registered_model("꽃 분류기")
assert code(client.get_registered_model, "꽃 분류기") == "RESOURCE_DOES_NOT_EXIST"
assert client.search_model_versions("name = '꽃 분류기'") == []
assert (copied / "MLmodel").exists()
client.delete_registered_model("production models")
