"""
MLflow's JSON: what its protobufs look like as JSON, built by hand for speed.

A run is rendered once and kept as bytes (`storage.documents`); a page of runs
is those bytes with commas between them.  Source: `mlflow/protos/service.proto`
and `message_to_json`, MLflow 3.18: a field that is not set is left out, int64
is a number, NaN is "NaN", infinities are the largest finite number.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from runstone.analysis.columns import Columns
from runstone.model import (
    DatasetInput,
    Experiment,
    ModelVersion,
    RegisteredModel,
    Run,
)
from runstone.storage.datasets import ModelOutput
from runstone.storage.documents import Whole
from runstone.storage.tx import MAX_DOUBLE


encode = msgspec.json.Encoder().encode


def experiment(item: Experiment) -> dict[str, object]:
    """Return an experiment as MLflow sends it."""
    found: dict[str, object] = {
        "experiment_id": str(item.id),
        "name": item.name,
        "artifact_location": item.artifact_location,
        "lifecycle_stage": item.lifecycle,
        "last_update_time": item.updated_ms,
        "creation_time": item.created_ms,
    }
    if item.tags:
        found["tags"] = pairs(item.tags)

    return found


def run_info(item: Run) -> dict[str, object]:
    """Return a run's info as MLflow sends it."""
    found: dict[str, object] = {
        "run_uuid": item.id,
        "experiment_id": str(item.experiment_id),
        "run_name": item.name,
        "user_id": item.user,
        "status": item.status,
        "start_time": item.start_ms,
        "artifact_uri": item.artifact_uri,
        "lifecycle_stage": item.lifecycle,
        "run_id": item.id,
    }
    if item.end_ms:  # protobuf's reader takes 0 for no end
        found["end_time"] = item.end_ms

    return found


def run(item: Whole) -> dict[str, object]:
    """Return a run with its data as MLflow sends it."""
    data: dict[str, object] = {}
    if item.metrics:
        data["metrics"] = [
            {
                "key": m.key,
                "value": number(m.value),
                "timestamp": m.time_ms,
                "step": m.step,
            }
            for m in item.metrics
        ]
    if item.params:
        data["params"] = pairs(item.params)
    if item.tags:
        data["tags"] = pairs(item.tags)
    found: dict[str, object] = {
        "info": run_info(item.run),
        "data": data,
        "inputs": _inputs(item.inputs),
    }
    found["outputs"] = _outputs(item.outputs)

    return found


def registered_model(item: RegisteredModel) -> dict[str, object]:
    """Return a registered model as MLflow sends it."""
    found: dict[str, object] = {
        "name": item.name,
        "creation_timestamp": item.created_ms,
        "last_updated_timestamp": item.updated_ms,
    }
    if item.description:
        found["description"] = item.description
    if item.latest:
        found["latest_versions"] = list(map(model_version, item.latest))
    if item.tags:
        found["tags"] = pairs(item.tags)
    if item.aliases:
        found["aliases"] = [
            {"alias": pair.alias, "version": str(pair.version)} for pair in item.aliases
        ]

    return found


def model_version(item: ModelVersion) -> dict[str, object]:
    """Return a version of a model as MLflow sends it."""
    found: dict[str, object] = {
        "name": item.model,
        "version": str(item.version),
        "creation_timestamp": item.created_ms,
        "last_updated_timestamp": item.updated_ms,
        "current_stage": item.stage,
        "source": item.source,
        "run_id": item.run_id,
        "status": "READY",
        "run_link": item.run_link,
    }
    if item.description is not None:
        found["description"] = item.description
    if item.tags:
        found["tags"] = pairs(item.tags)
    if item.aliases:
        found["aliases"] = item.aliases

    return found


def document(item: Whole) -> bytes:
    """Return a run as the bytes that are kept and sent."""
    return encode(run(item))


def pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return keys and values as MLflow sends them."""
    return [{"key": key, "value": value} for key, value in items]


def number(value: float) -> float | str:
    """Return a value as MLflow sends it."""
    if math.isnan(value):
        return "NaN"

    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def points(key: str, columns: Columns, *, run_id: str | None = None) -> bytes:
    """
    Return points as the inside of a JSON array of MLflow's metrics.

    Each column is encoded as a whole and the texts are woven together, which
    takes a tenth of the time of one object a point.
    """
    if not columns.size:
        return b""
    end = b"}" if run_id is None else b',"run_id":' + encode(run_id) + b"}"
    woven: list[bytes] = [b""] * (7 * columns.size)
    woven[0::7] = [b',{"key":' + encode(key) + b',"value":'] * columns.size
    woven[1::7] = numbers(columns.value)
    woven[2::7] = [b',"timestamp":'] * columns.size
    woven[3::7] = _texts(columns.time_ms.tolist())
    woven[4::7] = [b',"step":'] * columns.size
    woven[5::7] = _texts(columns.step.tolist())
    woven[6::7] = [end] * columns.size

    return b"".join(woven)[1:]


def numbers(value: NDArray[np.float64]) -> list[bytes]:
    """Return the JSON text of each value."""
    texts = _texts(np.clip(value, -MAX_DOUBLE, MAX_DOUBLE).tolist())
    for place in np.flatnonzero(np.isnan(value)).tolist():
        texts[place] = b'"NaN"'

    return texts


def _texts(values: Sequence[float] | Sequence[int]) -> list[bytes]:
    return encode(values)[1:-1].split(b",")


def _inputs(inputs: list[DatasetInput]) -> dict[str, object]:
    if not inputs:
        return {}

    return {"dataset_inputs": list(map(_input, inputs))}


def _input(item: DatasetInput) -> dict[str, object]:
    found: dict[str, object] = {"dataset": _dataset(item)}
    if item.tags:
        found["tags"] = pairs(item.tags)

    return found


def _outputs(outputs: list[ModelOutput]) -> dict[str, object]:
    if not outputs:
        return {}

    return {"model_outputs": [output._asdict() for output in outputs]}


def _dataset(item: DatasetInput) -> dict[str, str]:
    fields = item.dataset._asdict()

    return {key: value for key, value in fields.items() if value is not None}
