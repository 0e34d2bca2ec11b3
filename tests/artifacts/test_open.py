"""Which store a URI opens, and what it says where none can be used."""

import asyncio
import sys
from pathlib import Path

import pytest

from runstone.artifacts import LocalStore, open_store
from runstone.artifacts.s3 import S3Store
from runstone.artifacts.s3settings import connection
from runstone.errors import Unavailable, UnsafePath, Unusable
from tests.artifacts.conftest import Bucket
from tests.artifacts.sending import names, put, read


@pytest.mark.parametrize("uri", ["{}/a b", "file://{}/a%20b"])
def test_a_folder_opens_a_disk(uri: str, tmp_path: Path) -> None:
    """The folder is made by the first upload, not before."""
    store = open_store(uri.format(tmp_path))

    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "a b"
    assert not store.root.exists()
    asyncio.run(put(store, "x/y", b"1"))
    assert (tmp_path / "a b" / "x" / "y").read_bytes() == b"1"


@pytest.mark.parametrize(
    "uri", ["gs://bucket/x", "wasbs://a@b/x", "mlflow-artifacts:/x"]
)
def test_a_store_that_is_not_there_yet_says_so(uri: str) -> None:
    """Not a traceback of some import."""
    with pytest.raises(Unusable, match="s3://bucket"):
        open_store(uri)


def test_what_is_no_root_is_refused() -> None:
    """The same gate as for clients, less the rule on folders."""
    with pytest.raises(UnsafePath):
        open_store("s3://bucket/../x")


def test_s3_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library is not among our plain dependencies."""
    monkeypatch.setitem(sys.modules, "obstore.store", None)

    with pytest.raises(Unusable, match=r"pip install 'runstone\[s3\]'"):
        open_store("s3://bucket/x")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {"region": "us-east-1", "virtual_hosted_style_request": False}),
        (
            {"AWS_ENDPOINT_URL": "http://a:1", "MLFLOW_S3_ENDPOINT_URL": "http://b:2/"},
            {"endpoint": "http://b:2"},
        ),
        (
            {"AWS_ENDPOINT_URL_S3": "http://a:1", "AWS_ENDPOINT_URL": "http://b:2"},
            {"endpoint": "http://a:1"},
        ),
        (
            {
                "AWS_ENDPOINT_URL": "https://s3.test",
                "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "virtual",
            },
            {
                "endpoint": "https://bucket.s3.test",
                "virtual_hosted_style_request": True,
            },
        ),
        (
            {"AWS_DEFAULT_REGION": "ap-northeast-2", "AWS_SESSION_TOKEN": "t"},
            {"region": "ap-northeast-2", "session_token": "t"},
        ),
    ],
)
def test_s3_reads_the_names_that_people_have_set(
    environ: dict[str, str], expected: dict[str, object]
) -> None:
    """What works with MLflow or AWS's tools works here."""
    config = connection("bucket", environ)

    assert {**config, **expected} == config


def test_a_wrong_secret_names_what_to_check(bucket: Bucket) -> None:
    """And does not print it."""
    environ = bucket.server.environ() | {"AWS_SECRET_ACCESS_KEY": "not-the-secret"}
    store = open_store(f"s3://{bucket.name}/x", environ=environ)

    for act in (names(store), put(store, "a", b"1"), read(store, "a")):
        with pytest.raises(Unusable, match="AWS_SECRET_ACCESS_KEY") as caught:
            asyncio.run(act)
        assert "not-the-secret" not in str(caught.value)


def test_a_missing_bucket_is_said(bucket: Bucket) -> None:
    """It is the operator's to make."""
    store = open_store("s3://no-such-bucket/x", environ=bucket.server.environ())

    for act in (names(store), put(store, "a", b"1")):
        with pytest.raises(Unusable, match="create it"):
            asyncio.run(act)


def test_a_store_that_is_away_is_unavailable() -> None:
    """So the client knows to try again."""
    environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    store = S3Store("s3://bucket/x", environ=environ)

    with pytest.raises(Unavailable):
        asyncio.run(names(store))
