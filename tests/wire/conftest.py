"""A real server for the tests of the wire."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
SCRIPT_SECONDS = 120
"""How long a script of a client may take."""

FLOW = re.compile(r"test_clients.*\[(?P<client>[\d.]+)-(?P<flow>\w+)\]")


@contextmanager
def run_server(home: Path, *options: str) -> Iterator[str]:
    """Run our server on an empty store below *home*, and give its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RUNSTONE_", "MLFLOW_"))
    }
    words = ["server", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{home}/runstone.db"]
    words += ["--artifacts-destination", str(home / "artifacts"), *options]
    log = home / "server.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "runstone", *words],
            cwd=home,
            env=clean
            | {"PYTHONPATH": str(ROOT / "src"), "XDG_STATE_HOME": str(home / "state")},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def run_script(python: Path, script: Path, url: str, home: Path, *words: str) -> str:
    """Run a script of a client's in *home*, with our server, and return its words."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    done = subprocess.run(
        [python, "-P", "-W", "ignore", script, *words],
        cwd=home,
        env=clean
        | {
            "MLFLOW_TRACKING_URI": url,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]

    return done.stdout


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"The server did not start:\n{log.read_text()}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[str]:
    """URL of a server with an empty store, for one test."""
    with run_server(tmp_path / "server") as url:
        yield url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with run_server(tmp_path_factory.mktemp("server")) as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which client can do what."""
    cells: dict[str, dict[str, str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            match = FLOW.search(report.nodeid)
            if match:
                cells.setdefault(match["flow"], {})[match["client"]] = outcome
    if not cells:
        return

    clients = sorted(
        {client for row in cells.values() for client in row},
        key=lambda name: [int(part) for part in name.split(".")],
    )
    terminalreporter.section("MLflow clients")
    for flow, row in sorted(cells.items()):
        told = [f"{client} {row.get(client, '-'):8}" for client in clients]
        terminalreporter.write_line(f"{flow:14}" + "  ".join(told))
