"""An unchanged MLflow client and its artifacts, wherever they lie."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.artifacts.conftest import Bucket
from tests.server.running import Server, send


# In a process of its own: MLflow keeps much in globals, and warns.
SCRIPT = """
import json, os, sys
from pathlib import Path
import mlflow

url, folder = sys.argv[1:]
mlflow.set_tracking_uri(url)
local = Path(folder)
(local / "sub").mkdir(parents=True)
data = os.urandom(300_000)
(local / "sub" / "모델 1%.bin").write_bytes(data)
(local / "empty").write_bytes(b"")
for number in range(20):
    (local / "sub" / f"{number}.txt").write_text(str(number))

with mlflow.start_run() as run:
    mlflow.log_artifacts(str(local), "out")
    mlflow.log_artifact(str(local / "empty"))
    mlflow.log_text("<b>노트</b>", "notes/a.html")
    mlflow.log_dict({"a": 1}, "notes/a.json")

client = mlflow.MlflowClient()
run_id = run.info.run_id
listed = [
    (entry.path, entry.is_dir, entry.file_size)
    for folder in (None, "out", "notes", "empty")
    for entry in client.list_artifacts(run_id, folder)
]
back = Path(client.download_artifacts(run_id, "out", str(local / "..")))
assert (back / "sub" / "모델 1%.bin").read_bytes() == data
assert (back / "empty").read_bytes() == b""
assert (back / "sub" / "19.txt").read_text() == "19"
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/a.html") == (
    "<b>노트</b>"
)
found = {"uri": run.info.artifact_uri, "run_id": run_id, "listed": listed}
json.dump(found, sys.stdout)
"""
LISTED = [
    ["empty", False, 0],
    ["notes", True, None],
    ["out", True, None],
    ["out/empty", False, 0],
    ["out/sub", True, None],
    ["notes/a.html", False, 13],
    ["notes/a.json", False, 12],
]
IN_PARTS = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "100000",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "65536",
}


def use(
    server: Server, folder: Path, environ: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Log, list and fetch with a client that knows no more than the URL."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "AWS_"))
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, server.url, str(folder / "local")],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={
            **inherited,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "PYTHONIOENCODING": "utf-8",
            **(environ or {}),
        },
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout[done.stdout.index('{"uri"') :])

    assert found["listed"] == LISTED
    file = f"/get-artifact?run_id={found['run_id']}&path=notes/a.html"
    assert send(server.url, "GET", file).body.decode() == "<b>노트</b>"
    log = "".join(server.lines)
    assert "ERROR" not in log
    assert '" 500 ' not in log

    return found


@pytest.mark.parametrize("environ", [{}, IN_PARTS], ids=["whole", "in parts"])
def test_artifacts_go_through_the_server_to_its_disk(
    start: Callable[..., Server], tmp_path: Path, environ: Mapping[str, str]
) -> None:
    """What everyone has who changes nothing."""
    server = start()

    found = use(server, tmp_path, environ)

    assert str(found["uri"]).startswith("mlflow-artifacts:/")
    parts = [line for line in server.lines if "/mpu/part/" in line]
    assert len(parts) == (5 if environ else 0)
    artifacts = server.folder / "mlruns" / "artifacts"
    assert not list(artifacts.glob(".runstone-*"))


@pytest.mark.parametrize(
    "environ",
    [{}, {**IN_PARTS, "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "5242880"}],
    ids=["whole", "in parts"],
)
def test_artifacts_go_through_the_server_to_a_bucket(
    start: Callable[..., Server],
    tmp_path: Path,
    bucket: Bucket,
    environ: Mapping[str, str],
) -> None:
    """The client has no key of the bucket and needs none."""
    server = start(
        environ=bucket.server.environ(),
        artifacts_destination=f"s3://{bucket.name}/{secrets.token_hex(8)}",
    )

    found = use(server, tmp_path, environ)

    assert str(found["uri"]).startswith("mlflow-artifacts:/")
    begun = [line for line in server.lines if "/mpu/create/" in line]
    assert len(begun) == (1 if environ else 0)


def test_artifacts_go_by_the_client_to_a_folder(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    """A team on one machine needs no copy through the server."""
    server = start(default_artifact_root=str(tmp_path / "shared"))

    found = use(server, tmp_path)

    assert (Path(str(found["uri"])) / "out" / "empty").exists()
    assert not [line for line in server.lines if "mlflow-artifacts" in line]


def test_artifacts_go_by_the_client_to_a_bucket(
    start: Callable[..., Server], tmp_path: Path, bucket: Bucket
) -> None:
    """As large teams have it, each client with a key of its own."""
    pytest.importorskip("boto3", reason="MLflow's client needs it to reach S3")
    server = start(
        environ=bucket.server.environ(),
        default_artifact_root=f"s3://{bucket.name}/{secrets.token_hex(8)}",
    )

    found = use(
        server,
        tmp_path,
        {
            **bucket.server.environ(),
            "MLFLOW_S3_ENDPOINT_URL": bucket.server.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )

    assert str(found["uri"]).startswith("s3://")
