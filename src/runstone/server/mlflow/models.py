"""Registered models on MLflow's wire: their life, tags, aliases and search."""

from typing import Annotated

import msgspec

from runstone import limits
from runstone.model import Tag
from runstone.server.http import Needed, Reply, Request, Right, Route, read, reply
from runstone.server.mlflow import wire
from runstone.server.mlflow.messages import KeyValue, named, version_number
from runstone.server.state import database, now_ms
from runstone.storage.registry import aliases, models, naming, search, stages
from runstone.storage.registry.transitions import Note


class Create(msgspec.Struct):
    """Body of `registered-models/create`."""

    name: Needed
    tags: list[KeyValue] = []
    description: str = ""


class ByName(msgspec.Struct):
    """What names a registered model."""

    name: Needed


class Update(ByName):
    """Body of `registered-models/update`."""

    description: str = ""


class Rename(ByName):
    """Body of `registered-models/rename`."""

    new_name: Needed


class Search(msgspec.Struct):
    """Query of `registered-models/search`."""

    filter: str | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_MODELS)] = 100
    order_by: list[str] = []
    page_token: str | None = None


class Latest(ByName):
    """Body or query of `registered-models/get-latest-versions`."""

    stages: list[str] = []


class SetTag(ByName):
    """Body of `registered-models/set-tag`."""

    key: Needed
    value: str = ""


class DeleteTag(ByName):
    """Body of `registered-models/delete-tag`."""

    key: Needed


class ByAlias(ByName):
    """What names an alias."""

    alias: Needed


class SetAlias(ByAlias):
    """Body of `registered-models/alias`."""

    version: Needed


async def create(request: Request) -> Reply:
    """Create a registered model."""
    body = await read(request, Create)
    named([tag.key for tag in body.tags], "key")
    made = await database(request).write(
        models.create,
        naming.model(body.name),
        description=body.description,
        tags=[Tag(tag.key, tag.value) for tag in body.tags],
        now_ms=now_ms(),
    )

    return reply({"registered_model": wire.registered_model(made)})


async def get(request: Request) -> Reply:
    """Return a registered model."""
    query = await read(request, ByName)
    name = naming.model(query.name)
    found = await database(request).glance(models.by_name, name)

    return reply({"registered_model": wire.registered_model(found)})


async def update(request: Request) -> Reply:
    """Describe a registered model."""
    body = await read(request, Update)
    changed = await database(request).write(
        models.describe, naming.model(body.name), body.description, now_ms=now_ms()
    )

    return reply({"registered_model": wire.registered_model(changed)})


async def rename(request: Request) -> Reply:
    """Give a registered model another name."""
    body = await read(request, Rename)
    changed = await database(request).write_long(
        models.rename,
        name=naming.model(body.name),
        new_name=naming.model(body.new_name),
        note=Note(now_ms()),
    )

    return reply({"registered_model": wire.registered_model(changed)})


async def delete(request: Request) -> Reply:
    """Delete a registered model with all its versions."""
    body = await read(request, ByName)
    await database(request).write_long(
        models.delete, naming.model(body.name), note=Note(now_ms())
    )

    return Reply()


async def find(request: Request) -> Reply:
    """Search registered models."""
    query = await read(request, Search)
    page = await database(request).read(
        search.find_models,
        search.Query(
            query.filter,
            tuple(query.order_by),
            query.max_results,
            query.page_token or None,
        ),
    )
    found: dict[str, object] = {}
    if page.models:
        found["registered_models"] = list(map(wire.registered_model, page.models))
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


async def latest(request: Request) -> Reply:
    """Return the newest version of each stage."""
    query = await read(request, Latest)
    wanted = tuple(map(stages.read, query.stages))
    name = naming.model(query.name)
    found = await database(request).read(stages.latest, name, stages=wanted)
    if not found:
        return Reply()

    return reply({"model_versions": list(map(wire.model_version, found))})


async def set_tag(request: Request) -> Reply:
    """Set a tag of a registered model."""
    body = await read(request, SetTag)
    named([body.key], "key")
    name = naming.model(body.name)
    await database(request).write(models.set_tag, name, Tag(body.key, body.value))

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag of a registered model."""
    body = await read(request, DeleteTag)
    named([body.key], "key")
    await database(request).write(models.delete_tag, naming.model(body.name), body.key)

    return Reply()


async def set_alias(request: Request) -> Reply:
    """Point an alias at a version."""
    body = await read(request, SetAlias)
    await database(request).write(
        aliases.put,
        naming.model(body.name),
        alias=body.alias,
        version=version_number(body.version),
        note=Note(now_ms()),
    )

    return Reply()


async def delete_alias(request: Request) -> Reply:
    """Take an alias away."""
    body = await read(request, ByAlias)
    await database(request).write(
        aliases.drop, naming.model(body.name), alias=body.alias, note=Note(now_ms())
    )

    return Reply()


async def get_by_alias(request: Request) -> Reply:
    """Return the version that an alias points at."""
    query = await read(request, ByAlias)
    name = naming.model(query.name)
    found = await database(request).glance(aliases.version, name, alias=query.alias)

    return reply({"model_version": wire.model_version(found)})


_AT = "mlflow/registered-models/"

routes = [
    Route("POST", _AT + "create", create, Right.EDIT, Create),
    Route("GET", _AT + "get", get, Right.READ, ByName),
    Route("PATCH", _AT + "update", update, Right.EDIT, Update),
    Route("POST", _AT + "rename", rename, Right.EDIT, Rename),
    Route("DELETE", _AT + "delete", delete, Right.EDIT, ByName),
    Route("GET", _AT + "search", find, Right.READ, Search),
    Route("GET", _AT + "get-latest-versions", latest, Right.READ, Latest),
    Route("POST", _AT + "get-latest-versions", latest, Right.READ, Latest),
    Route("POST", _AT + "set-tag", set_tag, Right.EDIT, SetTag),
    Route("DELETE", _AT + "delete-tag", delete_tag, Right.EDIT, DeleteTag),
    Route("POST", _AT + "alias", set_alias, Right.EDIT, SetAlias),
    Route("DELETE", _AT + "alias", delete_alias, Right.EDIT, ByAlias),
    Route("GET", _AT + "alias", get_by_alias, Right.READ, ByAlias),
]
