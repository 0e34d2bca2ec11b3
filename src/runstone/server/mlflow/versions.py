"""Versions of registered models on MLflow's wire."""

from typing import Annotated

import msgspec

from runstone import errors, limits
from runstone.artifacts.store import Store
from runstone.model import LoggedModel, ModelVersion, Tag
from runstone.server.downloads import download
from runstone.server.http import Needed, Reply, Request, Right, Route, read, reply
from runstone.server.mlflow import sources, wire
from runstone.server.mlflow.artifacts import OfRun, send_of_run
from runstone.server.mlflow.messages import KeyValue, named, version_number
from runstone.server.mlflow.places import below, is_proxied, place
from runstone.server.state import database, now_ms
from runstone.storage import logged_models, runs
from runstone.storage.registry import models, naming, search, stages, versions
from runstone.storage.registry.transitions import Note


class Create(msgspec.Struct):
    """Body of `model-versions/create`."""

    name: Needed
    source: Needed
    run_id: str | None = None
    tags: list[KeyValue] = []
    run_link: str = ""
    description: str = ""
    model_id: str | None = None


class ByVersion(msgspec.Struct):
    """What names a version."""

    name: Needed
    version: Needed


class Update(ByVersion):
    """Body of `model-versions/update`."""

    description: str | None = None


class Transition(ByVersion):
    """Body of `model-versions/transition-stage`."""

    stage: Needed
    archive_existing_versions: bool = False


class Search(msgspec.Struct):
    """Query of `model-versions/search`."""

    filter: str | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_VERSIONS)] = 10_000
    order_by: list[str] = []
    page_token: str | None = None


class SetTag(ByVersion):
    """Body of `model-versions/set-tag`."""

    key: Needed
    value: str = ""


class DeleteTag(ByVersion):
    """Body of `model-versions/delete-tag`."""

    key: Needed


class FileOf(ByVersion):
    """Query that names a file of a version."""

    path: Needed


async def create(request: Request) -> Reply:
    """Add a version to a registered model."""
    body = await read(request, Create)
    named([tag.key for tag in body.tags], "key")
    name = naming.model(body.name)
    tags = [Tag(tag.key, tag.value) for tag in body.tags]
    if models.is_prompt(tags):
        source = sources.prompt(body.source)
    else:
        claim = sources.Claim(body.source, body.run_id, body.model_id or None)
        source = await sources.check(request, claim)
    made = await database(request).write(
        versions.create,
        name,
        source=source,
        run_link=body.run_link,
        description=body.description,
        tags=tags,
        now_ms=now_ms(),
    )

    return _reply(made)


async def get(request: Request) -> Reply:
    """Return a version."""
    return _reply(await _version(request, await read(request, ByVersion)))


async def update(request: Request) -> Reply:
    """Describe a version."""
    body = await read(request, Update)
    changed = await database(request).write(
        versions.describe,
        naming.model(body.name),
        version=version_number(body.version),
        description=body.description,
        now_ms=now_ms(),
    )

    return _reply(changed)


async def transition(request: Request) -> Reply:
    """Move a version to a stage."""
    body = await read(request, Transition)
    moved = await database(request).write(
        stages.move,
        naming.model(body.name),
        version=version_number(body.version),
        stage=stages.read(body.stage),
        note=Note(now_ms()),
        archive_existing=body.archive_existing_versions,
    )

    return _reply(moved)


async def delete(request: Request) -> Reply:
    """Delete a version."""
    body = await read(request, ByVersion)
    await database(request).write(
        versions.delete,
        naming.model(body.name),
        version=version_number(body.version),
        note=Note(now_ms()),
    )

    return Reply()


async def download_uri(request: Request) -> Reply:
    """Say where the files of a version lie."""
    found = await _version(request, await read(request, ByVersion))

    return reply({"artifact_uri": found.storage_location})


async def find(request: Request) -> Reply:
    """Search versions."""
    query = await read(request, Search)
    page = await database(request).read(
        search.find_versions,
        search.Query(
            query.filter,
            tuple(query.order_by),
            query.max_results,
            query.page_token or None,
        ),
    )
    found: dict[str, object] = {}
    if page.versions:
        found["model_versions"] = list(map(wire.model_version, page.versions))
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


async def set_tag(request: Request) -> Reply:
    """Set a tag of a version."""
    body = await read(request, SetTag)
    named([body.key], "key")
    await database(request).write(
        versions.set_tag,
        naming.model(body.name),
        version=version_number(body.version),
        tag=Tag(body.key, body.value),
        now_ms=now_ms(),
    )

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag of a version."""
    body = await read(request, DeleteTag)
    named([body.key], "key")
    await database(request).write(
        versions.delete_tag,
        naming.model(body.name),
        version=version_number(body.version),
        key=body.key,
        now_ms=now_ms(),
    )

    return Reply()


async def get_artifact(request: Request) -> Reply:
    """Return a file of a version, as a download."""
    query = await read(request, FileOf)
    version = await _version(request, query)
    folder = await _folder_of_run(request, version)
    if folder is not None:
        path = below(folder, query.path)
        return await send_of_run(request, OfRun(path=path, run_id=version.run_id))
    store, root = await _folder_of_model(request, version)

    return await download(request, store, below(root, query.path))


async def _folder_of_run(request: Request, version: ModelVersion) -> str | None:
    """Return where a version lies below its run's artifacts; None if it does not."""
    if not version.run_id:
        return None
    run = await database(request).read(runs.by_id, version.run_id)

    return _folder(version.storage_location, run.id, run.artifact_uri)


async def _folder_of_model(
    request: Request, version: ModelVersion
) -> tuple[Store, str]:
    """
    Return the store and the folder of files that lie with a logged model.

    Raises:
        Refused: They lie elsewhere, where only clients may look with keys of
            their own.
    """
    location = version.storage_location
    if match := sources.OF_LOGGED_MODEL.search(location):
        found = await database(request).read(logged_models.known, [match["model"]])
        if _is_of(version, found.get(match["model"])):
            store, root = place(request, location[: match.end()])
            return store, below(root, location[match.end() :].lstrip("/"))

    raise errors.Refused(
        f"The files of this version lie at {location[:300]}, which this server does "
        "not read for others; fetch them with a client"
    )


def _is_of(version: ModelVersion, model: LoggedModel | None) -> bool:
    """
    Say whether a version got its place from this logged model.

    On the proxy none has such a place by its client's word; in other stores
    anybody may have named the place of a model of others.
    """
    location = version.storage_location
    if model is None or not f"{location}/".startswith(f"{model.artifact_uri}/"):
        return False

    return (
        is_proxied(location)
        or version.source == f"models:/{model.id}"
        or bool(version.run_id and version.run_id == model.source_run_id)
    )


def _folder(location: str, run_id: str, artifact_uri: str) -> str | None:
    """Return where a version lies below its run's artifacts; None if it does not."""
    for root in (f"runs:/{run_id}", artifact_uri.rstrip("/")):
        if location == root or location.startswith(f"{root}/"):
            return location[len(root) + 1 :]

    return None


async def _version(request: Request, query: ByVersion) -> ModelVersion:
    return await database(request).glance(
        versions.by_version, naming.model(query.name), version_number(query.version)
    )


def _reply(version: ModelVersion) -> Reply:
    return reply({"model_version": wire.model_version(version)})


_AT = "mlflow/model-versions/"

routes = [
    Route("POST", _AT + "create", create, Right.EDIT, Create),
    Route("GET", _AT + "get", get, Right.READ, ByVersion),
    Route("PATCH", _AT + "update", update, Right.EDIT, Update),
    Route("POST", _AT + "transition-stage", transition, Right.EDIT, Transition),
    Route("DELETE", _AT + "delete", delete, Right.EDIT, ByVersion),
    Route("GET", _AT + "get-download-uri", download_uri, Right.READ, ByVersion),
    Route("GET", _AT + "search", find, Right.READ, Search),
    Route("POST", _AT + "set-tag", set_tag, Right.EDIT, SetTag),
    Route("DELETE", _AT + "delete-tag", delete_tag, Right.EDIT, DeleteTag),
]

at_root = [
    Route("GET", "/model-versions/get-artifact", get_artifact, Right.READ, FileOf)
]
