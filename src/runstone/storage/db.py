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
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from runstone import errors
from runstone.storage import groups
from runstone.storage.groups import Job
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


CHECKPOINT_CHANGES: Final = 2_000
"""So many changed rows, and SQLite's log is copied into its file beside the writers."""


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
        self._soon: list[Job] = []
        self._uncopied = 0
        self.dialect = self._writing.dialect.name.replace("mariadb", "mysql")
        self._known: dict[str, int] = {}
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
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
        job = Job(fn, args, kwargs, answer, loop)
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
        job = Job(fn, args, kwargs, answer, loop)
        self._put(job)

        return await answer

    def transact(
        self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same as `write`, for a caller without an event loop."""
        answer: Future[T] = Future()
        self._put(Job(fn, args, kwargs, answer, None))

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
            outcomes = groups.run_all(tx, group)
            connection.execute("COMMIT")
        except Exception:  # noqa: BLE001  # the writer meets the same error, and waits or tells it
            with suppress(sqlite3.Error):
                connection.rollback()
            self._hand_over(group)
            return
        tx.committed()
        groups.settle(outcomes)
        self._uncopied += tx.changes
        if self._uncopied > CHECKPOINT_CHANGES:
            self._uncopied = 0
            with suppress(RuntimeError):  # closed: the last connection copies it all
                self._threads.submit(self._copy_log)

    def _copy_log(self) -> None:
        """
        Copy SQLite's log into its file, in a reader's thread.

        A commit that finds the log full does it too (`wal_autocheckpoint`), but
        waits for the disk, and everyone with it; so little should be left.
        """
        with (
            # Whoever finds the log full tries again.
            suppress(sqlite3.Error, PoolTimeout),
            closing(self._reading.raw_connection()) as connection,
        ):
            connection.driver_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # type: ignore[union-attr]  # sqlite3's own

    def _hand_over(self, group: list[Job]) -> None:
        """Leave jobs to the writer; one that has ended takes none, and says so."""
        for job in group:
            try:
                self._put(job)
            except errors.Unavailable as error:
                groups.settle([(job, error)])

    def _put(self, job: Job) -> None:
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

    def _commit(self, group: list[Job]) -> None:
        """Run *group* in few transactions; on trouble, each job in its own."""
        for part in [group] if self.dialect == "sqlite" else groups.parts(group):
            try:
                with self._transaction() as tx:
                    outcomes = groups.run_all(tx, part)
            except Exception:  # noqa: BLE001  # the writer must survive: each job meets its own error below
                outcomes = [(job, self._alone(job)) for job in part]
            groups.tell(outcomes)

    def _alone(self, job: Job) -> object:
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
        with self._pipeline(connection) as sync:
            try:
                if self.dialect == "sqlite":
                    connection.driver_connection.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]  # sqlite3's own
                tx = Tx(connection.dbapi_connection, self.dialect, self._known, sync)  # type: ignore[arg-type]  # checked out, so not None
                yield tx
                connection.commit()
            except BaseException:
                try:
                    connection.rollback()
                except Exception:  # noqa: BLE001  # a connection that is gone cannot roll back
                    self._disconnect()
                raise
        tx.committed()

    @contextmanager
    def _pipeline(
        self, connection: PoolProxiedConnection
    ) -> Iterator[Callable[[], object] | None]:
        """
        Let PostgreSQL's statements go out together, until an answer is asked for.

        So a transaction costs as many trips to the server as it has questions,
        not statements; an error shows at the next question, or at the commit.
        """
        if self.dialect != "postgresql":
            yield None
            return
        with connection.driver_connection.pipeline() as pipeline:  # type: ignore[union-attr]  # psycopg's own
            yield pipeline.sync

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
        "wal_autocheckpoint = 16000",
    ):
        connection.cursor().execute(f"PRAGMA {pragma}")
