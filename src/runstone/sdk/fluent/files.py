"""Artifacts of the run that is under way; see `MlflowClient` for the words."""

from collections.abc import Mapping, Sequence
from typing import Any

from runstone.sdk.client.base import Logged
from runstone.sdk.fluent.experiments import current_id
from runstone.sdk.fluent.state import client, current


def log_artifact(
    local_path: str, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Store a file, or a folder under its name, as an artifact."""
    client().log_artifact(run_id or current().id, local_path, artifact_path)


def log_artifacts(
    local_dir: str, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Store all that lies in a folder as artifacts."""
    client().log_artifacts(run_id or current().id, local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Store a text as an artifact."""
    client().log_text(run_id or current().id, text, artifact_file)


def log_dict(
    dictionary: Mapping[str, Any], artifact_file: str, run_id: str | None = None
) -> None:
    """Store a dict as JSON, or as YAML where the name ends in .yml or .yaml."""
    client().log_dict(run_id or current().id, dictionary, artifact_file)


def log_stream(stream: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Store what a stream yields as an artifact."""
    client().log_stream(run_id or current().id, stream, artifact_file)


def log_figure(
    figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None
) -> None:
    """Store a figure of Matplotlib or Plotly as an artifact."""
    client().log_figure(current().id, figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> Logged | None:
    """Store an image as an artifact, or at a step of a series of images."""
    return client().log_image(
        current().id, image, artifact_file, key, step, timestamp, synchronous
    )


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Store a table as an artifact, or add its rows to one that is there."""
    client().log_table(run_id or current().id, data, artifact_file)


def load_table(
    artifact_file: str,
    run_ids: Sequence[str] | None = None,
    extra_columns: Sequence[str] | None = None,
) -> Any:
    """Return the table that runs of the experiment stored under a name."""
    return client().load_table(
        current_id(),
        artifact_file,
        None if run_ids is None else list(run_ids),
        None if extra_columns is None else list(extra_columns),
    )


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Return where the artifacts of the active run lie, or one of them."""
    root = client().get_run(current().id).info.artifact_uri or ""

    return f"{root}/{artifact_path.strip('/')}" if artifact_path else root
