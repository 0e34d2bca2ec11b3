"""
Artifacts on MLflow's wire.

The proxy (`mlflow-artifacts/…`) reads and writes below the server's own place
for artifacts; `artifacts/list` and `/get-artifact` go by a run, whose artifacts
may lie there or in a store that clients reach by themselves.
"""

import msgspec

from runstone import errors
from runstone.artifacts import paths
from runstone.artifacts.store import Store
from runstone.model import ArtifactEntry
from runstone.server.downloads import download
from runstone.server.http import (
    Reply,
    Request,
    Right,
    Route,
    from_query,
    read,
    reply,
)
from runstone.server.mlflow import model_folders
from runstone.server.mlflow.messages import RunId, run_id
from runstone.server.mlflow.model_folders import Spot
from runstone.server.mlflow.places import below, entry, place, proxied, relative
from runstone.server.state import database
from runstone.storage import runs


class List(RunId):
    """Query of `artifacts/list`."""

    path: str = ""
    page_token: str | None = None


class ProxyList(msgspec.Struct):
    """Query of `mlflow-artifacts/artifacts`."""

    path: str = ""


class OfRun(RunId):
    """Query that names a file of a run."""

    path: str = ""


async def list_of_run(request: Request) -> Reply:
    """List a folder of a run's artifacts, its models among them."""
    query = await read(request, List)
    artifact_uri = await uri_of_run(request, query)
    store, root = place(request, artifact_uri)
    own = relative(await store.list(below(root, query.path) or None), root)
    spot = Spot(run_id(query), paths.clean_folder(query.path))
    entries = model_folders.merged(own, await model_folders.entries(request, spot))
    found: dict[str, object] = {"root_uri": artifact_uri}
    if entries:
        found["files"] = list(map(entry, entries))

    return reply(found)


async def get_of_run(request: Request) -> Reply:
    """Return a file of a run's artifacts, as a download."""
    return await send_of_run(request, await read(request, OfRun))


async def send_of_run(request: Request, query: OfRun) -> Reply:
    """
    Send a file of a run's artifacts, or of a model that is seen below them.

    Raises:
        ArtifactNotFound: There is none.
    """
    store, path = await _file_of_run(request, query)
    try:
        return await download(request, store, path)
    except errors.ArtifactNotFound:
        spot = Spot(run_id(query), paths.clean(query.path))
        return await download(request, *await model_folders.file(request, spot))


async def put_of_run(request: Request) -> Reply:
    """Write a file of a run's artifacts, as MLflow's pages do."""
    query = from_query(request.query(), OfRun)
    store, path = await _file_of_run(request, query)
    await store.put(path, request.chunks())

    return Reply()


async def list_proxied(request: Request) -> Reply:
    """List a folder below the server's place for artifacts."""
    query = await read(request, ProxyList)
    folder = paths.clean_folder(query.path)
    own = relative(await proxied(request).list(folder or None), folder)
    entries = model_folders.merged(own, await _of_models(request, folder))
    if not entries:
        return Reply()

    # The proxy names files by their last part, its clients put the rest before.
    return reply({"files": list(map(entry, entries))})


async def get_proxied(request: Request) -> Reply:
    """Return a file below the server's place for artifacts."""
    path = request.params["path"]
    try:
        return await download(request, proxied(request), path)
    except errors.ArtifactNotFound:
        spot = await model_folders.spot_of(request, path)
        if spot is None:
            raise
        return await download(request, *await model_folders.file(request, spot))


async def put_proxied(request: Request) -> Reply:
    """Write a file below the server's place for artifacts."""
    await proxied(request).put(request.params["path"], request.chunks())

    return Reply()


async def delete_proxied(request: Request) -> Reply:
    """Delete a file or a folder below the server's place for artifacts."""
    await proxied(request).delete(paths.clean(request.params["path"]))

    return Reply()


async def uri_of_run(request: Request, message: RunId) -> str:
    """Return where the artifacts of a run lie."""
    run = await database(request).read(runs.by_id, run_id(message))

    return run.artifact_uri


async def _file_of_run(request: Request, query: OfRun) -> tuple[Store, str]:
    if not query.path:
        raise errors.InvalidInput("Missing value for required parameter 'path'.")
    store, root = place(request, await uri_of_run(request, query))

    return store, below(root, query.path)


async def _of_models(request: Request, folder: str) -> list[ArtifactEntry]:
    """Return what models add to a folder on the proxy, by paths from there."""
    spot = await model_folders.spot_of(request, folder)
    if spot is None or (spot.path and model_folders.looks_itself(request)):
        return []

    return relative(await model_folders.entries(request, spot), spot.path)


_BY_PATH = "mlflow-artifacts/artifacts/{path:path}"

routes = [
    Route("GET", "mlflow/artifacts/list", list_of_run, Right.READ, List),
    Route("POST", "mlflow/upload-artifact", put_of_run, Right.EDIT, OfRun),
    Route("GET", "mlflow-artifacts/artifacts", list_proxied, Right.READ, ProxyList),
    Route("GET", _BY_PATH, get_proxied, Right.READ),
    Route("PUT", _BY_PATH, put_proxied, Right.EDIT),
    Route("DELETE", _BY_PATH, delete_proxied, Right.EDIT),
]

at_root = [Route("GET", "/get-artifact", get_of_run, Right.READ, OfRun)]
