"""What a client asks of the server itself."""

from runstone._version import __version__
from runstone.server.http import Reply, Request, Right, Route, reply
from runstone.server.state import state


MLFLOW_VERSION = "3.18.0"
"""The release whose protocol we speak: clients decide by it what they may use."""


async def server_info(request: Request) -> Reply:
    """
    Say what a client may use here.

    Source: `build_server_info_payload` in `mlflow/server/handlers.py`, 3.18.
    """
    settings = state(request).settings
    multipart = settings.serve_artifacts and _has_multipart(request)

    return reply(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": multipart,
            "multipart_downloads_enabled": multipart,
            "artifact_serving_enabled": settings.serve_artifacts,
            "features_enabled": {
                "gateway": False,
                "scheduled_issue_detection": False,
            },
            "tracking_auth": "",
            "artifacts_presigned_only": False,
            "runstone_version": __version__,
        }
    )


def _has_multipart(request: Request) -> bool:
    return any("/mpu/create" in route.path for route in state(request).routes)


async def health(_request: Request) -> Reply:
    """Say that the server answers."""
    return Reply(b"OK", content_type=b"text/plain; charset=utf-8")


async def version(_request: Request) -> Reply:
    """Name the MLflow release that clients may take us for."""
    return Reply(MLFLOW_VERSION.encode(), content_type=b"text/plain; charset=utf-8")


routes = [Route("GET", "mlflow/server-info", server_info, Right.PUBLIC)]

at_root = [
    Route("GET", "/health", health, Right.PUBLIC),
    Route("GET", "/version", version, Right.PUBLIC),
]
