"""A spool of its own for every test, and servers to send to."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.conftest import start
from tests.server.running import ROOT


__all__ = ["start"]

PATIENCE_SECONDS = 60
Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder where runs are kept until their server has them."""
    folder = tmp_path / "spool"
    for name in list(os.environ):
        if name.startswith(("RUNSTONE_", "MLFLOW_", "WANDB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RUNSTONE_SPOOL", str(folder))
    monkeypatch.setenv("RUNSTONE_CAPTURE", "none")

    return folder


@pytest.fixture
def script(spool: Path, tmp_path: Path) -> Script:
    """Run a training script in a process of its own."""

    def run(text: str, *, uri: str, **environ: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "train.py"
        file.write_text(PREFACE + text)
        return subprocess.run(
            [sys.executable, file],
            cwd=tmp_path,
            env=environment(spool, RUNSTONE_TRACKING_URI=uri, **environ),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    return run


PREFACE = """
import os, signal, sys, time
from runstone.journal import Begin
from runstone.model import RunStatus
from runstone.sdk.session import session

def begin(**fields):
    return session.begin(Begin(experiment="tests", name="run", start_ms=1), **fields)

def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def environment(spool: Path, **more: str) -> dict[str, str]:
    """Return what a training process is started with."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RUNSTONE_", "MLFLOW_", "WANDB_"))
    }

    return {
        **inherited,
        "PYTHONPATH": str(ROOT / "src"),
        "RUNSTONE_SPOOL": str(spool),
        "RUNSTONE_CAPTURE": "none",  # for tests that are about something else
        **more,
    }


def sync(spool: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `runstone sync`."""
    return subprocess.run(
        [sys.executable, "-m", "runstone", "sync", *arguments],
        env=environment(spool),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def killed(done: "subprocess.CompletedProcess[str]") -> bool:
    """Say whether a process was killed."""
    return done.returncode == -signal.SIGKILL
