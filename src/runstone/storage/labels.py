"""Params and tags: one row each, with the first characters indexed."""

from collections.abc import Iterable, Mapping, Sequence

from runstone import errors, limits
from runstone.model import Param, Tag
from runstone.storage import words
from runstone.storage.tx import Tx


HEAD_CHARS = 64
"""How much of a value is indexed."""


def add_params(tx: Tx, run: int, experiment: int, params: Sequence[Param]) -> None:
    """
    Write params that are not there yet.

    Raises:
        ParamChanged: One already has, or is sent with, another value.
    """
    fresh: dict[str, str] = {}
    for param in params:
        _check(tx, "Param", param, limits.PARAM_VALUE_CHARS)
        if fresh.setdefault(param.key, param.value) != param.value:
            raise errors.ParamChanged(param.key, fresh[param.key], param.value)
    if not fresh:
        return

    numbers = words.intern(tx, list(fresh))
    names = {number: name for name, number in numbers.items()}
    known = tx.all(
        "SELECT key_id, value FROM param WHERE run_id = :run AND key_id IN (:keys)",
        run=run,
        keys=list(names),
    )
    for number, value in known:
        key = names[number]
        if fresh.pop(key) != value:
            changed = next(param.value for param in params if param.key == key)
            raise errors.ParamChanged(key, value, changed)

    tx.run_many(
        """
        INSERT INTO param (run_id, key_id, experiment_id, head, value)
        VALUES (:run, :key, :experiment, :head, :value)
        """,
        [
            {
                "run": run,
                "key": numbers[key],
                "experiment": experiment,
                "head": value[:HEAD_CHARS],
                "value": value,
            }
            for key, value in fresh.items()
        ],
    )


def put_params(tx: Tx, run: int, experiment: int, params: Iterable[Param]) -> None:
    """Write params; a later value takes the place of an earlier one."""
    last = {}
    for param in params:
        _check(tx, "Param", param, limits.PARAM_VALUE_CHARS)
        last[param.key] = param.value
    _put(tx, "param", run, experiment, last)


def set_tags(tx: Tx, run: int, experiment: int, tags: Iterable[Tag]) -> None:
    """Write tags; a later value takes the place of an earlier one."""
    last = {}
    for tag in tags:
        _check(tx, "Tag", tag, limits.TAG_VALUE_CHARS)
        last[tag.key] = tag.value
    _put(tx, "tag", run, experiment, last)


def _check(tx: Tx, what: str, label: Param | Tag, limit: int) -> None:
    """Make sure that a label can be kept."""
    words.clean_key(tx, f"{what} key", label.key)
    if not words.is_plain(label.value, limit):
        words.clean(f"Value of {what.lower()} {label.key!r}", label.value, limit)


def _put(
    tx: Tx, table: str, run: int, experiment: int, values: Mapping[str, str]
) -> None:
    if not values:
        return
    numbers = words.intern(tx, list(values))

    tx.run_many(
        f"""
        INSERT INTO {table} (run_id, key_id, experiment_id, head, value)
        VALUES (:run, :key, :experiment, :head, :value)
        ON CONFLICT (run_id, key_id) DO UPDATE SET
            head = excluded.head, value = excluded.value
        """,  # noqa: S608  # our own names of tables
        [
            {
                "run": run,
                "key": numbers[key],
                "experiment": experiment,
                "head": value[:HEAD_CHARS],
                "value": value,
            }
            for key, value in values.items()
        ],
    )


def delete_tag(tx: Tx, run: int, key: str) -> bool:
    """Remove a tag and say whether it was there."""
    numbers = words.find(tx, [key])
    gone = tx.run(
        "DELETE FROM tag WHERE run_id = :run AND key_id = :key",
        run=run,
        key=numbers.get(key, 0),
    )

    return gone > 0


def has_tag(tx: Tx, run: int, key: str) -> bool:
    """Say whether a run has a tag."""
    row = tx.one(
        "SELECT 1 FROM tag WHERE run_id = :run AND key_id = :key",
        run=run,
        key=words.find(tx, [key]).get(key, 0),
    )

    return row is not None
