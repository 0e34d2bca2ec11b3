"""Runs on MLflow's wire."""

import uuid
from typing import Annotated, Final

import msgspec

from runstone import errors, limits, names
from runstone.model import Param, RunStatus, Tag
from runstone.server.http import (
    Int64,
    Needed,
    Reply,
    Request,
    Right,
    Route,
    read,
    reply,
)
from runstone.server.mlflow import metrics, wire
from runstone.server.mlflow.messages import (
    KeyValue,
    Metric,
    RunId,
    View,
    experiment_id,
    named,
    run_id,
)
from runstone.server.state import database, keep_documents, now_ms
from runstone.storage import batches, documents, runs, search
from runstone.storage.metrics import append
from runstone.storage.tx import Tx


STATUS_NUMBERS: Final = {
    str(number): status for number, status in enumerate(RunStatus, start=1)
}
"""Source: `RunStatus` in `mlflow/protos/service.proto`, 3.18."""


class Create(msgspec.Struct):
    """Body of `runs/create`."""

    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[KeyValue] = []


class Update(RunId):
    """Body of `runs/update`."""

    status: str | int | None = None
    end_time: Int64 | None = None
    run_name: str | None = None


class Search(msgspec.Struct):
    """Body of `runs/search`."""

    experiment_ids: list[str] = []
    filter: str | None = None
    run_view_type: str | int | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_RUNS)] = 1000
    order_by: list[str] = []
    page_token: str | None = None


class LogParam(RunId, kw_only=True):
    """Body of `runs/log-parameter`."""

    key: Needed
    value: str = ""


class SetTag(RunId, kw_only=True):
    """Body of `runs/set-tag`."""

    key: Needed
    value: str = ""


class DeleteTag(RunId, kw_only=True):
    """Body of `runs/delete-tag`."""

    key: Needed


class LogBatch(msgspec.Struct):
    """Body of `runs/log-batch`."""

    run_id: Needed
    metrics: list[Metric] = []
    params: list[KeyValue] = []
    tags: list[KeyValue] = []


async def create(request: Request) -> Reply:
    """Create a run."""
    body = await read(request, Create)
    # MLflow takes any key here, so a run that it took can be copied to us.
    tags = [Tag(tag.key, tag.value) for tag in body.tags]
    tagged = next((tag.value for tag in tags if tag.key == runs.NAME_TAG), "")
    if body.run_name and tagged and body.run_name != tagged:
        raise errors.InvalidInput(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
            f"different values (run_name='{body.run_name}', mlflow.runName='{tagged}')."
        )
    new_id = uuid.uuid4().hex
    whole = await database(request).write(
        _create, new_id, body, name=body.run_name or tagged or names.new(), tags=tags
    )

    return reply({"run": wire.run(whole)})


def _create(
    tx: Tx, new_id: str, body: Create, *, name: str, tags: list[Tag]
) -> documents.Whole:
    run = runs.create(
        tx,
        new_id,
        experiment_id(body.experiment_id),
        name=name,
        user=body.user_id,
        start_ms=body.start_time or 0,
        tags=tags,
    )

    named = dict(tags) | {runs.NAME_TAG: name}

    return documents.Whole(run, 0, [], sorted(named.items()), [], [], [])


async def get(request: Request) -> Reply:
    """Return a run with its params, tags and latest metrics."""
    query = await read(request, RunId)
    whole = await database(request).read(documents.by_id, run_id(query))

    return reply({"run": wire.run(whole)})


async def update(request: Request) -> Reply:
    """Change a run's state, end or name."""
    body = await read(request, Update)
    run = await database(request).write(
        runs.update,
        run_id(body),
        status=_status(body.status),
        end_ms=body.end_time,
        name=body.run_name,
    )

    return reply({"run_info": wire.run_info(run)})


def _status(sent: str | int | None) -> RunStatus | None:
    """Read a status by its name or by protobuf's number."""
    if not sent:
        return None
    try:
        if str(sent) in STATUS_NUMBERS:
            return STATUS_NUMBERS[str(sent)]
        return RunStatus(str(sent))
    except ValueError:
        raise errors.InvalidInput(
            f"Invalid value for parameter 'status' supplied: expected one of "
            f"{', '.join(RunStatus)}"
        ) from None


async def delete(request: Request) -> Reply:
    """Put a run into the bin."""
    body = await read(request, RunId)
    await database(request).write(runs.delete, run_id(body), now_ms=now_ms())

    return Reply()


async def restore(request: Request) -> Reply:
    """Take a run out of the bin."""
    body = await read(request, RunId)
    await database(request).write(runs.restore, run_id(body))

    return Reply()


async def find(request: Request) -> Reply:
    """Search runs; a page is the kept bytes of its runs."""
    body = await read(request, Search)
    page = await database(request).read(
        search.run_documents,
        search.Query(
            experiment_ids=tuple(map(experiment_id, body.experiment_ids)),
            filter=body.filter,
            order_by=tuple(body.order_by),
            lifecycles=View.read(body.run_view_type).lifecycles,
            limit=body.max_results,
            page_token=body.page_token,
        ),
        wire.document,
    )
    keep_documents(request, page.made)
    if not page.bodies:
        return Reply()
    token = b"}"
    if page.next_page_token:
        token = b',"next_page_token":' + wire.encode(page.next_page_token) + b"}"

    return Reply(b'{"runs":[' + b",".join(page.bodies) + b"]" + token)


async def log_parameter(request: Request) -> Reply:
    """Write a param."""
    body = await read(request, LogParam)
    named([body.key], "key")
    param = Param(body.key, body.value)
    await database(request).write(runs.log_params, run_id(body), [param])

    return Reply()


async def set_tag(request: Request) -> Reply:
    """Set a tag."""
    body = await read(request, SetTag)
    named([body.key], "key")
    tag = Tag(body.key, body.value)
    await database(request).write(runs.set_tags, run_id(body), [tag])

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag."""
    body = await read(request, DeleteTag)
    await database(request).write(runs.delete_tag, run_id(body), body.key)

    return Reply()


async def log_batch(request: Request) -> Reply:
    """Write points, params and tags, all or nothing."""
    body = await read(request, LogBatch)
    _require_small(body)
    batch = metrics.columns(body.metrics, "metrics[{}].")
    if batch.keys and not body.params and not body.tags:
        await database(request).write(append, body.run_id, batch)
    else:
        await database(request).write(
            batches.log,
            body.run_id,
            points=batch,
            params=_params(body.params),
            tags=_tags(body.tags),
        )

    return Reply()


def _params(sent: list[KeyValue]) -> list[Param]:
    keys = [param.key for param in sent]
    named(keys, "params[{}].key")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise errors.InvalidInput(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the "
            "request contains only one param value per param key."
        )

    return [Param(param.key, param.value) for param in sent]


def _tags(sent: list[KeyValue]) -> list[Tag]:
    named([tag.key for tag in sent], "tags[{}].key")

    return [Tag(tag.key, tag.value) for tag in sent]


def _require_small(body: LogBatch) -> None:
    counts = {
        "metrics": (len(body.metrics), limits.BATCH_METRICS),
        "params": (len(body.params), limits.BATCH_PARAMS),
        "tags": (len(body.tags), limits.BATCH_TAGS),
        "metrics, params, and tags": (
            len(body.metrics) + len(body.params) + len(body.tags),
            limits.BATCH_ITEMS,
        ),
    }
    for what, (count, limit) in counts.items():
        if count > limit:
            raise errors.InvalidInput(
                f"A batch logging request can contain at most {limit} {what}. "
                f"Got {count} {what}. Please split up {what} across multiple requests "
                "and try again."
            )


routes = [
    Route("POST", "mlflow/runs/create", create, Right.EDIT, Create),
    Route("GET", "mlflow/runs/get", get, Right.READ, RunId),
    Route("POST", "mlflow/runs/update", update, Right.EDIT, Update),
    Route("POST", "mlflow/runs/delete", delete, Right.EDIT, RunId),
    Route("POST", "mlflow/runs/restore", restore, Right.EDIT, RunId),
    Route("POST", "mlflow/runs/search", find, Right.READ, Search),
    Route("POST", "mlflow/runs/log-parameter", log_parameter, Right.EDIT, LogParam),
    Route("POST", "mlflow/runs/set-tag", set_tag, Right.EDIT, SetTag),
    Route("POST", "mlflow/runs/delete-tag", delete_tag, Right.EDIT, DeleteTag),
    Route("POST", "mlflow/runs/log-batch", log_batch, Right.EDIT, LogBatch),
]
