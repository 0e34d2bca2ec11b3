"""The whole application without sockets: requests in, replies and log lines out."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from runstone.server.app import App
from runstone.settings import Settings
from runstone.storage import migrate


HOST = (b"host", b"localhost")
TIMEOUT_SECONDS = 30


class Answer(NamedTuple):
    """A reply."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Inside:
    """An application that lives in an event loop of its own."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(
            backend_store_uri=str(folder / "store"),
            artifacts_destination=str(folder / "artifacts"),
            access_log=False,
        )
        settings.store.make_folders()
        migrate.upgrade(settings.database_url)
        self.app = App(settings)
        self.surprises: list[str] = []
        self._runner = asyncio.Runner()
        self._ended = asyncio.Event()
        self._life: asyncio.Task[None]
        self._runner.run(self._begin())

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        body: bytes = b"",
        headers: tuple[tuple[bytes, bytes], ...] = (
            (b"content-type", b"application/json"),
        ),
        parts: int = 1,
        cut: bool = False,
    ) -> Answer:
        """
        Send a request.

        Args:
            method: HTTP method.

            path: Decoded path.

            query: Raw query.

            body: Whole body.

            headers: All but Host.

            parts: In how many pieces the body comes.

            cut: Whether the client goes away before the last piece.
        """
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [HOST, *headers],
            "client": ("127.0.0.1", 1),
        }
        size = -(-len(body) // parts)
        pieces = [body[i * size : (i + 1) * size] for i in range(parts)]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": i < parts - 1}
            for i, piece in enumerate(pieces)
        ]
        if cut:
            messages.pop()
        return self._runner.run(self._ask(scope, messages))

    def json(self, method: str, path: str, message: object = None) -> Any:  # noqa: ANN401  # JSON
        """Send a good request and return what the reply says."""
        body = msgspec.json.encode(message) if message is not None else b""
        route, _, query = path.partition("?")
        answer = self.ask(method, route, query=query.encode(), body=body)
        assert answer.status == 200, answer

        return msgspec.json.decode(answer.body)

    def close(self) -> None:
        """End the application."""
        self._runner.run(self._end())
        self._runner.close()

    async def _ask(
        self, scope: dict[str, Any], messages: list[dict[str, Any]]
    ) -> Answer:
        waiting = iter(messages)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return next(waiting, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await asyncio.wait_for(self.app(scope, receive, send), TIMEOUT_SECONDS)
        start, *bodies = sent

        return Answer(
            start["status"],
            dict(start["headers"]),
            b"".join(message.get("body", b"") for message in bodies),
        )

    async def _begin(self) -> None:
        started = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if started.is_set():
                await self._ended.wait()
                return {"type": "lifespan.shutdown"}
            return {"type": "lifespan.startup"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                started.set()

        self._life = asyncio.create_task(self.app({"type": "lifespan"}, receive, send))
        await asyncio.wait_for(started.wait(), TIMEOUT_SECONDS)

    async def _end(self) -> None:
        self._ended.set()
        await self._life


@contextmanager
def inside(folder: Path) -> Iterator[Inside]:
    """Run the application while the block runs, and hear what it logs."""
    app = Inside(folder)
    ear = _Ear(app.surprises)
    log = logging.getLogger("runstone")
    log.addHandler(ear)
    try:
        yield app
    finally:
        log.removeHandler(ear)
        app.close()


class _Ear(logging.Handler):
    """Notes what should never be logged."""

    def __init__(self, surprises: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._surprises = surprises

    def emit(self, record: logging.LogRecord) -> None:
        """Note it, with its traceback."""
        self._surprises.append(logging.Formatter().format(record))
