"""Media on our own wire."""

from typing import Annotated

import msgspec

from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.state import database
from runstone.storage import media


class Asked(msgspec.Struct):
    """Query of a run's media."""

    key: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class MediumMessage(msgspec.Struct):
    """What was logged under a key at a step."""

    key: str
    step: int
    time_ms: int
    body: msgspec.Raw


class MediaList(msgspec.Struct):
    """Media by key and step."""

    media: list[MediumMessage]


async def of_run(request: Request) -> Reply:
    """Return what a run logged that is richer than a number."""
    query = from_query(request.query(), Asked)
    found = await database(request).read(
        media.of_run, request.params["id"], key=query.key, limit=query.limit
    )

    return reply(
        MediaList(
            [
                MediumMessage(item.key, item.step, item.time_ms, media.raw(item))
                for item in found
            ]
        )
    )


routes = [Route("GET", "runs/{id}/media", of_run, Right.READ, Asked)]
