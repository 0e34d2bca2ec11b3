"""Messages to webhooks: written with the change, claimed once, tried for a while."""

import json
from typing import Any

import pytest

from runstone import errors
from runstone.model import Delivery, DeliveryStatus, Tag, Webhook, WebhookStatus
from runstone.storage.db import Database
from runstone.storage.registry import deliveries, models, webhooks
from tests.storage.registry import making


def hook(db: Database, *events: str, **more: Any) -> Webhook:  # noqa: ANN401  # its fields
    """Keep a webhook that listens to some events."""
    number = len(db.look(webhooks.page, limit=100).webhooks)
    made = Webhook(
        number=0,
        id=f"w{number}",
        name="hook",
        url="https://hooks.example/x",
        events=events,
        description="",
        status=WebhookStatus.ACTIVE,
        secret="",
        created_ms=1,
        updated_ms=1,
    )

    return db.transact(webhooks.create, made._replace(**more))


def log(db: Database, webhook: Webhook) -> list[Delivery]:
    """Return all messages to a webhook, the oldest first."""
    page = db.look(deliveries.page, webhook_id=webhook.id, limit=100)

    return page.deliveries[::-1]


def test_whoever_listens_is_told(db: Database) -> None:
    """And nobody else: not of other events, not the disabled."""
    every = hook(db, *webhooks.EVENTS)
    other = hook(db, "model_version.created")
    off = hook(db, "registered_model.created", status=WebhookStatus.DISABLED)

    db.transact(making.model, "iris", team="vision")

    (only,) = log(db, every)
    assert only.event == "registered_model.created"
    assert json.loads(only.body) == {
        "entity": "registered_model",
        "action": "created",
        "timestamp": "1970-01-01T00:00:00.001000+00:00",
        "data": {"name": "iris", "tags": {"team": "vision"}, "description": ""},
    }
    assert log(db, other) == log(db, off) == []


def test_a_change_that_fails_tells_nothing(db: Database) -> None:
    """The message is in the same transaction."""
    listening = hook(db, *webhooks.EVENTS)
    tags = [Tag("a", "v" * 100_001)]

    with pytest.raises(errors.TooLarge):
        db.transact(models.create, "iris", tags=tags, now_ms=1)

    assert log(db, listening) == []


def test_a_message_is_claimed_once(db: Database) -> None:
    """Two servers look at the same time; the lease of one that died runs out."""
    hook(db, *webhooks.EVENTS)
    db.transact(making.model, "iris")
    numbers = db.look(deliveries.due, now_ms=10, limit=9)
    assert db.look(deliveries.due, now_ms=0, limit=9) == []

    first = db.transact(deliveries.claim, numbers=numbers, now_ms=10)
    second = db.transact(deliveries.claim, numbers=numbers, now_ms=10)

    assert [each.tries for each in first] == [1]
    assert second == []
    assert db.look(deliveries.due, now_ms=10, limit=9) == []
    later = 10 + deliveries.LEASE_MS
    assert db.look(deliveries.due, now_ms=later, limit=9) == numbers
    (again,) = db.transact(deliveries.claim, numbers=numbers, now_ms=later)
    assert (again.id, again.tries) == (first[0].id, 2)


def test_it_is_tried_ever_more_rarely_and_then_no_more(db: Database) -> None:
    """For a quarter of an hour and more; then it has failed."""
    listening = hook(db, *webhooks.EVENTS)
    db.transact(making.model, "iris")
    now_ms, waits = 10, []
    while True:
        (number,) = db.look(deliveries.due, now_ms=now_ms, limit=9)
        (claimed,) = db.transact(deliveries.claim, numbers=[number], now_ms=now_ms)
        db.transact(
            deliveries.failed, delivery=claimed, response=503, error="busy", again=True
        )
        (only,) = log(db, listening)
        if only.status is DeliveryStatus.FAILED:
            break
        waits.append(only.due_ms - now_ms)
        now_ms = only.due_ms

    assert waits == [2_000 * 2**number for number in range(deliveries.TRIES - 1)]
    assert (only.tries, only.response, only.error) == (deliveries.TRIES, 503, "busy")
    assert db.look(deliveries.due, now_ms=10**15, limit=9) == []


def test_the_log_forgets_only_what_is_over(db: Database) -> None:
    """What waits is never dropped by its age."""
    listening = hook(db, *webhooks.EVENTS)
    for name in ("done", "waiting"):
        db.transact(making.model, name)
    done, waiting = log(db, listening)
    db.transact(deliveries.delivered, number=done.number, response=204)

    db.transact(deliveries.forget, before_ms=10**15)

    assert log(db, listening) == [waiting]


def test_a_deleted_webhook_is_told_no_more(db: Database) -> None:
    """What was on its way goes with it."""
    gone = hook(db, *webhooks.EVENTS)
    db.transact(making.model, "iris")

    db.transact(webhooks.delete, webhook_id=gone.id)

    assert db.look(deliveries.due, now_ms=10**15, limit=9) == []
    db.transact(making.model, "other")
    assert db.look(deliveries.due, now_ms=10**15, limit=9) == []
    with pytest.raises(errors.NotFound, match="not found"):
        db.look(webhooks.by_id, gone.id)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "-a"},
        {"name": "a b"},
        {"name": "a\n"},
        {"name": "n" * 64},
        {"events": ()},
        {"events": ("model_version.deleted",)},
        {"url": "https://a/" + "x" * 2_000},
    ],
)
def test_nonsense_is_not_kept(db: Database, change: dict[str, Any]) -> None:
    """Neither at creation nor later."""
    kept = hook(db, "model_version.created")

    with pytest.raises(errors.InvalidInput):
        hook(db, "model_version.created", **change)
    with pytest.raises(errors.InvalidInput):
        db.transact(
            webhooks.update,
            webhook_id=kept.id,
            change=webhooks.Change(**change),
            now_ms=2,
        )

    assert db.look(webhooks.page, limit=9).webhooks == [kept]
