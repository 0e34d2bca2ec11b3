"""MLflow's `artifacts` module: artifacts by URI."""

import json
import posixpath
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from runstone import errors
from runstone.entities import FileInfo
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    MlflowException,
    raise_as_mlflow,
)
from runstone.sdk import calls, images
from runstone.sdk.client import MlflowClient
from runstone.sdk.client.files import safe
from runstone.sdk.uris import ModelUri, RunUri


__all__ = [
    "download_artifacts",
    "list_artifacts",
    "load_dict",
    "load_image",
    "load_text",
]

PROXIED = "mlflow-artifacts"


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """
    Download a file or a folder and return where it lies now.

    Args:
        artifact_uri: runs:/<run id>/path, models:/name/version, models:/name@alias,
            mlflow-artifacts:/path, or a path of this machine.

        run_id: The run instead.

        artifact_path: Below the run's artifacts.

        dst_path: Folder to put it into; a temporary one by default.

        tracking_uri: Where the store is; by default where runs go.

        registry_uri: Taken for MLflow's sake.

    Raises:
        MlflowException: Nothing lies there, or no URI is like this.
    """
    client = MlflowClient(tracking_uri)
    if (run_id is None) == (artifact_uri is None):
        raise MlflowException(
            "Exactly one of `run_id` or `artifact_uri` must be specified",
            INVALID_PARAMETER_VALUE,
        )
    if run_id is not None:
        return client.download_artifacts(run_id, artifact_path or "", dst_path)
    assert artifact_uri is not None
    if artifact_path is not None:
        raise MlflowException(
            "`artifact_path` cannot be specified if `artifact_uri` is specified",
            INVALID_PARAMETER_VALUE,
        )

    return _fetched(client, artifact_uri, dst_path)


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """
    List a folder of artifacts.

    Args:
        artifact_uri: runs:/<run id>/path.

        run_id: The run instead.

        artifact_path: Below the run's artifacts.

        tracking_uri: Where the store is; by default where runs go.
    """
    if (run_id is None) == (artifact_uri is None):
        raise MlflowException(
            "Exactly one of `run_id` or `artifact_uri` must be specified",
            INVALID_PARAMETER_VALUE,
        )
    client = MlflowClient(tracking_uri)
    if run_id is not None:
        return client.list_artifacts(run_id, artifact_path)
    uri = RunUri.read(artifact_uri or "")

    return client.list_artifacts(uri.run_id, uri.path)


def load_text(artifact_uri: str) -> str:
    """Return a text that was stored."""
    with tempfile.TemporaryDirectory() as folder:
        return _file(artifact_uri, folder).read_text(encoding="utf-8")


def load_dict(artifact_uri: str) -> Any:
    """Return what was stored as JSON, or as YAML where PyYAML is there."""
    text = load_text(artifact_uri)
    try:
        return json.loads(text)
    except ValueError as error:
        if not artifact_uri.endswith((".yml", ".yaml")):
            raise MlflowException(
                f"Unable to form a JSON object from file content: {error}"
            ) from error
    import yaml

    return yaml.safe_load(text)


def load_image(artifact_uri: str) -> Any:
    """Return an image that was stored, as Pillow's."""
    with tempfile.TemporaryDirectory() as folder:
        picture = images.Image(_file(artifact_uri, folder)).image
        picture.load()

        return picture


def _file(uri: str, folder: str) -> Path:
    return Path(download_artifacts(uri, dst_path=folder))


def _fetched(client: MlflowClient, uri: str, target: str | None) -> str:
    parts = urlsplit(uri)
    if parts.scheme == "runs":
        run = RunUri.read(uri)
        return client.download_artifacts(run.run_id, run.path, target)
    if parts.scheme == "models":
        model = ModelUri.read(uri)
        found = client.get_model_version_of(model)
        source = client.get_model_version_download_uri(found.name, found.version)
        return _fetched(client, posixpath.join(source, model.path), target)
    if parts.scheme == PROXIED:
        return _proxied(client, parts.path.strip("/"), target)
    if parts.scheme in ("", "file"):
        return _copied(Path(url2pathname(parts.path)), target)

    raise MlflowException(
        f"Runstone fetches artifacts through its server, not from {parts.scheme}: by "
        "itself; use runs:/<run id>/path",
        INVALID_PARAMETER_VALUE,
    )


def _proxied(client: MlflowClient, path: str, target: str | None) -> str:
    """Fetch what lies at a path below the server's own place for artifacts."""
    way = client.door()
    root = Path(target or tempfile.mkdtemp(prefix="runstone-")).absolute()
    name = posixpath.basename(path)

    def fetch(source: str, place: Path) -> None:
        below = calls.proxied(way, source)
        for item in below:
            fetch(f"{source}/{item['path']}", place / safe(item["path"]))
        if not below:
            place.parent.mkdir(parents=True, exist_ok=True)
            at = f"/api/2.0/mlflow-artifacts/artifacts/{source}"
            with place.open("wb") as file:
                file.writelines(way.fetch(at, query={}))

    try:
        fetch(path, root / safe(name))
    except errors.RunstoneError as error:
        raise_as_mlflow(error)

    return str(root / safe(name))


def _copied(source: Path, target: str | None) -> str:
    """Return a path of this machine, or a copy of it."""
    if not source.exists():
        raise MlflowException(f"No such artifact: '{source}'", RESOURCE_DOES_NOT_EXIST)
    if target is None:
        return str(source)
    place = Path(target) / source.name
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)

    return str(place)
