"""
Run the server: one process, or several on one listening socket.

SIGTERM, Ctrl-C or the end of the terminal lets what is in flight finish,
closes the database and ends; a second one does not wait.
"""

import asyncio
import gc
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from socket import socket
from types import FrameType
from typing import Final, Literal

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from runstone._version import __version__
from runstone.errors import Unusable
from runstone.locations import shown
from runstone.server import logs, memory, running, security, sockets
from runstone.settings import Settings


GRACE_SECONDS: Final = 8
"""How long requests in flight may take to finish; Docker kills after 10 s."""

POLL_SECONDS: Final = 0.2

GARBAGE: Final = 50_000
"""So many new objects before the first look for circles among them."""

RESTART_PAUSE_SECONDS: Final = 1.0
"""Pause before a worker that died is replaced, so a crash loop stays slow."""

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells have it."""


class Service(uvicorn.Server):
    """uvicorn's server, with our way of ending: by its own will and with code 0."""

    def __init__(self, config: uvicorn.Config, *, hurries: bool) -> None:
        super().__init__(config)
        self.hurries = hurries
        self.last_signal: int | None = None
        self.ending = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to signals; uvicorn would raise them again at the end."""
        with _handled(self.handle_exit):
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # a signal handler's form
        """End after what is in flight; at the second signal, at once."""
        self.force_exit = self.should_exit and self.hurries
        self.should_exit = True
        self.last_signal = sig

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Give the application a way to know that the server begins to end."""
        self.lifespan.state["ending"] = self.ending
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """
        End live streams, which would go on for ever, and then as uvicorn does.

        The database is closed even in a hurry; uvicorn would leave it open.
        """
        self.ending.set()
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()


def serve(settings: Settings) -> int:
    """
    Run the server until it is told to end; the answer is the exit code.

    Raises:
        Unusable: The store, the port or the settings cannot be used.
    """
    security.require_safe_binding(settings)
    # NumPy's BLAS would start a thread for each processor; no matrix is multiplied.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    create = _factory(settings.app)
    settings.store.make_folders()
    logs.start(settings)
    sockets.allow_many()

    # Clients that come during a migration wait in line.
    with _handled(_leave), sockets.listen(settings.host, settings.port) as listener:
        _migrate(settings)
        port = listener.getsockname()[1]
        with running.announced(settings, port):
            _greet(settings, port)
            if settings.workers == 1:
                return _run(settings, create, listener, hurries=True)
            return _supervise(settings, listener)


def _leave(sig: int, _: FrameType | None) -> None:
    """End a server that is still starting."""
    sys.exit(INTERRUPTED if sig == signal.SIGINT else 0)


def _migrate(settings: Settings) -> None:
    from runstone.storage import migrate  # noqa: PLC0415  # Alembic is slow to import

    migrate.upgrade(settings.database_url)


def _factory(name: str) -> Callable[[Settings], object]:
    module, _, function = name.partition(":")
    try:
        found: Callable[[Settings], object] = getattr(
            importlib.import_module(module), function
        )
    except (ImportError, AttributeError, ValueError) as error:
        raise Unusable(
            f"the application {name!r} cannot be loaded: {error}; expected "
            "module:function"
        ) from error
    if not callable(found):
        raise Unusable(f"{name!r} is not a function of the settings")

    return found


def _greet(settings: Settings, port: int) -> None:
    if not security.is_loopback(settings.host):
        print(  # noqa: T201  # words for whoever starts it
            f"WARNING: listening on {settings.host} WITHOUT ANY LOGIN: everyone who "
            "reaches this machine can read, change and delete everything.",
            file=sys.stderr,
        )
    print(  # noqa: T201
        f"Runstone {__version__} on {sockets.url(settings.host, port)} "
        f"(PID {os.getpid()})\n"
        f"Records in {shown(settings.backend_store_uri)}, artifacts in "
        f"{shown(settings.artifacts_uri)}",
        flush=True,
    )


def _run(
    settings: Settings,
    create: Callable[[Settings], object],
    listener: socket,
    *,
    hurries: bool,
) -> int:
    """Serve in this very process."""
    memory.keep_some()
    _look_for_garbage_less_often()
    config = uvicorn.Config(
        create(settings),  # type: ignore[arg-type]  # any ASGI application
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        http=_protocol(),
        ws="none",
        backlog=sockets.BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    service = Service(config, hurries=hurries)
    try:
        service.run([listener])
    except SystemExit as stop:
        # uvicorn's way to say that the application did not start; the log has why.
        return STARTUP_FAILURE if stop.code else 0

    return INTERRUPTED if service.last_signal == signal.SIGINT else 0


def _look_for_garbage_less_often() -> None:
    """
    Leave what is loaded alone, and wait for more before looking for circles.

    A page of 10,000 rows is as many tuples, all of which live until it is sent: to
    look through them for circles took half of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 20)


def _protocol() -> type[asyncio.Protocol] | Literal["auto"]:
    try:
        from runstone.server.heads import BoundedHeads  # noqa: PLC0415  # see below
    except ImportError:
        return "auto"  # Windows has no httptools

    return BoundedHeads


def _supervise(settings: Settings, listener: socket) -> int:
    """Keep the workers running; end them together."""
    signals: list[int] = []
    with _handled(lambda sig, _: signals.append(sig)):
        workers = [_start(settings, listener) for _ in range(settings.workers)]
        failed = False
        while not signals and not failed:
            connection.wait([worker.sentinel for worker in workers], POLL_SECONDS)
            dead = [worker for worker in workers if not worker.is_alive()]
            failed = any(worker.exitcode == STARTUP_FAILURE for worker in dead)
            if dead and not failed and not signals:
                time.sleep(RESTART_PAUSE_SECONDS)
                workers = [_kept(worker, settings, listener) for worker in workers]
        _end(workers, signals)

    if failed:
        return STARTUP_FAILURE

    return INTERRUPTED if signal.SIGINT in signals else 0


def _start(settings: Settings, listener: socket) -> SpawnProcess:
    worker = get_context("spawn").Process(target=_work, args=(settings, listener))
    worker.start()

    return worker


def _kept(worker: SpawnProcess, settings: Settings, listener: socket) -> SpawnProcess:
    return worker if worker.is_alive() else _start(settings, listener)


def _end(workers: list[SpawnProcess], signals: list[int]) -> None:
    """Let the workers finish; kill them at the second signal."""
    heard = len(signals)
    for worker in workers:
        worker.terminate()
    while alive := [worker for worker in workers if worker.is_alive()]:
        connection.wait([worker.sentinel for worker in alive], POLL_SECONDS)
        if len(signals) > heard:
            for worker in alive:
                worker.kill()


def _work(settings: Settings, listener: socket) -> None:
    """Be one worker."""
    # Ctrl-C and the end of the terminal reach every process at once; the
    # supervisor passes them on as SIGTERM.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.start(settings)
    sockets.allow_many()

    sys.exit(_run(settings, _factory(settings.app), listener, hurries=False))


def _end_with_parent() -> None:
    """Leave no orphan behind a supervisor that was killed."""
    parent = parent_process()
    if parent:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Give the ending signals to a handler; one that is ignored stays so (nohup)."""
    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
