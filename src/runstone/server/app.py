"""
The server on one screen: what it holds, its routes, the way of a request.

A request is checked (Host, Origin), finds its route, is answered, and leaves a
line in the access log.  Every reply carries the headers that keep a browser
from doing anything clever with it.
"""

import asyncio
import logging
import time
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import Final

from runstone import errors
from runstone.artifacts import Chunks, open_store
from runstone.server import errors as wire_errors
from runstone.server import mlflow, native, outbound, security, web
from runstone.server.courier import Courier
from runstone.server.http import Receive, Reply, Request, Route, Router, Scope, Send
from runstone.server.live import Poller
from runstone.server.state import now_ms
from runstone.settings import Settings
from runstone.storage import experiments
from runstone.storage.compaction import Compactor
from runstone.storage.db import Database
from runstone.storage.registry import deliveries
from runstone.storage.running import console, lapses


SAFE_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]
PROBES: Final = frozenset({"/health", "/version"})
"""What a balancer asks by an address: any Host will do."""

BODILESS: Final = frozenset({204, 304})
"""Replies that have neither a body nor its length (RFC 9110, 8.6)."""

ABANDONED_MS: Final = 24 * 3600 * 1000
"""An upload that nobody wrote to for so long is over."""

SWEEP_SECONDS: Final = 3600

GATHERED_SECONDS: Final = 0.05
"""How long lines of the access log gather: each alone cost a tenth of a request."""

LAPSE_SECONDS: Final = 60

PACK_SECONDS: Final = 20

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class App:
    """One server process: a database, a place for artifacts, routes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_url)
        self.artifacts = open_store(settings.artifacts_uri)
        self.compactor = Compactor(self.database)
        networks = outbound.networks(settings.webhook_networks)
        self.courier = Courier(self.database, networks)
        self.live = Poller(self.database)
        self.router = Router(routes())
        self.access_log = AccessLog() if settings.access_log else None
        self.background: set[asyncio.Task[object]] = set()
        self.store_at = lru_cache(maxsize=256)(open_store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection's next event, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, receive, self)
        try:
            reply = await self._answer(request)
        except Exception as error:  # noqa: BLE001  # the server must survive: `answer` tells ours from a surprise
            reply = wire_errors.answer(error)
        if origin := request.header(b"origin"):
            reply = self._shared(request, reply, origin)
        await respond(request, send, reply)
        if self.access_log:
            self.access_log.note(scope, reply.status, time.perf_counter() - started)

    async def _answer(self, request: Request) -> Reply:
        self._check_source(request)
        method = "GET" if request.method == "HEAD" else request.method
        found = self.router.find(method, request.path)
        if found is None:
            return self._unrouted(request)
        route, request.params = found

        return await route.endpoint(request)

    def _check_source(self, request: Request) -> None:
        """Refuse names that are not ours (DNS rebinding) and foreign pages' writes."""
        host, origin = request.header(b"host"), request.header(b"origin")
        if request.path not in PROBES and not security.allowed_host(
            host, self.settings
        ):
            raise errors.Refused(security.host_refusal(host))
        if request.method not in READING and not security.allowed_origin(
            origin, host, self.settings
        ):
            raise errors.Refused(security.origin_refusal(origin))

    def _shared(self, request: Request, reply: Reply, origin: str) -> Reply:
        """Let a page of another origin read the reply, if we trust it."""
        host = request.header(b"host")
        if not security.allowed_origin(origin, host, self.settings):
            return reply
        shared = (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"vary", b"origin"),
        )

        return reply._replace(headers=(*reply.headers, *shared))

    def _preflight(self, request: Request, methods: list[str]) -> Reply:
        """Tell a browser what a page of another origin may do here."""
        origin, host = request.header(b"origin"), request.header(b"host")
        if not origin or not security.allowed_origin(origin, host, self.settings):
            return Reply(b"", 204)
        headers = (
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", b"content-type"),
            (b"access-control-max-age", b"600"),
        )

        return Reply(b"", 204, headers=headers)

    def _unrouted(self, request: Request) -> Reply:
        methods = self.router.methods(request.path)
        if request.method == "OPTIONS":
            return self._preflight(request, methods)
        if methods:
            text = f"{request.path} takes {' and '.join(methods)}"
            refusal = wire_errors.say(405, "BAD_REQUEST", text)
            return refusal._replace(headers=((b"allow", ", ".join(methods).encode()),))
        if mlflow.knows(request.path):
            raise errors.NotBuilt(
                f"Runstone does not have {request.method} {request.path} (yet)"
            )
        if request.method in ("GET", "HEAD") and web.is_page(request):
            return web.page()

        return wire_errors.say(404, "ENDPOINT_NOT_FOUND", f"Nothing at {request.path}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        root = self.settings.artifact_root
        await self.database.write(experiments.settle_default, root, now_ms=now_ms())
        self.compactor.start()
        self.courier.start()
        chores = [
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._lapse()),
            asyncio.create_task(self._pack()),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.live.stop()
        for chore in chores:
            chore.cancel()
        await self.courier.stop()
        await asyncio.gather(*self.background, return_exceptions=True)
        await asyncio.to_thread(self.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _sweep(self) -> None:
        """Remove what uploads left whose sender, or whose server, was killed."""
        while True:
            with suppress(errors.RunstoneError):  # the next upload says it better
                await self.artifacts.sweep(before_ms=now_ms() - ABANDONED_MS)
            with suppress(errors.RunstoneError):  # an hour later will do
                await self.database.write(
                    deliveries.forget, before_ms=now_ms() - deliveries.KEPT_MS
                )
            await asyncio.sleep(SWEEP_SECONDS)

    async def _lapse(self) -> None:
        """End the runs whose processes have died without a word."""
        silence_ms = self.settings.silence_seconds * 1000
        while True:
            await asyncio.sleep(min(LAPSE_SECONDS, silence_ms / 4000))
            with suppress(errors.RunstoneError):  # the next round does it
                await self.database.write_long(
                    lapses.lapse, now_ms=now_ms(), silence_ms=silence_ms
                )

    async def _pack(self) -> None:
        """Pack the consoles of runs that have ended, or wrote very much."""
        while True:
            await asyncio.sleep(PACK_SECONDS)
            with suppress(errors.RunstoneError):  # the next round does it
                for run in await self.database.read(console.due):
                    while await self.database.write_long(console.pack, run):
                        pass

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route that is served."""
        return self.router.routes

    def close(self) -> None:
        """Finish what is under way and let go of everything."""
        self.compactor.stop()
        self.database.close()
        if self.access_log:
            self.access_log.flush()


class AccessLog:
    """A line for each request; lines that come close together are written at once."""

    def __init__(self) -> None:
        self._log = logging.getLogger("runstone.access")
        self._lines: list[str] = []

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Add a line."""
        if not self._lines:
            asyncio.get_running_loop().call_later(GATHERED_SECONDS, self.flush)
        client = scope.get("client") or ("-", 0)
        path = scope["path"].encode("unicode_escape").decode("ascii")
        self._lines.append(
            f'{client[0]} "{scope["method"]} {path}" {status} {seconds * 1000:.1f}ms'
        )

    def flush(self) -> None:
        """Write the lines that wait."""
        lines, self._lines = self._lines, []
        if lines:
            self._log.info("\n".join(lines))


def routes() -> list[Route]:
    """Return every route; each names the right that it needs."""
    return [*mlflow.routes(), *native.routes(), *web.routes()]


def create(settings: Settings) -> App:
    """Make the ASGI application."""
    return App(settings)


async def respond(request: Request, send: Send, reply: Reply) -> None:
    """Send a reply, in one piece or as its chunks come."""
    headers = [
        (b"content-type", reply.content_type),
        *SAFE_HEADERS,
        *reply.headers,
    ]
    body, size_bytes = reply.body, reply.size_bytes
    if isinstance(body, bytes) and size_bytes is None:
        size_bytes = len(body)
    if size_bytes is not None and reply.status not in BODILESS:
        headers.append((b"content-length", b"%d" % size_bytes))

    if isinstance(body, bytes):
        sent = b"" if request.method == "HEAD" else body
        await send(_start(reply.status, headers))
        await send({"type": "http.response.body", "body": sent})
        return

    async with aclosing(body):
        await send(_start(reply.status, headers))
        await _stream(request, send, body)


async def _stream(request: Request, send: Send, chunks: Chunks) -> None:
    """Send chunks while somebody is there to take them."""
    gone = asyncio.create_task(request.gone())
    try:
        async for chunk in chunks:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> dict[str, object]:
    return {"type": "http.response.start", "status": status, "headers": headers}
