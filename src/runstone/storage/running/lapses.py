"""Lapses: runs whose every writer has died without a word, and their return."""

from typing import Final

from runstone.model import RunStatus, Tag
from runstone.storage import labels, runs
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


SILENCE_MS: Final = 5 * 60 * 1000
"""A writer that was not heard for so long has died."""

ENDED_BY: Final = "runstone.ended_by"
"""Tag that says why a run ended that did not say so itself."""


def lapse(tx: Tx, *, now_ms: int, silence_ms: int = SILENCE_MS) -> int:
    """
    End the running runs whose every writer has died; return how many.

    They become KILLED, with the time when one was heard last as their end and the
    reason as a tag.  One that is heard again goes on.
    """
    before_ms = now_ms - silence_ms
    silent = tx.all(
        """
        SELECT DISTINCT writer.run_id, run.uuid
        FROM writer JOIN run ON run.id = writer.run_id
        WHERE writer.is_done = 0 AND writer.heard_ms < :before
        ORDER BY run.uuid
        """,
        before=before_ms,
    )

    return sum(_lapse(tx, number, before_ms, silence_ms) for number, _ in silent)


def revive(tx: Tx, run_id: str, writer: str) -> None:
    """Let a run go on that was taken for dead, now that a writer of it is heard."""
    number = runs.require(tx, run_id).run
    if not labels.has_tag(tx, number, ENDED_BY):
        return  # it was killed, and said so
    place = runs.touch(tx, run_id)
    runs.set_status(tx, place, RunStatus.RUNNING, None)
    forget(tx, place)
    tx.run(
        "UPDATE writer SET is_done = 0 WHERE run_id = :run AND uuid = :writer",
        run=place.run,
        writer=writer,
    )


def forget(tx: Tx, place: Place) -> None:
    """Forget that a run was taken for dead: it has spoken for itself."""
    labels.delete_tag(tx, place.run, ENDED_BY)


def _lapse(tx: Tx, number: int, before_ms: int, silence_ms: int) -> int:
    run = tx.one(
        "SELECT experiment_id, status, start_ms FROM run WHERE id = :run"  # noqa: S608  # our own text
        + tx.for_update,
        run=number,
    )
    last = tx.one("SELECT MAX(heard_ms) FROM writer WHERE run_id = :run", run=number)
    if run is None or last is None or last[0] >= before_ms:
        return 0
    experiment, status, start_ms = run
    tx.run("UPDATE writer SET is_done = 1 WHERE run_id = :run", run=number)
    if status != RunStatus.RUNNING:
        return 0
    tx.run(
        """
        UPDATE run SET status = 'KILLED', end_ms = :end_ms, version = version + 1
        WHERE id = :run
        """,
        run=number,
        end_ms=max(last[0], start_ms),
    )
    why = f"silence: none of its processes was heard for {_spelled(silence_ms)}"
    labels.set_tags(tx, number, experiment, [Tag(ENDED_BY, why)])

    return 1


def _spelled(silence_ms: int) -> str:
    seconds = silence_ms / 1000

    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
