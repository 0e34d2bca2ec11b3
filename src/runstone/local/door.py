"""
A store without a server: the server's own application inside this process.

Requests go to it as ASGI messages, without a socket, so a path as tracking URI
answers exactly as a server on that path would.  Many processes may do so at once.
"""

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from runstone import errors
from runstone.sdk.door import Answer, Body, Query
from runstone.server.app import App
from runstone.settings import Settings
from runstone.storage import migrate


START_SECONDS: Final = 60.0

Message = MutableMapping[str, Any]


class LocalDoor:
    """
    The store at a path or a database URL.

    Raises:
        Unusable: No store can be opened there.
    """

    def __init__(self, uri: str) -> None:
        settings = Settings(backend_store_uri=uri, access_log=False)
        settings.store.make_folders()
        migrate.upgrade(settings.database_url)
        self._app = App(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="runstone-store", daemon=True
        )
        self._thread.start()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._started = threading.Event()
        self._life = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        if not self._started.wait(START_SECONDS):
            raise errors.Unusable(f"the store {uri!r} does not open")

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """Put one request to the application; see `Door.ask`."""
        scope = _scope(method, path, query or {}, content_type)
        pieces = iter((body,)) if isinstance(body, bytes) else iter(body)
        reply = asyncio.run_coroutine_threadsafe(self._call(scope, pieces), self._loop)

        return reply.result()

    def fetch(self, path: str, *, query: Query) -> Iterable[bytes]:
        """Yield a body; see `Door.fetch`."""
        answer = self.ask("GET", path, query=query)
        if answer.status != 200:
            raise errors.NotFound(
                f"{path} cannot be fetched ({answer.status}): "
                f"{answer.body[:500].decode(errors='replace')}"
            )

        yield answer.body

    def close(self) -> None:
        """Close the store."""
        self._loop.call_soon_threadsafe(
            self._events.put_nowait, {"type": "lifespan.shutdown"}
        )
        self._life.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _live(self) -> None:
        """Run the application's life: what a server does between start and end."""
        await self._events.put({"type": "lifespan.startup"})

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._started.set()

        await self._app({"type": "lifespan"}, self._events.get, send)

    async def _call(self, scope: Mapping[str, Any], pieces: Iterator[bytes]) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            # A file is read in a thread, so that others are served meanwhile.
            piece = await asyncio.to_thread(next, pieces, None)
            if piece is None:
                return {"type": "http.request", "body": b"", "more_body": False}
            return {"type": "http.request", "body": piece, "more_body": True}

        async def send(message: Message) -> None:  # ASGI's form
            sent.append(message)

        await self._app(scope, receive, send)

        return Answer(sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:]))


def _scope(method: str, path: str, query: Query, content_type: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": urlencode(query, doseq=True).encode(),
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", content_type.encode()),
        ],
    }
