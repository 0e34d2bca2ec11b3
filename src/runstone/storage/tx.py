"""
One open transaction, and one spelling of SQL for three kinds of database.

SQL is written once, with `:name` parameters and SQLite's and PostgreSQL's
`ON CONFLICT`; MySQL's and MariaDB's spelling is made from it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor


Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Any, ...]

NAMED_ITEMS: Final = 50
"""
Most items of a list that become parameters on SQLite.

It looks each of them up among all: 20,000 took a minute.
"""

MAX_DOUBLE: Final = 1.7976931348623157e308


class Tx:
    """
    An open transaction.

    SQL is written once, with `:name` parameters and SQLite's and
    PostgreSQL's `ON CONFLICT`; MySQL's spelling is made from it.  A list as a
    parameter becomes as many parameters, for `IN (:ids)`.

    Attributes:
        dialect: "sqlite", "postgresql" or "mysql" (MariaDB too).

        changes: Rows written so far.

        for_update: What ends a SELECT that locks its rows; SQLite has locked
            everything already.

    Args:
        connection: What to execute on.

        dialect: See above.

        known: Interned keys that this process has met, and their numbers.

        sync: Waits until every statement has been answered, where statements
            go out before that.
    """

    def __init__(
        self,
        connection: DBAPIConnection,
        dialect: str,
        known: dict[str, int],
        sync: Callable[[], object] | None = None,
    ) -> None:
        self.dialect = dialect
        self.changes = 0
        self.for_update = "" if dialect == "sqlite" else " FOR UPDATE"
        self._cursor = connection.cursor()
        # Where answers come later, one that nobody asked for would be taken for
        # the answer to a question that came after it.
        self._unasked = connection.cursor() if sync else self._cursor
        self._known = known
        self._sync = sync
        self._learnt: dict[str, int] = {}

    def do(self, sql: str, **params: Value | Sequence[Value]) -> None:
        """Execute one statement that changes something, or inserts one row."""
        self._execute(sql, params, self._unasked)
        self.changes += 1

    def run(self, sql: str, **params: Value | Sequence[Value]) -> int:
        """Execute one statement and return how many rows it changed."""
        self._execute(sql, params)
        if self._sync is not None:
            self._sync()
        count = max(0, int(self._cursor.rowcount))
        self.changes += count

        return count

    def run_many(self, sql: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Execute one statement for each of *rows*."""
        if not rows:
            return
        self.changes += len(rows)
        if self.dialect == "mysql":
            rows = [_finite(row) for row in rows]
        self._unasked.executemany(_spell(sql, self.dialect), rows)

    def insert(self, sql: str, **params: Value) -> int:
        """Insert one row and return its new `id`."""
        self.changes += 1
        if self.dialect == "postgresql":
            self._execute(sql + " RETURNING id", params)

            return int(self._cursor.fetchall()[0][0])
        self._execute(sql, params)

        return int(self._cursor.lastrowid)

    def one(self, sql: str, **params: Value | Sequence[Value]) -> Row | None:
        """Return the first row, or None."""
        self._execute(sql, params)
        row: Row | None = self._cursor.fetchone()

        return row

    def all(self, sql: str, **params: Value | Sequence[Value]) -> list[Row]:
        """Return every row."""
        self._execute(sql, params)

        return list(self._cursor.fetchall())

    def key(self, name: str) -> int | None:
        """Return the number of an interned key that this process has met."""
        return self._known.get(name) or self._learnt.get(name)

    def learn(self, name: str, number: int) -> None:
        """Remember an interned key; for good once this transaction commits."""
        self._learnt[name] = number

    def committed(self) -> None:
        """Share what was learnt, now that it is true for everybody."""
        if self._learnt:
            self._known.update(self._learnt)

    def _execute(
        self, sql: str, params: dict[str, Any], cursor: DBAPICursor | None = None
    ) -> None:
        spell: Callable[[str, str], str] = _spell
        for value in params.values():
            if isinstance(value, list | tuple):
                sql, params = _expand(sql, params, self.dialect)
                spell = _spell_once
                break
        if self.dialect == "mysql":
            params = dict(_finite(params))
        (cursor or self._cursor).execute(spell(sql, self.dialect), params)


class Clause(NamedTuple):
    """A piece of SQL and its parameters."""

    sql: str
    params: dict[str, Value | Sequence[Value]]


def _spell_once(sql: str, dialect: str) -> str:
    """Write neutral SQL as *dialect* wants it; for a text that hardly comes again."""
    if dialect == "sqlite":
        return sql
    if dialect == "mysql":
        sql = _mysql_upsert(sql)
    sql = sql.replace("%", "%%")

    return re.sub(r"(?<![:\w]):([a-z]\w*)", r"%(\1)s", sql)


_spell = lru_cache(maxsize=4096)(_spell_once)


def _mysql_upsert(sql: str) -> str:
    """
    Write `ON CONFLICT` as MySQL's and MariaDB's `ON DUPLICATE KEY UPDATE`.

    MySQL assigns from left to right and later assignments see earlier ones;
    the storage functions compare with `>=` so that this changes nothing.
    """
    sql = re.sub(
        r"ON CONFLICT \((\w+)[^)]*\) DO NOTHING",
        r"ON DUPLICATE KEY UPDATE \1 = \1",
        sql,
    )
    sql = re.sub(r"ON CONFLICT \([^)]*\) DO UPDATE SET", "ON DUPLICATE KEY UPDATE", sql)

    return re.sub(r"excluded\.(\w+)", r"VALUES(\1)", sql)


def _expand(
    sql: str, params: dict[str, Any], dialect: str
) -> tuple[str, dict[str, Any]]:
    """Turn each list in *params* into one parameter for each item."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        if not isinstance(value, list | tuple):
            flat[name] = value
            continue
        if all(item.__class__ is int for item in value):
            places = ", ".join(map(str, value)) or "NULL"  # numbers need no quoting
        elif dialect == "sqlite" and len(value) > NAMED_ITEMS:
            flat[name] = json.dumps(value)
            places = f"SELECT value FROM json_each(:{name})"  # noqa: S608  # a name of ours
        else:
            items = {f"{name}_{i}": item for i, item in enumerate(value)}
            flat |= items
            places = ", ".join(f":{item}" for item in items) or "NULL"
        sql = re.sub(rf":{name}\b", places, sql)

    return sql, flat


def _clip(value: float) -> float:
    """MySQL has no infinities; its largest number stands for one."""
    return max(-MAX_DOUBLE, min(MAX_DOUBLE, value))


def _finite(row: Mapping[str, Value]) -> Mapping[str, Value]:
    return {k: _clip(v) if isinstance(v, float) else v for k, v in row.items()}
