"""From MLflow's JSON to the records of `runstone.entities`."""

import math
from typing import Any, Final

from runstone.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    FileInfo,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)


Message = dict[str, Any]

MAX_DOUBLE: Final = 1.7976931348623157e308
"""What MLflow's wire says for infinity."""


def run(message: Message) -> Run:
    """Read a run."""
    data = message.get("data", {})

    return Run(
        run_info(message["info"]),
        RunData(
            {m["key"]: number(m["value"]) for m in data.get("metrics", ())},
            pairs(data.get("params", ())),
            pairs(data.get("tags", ())),
        ),
        _inputs(message.get("inputs") or {}),
        _outputs(message.get("outputs") or {}),
    )


def run_info(message: Message) -> RunInfo:
    """Read the info of a run."""
    return RunInfo(
        run_id=message.get("run_id") or message["run_uuid"],
        experiment_id=message.get("experiment_id", "0"),
        user_id=message.get("user_id", ""),
        status=message.get("status", "RUNNING"),
        start_time=message.get("start_time") or 0,
        end_time=message.get("end_time"),
        lifecycle_stage=message.get("lifecycle_stage", "active"),
        artifact_uri=message.get("artifact_uri"),
        run_name=message.get("run_name"),
    )


def metric(message: Message, run_id: str | None = None) -> Metric:
    """Read a point."""
    return Metric(
        message["key"],
        number(message["value"]),
        int(message["timestamp"]),
        int(message.get("step", 0)),
        run_id=run_id,
    )


def number(value: float | str) -> float:
    """Read a value; the largest number stands for infinity, as MLflow writes it."""
    found = float(value)
    if abs(found) == MAX_DOUBLE:
        return math.copysign(math.inf, found)

    return found


def experiment(message: Message) -> Experiment:
    """Read an experiment."""
    return Experiment(
        experiment_id=message["experiment_id"],
        name=message["name"],
        artifact_location=message.get("artifact_location", ""),
        lifecycle_stage=message.get("lifecycle_stage", "active"),
        tags=pairs(message.get("tags", ())),
        creation_time=message.get("creation_time"),
        last_update_time=message.get("last_update_time"),
    )


def file_info(message: Message) -> FileInfo:
    """Read one line of a listing of artifacts."""
    size = message.get("file_size")

    return FileInfo(
        message["path"],
        bool(message.get("is_dir", False)),
        None if size is None else int(size),
    )


def registered_model(message: Message) -> RegisteredModel:
    """Read a registered model."""
    return RegisteredModel(
        name=message["name"],
        creation_timestamp=message.get("creation_timestamp"),
        last_updated_timestamp=message.get("last_updated_timestamp"),
        description=message.get("description"),
        latest_versions=[
            model_version(each) for each in message.get("latest_versions", ())
        ],
        tags=pairs(message.get("tags", ())),
        aliases={
            each["alias"]: str(each["version"]) for each in message.get("aliases", ())
        },
    )


def model_version(message: Message) -> ModelVersion:
    """Read a version of a registered model."""
    return ModelVersion(
        name=message["name"],
        version=str(message["version"]),
        creation_timestamp=message.get("creation_timestamp", 0),
        last_updated_timestamp=message.get("last_updated_timestamp"),
        description=message.get("description"),
        user_id=message.get("user_id"),
        current_stage=message.get("current_stage"),
        source=message.get("source"),
        run_id=message.get("run_id"),
        status=message.get("status", "READY"),
        status_message=message.get("status_message"),
        tags=pairs(message.get("tags", ())),
        run_link=message.get("run_link"),
        aliases=list(message.get("aliases", ())),
        model_id=message.get("model_id"),
    )


def pairs(found: list[Message] | tuple[()]) -> dict[str, str]:
    """Read params or tags."""
    return {item["key"]: item.get("value", "") for item in found}


def _inputs(message: Message) -> RunInputs:
    return RunInputs(
        [
            DatasetInput(
                Dataset(**item["dataset"]),
                [InputTag(tag["key"], tag["value"]) for tag in item.get("tags", ())],
            )
            for item in message.get("dataset_inputs", ())
        ],
        [
            LoggedModelInput(each["model_id"])
            for each in message.get("model_inputs", ())
        ],
    )


def _outputs(message: Message) -> RunOutputs:
    return RunOutputs(
        [
            LoggedModelOutput(each["model_id"], int(each.get("step", 0)))
            for each in message.get("model_outputs", ())
        ]
    )
