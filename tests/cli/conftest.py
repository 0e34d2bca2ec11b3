"""Real processes of the command line, in a home of their own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest


ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30


class Shell:
    """Run `runstone …` as a person would, below one folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[subprocess.Popen[str]] = []
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RUNSTONE_", "MLFLOW_", "PYTEST_"))
        }
        self.environment = {
            **inherited,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "XDG_STATE_HOME": str(home / "state"),
            "RUNSTONE_APP": "tests.cli.tinyapp:create",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "runstone", *words],
            cwd=self.home,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command that goes on."""
        process = subprocess.Popen(
            [sys.executable, "-m", "runstone", *words],
            cwd=self.home,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)

        return process

    def end(self) -> None:
        """Kill what this test left: ours and what says that it runs in our home."""
        for process in self.started:
            if process.poll() is None:
                children = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for child in children:
                    with suppress(psutil.Error):
                        child.kill()
            process.communicate()
        for file in (self.home / "state/runstone").glob("server-*.json"):
            with suppress(ProcessLookupError):
                os.kill(int(file.stem.removeprefix("server-")), signal.SIGKILL)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give a shell in an empty folder with a Korean name and a space."""
    home = tmp_path / "실험 home"
    home.mkdir()
    shell = Shell(home)
    try:
        yield shell
    finally:
        shell.end()


@pytest.fixture
def port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
