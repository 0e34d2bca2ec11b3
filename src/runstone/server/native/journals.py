"""Journals on our own wire: what writers say, as the bytes of their spool files."""

import asyncio
import re
from typing import Annotated, Final

import msgspec

from runstone import errors, journal, limits
from runstone.server import errors as wire_errors
from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.state import now_ms, state
from runstone.storage import journals
from runstone.storage.journals import Portion, Refusal


Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]

SMALL_BYTES: Final = 65_536
"""What is read and written at once; more goes to a thread."""


class Sent(msgspec.Struct):
    """Query that goes with a portion."""

    writer: Id
    position: Annotated[int, msgspec.Meta(ge=0, le=limits.INT64_MAX)] = 0
    alive: bool = True
    """Whether it lives: what a dead writer left is sent by another process."""


class RefusalMessage(msgspec.Struct):
    """Something that was said and cannot be kept."""

    what: str
    error_code: str
    message: str


class HeardMessage(msgspec.Struct):
    """How far the writer has been heard, and what was refused of this portion."""

    position: int
    refused: list[RefusalMessage]


async def append(request: Request) -> Reply:
    """Take in a portion of a writer's journal; what came before is left alone."""
    query = from_query(request.query(), Sent)
    run_id = request.params["id"]
    if not re.fullmatch("[0-9a-f]{32}", run_id):
        raise errors.InvalidInput(
            f"The id of a run is 32 hex digits, not {run_id[:80]!r}"
        )
    body = await request.body()
    held = state(request)
    is_small = len(body) <= SMALL_BYTES
    portion = Portion(
        query.writer,
        query.position,
        len(body),
        list(journal.read(body)) if is_small else await asyncio.to_thread(_read, body),
        query.alive,
    )
    write = held.database.write if is_small else held.database.write_long
    heard = await write(
        journals.append,
        run_id,
        portion,
        artifact_root=held.settings.artifact_root,
        now_ms=now_ms(),
    )

    return reply(HeardMessage(heard.position, list(map(_refusal, heard.refused))))


def _read(body: bytes) -> list[journal.Record]:
    return list(journal.read(body))


def _refusal(item: Refusal) -> RefusalMessage:
    _, code = wire_errors.line(item.error)

    return RefusalMessage(item.what, code, str(item.error))


routes = [Route("POST", "runs/{id}/journal", append, Right.EDIT)]
