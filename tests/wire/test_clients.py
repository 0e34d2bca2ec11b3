"""
Real MLflow clients, unchanged, do what the documents show, against our server.

Each flow of `flows/` runs in the environment of each client that `dev/clients.py`
made, as a process of its own, on a server that has seen the other flows too.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import clients
from tests.conftest import do_without
from tests.wire.conftest import run_server


FLOWS = sorted((Path(__file__).parent / "flows").glob("*.py"))
PATIENCE_SECONDS = 120

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module", params=list(clients.CLIENTS))
def client(request: pytest.FixtureRequest) -> Path:
    """Python of a client's environment."""
    try:
        return clients.python(request.param)
    except clients.Missing as reason:
        do_without("clients", reason)


@pytest.fixture(scope="module")
def server_of_client(
    client: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of a server that one client has for itself."""
    with run_server(tmp_path_factory.mktemp(client.parents[1].name)) as url:
        yield url


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_a_flow_of_the_documents_runs_unchanged(
    flow: Path, client: Path, server_of_client: str, tmp_path: Path
) -> None:
    """Whoever points MLFLOW_TRACKING_URI at us notices no difference."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}

    done = subprocess.run(
        [client, "-P", "-W", "ignore", flow],
        cwd=tmp_path,
        env=clean
        | {
            "MLFLOW_TRACKING_URI": server_of_client,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
