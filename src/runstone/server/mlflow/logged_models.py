"""Logged models on MLflow's wire: the models that MLflow 3 keeps beside runs."""

import uuid
from typing import Annotated, Final

import msgspec

from runstone import errors, limits, names
from runstone.artifacts import paths
from runstone.model import LoggedModel, ModelPoint, ModelStatus, Param, Tag
from runstone.server.downloads import download
from runstone.server.http import (
    Needed,
    Reply,
    Request,
    Right,
    Route,
    from_query,
    lacking,
    read,
    reply,
)
from runstone.server.mlflow import wire
from runstone.server.mlflow.messages import KeyValue, experiment_id
from runstone.server.mlflow.places import below, entry, place, relative
from runstone.server.state import database, now_ms
from runstone.storage import logged_models, logged_search
from runstone.storage.logged_search import OnDataset, OrderBy


STATUS_NAMES: Final = {
    ModelStatus.UNSPECIFIED: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    ModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    ModelStatus.READY: "LOGGED_MODEL_READY",
    ModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
"""Source: `LoggedModelStatus` in `mlflow/protos/service.proto`, 3.18."""

STATUSES: Final = {name: status for status, name in STATUS_NAMES.items()} | {
    str(number): status for number, status in enumerate(STATUS_NAMES)
}
"""Each status by its name and by its number."""

NOTED: Final = ("run_id", "artifact_path", "utc_time_created", "model_uuid")
"""What clients before 3.0 want to find again; see `Model.get_tags_dict`, 3.18."""


class Create(msgspec.Struct):
    """Body of `logged-models`."""

    experiment_id: Needed
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[KeyValue] = []
    tags: list[KeyValue] = []


class Get(msgspec.Struct):
    """Query of a logged model."""

    allow_deleted: str = "false"


class Finalize(msgspec.Struct):
    """Body that says how the upload ended."""

    status: str | int | None = None


class SetTags(msgspec.Struct):
    """Body of a logged model's tags."""

    tags: list[KeyValue] = []


class LogParams(msgspec.Struct):
    """Body of a logged model's params."""

    params: list[KeyValue] = []


class OnDatasetMessage(msgspec.Struct):
    """A dataset that metrics were measured on."""

    dataset_name: str = ""
    dataset_digest: str = ""


class OrderByMessage(OnDatasetMessage):
    """One key to sort by."""

    field_name: str = ""
    ascending: bool = True


class Search(msgspec.Struct):
    """Body of `logged-models/search`."""

    experiment_ids: list[str]
    filter: str | None = None
    datasets: list[OnDatasetMessage] = []
    max_results: Annotated[int, msgspec.Meta(ge=0)] = 0
    order_by: list[OrderByMessage] = []
    page_token: str | None = None


class ListFiles(msgspec.Struct):
    """Query of a logged model's folders."""

    artifact_directory_path: str = ""
    page_token: str | None = None


class GetFile(msgspec.Struct):
    """Query of a logged model's file."""

    artifact_file_path: str = ""


class Note(msgspec.Struct):
    """Body of `runs/log-model`."""

    run_id: Needed
    model_json: Needed


async def create(request: Request) -> Reply:
    """Create a logged model whose files are still to come."""
    body = await read(request, Create)
    model = await database(request).write(
        logged_models.create,
        experiment_id(body.experiment_id),
        model_id=f"m-{uuid.uuid4().hex}",
        name=body.name or names.new(),
        now_ms=now_ms(),
        type=body.model_type,
        source_run_id=body.source_run_id,
        params=_params(body.params),
        tags=_tags(body.tags),
    )

    return reply({"model": message(model)})


async def get(request: Request) -> Reply:
    """Return a logged model with its params, tags and metrics."""
    query = from_query(request.query(), Get)
    model = await database(request).read(
        logged_models.by_id,
        request.params["model_id"],
        allow_deleted=query.allow_deleted.lower() == "true",
    )

    return reply({"model": message(model)})


async def finalize(request: Request) -> Reply:
    """Say how the upload of a logged model ended."""
    body = await read(request, Finalize)
    if body.status is None:
        raise lacking("status")
    status = STATUSES.get(str(body.status))
    if status is None:
        raise errors.InvalidInput(
            f"Invalid value {str(body.status)[:100]!r} for parameter 'status' "
            f"supplied: expected one of {', '.join(STATUS_NAMES.values())}"
        )
    model = await database(request).write(
        logged_models.finalize,
        model_id=request.params["model_id"],
        status=status,
        now_ms=now_ms(),
    )

    return reply({"model": message(model)})


async def delete(request: Request) -> Reply:
    """Delete a logged model; its files stay."""
    await database(request).write(
        logged_models.delete, model_id=request.params["model_id"], now_ms=now_ms()
    )

    return Reply()


async def set_tags(request: Request) -> Reply:
    """Set tags of a logged model."""
    body = await read(request, SetTags)
    await database(request).write(
        logged_models.set_tags,
        model_id=request.params["model_id"],
        tags=_tags(body.tags),
    )

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag of a logged model."""
    await database(request).write(
        logged_models.delete_tag,
        model_id=request.params["model_id"],
        key=request.params["key"],
    )

    return Reply()


async def log_params(request: Request) -> Reply:
    """Write params of a logged model."""
    body = await read(request, LogParams)
    await database(request).write(
        logged_models.log_params,
        model_id=request.params["model_id"],
        params=_params(body.params),
    )

    return Reply()


async def search(request: Request) -> Reply:
    """Return a page of logged models."""
    body = await read(request, Search)
    if any(not dataset.dataset_name for dataset in body.datasets):
        raise errors.InvalidInput(
            "`dataset_name` in the `datasets` clause must be specified."
        )
    query = logged_search.Query(
        tuple(experiment_id(text) for text in body.experiment_ids),
        body.filter,
        tuple(OnDataset(d.dataset_name, d.dataset_digest) for d in body.datasets),
        tuple(map(_order, body.order_by)),
        min(body.max_results or 100, limits.SEARCH_LOGGED_MODELS),
        body.page_token or None,
    )
    page = await database(request).read(logged_search.find, query)
    found: dict[str, object] = {}
    if page.models:
        found["models"] = [message(model) for model in page.models]
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


async def list_files(request: Request) -> Reply:
    """List a folder of a logged model."""
    query = from_query(request.query(), ListFiles)
    uri = await uri_of_model(request, request.params["model_id"])
    store, root = place(request, uri)
    folder = below(root, query.artifact_directory_path)
    entries = relative(await store.list(folder or None), root)
    found: dict[str, object] = {"root_uri": uri}
    if entries:
        found["files"] = list(map(entry, entries))

    return reply(found)


async def get_file(request: Request) -> Reply:
    """Return a file of a logged model, as a download."""
    query = from_query(request.query(), GetFile)
    if not query.artifact_file_path:
        raise lacking("artifact_file_path")
    path = paths.clean(query.artifact_file_path)
    uri = await uri_of_model(request, request.params["model_id"])
    store, root = place(request, uri)

    return await download(request, store, below(root, path))


async def note(request: Request) -> Reply:
    """Note a model of a run, as clients before 3.0 do."""
    body = await read(request, Note)
    await database(request).write(
        logged_models.note, body.run_id, _noted(body.model_json)
    )

    return Reply()


async def uri_of_model(request: Request, model_id: str) -> str:
    """Return where the files of a live model lie."""
    model = await database(request).read(logged_models.by_id, model_id)

    return model.artifact_uri


def message(model: LoggedModel) -> dict[str, object]:
    """Return a logged model as MLflow sends it."""
    found: dict[str, object] = {
        "model_id": model.id,
        "experiment_id": str(model.experiment_id),
        "name": model.name,
        "creation_timestamp_ms": model.created_ms,
        "last_updated_timestamp_ms": model.updated_ms,
        "artifact_uri": model.artifact_uri,
        "status": STATUS_NAMES[model.status],
        "model_type": model.type,
        "source_run_id": model.source_run_id,
    }
    if model.tags:
        found["tags"] = wire.pairs(model.tags)
    measured: dict[str, object] = {}
    if model.params:
        measured["params"] = wire.pairs(model.params)
    if model.points:
        measured["metrics"] = list(map(_metric, model.points))

    return {"info": found, "data": measured}


def _metric(item: ModelPoint) -> dict[str, object]:
    found: dict[str, object] = {
        "key": item.point.key,
        "value": wire.number(item.point.value),
        "timestamp": item.point.time_ms,
        "step": item.point.step,
        "model_id": item.model_id,
        "run_id": item.run_id,
    }
    if item.dataset_name:
        found["dataset_name"] = item.dataset_name
        found["dataset_digest"] = item.dataset_digest

    return found


def _order(sent: OrderByMessage) -> OrderBy:
    on = None
    if sent.dataset_name:
        on = OnDataset(sent.dataset_name, sent.dataset_digest)

    return OrderBy(sent.field_name, not sent.ascending, on)


def _params(sent: list[KeyValue]) -> list[Param]:
    return [Param(param.key, param.value) for param in sent]


def _tags(sent: list[KeyValue]) -> list[Tag]:
    return [Tag(tag.key, tag.value) for tag in sent]


def _noted(text: str) -> dict[str, object]:
    """
    Return what is kept of a model's description: no configuration of a flavor.

    Raises:
        InvalidInput: It is no description of a model.
    """
    try:
        sent = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise errors.InvalidInput(
            f"Malformed model info. \n {text[:300]} \n is not a valid JSON."
        ) from None
    if not isinstance(sent, dict):
        raise errors.InvalidInput("Malformed model info: it is no JSON object")
    missing = {"artifact_path", "flavors", "utc_time_created", "run_id"} - sent.keys()
    if missing or not isinstance(sent["flavors"], dict):
        raise errors.InvalidInput(
            f"Model json is missing mandatory fields: {sorted(missing) or 'flavors'}"
        )
    flavors = {
        name: {key: value for key, value in config.items() if key != "config"}
        if isinstance(config, dict)
        else config
        for name, config in sent["flavors"].items()
    }

    return {key: sent.get(key) for key in NOTED} | {"flavors": flavors}


_ALL = "mlflow/logged-models"
_ONE = f"{_ALL}/{{model_id}}"

routes = [
    Route("POST", _ALL, create, Right.EDIT, Create),
    Route("POST", f"{_ALL}/search", search, Right.READ, Search),
    Route("GET", _ONE, get, Right.READ, Get),
    Route("PATCH", _ONE, finalize, Right.EDIT, Finalize),
    Route("DELETE", _ONE, delete, Right.EDIT),
    Route("PATCH", f"{_ONE}/tags", set_tags, Right.EDIT, SetTags),
    Route("DELETE", f"{_ONE}/tags/{{key:path}}", delete_tag, Right.EDIT),
    Route("POST", f"{_ONE}/params", log_params, Right.EDIT, LogParams),
    Route("GET", f"{_ONE}/artifacts/directories", list_files, Right.READ, ListFiles),
    Route("GET", f"{_ONE}/artifacts/files", get_file, Right.READ, GetFile),
    Route("POST", "mlflow/runs/log-model", note, Right.EDIT, Note),
]
