"""Typed doors from a request to what the server holds."""

import time
from typing import Protocol, cast

from runstone.artifacts.store import Store
from runstone.server.http import Request
from runstone.settings import Settings
from runstone.storage.db import Database


class State(Protocol):
    """What an endpoint may use of the application."""

    database: Database
    artifacts: Store
    settings: Settings


def state(request: Request) -> State:
    """Return what the server holds."""
    return cast("State", request.app)


def database(request: Request) -> Database:
    """Return the server's database."""
    return state(request).database


def now_ms() -> int:
    """Return the time: milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000
