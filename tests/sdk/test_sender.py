"""What is logged comes to its server, once and whole, whatever dies in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runstone.sdk import calls, door
from tests.sdk.conftest import Script, environment, killed, sync
from tests.server.running import Server, serving


Start = Callable[..., Server]


def test_a_script_leaves_its_run_on_the_server(
    script: Script, start: Start, spool: Path
) -> None:
    """Params, tags, curves and files; and nothing stays in the spool."""
    server = start()

    done = script(
        """
run = begin()
run.log_params({"lr": "0.1"})
for step in range(1000): run.log({"loss": step, "acc": 1}, step=step)
run.log_bytes(b"hello", "notes/hello.txt")
session.finish(run, RunStatus.FINISHED)
""",
        uri=server.url,
    )

    assert (done.returncode, done.stderr) == (0, "")
    run = only_run(server)
    assert run["info"]["status"] == "FINISHED"
    assert run["data"]["params"] == [{"key": "lr", "value": "0.1"}]
    assert points(server, run, "loss") == list(range(1000))
    assert fetched(server, run, "notes/hello.txt") == b"hello"
    assert list(spool.glob("*")) == []


def test_an_exception_gives_failed_with_its_text(script: Script, start: Start) -> None:
    """Whoever looks at the run next morning sees why it ended."""
    server = start()

    done = script(
        "run = begin()\nrun.log({'loss': 1.0}, step=1)\nraise ValueError('too hot')",
        uri=server.url,
    )

    assert "ValueError: too hot" in done.stderr
    run = only_run(server)
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert run["info"]["status"] == "FAILED"
    assert tags["runstone.error"] == "ValueError: too hot"


@pytest.mark.parametrize("end", ["die()", "os._exit(0)"])
def test_the_next_process_sends_what_a_dead_one_left(
    script: Script, start: Start, spool: Path, end: str
) -> None:
    """Nobody has to know that there is such a thing as a spool."""
    server = start()
    script(
        "run = begin()\nfor s in range(300): run.log({'loss': s}, step=s)\n" + end,
        uri=server.url,
        RUNSTONE_MODE="offline",
    )

    script("begin().log({'other': 1.0}, step=0)", uri=server.url)

    found = runs(server)
    assert sorted(len(points(server, run, "loss")) for run in found) == [0, 300]
    assert list(spool.glob("*")) == []


def test_training_does_not_notice_that_the_server_is_away(
    script: Script, spool: Path, tmp_path: Path
) -> None:
    """It ends as always, says where its run is kept, and `runstone sync` sends it."""
    done = script(
        "run = begin()\nfor s in range(300): run.log({'loss': s}, step=s)",
        uri="http://127.0.0.1:1",
        RUNSTONE_EXIT_SECONDS="0",
    )

    assert done.returncode == 0
    assert "runstone sync" in done.stderr
    with serving(tmp_path / "late") as server:
        sent = sync(spool, "--tracking-uri", server.url)
        assert sent.returncode == 0, sent.stderr
        assert points(server, only_run(server), "loss") == list(range(300))


def test_sync_says_what_waits_and_what_it_could_not_send(
    script: Script, spool: Path
) -> None:
    """One line for each, and an exit code for scripts."""
    script("begin()", uri="http://127.0.0.1:1", RUNSTONE_MODE="offline")

    waits = sync(spool, "--dry-run")
    tried = sync(spool, "--patience", "0")

    assert "http://127.0.0.1:1" in waits.stdout
    assert tried.returncode == 7
    assert "try again when the server is there" in tried.stderr


def test_forked_workers_write_to_the_same_run(script: Script, start: Start) -> None:
    """
    Eight processes log into one run, and every point is there once.

    Forked children end without `atexit`, so the parent sends what they leave.
    """
    server = start()

    done = script(
        """
import multiprocessing

def work(run, number):
    for step in range(100): run.log({f"loss{number}": step, "all": number}, step=step)

run = begin()
run.log({"parent": 1.0}, step=0)
fork = multiprocessing.get_context("fork")
workers = [fork.Process(target=work, args=(run, n)) for n in range(8)]
for worker in workers: worker.start()
for worker in workers: worker.join()
run.log({"parent": 2.0}, step=1)
session.finish(run, RunStatus.FINISHED)
""",
        uri=server.url,
    )

    assert done.returncode == 0, done.stderr
    run = only_run(server)
    for number in range(8):
        assert points(server, run, f"loss{number}") == list(range(100))
    assert len(points(server, run, "all")) == 800
    assert points(server, run, "parent") == [0, 1]
    assert run["info"]["status"] == "FINISHED"


def test_a_server_that_dies_in_between_is_waited_for(
    spool: Path, tmp_path: Path
) -> None:
    """Training goes on meanwhile; what it logged is all there afterwards."""
    folder = tmp_path / "server"
    file = tmp_path / "train.py"
    file.write_text(TRAINING_WITH_PAUSES)
    with serving(folder) as server:
        port = server.url.rpartition(":")[2]
        training = subprocess.Popen(
            [sys.executable, file],
            env=environment(spool, RUNSTONE_TRACKING_URI=server.url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert training.stdout
        assert training.stdout.readline() == "first half sent\n"
        os.kill(server.pid, signal.SIGKILL)
    say(training, "go on")
    assert training.stdout.readline() == "second half logged\n"
    with serving(folder, port=int(port)) as server:
        say(training, "end")
        assert training.wait(60) == 0
        training.stdout.close()
        run = only_run(server)
        assert points(server, run, "loss") == list(range(2000))
        assert run["info"]["status"] == "FINISHED"


TRAINING_WITH_PAUSES = """
from runstone.journal import Begin
from runstone.model import RunStatus
from runstone.sdk.session import session

run = session.begin(Begin(experiment="tests", name="run", start_ms=1))
for step in range(1000): run.log({"loss": step}, step=step)
assert session.flush()
print("first half sent", flush=True)
input()
for step in range(1000, 2000): run.log({"loss": step}, step=step)
print("second half logged", flush=True)
input()
session.finish(run, RunStatus.FINISHED)
"""


def test_a_refused_param_is_told_and_holds_nothing_up(
    script: Script, start: Start
) -> None:
    """What the server cannot keep is named; the rest of the run is there."""
    server = start()

    done = script(
        """
run = begin()
run.log_params({"lr": "0.1"})
run.log_params({"lr": "0.2"})
run.log({"loss": 1.0}, step=1)
""",
        uri=server.url,
    )

    assert "param 'lr' was not kept" in done.stderr
    assert points(server, only_run(server), "loss") == [1]


def test_a_path_is_a_store_without_a_server(
    script: Script, spool: Path, tmp_path: Path
) -> None:
    """A server that is started on it later shows the same runs."""
    text = "begin().log({'loss': 1.0}, step=1)"

    first = script(text, uri="./mlruns")
    second = script(text, uri="./mlruns")

    assert (first.stderr, second.stderr) == ("", "")
    assert list(spool.glob("*")) == []
    with serving(tmp_path) as server:
        assert len(runs(server)) == 2


def test_nothing_is_recorded_where_that_is_wanted(
    script: Script, tmp_path: Path
) -> None:
    """An empty URI and the mode "disabled" are true no-ops."""
    text = "run = begin()\nrun.log({'loss': 1.0}, step=1)\nrun.log_bytes(b'', 'a')"

    done = [script(text, uri=""), script(text, uri="./x", RUNSTONE_MODE="disabled")]

    assert [(one.returncode, one.stderr) for one in done] == [(0, ""), (0, "")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]


def test_a_kill_at_any_moment_loses_nothing(
    script: Script, start: Start, spool: Path
) -> None:
    """What `log` returned from is on the server once somebody has sent it."""
    server = start()

    done = script(
        """
run = begin()
for step in range(3000):
    run.log({"loss": step}, step=step)
    if step % 500 == 0: time.sleep(0.02)  # so that the sender is in the middle of it
die()
""",
        uri=server.url,
    )
    sync(spool)

    assert killed(done)
    assert points(server, only_run(server), "loss") == list(range(3000))


def runs(server: Server) -> list[dict[str, Any]]:
    """Return every run of the experiment that the scripts log to."""
    to = door.HttpDoor(server.url)
    found = calls.ask(
        to, "GET", "experiments/get-by-name", {"experiment_name": "tests"}
    )
    number = found["experiment"]["experiment_id"]
    page = calls.ask(to, "POST", "runs/search", {"experiment_ids": [number]})
    listed: list[dict[str, Any]] = page["runs"]

    return listed


def only_run(server: Server) -> dict[str, Any]:
    """Return the one run."""
    (run,) = runs(server)

    return run


def points(server: Server, run: dict[str, Any], key: str) -> list[int]:
    """Return the steps of a series."""
    found = calls.ask(
        door.HttpDoor(server.url),
        "GET",
        "metrics/get-history",
        {"run_id": run["info"]["run_id"], "metric_key": key},
    )

    return [item["step"] for item in found.get("metrics", [])]


def fetched(server: Server, run: dict[str, Any], path: str) -> bytes:
    """Return an artifact."""
    query = {"run_uuid": run["info"]["run_id"], "path": path}

    return b"".join(door.HttpDoor(server.url).fetch("/get-artifact", query=query))


def say(training: "subprocess.Popen[str]", line: str) -> None:
    """Let a training that waits go on."""
    assert training.stdin
    training.stdin.write(line + "\n")
    training.stdin.flush()
    if line == "end":
        training.stdin.close()
