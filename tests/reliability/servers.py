"""Real servers for breaking: started, killed and started again on one port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests import services
from tests.reliability.client import Client, Unanswered


ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
WORDS_OF_TROUBLE = ("Unexpected error", "Traceback", "database is locked", "failed")
"""What no log may say, whatever is done to the server."""


class Served:
    """
    A `runstone server` process that can be killed and started again.

    Args:
        folder: Gets the log, and the store where no other is given.

        options: More words for the command line.

        store: Backend store; a folder below *folder* where empty.

        app: Factory of the application; Runstone's own where empty.

        artifacts: Folder of the artifacts; one below *folder* where None.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        store: str = "",
        app: str = "",
        artifacts: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = store or str(folder / "store")
        self.artifacts = artifacts or folder / "artifacts"
        self.port = services.free_port()
        self.log = folder / "log"
        self._options = options
        self._app = app
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process:
        """The server's (first) process."""
        assert self._process

        return psutil.Process(self._process.pid)

    @property
    def words(self) -> str:
        """Everything that the server has said."""
        return self.log.read_text(errors="replace")

    def start(self) -> None:
        """Start, and return when it answers."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RUNSTONE_", "MLFLOW_", "PYTEST_"))
        }
        environment = {
            **inherited,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "XDG_STATE_HOME": str(self.folder / "state"),
            **({"RUNSTONE_APP": self._app} if self._app else {}),
        }
        words = ["server", "--port", str(self.port), "--backend-store-uri", self.store]
        words += ["--artifacts-destination", str(self.artifacts), *self._options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runstone", *words],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait()

    def wait(self) -> None:
        """Return when the server answers."""
        assert self._process
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(Unanswered), Client(self.port) as client:
                client.ask("GET", "/health")
                return
            time.sleep(0.02)

        raise AssertionError(f"the server does not answer:\n{self.words[-2000:]}")

    def kill(self) -> None:
        """End it as a power cut would: no process of it gets to say a word."""
        if self._process is None or self._process.poll() is not None:
            return
        family = [*self.process.children(recursive=True), self.process]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, timeout=PATIENCE_SECONDS)

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)

        return self._process.wait(PATIENCE_SECONDS)


@contextmanager
def served(
    folder: Path,
    *options: str,
    store: str = "",
    app: str = "",
    artifacts: Path | None = None,
) -> Iterator[Served]:
    """Run a server while the block runs."""
    server = Served(folder, *options, store=store, app=app, artifacts=artifacts)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def assert_calm(server: Served) -> None:
    """Fail if the server was surprised by anything."""
    lines = server.words.splitlines()
    troubled = [line for line in lines if any(w in line for w in WORDS_OF_TROUBLE)]

    assert troubled == []
