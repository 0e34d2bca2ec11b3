"""Webhooks on MLflow's wire."""

import uuid
from typing import Annotated

import msgspec

from runstone import errors
from runstone.model import Webhook, WebhookStatus
from runstone.server import courier, outbound
from runstone.server.http import Needed, Reply, Request, Right, Route, read, reply
from runstone.server.state import database, now_ms, state
from runstone.storage.registry import deliveries, webhooks


class Event(msgspec.Struct):
    """Something that happens to something, in protobuf's capitals."""

    entity: Needed
    action: Needed

    @property
    def name(self) -> str:
        """Its name, such as "model_version.created"."""
        return f"{self.entity}.{self.action}".lower()


class Create(msgspec.Struct):
    """Body of a POST of `webhooks`."""

    name: Needed
    url: Needed
    events: Annotated[list[Event], msgspec.Meta(min_length=1)]
    description: str = ""
    secret: str = ""
    status: WebhookStatus = WebhookStatus.ACTIVE


class List(msgspec.Struct):
    """Query of `webhooks`."""

    max_results: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    page_token: str | None = None


class Update(msgspec.Struct):
    """Body of a PATCH of a webhook; what is not there stays as it is."""

    name: str | None = None
    url: str | None = None
    events: list[Event] = []
    description: str | None = None
    secret: str | None = None
    status: WebhookStatus | None = None


class Test(msgspec.Struct):
    """Body of a test call."""

    event: Event | None = None


async def create(request: Request) -> Reply:
    """Create a webhook."""
    body = await read(request, Create)
    await _check(request, body.url)
    now = now_ms()
    made = await database(request).write(
        webhooks.create,
        Webhook(
            0,
            str(uuid.uuid4()),
            body.name,
            body.url,
            tuple(event.name for event in body.events),
            body.description,
            body.status,
            body.secret,
            now,
            now,
        ),
    )

    return reply({"webhook": _shown(made)})


async def find(request: Request) -> Reply:
    """List webhooks, the newest first."""
    query = await read(request, List)
    page = await database(request).read(
        webhooks.page,
        limit=query.max_results or 100,
        page_token=query.page_token or None,
    )
    found: dict[str, object] = {}
    if page.webhooks:
        found["webhooks"] = list(map(_shown, page.webhooks))
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


async def get(request: Request) -> Reply:
    """Return a webhook, without its secret."""
    return reply({"webhook": _shown(await _webhook(request))})


async def update(request: Request) -> Reply:
    """Change a webhook."""
    body = await read(request, Update)
    if body.url:
        await _check(request, body.url)
    changed = await database(request).write(
        webhooks.update,
        webhook_id=request.params["webhook_id"],
        change=webhooks.Change(
            body.name or None,
            body.url or None,
            tuple(event.name for event in body.events) or None,
            body.description,
            body.secret,
            body.status,
        ),
        now_ms=now_ms(),
    )

    return reply({"webhook": _shown(changed)})


async def delete(request: Request) -> Reply:
    """Delete a webhook."""
    await database(request).write(
        webhooks.delete, webhook_id=request.params["webhook_id"]
    )

    return Reply()


async def test(request: Request) -> Reply:
    """Send a webhook an example now, and say how it was answered."""
    body = await read(request, Test)
    webhook = await _webhook(request)
    event = body.event.name if body.event else webhook.events[0]
    if event not in webhooks.EVENTS:
        raise errors.InvalidInput(f"Invalid webhook event {event[:100]!r}")
    message = deliveries.message(event, EXAMPLE, now_ms())
    networks = outbound.networks(state(request).settings.webhook_networks)
    result: dict[str, object]
    try:
        status = await courier.send(
            webhook, str(uuid.uuid4()), message, networks=networks
        )
        # What it said stays with it: nobody is to read through us (SSRF).
        result = {"success": status < 300, "response_status": status}
    except errors.RunstoneError as error:
        result = {"success": False, "error_message": f"Failed to test: {error}"}

    return reply({"result": result})


EXAMPLE = {"name": "example_model", "version": "1"}


async def _check(request: Request, url: str) -> None:
    """Refuse a URL that no message could reach."""
    networks = outbound.networks(state(request).settings.webhook_networks)
    try:
        await outbound.judge(outbound.target(url), networks)
    except (errors.Refused, outbound.NoAnswer) as error:
        raise errors.InvalidInput(
            f"Invalid webhook URL {url[:200]!r}: {error}"
        ) from None


async def _webhook(request: Request) -> Webhook:
    return await database(request).read(
        webhooks.by_id, webhook_id=request.params["webhook_id"]
    )


def _shown(item: Webhook) -> dict[str, object]:
    found: dict[str, object] = {
        "webhook_id": item.id,
        "name": item.name,
        "url": item.url,
        "events": [
            {"entity": entity.upper(), "action": action.upper()}
            for entity, _, action in (event.partition(".") for event in item.events)
        ],
        "status": item.status,
        "creation_timestamp": item.created_ms,
        "last_updated_timestamp": item.updated_ms,
    }
    if item.description:
        found["description"] = item.description

    return found


_ONE = "mlflow/webhooks/{webhook_id}"

routes = [
    Route("POST", "mlflow/webhooks", create, Right.EDIT, Create),
    Route("GET", "mlflow/webhooks", find, Right.READ, List),
    Route("GET", _ONE, get, Right.READ),
    Route("PATCH", _ONE, update, Right.EDIT, Update),
    Route("DELETE", _ONE, delete, Right.EDIT),
    Route("POST", _ONE + "/test", test, Right.EDIT, Test),
]
