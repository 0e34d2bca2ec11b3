"""What runs read and made, on MLflow's wire."""

from typing import Final

import msgspec

from runstone import errors
from runstone.model import Dataset, DatasetInput, Tag
from runstone.server.http import (
    Int64,
    Needed,
    Reply,
    Request,
    Right,
    Route,
    lacking,
    read,
    reply,
)
from runstone.server.mlflow.messages import KeyValue, experiment_id
from runstone.server.state import database
from runstone.storage import datasets
from runstone.storage.datasets import ModelOutput


MOST_EXPERIMENTS: Final = 20
"""Source: `search_datasets_impl` in `mlflow/server/handlers.py`, 3.18."""

MOST_DATASETS: Final = 1_000


class DatasetMessage(msgspec.Struct):
    """A dataset as MLflow sends it."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class InputMessage(msgspec.Struct):
    """A dataset and how it was used."""

    dataset: DatasetMessage
    tags: list[KeyValue] = []


class ModelMessage(msgspec.Struct):
    """A model that went in or came out."""

    model_id: Needed
    step: Int64 = 0


class LogInputs(msgspec.Struct):
    """Body of `runs/log-inputs`."""

    run_id: Needed
    datasets: list[InputMessage] = []
    models: list[ModelMessage] = []


class LogOutputs(msgspec.Struct):
    """Body of `runs/outputs`."""

    run_id: Needed
    models: list[ModelMessage] = []


class Search(msgspec.Struct):
    """Body of `experiments/search-datasets`."""

    experiment_ids: list[str] = []


async def log_inputs(request: Request) -> Reply:
    """Note what a run read."""
    body = await read(request, LogInputs)
    inputs = [
        DatasetInput(
            Dataset(**msgspec.structs.asdict(item.dataset)),
            tuple(Tag(tag.key, tag.value) for tag in item.tags),
        )
        for item in body.datasets
    ]
    models = [model.model_id for model in body.models]
    await database(request).write(datasets.log_inputs, body.run_id, inputs, models)

    return Reply()


async def log_outputs(request: Request) -> Reply:
    """Note which models a run made."""
    body = await read(request, LogOutputs)
    if not body.models:
        raise lacking("models")
    outputs = [ModelOutput(model.model_id, model.step) for model in body.models]
    await database(request).write(datasets.log_outputs, body.run_id, outputs)

    return Reply()


async def search(request: Request) -> Reply:
    """Return the datasets that the runs of experiments read."""
    body = await read(request, Search)
    if not body.experiment_ids:
        raise errors.InvalidInput(
            "SearchDatasets request must specify at least one experiment_id."
        )
    if len(body.experiment_ids) > MOST_EXPERIMENTS:
        raise errors.InvalidInput(
            f"SearchDatasets request cannot specify more than {MOST_EXPERIMENTS} "
            f"experiment_ids. Received {len(body.experiment_ids)} experiment_ids."
        )
    numbers = [experiment_id(text) for text in body.experiment_ids]
    found = await database(request).read(datasets.search, numbers, most=MOST_DATASETS)
    if not found:
        return Reply()

    return reply({"dataset_summaries": [_summary(item) for item in found]})


def _summary(item: datasets.Summary) -> dict[str, str]:
    found = {
        "experiment_id": str(item.experiment_id),
        "name": item.name,
        "digest": item.digest,
    }
    if item.context is not None:
        found["context"] = item.context

    return found


routes = [
    Route("POST", "mlflow/runs/log-inputs", log_inputs, Right.EDIT, LogInputs),
    Route("POST", "mlflow/runs/outputs", log_outputs, Right.EDIT, LogOutputs),
    Route("POST", "mlflow/experiments/search-datasets", search, Right.READ, Search),
]

# MLflow's own protocol file leaves a slash out, and its clients follow it.
at_root = [
    Route(
        "POST",
        f"{prefix}/2.0mlflow/experiments/search-datasets",
        search,
        Right.READ,
        Search,
    )
    for prefix in ("/api", "/ajax-api")
]
