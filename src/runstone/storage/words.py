"""Interned keys of metrics, params and tags, and the rule for any text we keep."""

from collections.abc import Iterable

from runstone import errors, limits
from runstone.storage.tx import Tx


def clean(what: str, value: str, limit: int) -> str:
    """
    Return *value* if every database can keep it as it is.

    Raises:
        TooLarge: It has more than *limit* characters.
        InvalidInput: It holds NUL, which PostgreSQL cannot store, or half of a
            surrogate pair, which is not text.
    """
    if len(value) > limit:
        raise errors.TooLarge(what, len(value), limit)
    if "\0" in value:
        raise errors.InvalidInput(f"{what} holds a NUL character; leave it out")
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise errors.InvalidInput(f"{what} is not valid Unicode; send it as UTF-8")

    return value


def is_plain(value: str, limit: int) -> bool:
    """Say at once that a text is clean; one of which this is not said may be too."""
    return len(value) <= limit and value.isascii() and "\0" not in value


def clean_key(tx: Tx, what: str, key: str) -> None:
    """
    Make sure that a key can be kept; those that are kept already can.

    Raises:
        TooLarge: It is too long.
        InvalidInput: It holds NUL, or is not text.
    """
    if tx.key(key) is None:
        clean(what, key, limits.KEY_CHARS)


def intern(tx: Tx, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each name; a new name gets one."""
    names = set(names)
    numbers = find(tx, names)
    if len(numbers) == len(names):
        return numbers
    missing = sorted(names - numbers.keys())

    # Sorted, so that two servers that meet the same new names at once wait for
    # each other in one order.
    tx.run_many(
        "INSERT INTO word (name) VALUES (:name) ON CONFLICT (name) DO NOTHING",
        [{"name": name} for name in missing],
    )

    return numbers | find(tx, missing)


def find(tx: Tx, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each name that has one."""
    numbers: dict[str, int] = {}
    missing = []
    for name in names:
        if number := tx.key(name):
            numbers[name] = number
        else:
            missing.append(name)
    for start in range(0, len(missing), 500):
        rows = tx.all(
            "SELECT name, id FROM word WHERE name IN (:names)",
            names=missing[start : start + 500],
        )
        for name, number in rows:
            tx.learn(name, number)
            numbers[name] = number

    return numbers
