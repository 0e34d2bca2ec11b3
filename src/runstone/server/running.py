"""
The servers that run on this machine, as files that each writes about itself.

One file per server in a folder of the user's own; a server that was killed
leaves its file behind, and whoever looks next sweeps it up.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import msgspec
import psutil

from runstone._version import __version__
from runstone.locations import shown
from runstone.server import sockets
from runstone.settings import Settings


SAME_PROCESS_SECONDS = 5.0
"""Start times this close are one process: a corrected clock moves them a bit."""

HEALTH_TIMEOUT_SECONDS = 2.0

POLL_SECONDS = 0.05

# A proxy of the environment must not be asked about this machine.
_open = build_opener(ProxyHandler({})).open


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A server process on this machine."""

    pid: int
    created: float
    """When the process started, seconds since the epoch; tells reused PIDs apart."""

    url: str
    host: str
    port: int
    store: str
    """The store's URI, with its password masked."""

    log_file: str | None
    version: str
    started_ms: int

    @property
    def process(self) -> psutil.Process | None:
        """The live process, or None where it has ended."""
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < SAME_PROCESS_SECONDS
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process

        return None

    def has_ended(self, timeout_seconds: float) -> bool:
        """Wait for the process to end; an unreaped one, as in a container, has."""
        deadline = time.monotonic() + timeout_seconds
        while self.process:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)

        return True

    def is_healthy(self) -> bool:
        """Ask the server itself."""
        with (
            suppress(OSError, HTTPException, ValueError),
            _open(f"{self.url}/health", timeout=HEALTH_TIMEOUT_SECONDS) as reply,
        ):
            return bool(reply.status == 200)

        return False


def folder() -> Path:
    """Return the folder of this user's state; it may not exist yet."""
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state) / "runstone"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
        return Path(local) / "runstone"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/runstone"

    return Path.home() / ".local/state/runstone"


def make_folder() -> Path:
    """Make the folder of this user's state, closed to everyone else."""
    path = folder()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)

    return path


def servers() -> list[Running]:
    """List the live servers, by port; sweep up after the dead ones."""
    alive = []
    for file in folder().glob("server-*.json"):
        try:
            server = msgspec.json.decode(file.read_bytes(), type=Running)
        except (OSError, ValueError):
            continue
        if server.process:
            alive.append(server)
        else:
            with suppress(OSError):
                file.unlink()

    return sorted(alive, key=lambda server: (server.port, server.pid))


@contextmanager
def announced(settings: Settings, port: int) -> Iterator[None]:
    """
    Keep this process on the list of servers for as long as the block runs.

    A home that cannot be written, as in a container, costs the listing only.
    """
    server = Running(
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        url=sockets.url(settings.host, port),
        host=settings.host,
        port=port,
        store=shown(settings.backend_store_uri),
        log_file=_log_file(settings),
        version=__version__,
        started_ms=time.time_ns() // 1_000_000,
    )
    file: Path | None = None
    with suppress(OSError, RuntimeError):
        file = make_folder() / f"server-{server.pid}.json"
        draft = file.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(server))
        draft.replace(file)
    try:
        yield
    finally:
        if file:
            with suppress(OSError):
                file.unlink()


def _log_file(settings: Settings) -> str | None:
    """Find the file that gets the log: named, or the target of a redirection."""
    if settings.log_file:
        return str(Path(settings.log_file).absolute())
    with suppress(OSError, AttributeError):
        target = Path(f"/proc/self/fd/{sys.stdout.fileno()}").resolve()
        if target.is_file():
            return str(target)

    return None
