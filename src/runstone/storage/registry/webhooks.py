"""
Webhooks: who wants to hear of what.

Source of the events: `VALID_ENTITY_ACTIONS` in `mlflow/entities/webhook.py`, and
of the names: `_WEBHOOK_NAME_REGEX` in `mlflow/utils/validation.py`, MLflow 3.18.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from runstone import errors, limits
from runstone.model import Webhook, WebhookStatus
from runstone.storage import keyset, words
from runstone.storage.tx import Clause, Row, Tx


EVENTS: Final = (
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
    "budget_policy.exceeded",
)
"""What may be listened to; there are no budgets here, so the last never comes."""

NAME: Final = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
COLUMNS: Final = (
    "w.id, w.uuid, w.name, w.url, w.description, w.status, w.secret, "
    "w.created_ms, w.updated_ms"
)


class Change(NamedTuple):
    """What becomes different; None stays as it is."""

    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    description: str | None = None
    secret: str | None = None
    status: WebhookStatus | None = None


class Page(NamedTuple):
    """A page of webhooks, the newest first."""

    webhooks: list[Webhook]
    next_page_token: str | None


def create(tx: Tx, webhook: Webhook) -> Webhook:
    """
    Keep a new webhook; its number is given here.

    Raises:
        InvalidInput: Its name or an event is none, or it listens to nothing.
    """
    _check(webhook)
    number = tx.insert(
        """
        INSERT INTO webhook (uuid, name, url, description, status, secret,
            created_ms, updated_ms)
        VALUES (:uuid, :name, :url, :description, :status, :secret,
            :created_ms, :updated_ms)
        """,
        uuid=webhook.id,
        name=webhook.name,
        url=webhook.url,
        description=webhook.description,
        status=webhook.status,
        secret=webhook.secret,
        created_ms=webhook.created_ms,
        updated_ms=webhook.updated_ms,
    )
    _listen(tx, number, webhook.events)

    return webhook._replace(number=number)


def by_id(tx: Tx, webhook_id: str) -> Webhook:
    """
    Return a webhook, with its secret.

    Raises:
        NotFound: No webhook has this id.
    """
    found = tx.all(
        f"SELECT {COLUMNS} FROM webhook w WHERE w.uuid = :uuid",  # noqa: S608  # our own column list
        uuid=webhook_id,
    )
    if not found:
        raise errors.NotFound(f"Webhook with ID {webhook_id[:100]} not found.")

    return _webhooks(tx, found)[0]


def by_number(tx: Tx, number: int) -> Webhook:
    """
    Return a webhook by the number of its row, with its secret.

    Raises:
        NotFound: It is deleted by now.
    """
    found = tx.all(
        f"SELECT {COLUMNS} FROM webhook w WHERE w.id = :id",  # noqa: S608  # our own column list
        id=number,
    )
    if not found:
        raise errors.NotFound("The webhook is deleted")

    return _webhooks(tx, found)[0]


def page(tx: Tx, *, limit: int, page_token: str | None = None) -> Page:
    """
    Return a page of webhooks, the newest first.

    Raises:
        InvalidInput: The token is none of these pages'.
    """
    before = Clause("1 = 1", {})
    mark = keyset.mark("webhooks")
    if page_token:
        (last,) = keyset.read_token(page_token, mark, 1)
        before = Clause("w.id < :last", {"last": last})
    found = tx.all(
        f"SELECT {COLUMNS} FROM webhook w WHERE {before.sql} "  # noqa: S608  # our own text
        f"ORDER BY w.id DESC LIMIT {limit + 1:d}",
        **before.params,
    )
    more = len(found) > limit
    found = found[:limit]

    return Page(
        _webhooks(tx, found), keyset.token(mark, [found[-1][0]]) if more else None
    )


def update(tx: Tx, *, webhook_id: str, change: Change, now_ms: int) -> Webhook:
    """
    Change a webhook.

    Raises:
        NotFound: No webhook has this id.
        InvalidInput: Its name or an event is none, or it listens to nothing.
    """
    given = {key: value for key, value in change._asdict().items() if value is not None}
    changed = by_id(tx, webhook_id)._replace(**given, updated_ms=now_ms)
    _check(changed)
    tx.run(
        """
        UPDATE webhook SET name = :name, url = :url, description = :description,
            status = :status, secret = :secret, updated_ms = :updated_ms
        WHERE id = :id
        """,
        name=changed.name,
        url=changed.url,
        description=changed.description,
        status=changed.status,
        secret=changed.secret,
        updated_ms=now_ms,
        id=changed.number,
    )
    tx.run("DELETE FROM webhook_event WHERE webhook_id = :id", id=changed.number)
    _listen(tx, changed.number, changed.events)

    return changed


def delete(tx: Tx, *, webhook_id: str) -> None:
    """
    Delete a webhook; what is on its way to it is dropped.

    Raises:
        NotFound: No webhook has this id.
    """
    number = by_id(tx, webhook_id).number
    tx.run("DELETE FROM delivery WHERE webhook_id = :id", id=number)
    tx.run("DELETE FROM webhook_event WHERE webhook_id = :id", id=number)
    tx.run("DELETE FROM webhook WHERE id = :id", id=number)


def _check(webhook: Webhook) -> None:
    if not NAME.fullmatch(webhook.name):
        raise errors.InvalidInput(
            f"Webhook name {webhook.name[:100]!r} is invalid. It must start and end "
            "with a letter or digit, be at most 63 characters long, and contain only "
            "letters, digits, dots (.), underscores (_), and hyphens (-)."
        )
    if not webhook.events:
        raise errors.InvalidInput("Webhook events cannot be empty; name one at least")
    for event in webhook.events:
        if event not in EVENTS:
            raise errors.InvalidInput(
                f"Invalid webhook event {event[:100]!r}; there are {', '.join(EVENTS)}"
            )
    words.clean("Webhook URL", webhook.url, limits.URI_CHARS)
    words.clean("Webhook description", webhook.description, limits.MODEL_TEXT_CHARS)
    words.clean("Webhook secret", webhook.secret, limits.URI_CHARS)


def _listen(tx: Tx, number: int, events: Iterable[str]) -> None:
    tx.run_many(
        "INSERT INTO webhook_event (event, webhook_id) VALUES (:event, :webhook)",
        [{"event": event, "webhook": number} for event in dict.fromkeys(events)],
    )


def _webhooks(tx: Tx, found: list[Row]) -> list[Webhook]:
    listening: dict[int, list[str]] = {}
    for number, event in tx.all(
        "SELECT webhook_id, event FROM webhook_event WHERE webhook_id IN (:ids)",
        ids=[row[0] for row in found],
    ):
        listening.setdefault(number, []).append(event)

    return [
        Webhook(
            number,
            uuid,
            name,
            url,
            tuple(sorted(listening.get(number, ()), key=EVENTS.index)),
            description,
            WebhookStatus(status),
            secret,
            created_ms,
            updated_ms,
        )
        for (
            number,
            uuid,
            name,
            url,
            description,
            status,
            secret,
            created_ms,
            updated_ms,
        ) in found
    ]
