"""Real server processes and raw requests to them, for tests."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import psutil

from runstone.settings import Settings


ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


class Server(NamedTuple):
    """A running server: where it answers, and what a test may look at."""

    url: str
    pid: int
    folder: Path
    """Its working directory; the default store, `mlruns`, lies in it."""

    lines: list[str]
    """Its log, as far as it came."""

    @property
    def process(self) -> psutil.Process:
        """The process itself."""
        return psutil.Process(self.pid)


class Answer(NamedTuple):
    """A reply as it came over the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body, decoded."""
        return msgspec.json.decode(self.body, type=dict[str, object])


@contextmanager
def serving(
    folder: Path,
    *,
    port: int = 0,
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> Iterator[Server]:
    """
    Run `runstone server` in a folder; end it politely.

    Args:
        folder: Its working directory, made if it is missing.

        port: 0 takes a free one.

        environ: More variables, such as the key of a bucket.

        **settings: Fields of `Settings`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "runstone", "server", "--port", str(port)],
        cwd=folder,
        env=_environment(folder, environ or {}, settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, lines, ready), daemon=True)
    reader.start()
    try:
        assert ready.wait(PATIENCE_SECONDS), f"no start: {lines}"
        assert process.poll() is None, f"ended at once: {lines}"
        url = lines[_banner(lines)].partition(" on ")[2].split()[0]
        server = Server(url, process.pid, folder, lines)
        # Connections wait in line, so the first answer means that it is up.
        assert send(server.url, "GET", "/health").status == 200, lines
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
        reader.join(PATIENCE_SECONDS)
        if process.stdout:
            process.stdout.close()


def send(
    url: str,
    method: str,
    target: str | bytes,
    body: bytes = b"",
    **headers: str,
) -> Answer:
    """
    Send one request just as it is written: nothing is checked or encoded.

    Args:
        url: The server.

        method: GET, PUT and so on.

        target: What stands in the request line, in all its wickedness.

        body: The body.

        **headers: More headers, with `_` for `-`.
    """
    raw = target if isinstance(target, bytes) else target.encode()
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [
        f"Host: {urlsplit(url).netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    head = "\r\n".join(lines).encode()
    with connect(url) as client:
        client.sendall(b"%s %s HTTP/1.1\r\n" % (method.encode(), raw))
        client.sendall(head + b"\r\n\r\n" + body)

        return receive(client, method)


def connect(url: str) -> socket.socket:
    """Open a connection to a server."""
    place = urlsplit(url)
    assert place.hostname
    assert place.port

    return socket.create_connection((place.hostname, place.port), PATIENCE_SECONDS)


def receive(client: socket.socket, method: str) -> Answer:
    """Read one reply."""
    with HTTPResponse(client, method=method) as response:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}

        return Answer(response.status, headers, response.read())


def post(url: str, target: str, **message: object) -> Answer:
    """POST a message as JSON."""
    body = msgspec.json.encode(message)

    return send(url, "POST", target, body, Content_Type="application/json")


def _environment(
    folder: Path, more: Mapping[str, str], settings: Mapping[str, object]
) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RUNSTONE_", "MLFLOW_", "AWS_", "PYTEST_"))
    }
    chosen = msgspec.convert(settings, Settings).environment()

    return {
        **inherited,
        "PYTHONPATH": str(ROOT / "src"),
        "XDG_STATE_HOME": str(folder / "state"),
        "NO_COLOR": "1",
        **{name: value for name, value in chosen.items() if name != "RUNSTONE_PORT"},
        **more,
    }


def _read(
    process: subprocess.Popen[str], lines: list[str], ready: threading.Event
) -> None:
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if _banner(lines) >= 0:
            ready.set()
    ready.set()


def _banner(lines: list[str]) -> int:
    found = [n for n, line in enumerate(lines) if line.startswith("Runstone ")]
    return found[0] if found else -1
