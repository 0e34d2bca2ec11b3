"""A run whose process was killed does not stay RUNNING for ever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sdk.conftest import PREFACE, environment, sync
from tests.sdk.test_sender import only_run, points
from tests.server.running import Server


Start = Callable[..., Server]

PATIENCE_SECONDS = 40


def test_a_killed_process_ends_its_run_within_the_silence(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """KILLED, with the reason; what it left still comes, and does not revive it."""
    server = start(silence_seconds=2)
    training = begun(
        tmp_path,
        spool,
        server,
        "run = begin()\nrun.log({'loss': 1.0}, step=1)\nassert session.flush()\n"
        "run.log({'loss': 2.0}, step=2)\nprint('up', flush=True)\ninput()",
    )
    assert only_run(server)["info"]["status"] == "RUNNING"

    os.kill(training.pid, signal.SIGKILL)
    training.wait()
    run = awaited(server, "KILLED")

    assert "2 seconds" in tags(run)["runstone.ended_by"]
    assert run["info"]["end_time"] >= run["info"]["start_time"]
    assert sync(spool).returncode == 0
    run = only_run(server)
    assert run["info"]["status"] == "KILLED"
    assert points(server, run, "loss") == [1, 2]
    close(training)


def test_a_process_that_was_only_asleep_revives_its_run(
    start: Start, spool: Path, tmp_path: Path
) -> None:
    """A laptop was closed, a cluster suspended the job: it goes on, and ends well."""
    server = start(silence_seconds=2)
    training = begun(
        tmp_path,
        spool,
        server,
        "run = begin()\nrun.log({'loss': 1.0}, step=1)\nassert session.flush()\n"
        "print('up', flush=True)\ninput()\nrun.log({'loss': 2.0}, step=2)\n"
        "assert session.flush()\nprint('again', flush=True)\ninput()",
    )
    os.kill(training.pid, signal.SIGSTOP)
    awaited(server, "KILLED")

    os.kill(training.pid, signal.SIGCONT)
    say(training)
    run = awaited(server, "RUNNING")

    assert "runstone.ended_by" not in tags(run)
    say(training)
    assert training.wait(PATIENCE_SECONDS) == 0
    run = only_run(server)
    assert run["info"]["status"] == "FINISHED"
    assert points(server, run, "loss") == [1, 2]
    close(training)


def begun(
    folder: Path, spool: Path, server: Server, text: str
) -> "subprocess.Popen[str]":
    """Start a training and wait until it says that it is up."""
    file = folder / "train.py"
    file.write_text(
        PREFACE + "import runstone.sdk.sender as sender\n"
        "sender.BEAT_SECONDS = 0.5\n" + text
    )
    training = subprocess.Popen(
        [sys.executable, file],
        env=environment(spool, RUNSTONE_TRACKING_URI=server.url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert training.stdout
    assert training.stdout.readline() == "up\n"

    return training


def awaited(server: Server, status: str) -> dict[str, Any]:
    """Wait until the run has come so far."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (run := only_run(server))["info"]["status"] != status:
        assert time.monotonic() < deadline, f"still {run['info']['status']}"
        time.sleep(0.1)

    return run


def tags(run: dict[str, Any]) -> dict[str, str]:
    """Return a run's tags."""
    return {tag["key"]: tag["value"] for tag in run["data"]["tags"]}


def say(training: "subprocess.Popen[str]") -> None:
    """Let a training that waits go on."""
    assert training.stdin
    training.stdin.write("go on\n")
    training.stdin.flush()


def close(training: "subprocess.Popen[str]") -> None:
    """Let go of the pipes."""
    for pipe in (training.stdin, training.stdout):
        if pipe:
            pipe.close()
