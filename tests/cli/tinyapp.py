"""A small application of the server's contract: create(settings) with a lifespan."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from runstone.errors import Unusable
from runstone.settings import Settings


def create(settings: Settings) -> Starlette:
    """Answer /health and a slow page; note a clean end beside the store."""
    note = Path(settings.artifacts_uri).parent / "ended"

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        with note.open("a") as file:
            file.write(f"{os.getpid()}\n")

    async def health(_: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    async def pid(_: Request) -> PlainTextResponse:
        return PlainTextResponse(str(os.getpid()))

    async def slow(_: Request) -> PlainTextResponse:
        logging.getLogger("runstone").info("slow began")
        await asyncio.sleep(1)
        return PlainTextResponse("done")

    async def stuck(_: Request) -> PlainTextResponse:
        logging.getLogger("runstone").info("stuck began")
        await asyncio.sleep(600)
        return PlainTextResponse("never")

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/pid", pid),
            Route("/slow", slow),
            Route("/stuck", stuck),
        ],
        lifespan=lifespan,
    )


def broken(_: Settings) -> Starlette:
    """Fail while starting, as with a database that went away."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        raise Unusable("the store went away; bring it back")
        yield

    return Starlette(lifespan=lifespan)
