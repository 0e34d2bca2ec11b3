"""Consoles on our own wire: what the processes of a run wrote, page by page."""

from typing import Annotated

import msgspec

from runstone import limits
from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.state import database
from runstone.storage.running import console


class Asked(msgspec.Struct):
    """Query of a page of lines."""

    after: Annotated[int, msgspec.Meta(ge=0, le=limits.INT64_MAX)] = 0
    """Only lines with greater numbers; the first line is 1."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.CONSOLE_LINES)] = 1000
    find: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Only lines that hold this, in upper or lower case."""

    tail: bool = False
    """Whether the last lines are wanted, not the first after a number."""


class LineMessage(msgspec.Struct):
    """One line; where the numbers have a gap, lines were dropped."""

    number: int
    time_ms: int
    stream: str
    text: str


class ConsoleMessage(msgspec.Struct):
    """Lines of a run's console."""

    lines: list[LineMessage]
    last: int
    """What the next page is asked to come after."""

    total: int
    """Number of the last line that there is."""


async def of_run(request: Request) -> Reply:
    """Return lines that the processes of a run wrote, in order."""
    query = from_query(request.query(), Asked)
    run_id = request.params["id"]
    if query.tail:
        page = await database(request).read(
            console.tail, run_id, limit=query.limit, find=query.find
        )
    else:
        page = await database(request).read(
            console.page, run_id, after=query.after, limit=query.limit, find=query.find
        )
    lines = [LineMessage(*line) for line in page.lines]

    return reply(ConsoleMessage(lines, page.last, page.total))


routes = [Route("GET", "runs/{id}/console", of_run, Right.READ, Asked)]
