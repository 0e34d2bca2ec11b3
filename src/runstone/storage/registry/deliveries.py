"""
Messages to webhooks: an outbox, and the log of what became of each.

`announce` writes a message in the transaction of the change.  Whoever delivers
claims what is due, for a while; if it dies, somebody else sends it again, under
the same id, so a receiver can tell a repetition.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from runstone.model import Delivery, DeliveryStatus
from runstone.storage import keyset
from runstone.storage.registry import webhooks
from runstone.storage.tx import Row, Tx


Data = Mapping[str, object]

COLUMNS: Final = (
    "d.id, d.uuid, d.webhook_id, d.event, d.body, d.status, d.created_ms, d.due_ms, "
    "d.tries, d.response, d.error"
)
LEASE_MS: Final = 120_000
"""How long a message belongs to who claimed it; longer than any try takes."""

FIRST_DELAY_MS: Final = 2_000
TRIES: Final = 10
"""The last is made about 17 minutes after the first."""

KEPT_MS: Final = 30 * 24 * 3600 * 1000
"""How long the log keeps what is over."""


class Page(NamedTuple):
    """A page of the log, the newest first."""

    deliveries: list[Delivery]
    next_page_token: str | None


def announce(tx: Tx, event: str, *, data: Data, now_ms: int) -> None:
    """Write a message for each webhook that listens, in this transaction."""
    listeners = tx.all(
        """
        SELECT w.id FROM webhook_event e JOIN webhook w ON w.id = e.webhook_id
        WHERE e.event = :event AND w.status = 'ACTIVE' ORDER BY w.id
        """,
        event=event,
    )
    if not listeners:
        return
    body = message(event, data, now_ms)
    tx.run_many(
        """
        INSERT INTO delivery (uuid, webhook_id, event, body, status, created_ms,
            due_ms, tries, error)
        VALUES (:uuid, :webhook, :event, :body, 'waiting', :now, :now, 0, '')
        """,
        [
            {
                "uuid": str(uuid.uuid4()),
                "webhook": row[0],
                "event": event,
                "body": body,
                "now": now_ms,
            }
            for row in listeners
        ],
    )


def message(event: str, data: Data, now_ms: int) -> str:
    """
    Write what a webhook is sent.

    Source: `_send_webhook_request` in `mlflow/webhooks/delivery.py`, MLflow 3.18.
    """
    entity, _, action = event.partition(".")
    at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat()
    body = {"entity": entity, "action": action, "timestamp": at, "data": data}

    return msgspec.json.encode(body).decode()


def due(tx: Tx, *, now_ms: int, limit: int) -> list[int]:
    """Return the numbers of messages that wait to be sent by now."""
    found = tx.all(
        "SELECT id FROM delivery WHERE status = 'waiting' AND due_ms <= :now "  # noqa: S608  # a number
        f"ORDER BY due_ms LIMIT {limit:d}",
        now=now_ms,
    )

    return [row[0] for row in found]


def claim(tx: Tx, *, numbers: list[int], now_ms: int) -> list[Delivery]:
    """Take messages for a while, each unless somebody else was faster."""
    mine = [
        number
        for number in sorted(numbers)
        if tx.run(
            """
            UPDATE delivery SET due_ms = :lease, tries = tries + 1
            WHERE id = :id AND status = 'waiting' AND due_ms <= :now
            """,
            id=number,
            lease=now_ms + LEASE_MS,
            now=now_ms,
        )
    ]

    return _deliveries(
        tx.all(
            f"SELECT {COLUMNS} FROM delivery d WHERE d.id IN (:ids)",  # noqa: S608  # our own column list
            ids=mine,
        )
    )


def delivered(tx: Tx, *, number: int, response: int) -> None:
    """Note that a message was taken."""
    tx.run(
        """
        UPDATE delivery SET status = 'delivered', response = :response, error = ''
        WHERE id = :id
        """,
        id=number,
        response=response,
    )


def failed(
    tx: Tx, *, delivery: Delivery, response: int | None, error: str, again: bool
) -> None:
    """Note that a try failed; it is made again later, unless that is no use."""
    waits = again and delivery.tries < TRIES
    delay_ms = FIRST_DELAY_MS * 2 ** (delivery.tries - 1)
    tx.run(
        """
        UPDATE delivery SET status = :status, response = :response, error = :error,
            due_ms = :due_ms
        WHERE id = :id
        """,
        id=delivery.number,
        status=DeliveryStatus.WAITING if waits else DeliveryStatus.FAILED,
        response=response,
        error=error[:1000],
        due_ms=delivery.due_ms - LEASE_MS + delay_ms,
    )


def forget(tx: Tx, *, before_ms: int) -> None:
    """Drop what is over and was made before."""
    tx.run(
        "DELETE FROM delivery WHERE status <> 'waiting' AND created_ms < :before",
        before=before_ms,
    )


def page(tx: Tx, *, webhook_id: str, limit: int, page_token: str | None = None) -> Page:
    """
    Return a page of a webhook's log, the newest first.

    Raises:
        NotFound: No webhook has this id.
        InvalidInput: The token is of another log.
    """
    number = webhooks.by_id(tx, webhook_id).number
    mark = keyset.mark("deliveries", webhook_id)
    last: keyset.KeyValue = 2**62
    if page_token:
        (last,) = keyset.read_token(page_token, mark, 1)
    found = tx.all(
        f"SELECT {COLUMNS} FROM delivery d "  # noqa: S608  # our own column list
        "WHERE d.webhook_id = :webhook AND d.id < :last "
        f"ORDER BY d.id DESC LIMIT {limit + 1:d}",
        webhook=number,
        last=last,
    )
    more = len(found) > limit
    found = found[:limit]

    return Page(
        _deliveries(found), keyset.token(mark, [found[-1][0]]) if more else None
    )


def _deliveries(found: list[Row]) -> list[Delivery]:
    return [
        Delivery(
            number,
            delivery_id,
            webhook,
            event,
            body,
            DeliveryStatus(status),
            created_ms,
            due_ms,
            tries,
            response,
            error,
        )
        for (
            number,
            delivery_id,
            webhook,
            event,
            body,
            status,
            created_ms,
            due_ms,
            tries,
            response,
            error,
        ) in found
    ]
