"""
The database: transactions, the writer thread and one spelling of SQL.

Storage functions take an open `Tx` and are plain and synchronous.  The
database takes the *function*: `Database.write` puts everything that waits into
one transaction, commits once and then answers all (group commit).
`Database.read` runs it on a snapshot.

Where a commit waits for nothing but memory (SQLite without fsync), a group is
committed on the event loop itself: two changes of threads would cost more than
the commit.  If the database is busy at that moment, and for all other
databases, the writer thread does it.
"""

import asyncio
import queue
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import lru_cache, partial
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeAlias, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from runstone import errors


P = ParamSpec("P")
T = TypeVar("T")
Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Any, ...]

GROUP_JOBS: Final = 256
"""Most jobs in one transaction, so that no answer waits for ever."""

TRIES: Final = 6
"""How often a job is tried that another server's transaction got in the way of."""

READERS: Final = 4
"""Threads and pooled connections for reading."""

BUSY_MS: Final = 60_000
"""How long SQLite waits for another process's transaction."""

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
    """

    def __init__(
        self, connection: DBAPIConnection, dialect: str, known: dict[str, int]
    ) -> None:
        self.dialect = dialect
        self.changes = 0
        self.for_update = "" if dialect == "sqlite" else " FOR UPDATE"
        self._cursor = connection.cursor()
        self._known = known
        self._learnt: dict[str, int] = {}

    def run(self, sql: str, **params: Value | Sequence[Value]) -> int:
        """Execute one statement and return how many rows it changed."""
        self._execute(sql, params)
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
        self._cursor.executemany(_spell(sql, self.dialect), rows)

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

    def _execute(self, sql: str, params: dict[str, Any]) -> None:
        spell: Callable[[str, str], str] = _spell
        if any(isinstance(value, list | tuple) for value in params.values()):
            sql, params = _expand(sql, params)
            spell = _spell_once
        if self.dialect == "mysql":
            params = dict(_finite(params))
        self._cursor.execute(spell(sql, self.dialect), params)


class Clause(NamedTuple):
    """A piece of SQL and its parameters."""

    sql: str
    params: dict[str, Value | Sequence[Value]]


class _Job(NamedTuple):
    """A function that waits for the writer, and where its answer goes."""

    call: Callable[[Tx], Any]
    answer: "Future[Any] | asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop | None


class Database:
    """
    One database: a writer thread, a pool of readers.

    Args:
        url: SQLAlchemy URL of an existing, migrated database.
    """

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self._writing = engine(self.url, readers=False)
        self._reading = engine(self.url, readers=True)
        self._at_once: sqlite3.Connection | None = None
        self._soon: list[_Job] = []
        self.dialect = self._writing.dialect.name.replace("mariadb", "mysql")
        self._known: dict[str, int] = {}
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._connection: PoolProxiedConnection | None = None
        self._closed = False
        self._closing = threading.Lock()
        self._writer = threading.Thread(target=self._work, name="writer", daemon=True)
        self._writer.start()
        if commits_at_once(self.url):
            connection = sqlite3.connect(
                str(self.url.database), isolation_level=None, check_same_thread=False
            )
            _set_up_sqlite(full=False, connection=connection, _record=None)  # type: ignore[arg-type]  # sqlite3's own
            connection.execute("PRAGMA busy_timeout = 0")
            self._at_once = connection

    async def write(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Do *fn* in a transaction and wait for the commit.

        It may be run more than once, so its arguments must not change.  Its
        work must be small; what grows with the store goes by `write_long`.

        Raises:
            RunstoneError: What *fn* raised; nothing of it was written.
            InvalidInput: The database cannot hold what it was given.
            Conflict: A row of this name or id is there already.
            Unavailable: The database is away, locked or out of space.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        job = _Job(partial(_call, fn, args, kwargs), answer, loop)
        if self._at_once is None:
            self._put(job)
        else:
            if not self._soon:
                # After everything that is ready now: it all becomes one group.
                loop.call_soon(self._commit_at_once)
            self._soon.append(job)

        return await answer

    async def write_long(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same as `write`, always on the writer thread."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._put(_Job(partial(_call, fn, args, kwargs), answer, loop))

        return await answer

    def transact(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same as `write`, for a caller without an event loop."""
        answer: Future[T] = Future()
        self._put(_Job(partial(_call, fn, args, kwargs), answer, None))

        return answer.result()

    async def read(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do *fn* on a snapshot, in a reader thread; raises as `look` does."""
        self._require_open()

        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self.look, fn, *args, **kwargs)
        )

    def look(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Do *fn* on a snapshot, in this thread.

        Raises:
            RunstoneError: What *fn* raised.
            InvalidInput: The database cannot hold what it was asked for.
            Unavailable: The database is away, closed, or all readers are busy.
        """
        self._require_open()
        with (
            self._translated(),
            closing(self._reading.raw_connection()) as connection,
        ):
            if self.dialect == "sqlite":
                connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]  # sqlite3's own
            try:
                tx = Tx(connection.dbapi_connection, self.dialect, self._known)  # type: ignore[arg-type]  # checked out, so not None
                answer = fn(tx, *args, **kwargs)
                tx.committed()
            finally:
                connection.rollback()

            return answer

    def close(self) -> None:
        """Finish what waits, then let go of every connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join()
        if self._at_once is not None:
            self._at_once.close()
        self._threads.shutdown()
        self._reading.dispose()
        self._writing.dispose()

    def _commit_at_once(self) -> None:
        """Commit what has gathered on the event loop, or leave it to the writer."""
        group, self._soon = self._soon[:GROUP_JOBS], self._soon[GROUP_JOBS:]
        if self._soon:
            asyncio.get_running_loop().call_soon(self._commit_at_once)
        connection = self._at_once
        assert connection is not None
        try:
            connection.execute("BEGIN IMMEDIATE")
            tx = Tx(connection, self.dialect, self._known)  # type: ignore[arg-type]  # sqlite3's own
            outcomes = _run_all(tx, group)
            connection.execute("COMMIT")
        except Exception:  # noqa: BLE001  # the writer meets the same error, and waits or tells it
            with suppress(sqlite3.Error):
                connection.rollback()
            for job in group:
                self._put(job)
            return
        tx.committed()
        _settle(
            [
                (job.answer, outcome)
                for job, outcome in zip(group, outcomes, strict=True)
            ]
        )

    def _put(self, job: _Job) -> None:
        # Under the lock, or a job might come to lie behind the end and wait for ever.
        with self._closing:
            self._require_open()
            self._jobs.put(job)

    def _require_open(self) -> None:
        if self._closed:
            raise errors.Unavailable("The database is closed: the server is stopping")

    def _work(self) -> None:
        """Take everything that waits, commit once, answer all; until closed."""
        job = self._jobs.get()
        while job is not None:
            group = [job]
            with suppress(queue.Empty):
                while len(group) < GROUP_JOBS and job is not None:
                    job = self._jobs.get_nowait()
                    if job is not None:
                        group.append(job)
            self._commit(group)
            if job is not None:
                job = self._jobs.get()
        self._disconnect()

    def _commit(self, group: list[_Job]) -> None:
        """Run *group* in one transaction; on trouble, each job in its own."""
        try:
            outcomes = self._together(group)
        except Exception:  # noqa: BLE001  # the writer must survive: each job meets its own error below
            outcomes = [self._alone(job) for job in group]
        _tell(group, outcomes)

    def _together(self, group: list[_Job]) -> list[object]:
        """Run *group* in one transaction."""
        with self._transaction() as tx:
            return _run_all(tx, group)

    def _alone(self, job: _Job) -> object:
        """Run one job, again if another server's transaction got in its way."""
        dbapi = self._writing.dialect.loaded_dbapi
        failure: object = None
        for attempt in range(TRIES):
            try:
                with self._translated(), self._transaction() as tx:
                    return job.call(tx)
            except (errors.Unavailable, dbapi.IntegrityError) as error:
                failure = error
                time.sleep(0.01 * 2**attempt)
            except Exception as error:  # noqa: BLE001  # the writer must survive; the caller gets it
                return error
        if isinstance(failure, dbapi.IntegrityError):
            # Nobody was in the way: it is there, and stays there.
            return errors.Conflict(f"It is there already ({failure}); use another name")

        return failure

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        """Open a transaction of the writer; commit, or roll everything back."""
        if self._connection is None:
            self._connection = self._writing.raw_connection()
        connection = self._connection
        try:
            if self.dialect == "sqlite":
                connection.driver_connection.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]  # sqlite3's own
            tx = Tx(connection.dbapi_connection, self.dialect, self._known)  # type: ignore[arg-type]  # checked out, so not None
            yield tx
            connection.commit()
        except BaseException:
            try:
                connection.rollback()
            except Exception:  # noqa: BLE001  # a connection that is gone cannot roll back
                self._disconnect()
            raise
        tx.committed()

    def _disconnect(self) -> None:
        """Let go of the writer's connection."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say a driver's errors in our words."""
        dbapi = self._writing.dialect.loaded_dbapi
        try:
            yield
        except (dbapi.OperationalError, dbapi.InterfaceError, PoolTimeout) as error:
            raise errors.Unavailable(
                f"The database cannot do this now ({error}); try again"
            ) from error
        # NUL, half of a surrogate pair, a number beyond 64 bits: each driver has
        # its own way to refuse them.
        except (dbapi.DataError, UnicodeEncodeError, OverflowError) as error:
            raise errors.InvalidInput(
                f"The database cannot hold this ({error}); send text without NUL "
                "and numbers of 64 bits"
            ) from error


def _call(
    fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], tx: Tx
) -> T:
    return fn(tx, *args, **kwargs)


def _run_all(tx: Tx, group: list[_Job]) -> list[object]:
    """
    Return each job's answer, or the error it raised before it wrote.

    An error after a write spoils the transaction for the others, so it is
    raised, and the caller runs the jobs one by one.
    """
    outcomes: list[object] = []
    for job in group:
        before = tx.changes
        try:
            outcomes.append(job.call(tx))
        except errors.RunstoneError as error:
            if tx.changes != before:
                raise
            outcomes.append(error)

    return outcomes


def _tell(group: list[_Job], outcomes: list[object]) -> None:
    """Answer every job, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Any, object]]] = {}
    for job, outcome in zip(group, outcomes, strict=True):
        if job.loop is None:
            _settle([(job.answer, outcome)])
        else:
            by_loop.setdefault(job.loop, []).append((job.answer, outcome))
    for loop, answers in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple[Any, object]]) -> None:
    for answer, outcome in answers:
        if answer.done():  # whoever asked has gone
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def commits_at_once(url: URL) -> bool:
    """Say whether a commit waits for no disk and no network."""
    is_full = str(url.query.get("synchronous", "NORMAL")).upper() == "FULL"

    return url.get_backend_name() == "sqlite" and not is_full


def engine(url: URL, *, readers: bool) -> Engine:
    """Make an engine whose connections are set up for reading or for writing."""
    options: dict[str, Any] = {"pool_size": READERS if readers else 1}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False, "isolation_level": None}
    else:
        options["pool_pre_ping"] = readers
        options["isolation_level"] = "REPEATABLE READ" if readers else "READ COMMITTED"
    if url.get_backend_name() == "sqlite":
        full = not commits_at_once(url)
        made = create_engine(
            url.set(query={}), max_overflow=0, pool_timeout=60, **options
        )
        event.listen(made, "connect", partial(_set_up_sqlite, full))
    else:
        made = create_engine(url, max_overflow=0, pool_timeout=60, **options)

    return made


def _set_up_sqlite(full: bool, connection: DBAPIConnection, _record: object) -> None:  # noqa: FBT001  # bound by partial
    # WAL lets readers go on while one writes.  NORMAL survives the death of the
    # process at any moment; FULL (`?synchronous=FULL`) the loss of power too, at
    # an fsync for each commit.
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        f"synchronous = {'FULL' if full else 'NORMAL'}",
        "foreign_keys = ON",
        "case_sensitive_like = ON",
        "cache_size = -16384",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 4000",
    ):
        connection.cursor().execute(f"PRAGMA {pragma}")


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


def _expand(sql: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Turn each list in *params* into one parameter for each item."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        if not isinstance(value, list | tuple):
            flat[name] = value
            continue
        if all(item.__class__ is int for item in value):
            places = ", ".join(map(str, value)) or "NULL"  # numbers need no quoting
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
