"""The log of webhooks on our own wire."""

import msgspec

from runstone.model import Delivery
from runstone.server.http import Reply, Request, Right, Route, from_query, reply
from runstone.server.native.models import Page
from runstone.server.state import database
from runstone.storage.registry import deliveries


class DeliveryMessage(msgspec.Struct):
    """One message to a webhook, and what became of it."""

    id: str
    event: str
    status: str
    """waiting, delivered or failed."""

    created_ms: int
    tries: int
    due_ms: int | None
    """When it is sent next; null where it is over."""

    response: int | None
    """HTTP status of the last try."""

    error: str
    body: str


class DeliveryList(msgspec.Struct):
    """A page of the log, the newest first."""

    deliveries: list[DeliveryMessage]
    next_page_token: str | None


async def log(request: Request) -> Reply:
    """Return what a webhook was sent, the newest first."""
    query = from_query(request.query(), Page)
    page = await database(request).read(
        deliveries.page,
        webhook_id=request.params["id"],
        limit=query.limit,
        page_token=query.page_token or None,
    )
    found = list(map(_message, page.deliveries))

    return reply(DeliveryList(found, page.next_page_token))


def _message(item: Delivery) -> DeliveryMessage:
    return DeliveryMessage(
        item.id,
        item.event,
        item.status,
        item.created_ms,
        item.tries,
        item.due_ms if item.status == "waiting" else None,
        item.response,
        item.error,
        item.body,
    )


routes = [Route("GET", "webhooks/{id}/deliveries", log, Right.READ, Page)]
