"""What has changed of runs that somebody watches, found cheaply again and again."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from runstone.analysis.columns import Columns
from runstone.model import RunStatus
from runstone.storage import blocks
from runstone.storage.tx import Row, Tx


LIVE_POINTS: Final = 20_000
"""Most new points of a run in one look; of more, a chart is better read anew."""

RUNNING_RUNS: Final = 1_000
"""Most running runs of an experiment that are watched, and most new ones in one look:
the newest."""

COLUMNS: Final = (
    "id, uuid, experiment_id, name, status, end_ms, version, compacted_version"
)


class State(NamedTuple):
    """How far a run has come."""

    number: int
    id: str
    experiment: int
    name: str
    status: RunStatus
    end_ms: int | None
    version: int
    compacted: int
    """The newest version whose points are in chunks by now."""


class Look(NamedTuple):
    """The runs that are watched, and what the database has newest."""

    states: list[State]
    newest: int
    """Number of the newest run of all."""


def look(
    tx: Tx, *, runs: Sequence[int], experiments: Sequence[int], newest: int
) -> Look:
    """
    Return the states of runs: of some, and of what runs or is new in experiments.

    Args:
        tx: Transaction.

        runs: Their numbers.

        experiments: Their numbers.

        newest: Runs with greater numbers are new; one of another experiment is not
            returned.
    """
    found: dict[int, Row] = {}
    if runs:
        where = "id IN (:runs)"
        found |= _rows(tx, where, runs=list(runs))
    for number in experiments:
        where = "experiment_id = :experiment AND status = 'RUNNING'"
        where += " ORDER BY id DESC LIMIT :most"
        found |= _rows(tx, where, experiment=number, most=RUNNING_RUNS)
    if experiments:
        # By number alone: with the experiment, SQLite would walk all its runs.
        where = "id > :newest ORDER BY id DESC LIMIT :most"
        begun = _rows(tx, where, newest=newest, most=RUNNING_RUNS)
        found |= {n: row for n, row in begun.items() if row[2] in experiments}
    top = tx.one("SELECT MAX(id) FROM run")

    return Look([_state(row) for row in found.values()], (top and top[0]) or 0)


def numbers(tx: Tx, run_ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each run that is there."""
    return dict(
        tx.all("SELECT uuid, id FROM run WHERE uuid IN (:ids)", ids=list(run_ids))
    )


def fresh(tx: Tx, state: State, seen: int) -> dict[str, Columns] | None:
    """
    Return the points that a run got after version *seen*, by key.

    None where some of them are compacted already, or they are very many.
    """
    if state.compacted > seen:
        return None
    range_ = {"run": state.number, "seen": seen, "now": state.version}
    count = tx.one(
        "SELECT SUM(points) FROM block "
        "WHERE run_id = :run AND version > :seen AND version <= :now",
        **range_,
    )
    points = (count and count[0]) or 0
    if points > LIVE_POINTS:
        return None
    if not points:
        return {}
    rows = tx.all(
        "SELECT body FROM block "
        "WHERE run_id = :run AND version > :seen AND version <= :now ORDER BY version",
        **range_,
    )
    by_key = blocks.by_key(blocks.read([row[0] for row in rows]))

    return {name: by_key[key] for key, name in _names(tx, by_key).items()}


def _names(tx: Tx, keys: Mapping[int, object]) -> dict[int, str]:
    names: dict[int, str] = {}
    listed = list(keys)
    for start in range(0, len(listed), 500):
        names |= dict(
            tx.all(
                "SELECT id, name FROM word WHERE id IN (:keys)",
                keys=listed[start : start + 500],
            )
        )

    return names


def _rows(tx: Tx, where: str, **params: int | list[int]) -> dict[int, Row]:
    sql = f"SELECT {COLUMNS} FROM run WHERE {where}"  # noqa: S608  # our own texts

    return {row[0]: row for row in tx.all(sql, **params)}


def _state(row: Row) -> State:
    number, uuid, experiment, name, status, *rest = row

    return State(number, uuid, experiment, name, RunStatus(status), *rest)
