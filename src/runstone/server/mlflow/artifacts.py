"""
Artifacts on MLflow's wire.

The proxy (`mlflow-artifacts/…`) reads and writes below the server's own place
for artifacts; `artifacts/list` and `/get-artifact` go by a run, whose artifacts
may lie there or in a store that clients reach by themselves.
"""

from urllib.parse import urlsplit

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
from runstone.server.mlflow.messages import RunId, run_id
from runstone.server.state import database, state
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
    """List a folder of a run's artifacts."""
    query = await read(request, List)
    artifact_uri = await uri_of_run(request, query)
    store, root = place(request, artifact_uri)
    entries = await store.list(below(root, query.path) or None)
    found: dict[str, object] = {"root_uri": artifact_uri}
    if entries:
        found["files"] = [_entry(entry, root) for entry in entries]

    return reply(found)


async def get_of_run(request: Request) -> Reply:
    """Return a file of a run's artifacts, as a download."""
    query = await read(request, OfRun)
    store, path = await _file_of_run(request, query)

    return await download(request, store, path)


async def put_of_run(request: Request) -> Reply:
    """Write a file of a run's artifacts, as MLflow's pages do."""
    query = from_query(request.query(), OfRun)
    store, path = await _file_of_run(request, query)
    await store.put(path, request.chunks())

    return Reply()


async def list_proxied(request: Request) -> Reply:
    """List a folder below the server's place for artifacts."""
    query = await read(request, ProxyList)
    entries = await proxied(request).list(query.path or None)
    if not entries:
        return Reply()

    # The proxy names files by their last part, its clients put the rest before.
    return reply(
        {"files": [_entry(entry, query.path.rstrip("/")) for entry in entries]}
    )


async def get_proxied(request: Request) -> Reply:
    """Return a file below the server's place for artifacts."""
    return await download(request, proxied(request), request.params["path"])


async def put_proxied(request: Request) -> Reply:
    """Write a file below the server's place for artifacts."""
    await proxied(request).put(request.params["path"], request.chunks())

    return Reply()


async def delete_proxied(request: Request) -> Reply:
    """Delete a file or a folder below the server's place for artifacts."""
    await proxied(request).delete(paths.clean(request.params["path"]))

    return Reply()


def proxied(request: Request) -> Store:
    """
    Return the server's own place for artifacts.

    Raises:
        NotBuilt: This server does not serve artifacts.
    """
    if not state(request).settings.serve_artifacts:
        raise errors.NotBuilt(
            "This server does not serve artifacts: it was started with "
            "--no-serve-artifacts"
        )

    return state(request).artifacts


async def uri_of_run(request: Request, message: RunId) -> str:
    """Return where the artifacts of a run lie."""
    run = await database(request).read(runs.by_id, run_id(message))

    return run.artifact_uri


def place(request: Request, artifact_uri: str) -> tuple[Store, str]:
    """Return the store that holds a run's artifacts, and their folder in it."""
    if is_proxied(artifact_uri):
        return state(request).artifacts, urlsplit(artifact_uri).path.strip("/")

    return state(request).store_at(artifact_uri), ""


def is_proxied(artifact_uri: str) -> bool:
    """Say whether clients reach these artifacts through the server."""
    return artifact_uri.startswith(f"{paths.PROXY_SCHEME}:")


def below(root: str, path: str) -> str:
    """
    Join what a client sent to a folder of ours; nothing is the folder itself.

    Raises:
        UnsafePath: By itself it would be refused; the whole is judged again.
    """
    cleaned = paths.clean_folder(path)

    return f"{root}/{cleaned}" if root and cleaned else root or cleaned


async def _file_of_run(request: Request, query: OfRun) -> tuple[Store, str]:
    if not query.path:
        raise errors.InvalidInput("Missing value for required parameter 'path'.")
    store, root = place(request, await uri_of_run(request, query))

    return store, below(root, query.path)


def _entry(entry: ArtifactEntry, root: str) -> dict[str, object]:
    path = entry.path.removeprefix(f"{root}/") if root else entry.path
    found: dict[str, object] = {"path": path, "is_dir": entry.is_folder}
    if entry.size_bytes is not None:
        found["file_size"] = entry.size_bytes

    return found


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
