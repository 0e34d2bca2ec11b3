"""Typed doors from a request to what the server holds."""

import asyncio
import time
from contextlib import suppress
from typing import Protocol, cast

from runstone import errors
from runstone.artifacts.store import Store
from runstone.server.http import Request, Route
from runstone.server.live import Poller
from runstone.settings import Settings
from runstone.storage import documents
from runstone.storage.db import Database
from runstone.storage.documents import Document


class State(Protocol):
    """What an endpoint may use of the application."""

    database: Database
    artifacts: Store
    settings: Settings
    background: set[asyncio.Task[object]]
    live: Poller

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route that is served."""
        ...

    def store_at(self, uri: str) -> Store:
        """Return the store at a root that is not the server's own."""
        ...


def state(request: Request) -> State:
    """Return what the server holds."""
    return cast("State", request.app)


def database(request: Request) -> Database:
    """Return the server's database."""
    return state(request).database


def keep_documents(request: Request, made: list[Document]) -> None:
    """Keep prepared runs, after the reply and without anyone waiting for it."""
    held = state(request)
    if not made or held.background:
        return
    task: asyncio.Task[object] = asyncio.create_task(_keep(held, made))
    held.background.add(task)
    task.add_done_callback(held.background.discard)


async def _keep(held: State, made: list[Document]) -> None:
    with suppress(errors.RunstoneError):  # whoever needs them makes them again
        await held.database.write_long(documents.keep, made)


def now_ms() -> int:
    """Return the time: milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000
