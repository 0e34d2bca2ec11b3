"""
Artifacts that clients move by themselves: in parts, and by signed URLs.

An object store gives URLs of its own.  A disk has none, so the parts of an
upload come to this server, each by a URL that only the sender knows.

Source: `mlflow/server/handlers.py` (`_create_multipart_upload_artifact` and
what follows) and `http_artifact_repo.py`, MLflow 3.18.
"""

import re
from typing import Final, NamedTuple

import msgspec

from runstone import errors
from runstone.artifacts import paths
from runstone.artifacts.store import Part, PartUpload, Store
from runstone.server.http import Reply, Request, Right, Route, read, reply
from runstone.server.mlflow import model_folders
from runstone.server.mlflow.artifacts import uri_of_run
from runstone.server.mlflow.logged_models import uri_of_model
from runstone.server.mlflow.messages import RunId, run_id
from runstone.server.mlflow.model_folders import Spot
from runstone.server.mlflow.places import below, is_proxied, place, proxied


UPLOAD_SECONDS: Final = 900
"""How long a signed upload lives where none is asked for; MLflow's number."""

DOWNLOAD_SECONDS: Final = 300
"""How long a signed download lives where none is asked for; MLflow's number."""


class Begin(msgspec.Struct):
    """Body of `mpu/create`."""

    path: str
    """The file's name; clients before 3.18 send its path on their machine."""

    num_parts: int = 1


class SentPart(msgspec.Struct):
    """A part as the sender knows it."""

    part_number: int
    etag: str | None = None


class Finish(msgspec.Struct):
    """Body of `mpu/complete`."""

    path: str
    upload_id: str
    parts: list[SentPart]


class Abort(msgspec.Struct):
    """Body of `mpu/abort`."""

    path: str
    upload_id: str


class Sign(RunId):
    """Body of `presigned-upload-url` and `presigned-download-url`."""

    path: str = ""
    expiration: int | None = None
    model_id: str = ""


async def begin(request: Request) -> Reply:
    """Begin an upload in parts."""
    body = await read(request, Begin)
    path = _file(request, body.path)
    begun = await proxied(request).begin_parts(path, count=body.num_parts)
    urls = begun.urls or _own_urls(request, begun, body.num_parts)

    return reply(
        {
            "upload_id": begun.upload_id,
            "credentials": [
                {"url": url, "part_number": number, "headers": {}}
                for number, url in enumerate(urls, start=1)
            ],
        }
    )


async def put_part(request: Request) -> Reply:
    """Take one part."""
    number = request.params["number"]
    if not re.fullmatch(r"[0-9]{1,6}", number):
        raise errors.InvalidInput(f"Invalid number of a part: {number[:40]!r}")
    etag = await proxied(request).put_part(
        request.params["upload_id"], int(number), request.chunks()
    )

    return Reply(headers=[(b"etag", etag.encode())])


async def finish(request: Request) -> Reply:
    """Let the artifact appear, made of its parts."""
    body = await read(request, Finish)
    path = _file(request, body.path)
    sent = [Part(part.part_number, part.etag or "") for part in body.parts]
    await proxied(request).finish_parts(path, body.upload_id, sent)

    return Reply()


async def abort(request: Request) -> Reply:
    """Drop an upload and its parts."""
    body = await read(request, Abort)
    path = _file(request, body.path)
    await proxied(request).abort_parts(path, body.upload_id)

    return Reply()


async def sign_proxied(request: Request) -> Reply:
    """Return a URL of the object store for one artifact."""
    path = paths.clean(request.params["path"])
    try:
        signed = await _signed(proxied(request), path, DOWNLOAD_SECONDS)
    except errors.ArtifactNotFound:
        spot = await model_folders.spot_of(request, path)
        if spot is None:
            raise
        found = await model_folders.file(request, spot)
        signed = await _signed(*found, DOWNLOAD_SECONDS)

    return reply({"url": signed.url, "headers": {}, "file_size": signed.size_bytes})


async def sign_upload(request: Request) -> Reply:
    """Return a URL to which a file of a run or a model can be sent."""
    body = await read(request, Sign)
    store, root = await _direct(request, body)
    url = await store.upload_url(
        below(root, body.path),
        expires_seconds=_seconds(body, UPLOAD_SECONDS),
    )

    return reply({"presigned_url": url, "headers": {}})


async def sign_download(request: Request) -> Reply:
    """Return a URL from which a file of a run or a model can be fetched."""
    body = await read(request, Sign)
    store, root = await _direct(request, body)
    seconds = _seconds(body, DOWNLOAD_SECONDS)
    try:
        signed = await _signed(store, below(root, body.path), seconds)
    except errors.ArtifactNotFound:
        if body.model_id:
            raise
        spot = Spot(run_id(body), paths.clean(body.path))
        signed = await _signed(*await model_folders.file(request, spot), seconds)

    return reply(
        {
            "presigned_url": signed.url,
            "headers": {},
            "file_size": signed.size_bytes,
        }
    )


class _Signed(NamedTuple):
    """A URL from which a file can be fetched."""

    url: str
    size_bytes: int


async def _signed(store: Store, path: str, seconds: int) -> _Signed:
    url = await store.download_url(path, expires_seconds=seconds)
    found = await store.find(path)

    return _Signed(url, found.size_bytes)


async def _direct(request: Request, body: Sign) -> tuple[Store, str]:
    """Return the store of a run or a model that clients reach without us."""
    if bool(body.model_id) == bool(body.run_id or body.run_uuid):
        raise errors.InvalidInput(
            "Exactly one of run_id and model_id must be provided."
        )
    if not body.path:
        raise errors.InvalidInput("Missing value for required parameter 'path'.")
    if body.model_id:
        artifact_uri = await uri_of_model(request, body.model_id)
    else:
        artifact_uri = await uri_of_run(request, body)
    if is_proxied(artifact_uri):
        raise errors.InvalidInput(
            "Presigned URLs are not supported for proxied artifact storage "
            f"({artifact_uri}); use mlflow-artifacts/presigned, or send the file "
            "through the server"
        )

    return place(request, artifact_uri)


def _seconds(body: Sign, default: int) -> int:
    return default if body.expiration is None else body.expiration


def _file(request: Request, sent: str) -> str:
    """Join the folder in the URL and the name in the body; refuse what climbs."""
    folder = paths.clean_folder(request.params["path"])
    name = re.split(r"[/\\]", sent)[-1]
    if not name:
        raise errors.InvalidInput("Invalid path: it names no file")

    return paths.clean(below(folder, name))


def _own_urls(request: Request, begun: PartUpload, count: int) -> list[str]:
    """Name this server as the sender does, whose requests already came through."""
    scheme, host = request.scope["scheme"], request.header(b"host")
    base = f"{scheme}://{host}{request.scope.get('root_path', '')}/api/2.0/"
    below_base = f"mlflow-artifacts/mpu/part/{begun.upload_id}"

    return [f"{base}{below_base}/{number}" for number in range(1, count + 1)]


_MPU = "mlflow-artifacts/mpu"

routes = [
    Route("POST", f"{_MPU}/create/{{path:path}}", begin, Right.EDIT, Begin),
    Route("PUT", f"{_MPU}/part/{{upload_id}}/{{number}}", put_part, Right.EDIT),
    Route("POST", f"{_MPU}/complete/{{path:path}}", finish, Right.EDIT, Finish),
    Route("POST", f"{_MPU}/abort/{{path:path}}", abort, Right.EDIT, Abort),
    Route("GET", "mlflow-artifacts/presigned/{path:path}", sign_proxied, Right.READ),
    Route(
        "POST", "mlflow/artifacts/presigned-upload-url", sign_upload, Right.EDIT, Sign
    ),
    Route(
        "POST",
        "mlflow/artifacts/presigned-download-url",
        sign_download,
        Right.READ,
        Sign,
    ),
]
