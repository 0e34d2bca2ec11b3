"""
From blocks to chunks.

A compaction is planned on a snapshot and applied in a transaction of the
writer, so it never holds up those who log; a thread does it while nobody waits.
"""

import logging
import threading
from typing import Final, NamedTuple

import numpy as np

from runstone import errors
from runstone.analysis.columns import Columns, join, ordered
from runstone.storage import blocks, chunks
from runstone.storage.chunks import Chunk
from runstone.storage.db import Database
from runstone.storage.tx import Tx


LOG: Final = logging.getLogger(__name__)

SHORT_POINTS: Final = 256
"""A series that has fewer points stays in its run's rest."""

MOST_BLOCKS: Final = 4_000
MOST_POINTS: Final = 2_000_000
"""What is compacted in one step, so that it needs little time and memory."""


class Plan(NamedTuple):
    """What a compaction will do: made from a snapshot, off the writer."""

    run: int
    blocks: list[int]
    replaced: list[int]
    rows: list[dict[str, int | bytes]]
    """The new chunks."""

    rest: dict[int, Columns]
    """The short series, by key."""

    dropped: dict[int, int]
    """Points of each key that had come twice."""

    more: bool
    """Whether the run has younger blocks."""


def plan(tx: Tx, run: int) -> Plan:
    """Read a run's oldest blocks and prepare the chunks that they become."""
    versions, more = _oldest(tx, run)
    made = Plan(run, versions, [], [], {}, {}, more)
    if not versions:
        return made

    rows = tx.all(
        "SELECT body FROM block WHERE run_id = :run AND version IN (:versions)",
        run=run,
        versions=versions,
    )
    rest = tx.one("SELECT body FROM rest WHERE run_id = :run", run=run)
    points = [blocks.decode_rest(rest[0])] if rest else []
    points.append(blocks.read([row[0] for row in rows]))
    there = chunks.of_run(tx, run)
    for key, fresh in blocks.by_key(np.concatenate(points)).items():
        _plan_series(tx, made, key, fresh, there.get(key, []))

    return made


def apply(tx: Tx, made: Plan) -> None:
    """
    Put the chunks and the rest of *made* in the place of its blocks.

    Whoever has changed the rest in between has removed these blocks too.

    Raises:
        Conflict: Another server has compacted the same blocks; nothing is
            written, and nothing is lost.
    """
    _remove(tx, "block", "version", made.run, made.blocks)
    _remove(tx, "chunk", "id", made.run, made.replaced)
    tx.run("DELETE FROM rest WHERE run_id = :run", run=made.run)
    if made.rest:
        tx.run(
            "INSERT INTO rest (run_id, points, body) VALUES (:run, :points, :body)",
            run=made.run,
            points=sum(columns.size for columns in made.rest.values()),
            body=blocks.encode_rest(made.rest),
        )
    tx.run_many(
        """
        INSERT INTO chunk (run_id, key_id, first_step, first_time_ms, last_step,
            last_time_ms, is_timely, points, pyramid, body)
        VALUES (:run, :key, :first_step, :first_time_ms, :last_step,
            :last_time_ms, :is_timely, :points, :pyramid, :body)
        """,
        made.rows,
    )
    # Whoever streams the run live sees by this that blocks went by unseen.
    tx.run(
        """
        UPDATE run SET compacted_version = :newest
        WHERE id = :run AND compacted_version < :newest
        """,
        run=made.run,
        newest=max(made.blocks, default=0),
    )
    if any(made.dropped.values()):  # a document may tell how many there are
        tx.run("UPDATE run SET version = version + 1 WHERE id = :run", run=made.run)
    tx.run_many(
        """
        UPDATE latest SET points = points - :dropped
        WHERE run_id = :run AND key_id = :key
        """,
        [
            {"run": made.run, "key": key, "dropped": count}
            for key, count in made.dropped.items()
            if count
        ],
    )


class Waiting(NamedTuple):
    """A run that has blocks."""

    run: int
    blocks: int
    points: int
    newest: int
    """Version of its newest block."""


def waiting(tx: Tx) -> list[Waiting]:
    """Return the runs that have blocks."""
    rows = tx.all(
        """
        SELECT run_id, COUNT(*), SUM(points), MAX(version) FROM block
        GROUP BY run_id
        """
    )

    return [Waiting(*(int(item) for item in row)) for row in rows]


class Pace(NamedTuple):
    """When a run is due."""

    look_seconds: float = 2.0
    """How often the blocks are counted."""

    idle_looks: int = 3
    """A run that got nothing new for so many looks is compacted whole."""

    busy_blocks: int = 2_000
    busy_points: int = 1_000_000
    """What a busy run may have in blocks before it is compacted all the same."""


class Compactor:
    """
    Compacts the runs of one database in the background.

    Several servers may do so at once: who comes second to the same blocks
    writes nothing.

    Args:
        database: What to compact.

        pace: When a run is due.
    """

    def __init__(self, database: Database, pace: Pace | None = None) -> None:
        self._database = database
        self._pace = pace or Pace()
        self._seen: dict[int, tuple[int, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work, name="compactor", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way, then end; one never started has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._pace.look_seconds):
            try:
                for run in self._due():
                    self._compact(run)
            except errors.RunstoneError as error:
                LOG.warning("Compaction waits: %s", error)
            except Exception:  # the thread must survive: the next look tries again
                LOG.exception("Compaction failed; the points are safe in their blocks")

    def _due(self) -> list[int]:
        """Choose the runs that are idle, or have too much in blocks."""
        before, self._seen = self._seen, {}
        pace = self._pace
        due = []
        for run in self._database.look(waiting):
            newest, looks = before.get(run.run, (0, 0))
            looks = looks + 1 if newest == run.newest else 0
            self._seen[run.run] = (run.newest, looks)
            if (
                looks >= pace.idle_looks
                or run.blocks >= pace.busy_blocks
                or run.points >= pace.busy_points
            ):
                due.append(run.run)

        return due

    def _compact(self, run: int) -> None:
        while not self._stop.is_set() and compact_step(self._database, run):
            pass


def compact_step(database: Database, run: int) -> bool:
    """Compact a run's oldest blocks and say whether there are more."""
    made = database.look(plan, run)
    if not made.blocks:
        return False
    try:
        database.transact(apply, made)
    except errors.Conflict:
        return False

    return made.more


def compact_all(database: Database) -> None:
    """Compact every run now: before a copy, a measurement, a test."""
    for run in database.look(waiting):
        while compact_step(database, run.run):
            pass


def _oldest(tx: Tx, run: int) -> tuple[list[int], bool]:
    """Choose the blocks of one step; whether others are left."""
    rows = tx.all(
        """
        SELECT version, points FROM block
        WHERE run_id = :run ORDER BY version LIMIT :most
        """,
        run=run,
        most=MOST_BLOCKS + 1,
    )
    versions: list[int] = []
    room = MOST_POINTS
    for version, points in rows[:MOST_BLOCKS]:
        if versions and points > room:
            break
        versions.append(version)
        room -= points

    return versions, len(versions) < len(rows)


def _plan_series(
    tx: Tx, made: Plan, key: int, fresh: Columns, there: list[Chunk]
) -> None:
    """Merge fresh points of one series with the chunks that they meet."""
    sent = fresh.size
    fresh = ordered(fresh)
    if not there and fresh.size < SHORT_POINTS:
        made.rest[key] = fresh
        made.dropped[key] = sent - fresh.size
        return
    start, end = _met(there, chunks.first(fresh), chunks.last(fresh))
    met = there[start:end]
    merged = ordered(join([*chunks.bodies(tx, [chunk.id for chunk in met]), fresh]))
    made.dropped[key] = sent + sum(chunk.points for chunk in met) - merged.size
    made.replaced.extend(chunk.id for chunk in met)
    for part in chunks.pieces(merged, at_end=end == len(there)):
        made.rows.append({"run": made.run, "key": key, **chunks.row(part)})


def _met(
    there: list[Chunk], first: tuple[int, int], last: tuple[int, int]
) -> tuple[int, int]:
    """
    Find the chunks to merge with points from *first* to *last*.

    Those that overlap, and on each side the next one while it has room, so
    that a slow series does not end as thousands of small chunks.
    """
    start = sum(chunk.last < first for chunk in there)
    end = sum(chunk.first <= last for chunk in there)
    if start > 0 and there[start - 1].points < chunks.CHUNK_POINTS:
        start -= 1
    if end < len(there) and there[end].points < chunks.CHUNK_POINTS:
        end += 1

    return start, end


def _remove(tx: Tx, table: str, column: str, run: int, ids: list[int]) -> None:
    gone = 0
    for start in range(0, len(ids), 500):
        gone += tx.run(
            f"DELETE FROM {table} WHERE run_id = :run AND {column} IN (:ids)",  # noqa: S608  # names of ours
            run=run,
            ids=ids[start : start + 500],
        )
    if gone != len(ids):
        raise errors.Conflict("Another server has compacted this run")
