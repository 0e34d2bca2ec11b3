"""
Artifacts on MLflow's wire.

The proxy (`mlflow-artifacts/…`) reads and writes below the server's own place
for artifacts; `artifacts/list` and `/get-artifact` go by a run, whose artifacts
may lie there or in a store that clients reach by themselves.
"""

import mimetypes
import re
from collections.abc import AsyncIterator

import msgspec

from runstone import errors
from runstone.artifacts import paths
from runstone.artifacts.store import Download, Store
from runstone.model import ArtifactEntry
from runstone.server.http import Reply, Request, Right, Route, read, reply
from runstone.server.mlflow.messages import RunId, run_id
from runstone.server.state import database, state
from runstone.settings import PROXIED_ARTIFACTS
from runstone.storage import runs


class List(RunId):
    """Query of `artifacts/list`."""

    path: str = ""
    page_token: str | None = None


class ProxyList(msgspec.Struct):
    """Query of `mlflow-artifacts/artifacts`."""

    path: str = ""


class GetArtifact(RunId):
    """Query of `/get-artifact`."""

    path: str = ""


async def list_of_run(request: Request) -> Reply:
    """List a folder of a run's artifacts."""
    query = await read(request, List)
    run = await database(request).read(runs.by_id, run_id(query))
    store, root = _of_run(request, run.artifact_uri)
    entries = await store.list(_below(root, query.path) or None)
    found: dict[str, object] = {"root_uri": run.artifact_uri}
    if entries:
        found["files"] = [_entry(entry, root) for entry in entries]

    return reply(found)


async def get_of_run(request: Request) -> Reply:
    """Return a file of a run's artifacts, as a download."""
    query = await read(request, GetArtifact)
    if not query.path:
        raise errors.InvalidInput("Missing value for required parameter 'path'.")
    run = await database(request).read(runs.by_id, run_id(query))
    store, root = _of_run(request, run.artifact_uri)

    return await _download(request, store, _below(root, query.path))


async def list_proxied(request: Request) -> Reply:
    """List a folder below the server's place for artifacts."""
    query = await read(request, ProxyList)
    entries = await _proxied(request).list(query.path or None)
    if not entries:
        return Reply()

    # The proxy names files by their last part, its clients put the rest before.
    return reply(
        {"files": [_entry(entry, query.path.rstrip("/")) for entry in entries]}
    )


async def download(request: Request) -> Reply:
    """Return a file below the server's place for artifacts."""
    return await _download(request, _proxied(request), request.params["path"])


async def upload(request: Request) -> Reply:
    """Write a file below the server's place for artifacts."""
    await _proxied(request).put(request.params["path"], request.chunks())

    return Reply()


async def delete(request: Request) -> Reply:
    """Delete a file or a folder below the server's place for artifacts."""
    await _proxied(request).delete(paths.clean(request.params["path"]))

    return Reply()


def _proxied(request: Request) -> Store:
    if not state(request).settings.serve_artifacts:
        raise errors.NotBuilt(
            "This server does not serve artifacts: it was started with "
            "--no-serve-artifacts"
        )

    return state(request).artifacts


def _of_run(request: Request, artifact_uri: str) -> tuple[Store, str]:
    """Return the store that holds a run's artifacts, and their folder in it."""
    if artifact_uri.startswith(PROXIED_ARTIFACTS):
        rest = artifact_uri.removeprefix(PROXIED_ARTIFACTS)
        return state(request).artifacts, rest.strip("/")

    return state(request).store_at(artifact_uri), ""


def _below(root: str, path: str) -> str:
    return f"{root}/{path}" if root and path else root or path


def _entry(entry: ArtifactEntry, root: str) -> dict[str, object]:
    path = entry.path.removeprefix(f"{root}/") if root else entry.path
    found: dict[str, object] = {"path": path, "is_dir": entry.is_folder}
    if entry.size_bytes is not None:
        found["file_size"] = entry.size_bytes

    return found


async def _download(request: Request, store: Store, path: str) -> Reply:
    start, end = _range(request.header(b"range"))
    found = await store.open(path, start=start, end=end)
    headers = [
        (b"content-length", b"%d" % (found.end - found.start)),
        (b"etag", found.etag.encode("latin-1", "replace")),
        (b"accept-ranges", b"bytes"),
        # What users upload is a download, never a page of ours.
        (b"content-disposition", _attachment(path)),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
    ]
    is_part = start is not None or end is not None
    if is_part:
        span = f"bytes {found.start}-{found.end - 1}/{found.size_bytes}"
        headers.append((b"content-range", span.encode()))
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"

    return Reply(_chunks(found), 206 if is_part else 200, kind.encode(), headers)


async def _chunks(found: Download) -> AsyncIterator[bytes]:
    try:
        async for chunk in found.chunks:
            yield chunk
    finally:
        await found.chunks.aclose()


def _range(header: str) -> tuple[int | None, int | None]:
    """Read one range of bytes; anything else means the whole (RFC 9110, 14.2)."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header.strip())
    if match is None or match[0] == "bytes=-":
        return None, None
    first, last = match[1], match[2]
    if not first:
        return -int(last), None

    return int(first), int(last) + 1 if last else None


def _attachment(path: str) -> bytes:
    """Name a download after RFC 6266."""
    name = path.rsplit("/", 1)[-1]
    plain = re.sub(r"[^\w.\- ]", "_", name, flags=re.ASCII)
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}"
        for byte in name.encode()
    )

    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{escaped}".encode()


_BY_PATH = "mlflow-artifacts/artifacts/{path:path}"

routes = [
    Route("GET", "mlflow/artifacts/list", list_of_run, Right.READ, List),
    Route("GET", "mlflow-artifacts/artifacts", list_proxied, Right.READ, ProxyList),
    Route("GET", _BY_PATH, download, Right.READ),
    Route("PUT", _BY_PATH, upload, Right.EDIT),
    Route("DELETE", _BY_PATH, delete, Right.EDIT),
]

at_root = [Route("GET", "/get-artifact", get_of_run, Right.READ, GetArtifact)]
