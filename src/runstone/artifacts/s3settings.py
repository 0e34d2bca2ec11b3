"""Which S3 server, region and key: by the names that people have set."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config


class S3Settings(NamedTuple):
    """What the environment says of S3; None is left to AWS's own ways."""

    region: str
    endpoint: str | None
    key: str | None
    secret: str | None
    token: str | None
    is_virtual: bool
    """Whether the bucket stands in the host's name rather than in the path."""

    is_tls_checked: bool


def read(environ: Mapping[str, str]) -> S3Settings:
    """Read the names of AWS's own tools (`AWS_*`) and of MLflow (`MLFLOW_S3_*`)."""
    endpoint = _first(
        environ, "MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"
    )

    return S3Settings(
        region=_first(environ, "AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1",
        endpoint=endpoint.rstrip("/") if endpoint else None,
        key=environ.get("AWS_ACCESS_KEY_ID") or None,
        secret=environ.get("AWS_SECRET_ACCESS_KEY") or None,
        token=environ.get("AWS_SESSION_TOKEN") or None,
        is_virtual=environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") == "virtual",
        is_tls_checked=(
            environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() not in {"1", "true"}
        ),
    )


def connection(bucket: str, environ: Mapping[str, str]) -> "S3Config":
    """Spell the settings for obstore."""
    known = read(environ)
    config: S3Config = {
        "region": known.region,
        "virtual_hosted_style_request": known.is_virtual,
    }
    if known.key:
        config["access_key_id"] = known.key
    if known.secret:
        config["secret_access_key"] = known.secret
    if known.token:
        config["session_token"] = known.token

    endpoint = known.endpoint
    if endpoint and known.is_virtual:
        # The library wants the bucket's own host here.
        endpoint = endpoint.replace("://", f"://{bucket}.", 1)
    if endpoint:
        config["endpoint"] = endpoint

    return config


def client_options(environ: Mapping[str, str]) -> "ClientConfig":
    """Spell how obstore talks HTTP."""
    known = read(environ)

    return {
        "allow_http": (known.endpoint or "").startswith("http://"),
        "allow_invalid_certificates": not known.is_tls_checked,
        # A large body may take long; one that stands still may not.
        "timeout": timedelta(days=1),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=60),
    }


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
