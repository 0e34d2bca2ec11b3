"""Media: what a run logged at a step that is richer than a number."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from runstone import errors, limits
from runstone.storage import runs, words
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


class Medium(NamedTuple):
    """What was logged under a key at a step."""

    key: str
    step: int
    time_ms: int
    body: bytes
    """A JSON object."""


def put(tx: Tx, place: Place, items: Sequence[Medium]) -> None:
    """
    Keep media of a run that was just touched; the same key, step and time is one.

    Raises:
        InvalidInput: A key cannot be kept, or a body is no JSON object.
        TooLarge: A body is too long.
    """
    for item in items:
        words.clean("Media key", item.key, limits.KEY_CHARS)
        if len(item.body) > limits.MEDIA_BYTES:
            what = f"The description of {item.key!r}"
            raise errors.TooLarge(what, len(item.body), limits.MEDIA_BYTES)
        if not item.key or not item.body.startswith(b"{"):
            raise errors.InvalidInput("Media needs a key and a JSON object")
    numbers = words.intern(tx, [item.key for item in items])

    tx.run_many(
        """
        INSERT INTO media (run_id, key_id, step, time_ms, body)
        VALUES (:run, :key, :step, :time_ms, :body)
        ON CONFLICT (run_id, key_id, step, time_ms) DO UPDATE SET body = excluded.body
        """,
        [
            {
                "run": place.run,
                "key": numbers[item.key],
                "step": item.step,
                "time_ms": item.time_ms,
                "body": item.body,
            }
            for item in items
        ],
    )


def of_run(tx: Tx, run_id: str, *, key: str = "", limit: int = 1000) -> list[Medium]:
    """
    Return a run's media, by key and step, the last steps where there are more.

    Args:
        tx: Transaction.

        run_id: The run's.

        key: Only this one; "" is every key.

        limit: How many at most.

    Raises:
        RunNotFound: No run has this id.
    """
    place = runs.require(tx, run_id)
    rows = tx.all(
        """
        SELECT word.name, media.step, media.time_ms, media.body
        FROM media JOIN word ON word.id = media.key_id
        WHERE media.run_id = :run AND (:key = '' OR word.name = :key)
        ORDER BY media.step DESC, media.time_ms DESC, word.name
        LIMIT :limit
        """,
        run=place.run,
        key=key,
        limit=limit,
    )

    return sorted(Medium(*row) for row in rows)


def raw(item: Medium) -> msgspec.Raw:
    """Return the body as our wires send it: as it is."""
    return msgspec.Raw(item.body)
