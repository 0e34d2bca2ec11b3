"""
The database: groups of transactions, the writer thread, snapshots.

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
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from runstone import errors
from runstone.storage.tx import Tx


P = ParamSpec("P")
T = TypeVar("T")

GROUP_JOBS: Final = 256
"""Most jobs in one transaction, so that no answer waits for ever."""

TRIES: Final = 6
"""How often a job is tried that another server's transaction got in the way of."""

READERS: Final = 4
"""Threads and pooled connections for reading."""

BUSY_MS: Final = 60_000
"""How long SQLite waits for another process's transaction."""


class _Job(NamedTuple):
    """A function that waits for the writer, and where its answer goes."""

    call: Callable[[Tx], Any]
    answer: "Future[Any] | asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop | None
    about: str
    """The run that it locks, if it is known to lock no other."""


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
        job = _Job(partial(_call, fn, args, kwargs), answer, loop, _first_text(args))
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
        job = _Job(partial(_call, fn, args, kwargs), answer, loop, _first_text(args))
        self._put(job)

        return await answer

    def transact(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same as `write`, for a caller without an event loop."""
        answer: Future[T] = Future()
        self._put(
            _Job(partial(_call, fn, args, kwargs), answer, None, _first_text(args))
        )

        return answer.result()

    async def read(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do *fn* on a snapshot, in a reader thread; raises as `look` does."""
        self._require_open()

        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self.look, fn, *args, **kwargs)
        )

    async def glance(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Do the same as `read`, for what takes a few rows by an index.

        Where nothing waits for a disk or a network, it is done on the event loop
        itself: to change threads twice would cost more than to look.
        """
        if self._at_once is None:
            return await self.read(fn, *args, **kwargs)
        self._require_open()
        try:
            self._at_once.execute("BEGIN")
            tx = Tx(self._at_once, self.dialect, self._known)  # type: ignore[arg-type]  # sqlite3's own
            answer = fn(tx, *args, **kwargs)
            tx.committed()
        except errors.RunstoneError:
            raise
        except Exception:  # noqa: BLE001  # a reader meets the same error, and waits or tells it
            with suppress(sqlite3.Error):
                self._at_once.rollback()
            return await self.read(fn, *args, **kwargs)
        finally:
            with suppress(sqlite3.Error):
                self._at_once.rollback()

        return answer

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
            self._hand_over(group)
            return
        tx.committed()
        _settle(
            [
                (job.answer, outcome)
                for job, outcome in zip(group, outcomes, strict=True)
            ]
        )

    def _hand_over(self, group: list[_Job]) -> None:
        """Leave jobs to the writer; one that has ended takes none, and says so."""
        for job in group:
            try:
                self._put(job)
            except errors.Unavailable as error:
                _settle([(job.answer, error)])

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
        if self.dialect != "sqlite" and len(group) > 1:
            # Two servers that lock the same runs must do so in one order: a
            # deadlock is found after a second, and nobody writes meanwhile.
            # So a job that does not say which runs it locks is not grouped.
            for job in group:
                if not job.about:
                    _tell([job], [self._alone(job)])
            group = sorted((job for job in group if job.about), key=_about)
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


def _about(job: _Job) -> str:
    return job.about


def _first_text(args: tuple[Any, ...]) -> str:
    """Return the id of the run that a storage function changes: its first argument."""
    return args[0] if args and isinstance(args[0], str) else ""


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
