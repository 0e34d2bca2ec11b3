"""The model registry, by MLflow's functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstone.entities import ModelVersion, RegisteredModel
from runstone.exceptions import (
    NOT_FOUND,
    RESOURCE_ALREADY_EXISTS,
    MlflowException,
)
from runstone.sdk import say
from runstone.sdk.client.base import every
from runstone.sdk.fluent.state import client
from runstone.sdk.uris import RunUri


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int = 300,
    *,
    tags: Mapping[str, Any] | None = None,
    env_pack: Any = None,
) -> ModelVersion:
    """
    Make a model the next version of a registered one, which is created if missing.

    Args:
        model_uri: runs:/<run id>/path, or where its files lie.

        name: Of the registered model.

        await_registration_for: Taken for MLflow's sake: a version is ready at once.

        tags: Labels of the version.

        env_pack: Taken for MLflow's sake.

    Raises:
        MlflowException: Nothing lies there.
    """
    run_id, source = None, model_uri
    if model_uri.startswith("runs:"):
        run_id, source = _source(RunUri.read(model_uri))
    try:
        client().create_registered_model(name)
        _tell(f"Successfully registered model '{name}'.")
    except MlflowException as error:
        if error.error_code != RESOURCE_ALREADY_EXISTS:
            raise
        _tell(
            f"Registered model '{name}' already exists. Creating a new version of "
            "this model..."
        )
    version = client().create_model_version(name, source, run_id, tags)
    _tell(f"Created version '{version.version}' of model '{name}'.")

    return version


def search_registered_models(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[RegisteredModel]:
    """Search registered models, all pages."""
    return every(
        lambda most, token: client().search_registered_models(
            filter_string, most, order_by, token
        ),
        max_results,
    )


def search_model_versions(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[ModelVersion]:
    """Search versions of models, all pages."""
    return every(
        lambda most, token: client().search_model_versions(
            filter_string, most, order_by, token
        ),
        max_results,
    )


def set_model_version_tag(
    name: str,
    version: str | int | None = None,
    key: str | None = None,
    value: Any = None,
) -> None:
    """Set a tag of a version."""
    client().set_model_version_tag(name, version, key, value)


def _tell(words: str) -> None:
    if not client().is_nowhere:
        say.note(words)


def _source(uri: RunUri) -> tuple[str, str]:
    """Return the run, and where the artifacts lie that a URI names."""
    ours = client()
    run = ours.get_run(uri.run_id)
    if not ours.is_nowhere and not ours.list_artifacts(uri.run_id, uri.path):
        raise MlflowException(
            f"Unable to find a logged_model with artifact_path {uri.path} under run "
            f"{uri.run_id}",
            NOT_FOUND,
        )

    return uri.run_id, f"{run.info.artifact_uri}/{uri.path}"
