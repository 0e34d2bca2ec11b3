"""Servers as real processes: start, answer, end."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from runstone.server import sockets
from tests.cli.conftest import PATIENCE_SECONDS, Shell


def until(happened: Callable[[], bool]) -> None:
    """Wait for something, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def get(port: int, path: str = "/health", host: str = "127.0.0.1") -> str:
    """Fetch a page; a server that just listens lets it wait in line."""
    with urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE_SECONDS) as reply:
        return str(reply.read().decode())


def banner(process: subprocess.Popen[str]) -> str:
    """Read the two lines a server starts with."""
    assert process.stdout

    return process.stdout.readline() + process.stdout.readline()


@pytest.mark.parametrize("command", ["server", "ui"])
def test_a_server_says_where_it_is_and_ends_well_at_sigterm(
    shell: Shell, port: int, command: str
) -> None:
    """The seeds' way to stop: find the PID, kill -TERM; nothing is lost."""
    process = shell.start(command, "--port", str(port), "--backend-store-uri", "./runs")
    said = banner(process)
    assert get(port) == "OK"

    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
    assert "./runs" in said
    assert str(shell.home / "runs/artifacts") in said
    assert rest == ""
    assert (shell.home / "runs/runstone.db").is_file()
    assert (shell.home / "runs/ended").read_text() == f"{process.pid}\n"
    assert not list((shell.home / "state/runstone").glob("*.json"))


def test_one_worker_is_one_process(shell: Shell, port: int) -> None:
    """A supervisor would double the memory of a small server."""
    process = shell.start("server", "-p", str(port))
    banner(process)

    assert get(port, "/pid") == str(process.pid)
    assert psutil.Process(process.pid).children() == []


def test_ctrl_c_ends_without_a_traceback(shell: Shell, port: int) -> None:
    """The usual way to end a server in a terminal."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    get(port)

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert (process.returncode, rest) == (130, "")
    assert (shell.home / "mlruns/ended").exists()


def test_the_end_of_the_terminal_ends_the_server_cleanly(
    shell: Shell, port: int
) -> None:
    """Closing the window is a way to stop, too."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    get(port)

    process.send_signal(signal.SIGHUP)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert (shell.home / "mlruns/ended").exists()


def test_what_is_in_flight_is_finished(shell: Shell, port: int) -> None:
    """A client that was sending when the server was stopped gets its answer."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    assert process.stdout
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(get, port, "/slow")
        assert "slow began" in process.stdout.readline()

        process.send_signal(signal.SIGTERM)

        assert answer.result() == "done"
    assert process.wait(PATIENCE_SECONDS) == 0


def test_a_second_signal_hurries_and_still_closes_the_store(
    shell: Shell, port: int
) -> None:
    """Nobody waits ten minutes for a request that hangs."""
    process = shell.start("server", "-p", str(port))
    banner(process)
    assert process.stdout
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "stuck began" in process.stdout.readline()

        process.send_signal(signal.SIGTERM)
        until(lambda: not _listens(port))
        process.send_signal(signal.SIGTERM)

        rest, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert "timeout graceful shutdown exceeded" not in rest
    assert (shell.home / "mlruns/ended").exists()


def test_a_taken_port_names_its_holder_and_a_free_one(shell: Shell, port: int) -> None:
    """`Address already in use` alone helps nobody."""
    holder = shell.start("server", "-p", str(port))
    banner(holder)

    second = shell.run("server", "-p", str(port))

    assert second.returncode == 3
    assert len(second.stderr.splitlines()) == 1
    assert f"port {port} is already in use by PID {holder.pid}" in second.stderr
    assert "try --port " in second.stderr
    free = int(second.stderr.rsplit("--port ", 1)[1])
    third = shell.start("server", "-p", str(free))
    assert str(free) in banner(third)


def test_a_store_that_goes_away_is_one_line(shell: Shell, port: int) -> None:
    """Why it did not start, and no way through our code."""
    ended = shell.run(
        "server", "-p", str(port), RUNSTONE_APP="tests.cli.tinyapp:broken"
    )

    assert ended.returncode == 3
    assert "the store went away; bring it back" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_several_workers_share_the_port_and_end_together(
    shell: Shell, port: int
) -> None:
    """A fast start with four workers of the seeds, and a clean stop."""
    process = shell.start("server", "-p", str(port), "--workers", "2")
    banner(process)
    assert get(port) == "OK"
    workers = [w for w in psutil.Process(process.pid).children() if _is_worker(w)]
    assert len(workers) == 2
    until(lambda: _idle(shell, port, 2))

    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_SECONDS) == 0
    assert not any(worker.is_running() for worker in workers)
    ended = (shell.home / "mlruns/ended").read_text().split()
    assert sorted(map(int, ended)) == sorted(worker.pid for worker in workers)


def test_a_second_signal_hurries_the_workers(shell: Shell, port: int) -> None:
    """A hanging request holds several workers no longer than one."""
    process = shell.start("server", "-p", str(port), "--workers", "2")
    banner(process)
    assert process.stdout
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "stuck began" in process.stdout.readline()

        process.send_signal(signal.SIGTERM)
        until(lambda: _worker_count(process.pid, without=0) == 1)
        process.send_signal(signal.SIGTERM)

        rest, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert "timeout graceful shutdown exceeded" not in rest


def test_a_worker_that_dies_is_replaced(shell: Shell, port: int) -> None:
    """The out-of-memory killer does not halve a server for good."""
    process = shell.start("server", "-p", str(port), "--workers", "2")
    banner(process)
    victim = int(get(port, "/pid"))

    psutil.Process(victim).kill()

    until(lambda: _worker_count(process.pid, without=victim) == 2)
    assert get(port) == "OK"


@pytest.mark.crash
def test_workers_do_not_outlive_a_killed_supervisor(shell: Shell, port: int) -> None:
    """Kill -9 leaves no process that holds the port."""
    process = shell.start("server", "-p", str(port), "--workers", "2")
    banner(process)
    assert get(port) == "OK"
    workers = psutil.Process(process.pid).children()

    process.kill()

    _, alive = psutil.wait_procs(workers, timeout=PATIENCE_SECONDS)
    assert alive == []


def test_workers_that_cannot_start_end_the_server(shell: Shell, port: int) -> None:
    """No endless row of restarts."""
    ended = shell.run(
        "server", "-p", str(port), "-w", "2", RUNSTONE_APP="tests.cli.tinyapp:broken"
    )

    assert ended.returncode == 3
    assert "the store went away" in ended.stdout


def test_listening_to_everyone_must_be_asked_for(shell: Shell, port: int) -> None:
    """One error that names the flag, and a loud warning with it."""
    refused = shell.run("server", "--host", "0.0.0.0", "-p", str(port))

    assert refused.returncode == 3
    assert "--allow-unauthenticated" in refused.stderr

    process = shell.start(
        "server", "--host", "0.0.0.0", "-p", str(port), "--allow-unauthenticated"
    )
    assert process.stdout
    assert "WARNING" in process.stdout.readline()
    assert get(port) == "OK"


def test_ipv6_works(shell: Shell) -> None:
    """A host may have an address of either kind."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")

    process = shell.start("server", "--host", "::1", "-p", str(port))

    assert f"http://[::1]:{port}" in banner(process)
    assert get(port, host="[::1]") == "OK"


def test_accepted_connections_send_small_replies_at_once() -> None:
    """Nagle's delay would cost 40 ms a request."""
    with (
        sockets.listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_mlflows_start_scripts_run(shell: Shell, port: int) -> None:
    """Flags that mean nothing here are noted and ignored."""
    process = shell.start(
        "server",
        "--backend-store-uri",
        "sqlite:///mlflow.db",
        "--registry-store-uri",
        "sqlite:///mlflow.db",
        "--default-artifact-root",
        "./mlruns",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--gunicorn-opts",
        "--timeout 60",
    )
    assert process.stdout

    assert "--gunicorn-opts means nothing here" in process.stdout.readline()
    assert "sqlite:///mlflow.db" in banner(process)
    assert (shell.home / "mlflow.db").is_file()


def test_a_second_store_for_models_is_refused(shell: Shell) -> None:
    """Half of the work in a place that nobody asked for is worse than no start."""
    ended = shell.run("server", "--registry-store-uri", "sqlite:///other.db")

    assert ended.returncode == 3
    assert "--registry-store-uri" in ended.stderr


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _worker_count(supervisor: int, without: int) -> int:
    children = psutil.Process(supervisor).children()

    return sum(_is_worker(child) and child.pid != without for child in children)


def _idle(shell: Shell, port: int, workers: int) -> bool:
    """Tell whether each worker has answered once."""
    seen = shell.home / "seen"
    with seen.open("a") as file:
        file.write(get(port, "/pid") + "\n")

    return len(set(seen.read_text().split())) == workers


def _listens(port: int) -> bool:
    try:
        get(port)
    except (URLError, ConnectionError):
        return False

    return True
