"""Both stores, each real: a disk, and a bucket of a running S3 server."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from runstone.artifacts import Store, open_store
from tests.s3server import S3Server, s3_server


class Bucket(NamedTuple):
    """A bucket of a running server, and the folder that holds its bytes."""

    server: S3Server
    name: str
    folder: Path


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """Start one S3 server for all tests."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    with s3_server(folder) as server:
        yield Bucket(server, "bucket", folder / "bucket")


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store of each kind."""
    if request.param == "local":
        return open_store(f"file://{tmp_path}/root")

    bucket: Bucket = request.getfixturevalue("bucket")
    uri = f"s3://{bucket.name}/{secrets.token_hex(8)}"

    return open_store(uri, environ=bucket.server.environ())
