"""A real server, a real Chromium, and a page that may not complain."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dev import web
from tests import services, tree
from tests.conftest import do_without


START_SECONDS = 30
PATIENCE_MS = 15_000
"""A page asks again every two seconds; slow machines are slow."""

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Site:
    """A server process on one port, and what a training script would tell it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = services.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        words = ["--backend-store-uri", str(self.folder / "store")]
        words += ["--port", str(self.port)]
        kept = {k: v for k, v in os.environ.items() if "MLFLOW" not in k}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runstone", "server", *words],
            env={
                **kept,
                "PYTHONPATH": str(tree.ROOT / "src"),
                "XDG_STATE_HOME": str(self.folder / "state"),
            },
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < end, "the server did not start"
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        if self.process:
            self.process.terminate()
            self.process.wait(START_SECONDS)
            self.process = None

    def send(self, path: str, **body: object) -> Any:  # noqa: ANN401  # JSON
        """Say something on MLflow's wire."""
        request = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def experiment(self, name: str) -> str:
        """Make an experiment and return its id."""
        return str(self.send("experiments/create", name=name)["experiment_id"])

    def run(
        self,
        experiment_id: str,
        name: str,
        *,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Begin a run and return its id."""
        listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        made = self.send(
            "runs/create",
            experiment_id=experiment_id,
            run_name=name,
            start_time=time.time_ns() // 1_000_000,
            tags=listed,
        )
        run_id = str(made["run"]["info"]["run_id"])
        for key, value in (params or {}).items():
            self.send("runs/log-parameter", run_id=run_id, key=key, value=value)

        return run_id

    def log(self, run_id: str, key: str, values: Sequence[float | str]) -> None:
        """Add points to a series, one for each step from 0."""
        points = [
            {"key": key, "value": value, "timestamp": 1 + step, "step": step}
            for step, value in enumerate(values)
        ]
        self.send("runs/log-batch", run_id=run_id, metrics=points)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
        except OSError:
            return False

        return True


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Give a server with an empty store."""
    if not (tree.ROOT / "src/runstone/static/index.html").exists():
        do_without("chromium", services.Missing("the pages are not built (make web)"))

    site = Site(tmp_path)
    site.start()
    try:
        yield site
    finally:
        site.stop()


# Playwright keeps an event loop in this thread for as long as it is open, and other
# folders' tests want one of their own.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Give the system's Chromium."""
    node, _ = web.node_and_npm()
    with pytest.MonkeyPatch.context() as patch:
        # Playwright's own Node.js needs a library that a bare system lacks.
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=list(ARGUMENTS)
            )
            yield browser
            browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser said against the page; a test may expect some and clear it."""
    return []


@pytest.fixture
def page(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Page]:
    """Give an empty page; no script may fail and no policy be violated on it."""
    context = browser.new_context(
        base_url=site.url,
        locale="en-US",
        color_scheme="light",
        viewport={"width": 1440, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on(
        "console",
        lambda message: complaints.append(message.text)
        if message.type in {"error", "warning"}
        else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    yield page
    context.close()

    assert complaints == []
