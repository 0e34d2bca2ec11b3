"""Servers in the background: started, listed, followed, stopped."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import PATIENCE_SECONDS, Shell
from tests.cli.test_server import banner, get, until


def listed(shell: Shell) -> list[dict[str, object]]:
    """Read what `status --json` says."""
    rows: list[dict[str, object]] = json.loads(shell.run("status", "--json").stdout)

    return rows


def test_a_server_in_the_background_is_up_when_the_prompt_is_back(
    shell: Shell, port: int
) -> None:
    """Start, list, read the log, stop: no PID to hunt for."""
    started = shell.run("ui", "--daemon", "--port", str(port))

    assert started.returncode == 0, started.stderr
    assert f"http://127.0.0.1:{port}" in started.stdout
    assert get(port) == "OK"
    (row,) = listed(shell)
    assert (row["health"], row["store"]) == ("ok", "./mlruns")
    words = psutil.Process(int(str(row["pid"]))).cmdline()
    assert words[1:4] == ["-m", "runstone", "ui"]
    assert f":{port}" in shell.run("status").stdout
    assert "Records in ./mlruns" in shell.run("logs").stdout

    stopped = shell.run("stop")

    assert stopped.returncode == 0
    assert stopped.stdout.endswith("stopped.\n")
    assert (shell.home / "mlruns/ended").exists()
    assert listed(shell) == []


def test_a_server_that_does_not_come_up_says_why(shell: Shell, port: int) -> None:
    """The reason is on the screen, not in a file somewhere."""
    started = shell.run(
        "server", "--daemon", "-p", str(port), RUNSTONE_APP="tests.cli.tinyapp:broken"
    )

    assert started.returncode == 3
    assert "the store went away; bring it back" in started.stderr
    assert listed(shell) == []


def test_a_taken_port_is_not_taken_for_success(shell: Shell, port: int) -> None:
    """The server that holds the port answers, but it is not the one started."""
    banner(shell.start("server", "-p", str(port)))

    started = shell.run("server", "--daemon", "-p", str(port))

    assert started.returncode == 3
    assert "already in use" in started.stderr


def test_no_password_is_shown(shell: Shell, port: int) -> None:
    """Neither on the command line nor in the state nor on the screen."""
    secret = "hunter2"
    started = shell.run(
        "server",
        "--daemon",
        "-p",
        str(port),
        "--backend-store-uri",
        f"postgresql://u:{secret}@127.0.0.1:1/d",
    )

    assert started.returncode == 3
    assert secret not in started.stdout + started.stderr


def test_several_servers_must_be_told_apart(shell: Shell, port: int) -> None:
    """Stopping the wrong one loses an evening."""
    first = shell.start("server", "-p", str(port))
    banner(first)
    second = shell.start("server", "-p", "0")
    banner(second)

    unclear = shell.run("stop")
    one = shell.run("stop", "--port", str(port))

    assert unclear.returncode == 2
    assert str(first.pid) in unclear.stderr
    assert str(second.pid) in unclear.stderr
    assert one.returncode == 0
    assert first.wait(PATIENCE_SECONDS) == 0
    assert [row["pid"] for row in listed(shell)] == [second.pid]
    assert shell.run("stop", "--all").returncode == 0
    assert second.wait(PATIENCE_SECONDS) == 0


def test_a_pid_is_a_choice(shell: Shell, port: int) -> None:
    """As `kill`, but only for servers."""
    process = shell.start("server", "-p", str(port))
    banner(process)

    assert shell.run("stop", "1").returncode == 4
    assert shell.run("stop", str(process.pid)).returncode == 0


@pytest.mark.crash
def test_a_killed_server_is_swept_from_the_list(shell: Shell, port: int) -> None:
    """Kill -9 leaves a file behind; nobody is told of a server that is gone."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    process.kill()
    process.wait()
    folder = shell.home / "state/runstone"
    assert len(list(folder.glob("*.json"))) == 1

    assert listed(shell) == []
    assert list(folder.glob("*.json")) == []


def test_a_reused_pid_is_not_stopped(shell: Shell, port: int) -> None:
    """The PID of a dead server may be someone's training now."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    (file,) = (shell.home / "state/runstone").glob("*.json")
    entry = json.loads(file.read_text())
    file.write_text(json.dumps(entry | {"created": entry["created"] - 3_600}))

    assert shell.run("stop", str(process.pid)).returncode == 4
    assert process.poll() is None


def test_the_state_is_closed_to_others(shell: Shell, port: int) -> None:
    """Who else is on the machine does not learn where the records are."""
    banner(shell.start("server", "-p", str(port)))

    assert (shell.home / "state/runstone").stat().st_mode & 0o777 == 0o700


def test_a_server_starts_without_a_place_for_its_state(shell: Shell, port: int) -> None:
    """A read-only container has no home."""
    banner(shell.start("server", "-p", str(port), XDG_STATE_HOME="/dev/null"))

    assert get(port) == "OK"


def test_a_server_that_hangs_is_killed_only_by_force(shell: Shell, port: int) -> None:
    """Patience first; the record survives a kill."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    process.send_signal(signal.SIGSTOP)

    patient = shell.run("stop", "--timeout", "0.2")
    forced = shell.run("stop", "--timeout", "0.2", "--force")

    assert patient.returncode == 7
    assert "--force" in patient.stderr
    assert forced.stdout.endswith("killed.\n")
    assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_a_redirected_log_can_be_followed_live(shell: Shell, port: int) -> None:
    """`nohup … > mlflow.log 2>&1 &` and then tail, also after a rotation."""
    log = shell.home / "mlflow.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["nohup", *_command("ui", "-p", str(port))],
            cwd=shell.home,
            env=shell.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    shell.started.append(process)
    until(lambda: "Records in" in log.read_text())
    process.send_signal(signal.SIGHUP)
    assert get(port) == "OK"
    follower = shell.start("logs", "-f", "-n", "1")
    assert follower.stdout
    assert "Records in" in follower.stdout.readline()

    _append(log, "one more\n")
    assert follower.stdout.readline() == "one more\n"
    log.rename(shell.home / "mlflow.log.1")
    _append(log, "after rotation\n")
    assert follower.stdout.readline() == "after rotation\n"

    follower.send_signal(signal.SIGINT)
    assert follower.wait(PATIENCE_SECONDS) == 130
    assert follower.stdout.read().strip() == ""


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "runstone", *words]


def _append(file: Path, text: str) -> None:
    with file.open("a") as log:
        log.write(text)
