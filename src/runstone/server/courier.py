"""
The courier: brings messages to webhooks, signed as MLflow signs them.

It runs in every server process; a message is claimed in the database, so one
process sends it, and if that dies another one does.  Source:
`mlflow/webhooks/delivery.py` and `constants.py`, MLflow 3.18.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from contextlib import suppress
from typing import Final

from runstone import errors
from runstone.model import Delivery, Webhook
from runstone.server import outbound
from runstone.server.state import now_ms
from runstone.storage.db import Database
from runstone.storage.registry import deliveries, webhooks


LOG: Final = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often it looks for messages that nobody woke it for."""

AT_ONCE: Final = 20
"""Most messages under way in one process."""

BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which it is worth to try again."""


class Courier:
    """
    Delivers what is due, until it is stopped.

    Args:
        database: The record.

        networks: Private networks that it may call.
    """

    def __init__(
        self, database: Database, networks: tuple[outbound.Network, ...]
    ) -> None:
        self._database = database
        self._networks = networks
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for messages."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; what is under way is sent again by whoever comes next."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            try:
                busy = await self.deliver_due()
            except errors.RunstoneError as error:
                LOG.warning("Webhooks wait: %s", error)
                busy = False
            except Exception:
                # The courier must survive: the next message is another one.
                LOG.exception("Unexpected error of the courier")
                busy = False
            if not busy:
                await asyncio.sleep(LOOK_SECONDS)

    async def deliver_due(self) -> bool:
        """Send what is due, each once, and say whether there was anything."""
        numbers = await self._database.glance(
            deliveries.due, now_ms=now_ms(), limit=AT_ONCE
        )
        if not numbers:
            return False
        claimed = await self._database.write(
            deliveries.claim, numbers=numbers, now_ms=now_ms()
        )
        await asyncio.gather(*map(self._deliver, claimed))

        return True

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            webhook = await self._database.glance(webhooks.by_number, delivery.webhook)
            status = await send(
                webhook, delivery.id, delivery.body, networks=self._networks
            )
        except outbound.NoAnswer as error:
            await self._failed(delivery, None, str(error), again=True)
        except errors.RunstoneError as error:
            await self._failed(delivery, None, str(error), again=False)
        else:
            if 200 <= status < 300:
                await self._database.write(
                    deliveries.delivered, number=delivery.number, response=status
                )
            else:
                words = f"the receiver answered {status}"
                again = status in BUSY
                await self._failed(delivery, status, words, again=again)

    async def _failed(
        self, delivery: Delivery, response: int | None, error: str, *, again: bool
    ) -> None:
        with suppress(errors.NotFound):
            await self._database.write(
                deliveries.failed,
                delivery=delivery,
                response=response,
                error=error,
                again=again,
            )


async def send(
    webhook: Webhook,
    delivery_id: str,
    body: str,
    *,
    networks: tuple[outbound.Network, ...],
) -> int:
    """
    Send one message and return the status of the answer.

    Raises:
        Refused: The webhook lies where this server does not call.
        NoAnswer: Nobody answers.
    """
    seconds = str(now_ms() // 1000)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "runstone",
        "X-MLflow-Delivery-Id": delivery_id,
        "X-MLflow-Timestamp": seconds,
    }
    if webhook.secret:
        headers["X-MLflow-Signature"] = signature(
            webhook.secret, delivery_id, seconds, body
        )

    return await outbound.post(webhook.url, body.encode(), headers, networks)


def signature(secret: str, delivery_id: str, seconds: str, body: str) -> str:
    """Sign a message: HMAC-SHA256 of id, time and body, in base64."""
    signed = f"{delivery_id}.{seconds}.{body}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()

    return f"v1,{base64.b64encode(digest).decode()}"
