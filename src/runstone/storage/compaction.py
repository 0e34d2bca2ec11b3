"""The thread that turns blocks into chunks while nobody waits for it."""

import logging
import threading
from typing import Final, NamedTuple

from runstone import errors
from runstone.storage import series
from runstone.storage.db import Database


LOG: Final = logging.getLogger(__name__)

MOST_BLOCKS: Final = 4_000
"""Blocks in one step, so that a step's transaction stays short."""


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
        """Finish the step under way, then end."""
        self._stop.set()
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
        waiting = self._database.look(series.waiting)
        before, self._seen = self._seen, {}
        pace = self._pace
        due = []
        for run in waiting:
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
    """Compact a run's oldest blocks and say whether there may be more."""
    plan = database.look(series.plan, run, most_blocks=MOST_BLOCKS)
    if not plan.blocks:
        return False
    try:
        database.transact(series.apply, plan)
    except errors.Conflict:
        return False

    return len(plan.blocks) == MOST_BLOCKS


def compact_all(database: Database) -> None:
    """Compact every run now: before a copy, a measurement, a test."""
    for run in database.look(series.waiting):
        while compact_step(database, run.run):
            pass
