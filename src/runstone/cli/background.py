"""Start a server in the background and see that it came up."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from runstone.errors import Unusable
from runstone.server import running, security
from runstone.server.running import Running
from runstone.settings import Settings


START_SECONDS = 60
"""How long a server may take until it answers, with a migration."""

POLL_SECONDS = 0.05
TAIL_LINES = 20


def start(command: str, chosen: Settings) -> None:
    """
    Start a server that outlives this process, and wait until it answers.

    Raises:
        Unusable: It did not come up; says what its log says.
    """
    security.require_safe_binding(chosen)
    log_file = _log_file(chosen)
    written = log_file.stat().st_size if log_file.exists() else 0

    # The command line is what `ps` shows; the rest, with the store's password,
    # goes by the environment.
    words = [sys.executable, "-m", "runstone", command]
    words += ["--host", chosen.host, "--port", str(chosen.port)]
    environment = {**os.environ, **chosen.environment(), "PYTHONUNBUFFERED": "1"}
    try:
        with log_file.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own words, no shell
                words,
                env={**environment, "RUNSTONE_LOG_FILE": str(log_file)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise Unusable(f"cannot start a server: {error}") from error

    server = _wait(process, log_file, written)
    click.echo(f"{server.url}\nPID {server.pid}, log in {log_file}")
    # It goes on without us: nobody waits for it, so Python must not warn.
    process.returncode = 0


def _log_file(chosen: Settings) -> Path:
    try:
        if chosen.log_file:
            return Path(chosen.log_file).absolute()
        return running.make_folder() / f"server-{chosen.port}.log"
    except (OSError, RuntimeError) as error:
        raise Unusable(
            f"there is no place for the log ({error}); name one with --log-file"
        ) from error


def _wait(process: subprocess.Popen[bytes], log_file: Path, written: int) -> Running:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unusable(
                f"the server ended at once; its log {log_file} ends with:\n"
                + _tail(log_file, written)
            )
        # Only its own entry counts: the port may be answered by another one.
        own = [server for server in running.servers() if server.pid == process.pid]
        if own and own[0].is_healthy():
            return own[0]
        time.sleep(POLL_SECONDS)

    process.terminate()
    raise Unusable(
        f"the server did not answer within {START_SECONDS} s and was stopped; its log "
        f"{log_file} ends with:\n" + _tail(log_file, written)
    )


def _tail(log_file: Path, written: int) -> str:
    with log_file.open("rb") as log:
        log.seek(written)
        lines = log.read().decode(errors="replace").splitlines()

    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])
