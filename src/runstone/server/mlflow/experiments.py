"""Experiments on MLflow's wire."""

from pathlib import Path
from typing import Annotated

import msgspec

from runstone import errors, limits
from runstone.artifacts.paths import local_path, location
from runstone.model import Tag
from runstone.server.http import Needed, Reply, Request, Right, Route, read, reply
from runstone.server.mlflow import wire
from runstone.server.mlflow.messages import KeyValue, View, experiment_id, named
from runstone.server.state import database, now_ms, state
from runstone.settings import Settings
from runstone.storage import experiments, search


class Create(msgspec.Struct):
    """Body of `experiments/create`."""

    name: Needed
    artifact_location: str | None = None
    tags: list[KeyValue] = []


class ById(msgspec.Struct):
    """What names an experiment."""

    experiment_id: Needed


class ByName(msgspec.Struct):
    """Query of `experiments/get-by-name`."""

    experiment_name: Needed


class Search(msgspec.Struct):
    """Body or query of `experiments/search`."""

    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_EXPERIMENTS)]
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] = []
    view_type: str | int | None = None


class Update(msgspec.Struct):
    """Body of `experiments/update`."""

    experiment_id: Needed
    new_name: Needed


class SetTag(msgspec.Struct):
    """Body of `experiments/set-experiment-tag`."""

    experiment_id: Needed
    key: Needed
    value: str = ""


class DeleteTag(msgspec.Struct):
    """Body of `experiments/delete-experiment-tag`."""

    experiment_id: Needed
    key: Needed


async def create(request: Request) -> Reply:
    """Create an experiment."""
    body = await read(request, Create)
    settings = state(request).settings
    place = None
    if body.artifact_location:
        place = location(body.artifact_location, roots=_roots(settings))
    if not body.name.strip():
        raise errors.InvalidInput(f"Invalid experiment name: {body.name!r}")

    named([tag.key for tag in body.tags], "key")
    number = await database(request).write(
        experiments.create,
        body.name,
        artifact_location=place,
        artifact_root=settings.artifact_root,
        tags=[Tag(tag.key, tag.value) for tag in body.tags],
        now_ms=now_ms(),
    )

    return reply({"experiment_id": str(number)})


def _roots(settings: Settings) -> list[Path]:
    """Return the folders below which a client may put an experiment's artifacts."""
    roots = map(local_path, (settings.artifacts_uri, settings.artifact_root))

    return [root for root in roots if root is not None]


async def get(request: Request) -> Reply:
    """Return an experiment by its id."""
    query = await read(request, ById)
    number = experiment_id(query.experiment_id)
    found = await database(request).read(experiments.by_id, number)

    return reply({"experiment": wire.experiment(found)})


async def get_by_name(request: Request) -> Reply:
    """Return an experiment by its name."""
    query = await read(request, ByName)
    found = await database(request).read(experiments.by_name, query.experiment_name)

    return reply({"experiment": wire.experiment(found)})


async def find(request: Request) -> Reply:
    """Search experiments."""
    body = await read(request, Search)
    page = await database(request).read(
        search.experiments,
        body.filter,
        order_by=body.order_by,
        lifecycles=View.read(body.view_type).lifecycles,
        limit=body.max_results,
        page_token=body.page_token,
    )
    found: dict[str, object] = {}
    if page.experiments:
        found["experiments"] = [wire.experiment(item) for item in page.experiments]
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


async def update(request: Request) -> Reply:
    """Rename an experiment."""
    body = await read(request, Update)
    number = experiment_id(body.experiment_id)
    await database(request).write(
        experiments.rename, number, body.new_name, now_ms=now_ms()
    )

    return Reply()


async def delete(request: Request) -> Reply:
    """Put an experiment into the bin."""
    body = await read(request, ById)
    number = experiment_id(body.experiment_id)
    await database(request).write_long(experiments.delete, number, now_ms=now_ms())

    return Reply()


async def restore(request: Request) -> Reply:
    """Take an experiment out of the bin."""
    body = await read(request, ById)
    number = experiment_id(body.experiment_id)
    await database(request).write_long(experiments.restore, number, now_ms=now_ms())

    return Reply()


async def set_tag(request: Request) -> Reply:
    """Set a tag of an experiment."""
    body = await read(request, SetTag)
    number = experiment_id(body.experiment_id)
    named([body.key], "key")
    tag = Tag(body.key, body.value)
    await database(request).write(experiments.set_tag, number, tag, now_ms=now_ms())

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag of an experiment."""
    body = await read(request, DeleteTag)
    number = experiment_id(body.experiment_id)
    await database(request).write(
        experiments.delete_tag, number, body.key, now_ms=now_ms()
    )

    return Reply()


routes = [
    Route("POST", "mlflow/experiments/create", create, Right.EDIT, Create),
    Route("GET", "mlflow/experiments/get", get, Right.READ, ById),
    Route("GET", "mlflow/experiments/get-by-name", get_by_name, Right.READ, ByName),
    Route("GET", "mlflow/experiments/search", find, Right.READ, Search),
    Route("POST", "mlflow/experiments/search", find, Right.READ, Search),
    Route("POST", "mlflow/experiments/update", update, Right.EDIT, Update),
    Route("POST", "mlflow/experiments/delete", delete, Right.EDIT, ById),
    Route("POST", "mlflow/experiments/restore", restore, Right.EDIT, ById),
    Route("POST", "mlflow/experiments/set-experiment-tag", set_tag, Right.EDIT, SetTag),
    Route(
        "POST",
        "mlflow/experiments/delete-experiment-tag",
        delete_tag,
        Right.EDIT,
        DeleteTag,
    ),
]
