"""Tags and metadata of traces: one row each, with the first characters indexed."""

from collections.abc import Mapping, Sequence
from typing import Final

from runstone import limits
from runstone.storage import words
from runstone.storage.labels import HEAD_CHARS
from runstone.storage.tx import Tx


TAG: Final = "trace_tag"
METADATA: Final = "trace_metadata"


def put(
    tx: Tx, table: str, trace: int, experiment: int, *, pairs: Mapping[str, str]
) -> None:
    """
    Write pairs; a later value takes the place of an earlier one.

    Raises:
        TooLarge: A key or a value is too long.
        InvalidInput: A key is empty, or a text cannot be kept.
    """
    if not pairs:
        return
    for key, value in pairs.items():
        words.clean("Key of a trace's tag or metadata", key, limits.KEY_CHARS)
        words.clean(f"Value of {key!r}", value, limits.TAG_VALUE_CHARS)
    numbers = words.intern(tx, list(pairs))
    tx.run_many(
        f"""
        INSERT INTO {table} (trace_id, key_id, experiment_id, head, value)
        VALUES (:trace, :key, :experiment, :head, :value)
        ON CONFLICT (trace_id, key_id) DO UPDATE SET
            head = excluded.head, value = excluded.value
        """,  # noqa: S608  # one of two names of ours
        [
            {
                "trace": trace,
                "key": numbers[key],
                "experiment": experiment,
                "head": value[:HEAD_CHARS],
                "value": value,
            }
            # Sorted, so that two servers that write the same keys at once wait for
            # each other in one order.
            for key, value in sorted(pairs.items())
        ],
    )


def drop(tx: Tx, table: str, trace: int, *, key: str) -> bool:
    """Remove a pair and say whether it was there."""
    number = words.find(tx, [key]).get(key, 0)
    gone = tx.run(
        f"DELETE FROM {table} WHERE trace_id = :trace AND key_id = :key",  # noqa: S608  # one of two names of ours
        trace=trace,
        key=number,
    )

    return gone > 0


def of(tx: Tx, table: str, traces: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return the pairs of each trace, by key."""
    found: dict[int, dict[str, str]] = {trace: {} for trace in traces}
    rows = tx.all(
        f"""
        SELECT p.trace_id, word.name, p.value
        FROM {table} p JOIN word ON word.id = p.key_id
        WHERE p.trace_id IN (:traces) ORDER BY p.trace_id, word.name
        """,  # noqa: S608  # one of two names of ours
        traces=list(traces),
    )
    for trace, key, value in rows:
        found[trace][key] = value

    return found
