"""`runstone status`, `stop` and `logs`: the servers that run on this machine."""

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runstone import errors


if TYPE_CHECKING:
    from runstone.server.running import Running


STOP_SECONDS = 15
"""A little more than a server gives to what is in flight."""

FOLLOW_SECONDS = 0.2

_port = click.option("--port", "-p", type=int, help="The server on this port.")
_pid = click.argument("pid", type=int, required=False)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(*, as_json: bool) -> None:
    """
    List the servers that run on this machine, and how they are.

    \b
    Example:
      runstone status --json
    """
    from runstone.server import running

    rows = [_row(server) for server in running.servers()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("No server runs. Start one with: runstone server --daemon")
    else:
        _print_table(rows)


@click.command()
@_pid
@_port
@click.option("--all", "everyone", is_flag=True, help="Every server of yours.")
@click.option("--force", is_flag=True, help="Kill what does not end in time.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3_600),
    default=STOP_SECONDS,
    show_default=True,
    help="Seconds to wait for the end.",
)
def stop(
    pid: int | None, port: int | None, *, everyone: bool, force: bool, timeout: float
) -> None:
    """
    Stop a server; it finishes what is in flight.

    \b
    Examples:
      runstone stop
      runstone stop --port 5001
      runstone stop --all --force
    """
    from runstone.server import running

    chosen = running.servers() if everyone else [_chosen(pid, port)]
    if not chosen:
        click.echo("No server runs.")

    for server in chosen:
        _stop(server, force=force, timeout_seconds=timeout)


@click.command()
@_pid
@_port
@click.option("--follow", "-f", is_flag=True, help="Go on as the log grows.")
@click.option(
    "--lines",
    "-n",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Lines to begin with.",
)
def logs(pid: int | None, port: int | None, *, follow: bool, lines: int) -> None:
    """
    Print the end of a server's log.

    \b
    Example:
      runstone logs -f -n 100
    """
    server = _chosen(pid, port)
    if server.log_file is None:
        raise errors.NotFound(
            f"the server on port {server.port} writes its log to its terminal; start "
            "it with --log-file or --daemon to have a file"
        )

    file = Path(server.log_file)
    try:
        with file.open("rb") as log:
            for line in deque(log, maxlen=lines):
                click.echo(line, nl=False)
            position = log.tell()
    except OSError as error:
        raise errors.NotFound(f"cannot read {file}: {error.strerror}") from error

    if follow:
        for chunk in _growth(file, position):
            click.echo(chunk, nl=False)


def _chosen(pid: int | None, port: int | None) -> "Running":
    """Find the one server that is meant."""
    from runstone.server import running

    alive = running.servers()
    meant = [
        server
        for server in alive
        if pid in {None, server.pid} and port in {None, server.port}
    ]
    if len(meant) == 1:
        return meant[0]

    known = ", ".join(f"{server.url} (PID {server.pid})" for server in alive)
    if not alive:
        raise errors.NotFound("no server runs; start one with: runstone server")
    if not meant:
        raise errors.NotFound(f"no such server; running: {known}")

    raise click.UsageError(f"several servers run; choose one with --port: {known}")


def _row(server: "Running") -> dict[str, object]:
    return {
        "url": server.url,
        "pid": server.pid,
        "health": "ok" if server.is_healthy() else "no answer",
        "uptime_seconds": max(0, int(time.time() - server.started_ms / 1_000)),
        "store": server.store,
        "log_file": server.log_file,
        "version": server.version,
    }


def _print_table(rows: list[dict[str, object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("URL", "PID", "Health", "Up"):
        table.add_column(title, no_wrap=True)
    for title in ("Store", "Log"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            str(row["url"]),
            str(row["pid"]),
            str(row["health"]),
            _duration(row["uptime_seconds"]),
            str(row["store"]),
            str(row["log_file"] or "terminal"),
        )

    Console(markup=False, highlight=False).print(table)


def _duration(seconds: object) -> str:
    assert isinstance(seconds, int)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    said = [f"{count} {unit}" for count, unit in parts if count]

    return " ".join(said[:2]) or "0 s"


def _stop(server: "Running", *, force: bool, timeout_seconds: float) -> None:
    import psutil

    process = server.process
    if process is None:
        return

    click.echo(f"Stopping {server.url} (PID {server.pid}) … ", nl=False)
    try:
        process.terminate()
        if not server.has_ended(timeout_seconds):
            if not force:
                click.echo("still busy.")
                raise errors.Unavailable(
                    f"PID {server.pid} has not ended after {timeout_seconds:g} s; "
                    "wait, or kill it with: runstone stop --force"
                )
            process.kill()
            server.has_ended(STOP_SECONDS)
            click.echo("killed.")
            return
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        click.echo("refused.")
        raise errors.Refused(
            f"PID {server.pid} belongs to another user; ask its owner to stop it"
        ) from error

    click.echo("stopped.")


def _growth(file: Path, position: int) -> Iterator[bytes]:
    """Yield what is added to a file, also after it was rotated or emptied."""
    log = file.open("rb")
    try:
        log.seek(position)
        while True:
            if chunk := log.read():
                yield chunk
                continue
            with suppress(FileNotFoundError):
                now = file.stat()
                if not os.path.samestat(now, os.fstat(log.fileno())):
                    log.close()
                    log = file.open("rb")
                elif now.st_size < log.tell():
                    log.seek(0)
            time.sleep(FOLLOW_SECONDS)
    finally:
        log.close()
