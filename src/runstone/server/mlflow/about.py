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
    settings, store = state(request).settings, state(request).artifacts
    serves = settings.serve_artifacts

    return reply(
        {
            "store_type": "SqlStore",
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            # Where they are said, clients go to the object store by themselves:
            # only the operator knows whether they can reach it.
            "multipart_uploads_enabled": serves and settings.multipart_uploads,
            "multipart_downloads_enabled": (
                serves and settings.multipart_downloads and store.gives_urls
            ),
            "artifact_serving_enabled": serves,
            "presigned_upload_run_id_supported": True,
            "presigned_upload_model_id_supported": True,
            "model_artifact_presigned_downloads_supported": False,
            "features_enabled": {
                "gateway": False,
                "scheduled_issue_detection": False,
            },
            "tracking_auth": "",
            "artifacts_presigned_only": False,
            "runstone_version": __version__,
        }
    )


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
