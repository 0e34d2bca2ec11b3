"""
Everything that is known of a run, and its prepared form.

A page of runs is sent far more often than a run changes, so each run keeps the
bytes that a door made of it last.  They are good for as long as the run is at
the version they were made from; a door that finds them stale makes them anew.
"""

from collections.abc import Sequence
from typing import NamedTuple

from runstone.model import DatasetInput, Run
from runstone.storage import datasets, runs
from runstone.storage.datasets import ModelOutput
from runstone.storage.metrics import Latest
from runstone.storage.tx import Tx


class Whole(NamedTuple):
    """A run with everything but its history."""

    run: Run
    version: int
    params: list[tuple[str, str]]
    tags: list[tuple[str, str]]
    metrics: list[Latest]
    inputs: list[DatasetInput]
    outputs: list[ModelOutput]
    model_inputs: Sequence[str] = ()


class Document(NamedTuple):
    """A run as some door sends it."""

    run: int
    version: int
    body: bytes


def by_id(tx: Tx, run_id: str) -> Whole:
    """
    Return a run with everything but its history.

    Raises:
        RunNotFound: No run has this id.
    """
    return whole(tx, [runs.require(tx, run_id).run])[0]


def whole(tx: Tx, numbers: Sequence[int]) -> list[Whole]:
    """Return runs with everything but their histories, in the order of *numbers*."""
    found: dict[int, Whole] = {}
    for start in range(0, len(numbers), 500):
        part = list(numbers[start : start + 500])
        rows = tx.all(
            f"SELECT run.version, {runs.COLUMNS} FROM run WHERE id IN (:runs)",  # noqa: S608  # our own column list
            runs=part,
        )
        params = _labels(tx, "param", part)
        tags = _labels(tx, "tag", part)
        metrics = _metrics(tx, part)
        inputs = datasets.inputs(tx, part)
        models = datasets.models(tx, part)
        for version, *fields in rows:
            run = runs.record(tuple(fields))
            used = models.get(run.number, datasets.Models([], []))
            found[run.number] = Whole(
                run,
                version,
                params.get(run.number, []),
                tags.get(run.number, []),
                metrics.get(run.number, []),
                inputs.get(run.number, []),
                used.outputs,
                used.inputs,
            )

    return [found[number] for number in numbers]


def fresh(tx: Tx, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the prepared form of each run whose form is not stale."""
    found: dict[int, bytes] = {}
    for start in range(0, len(numbers), 1000):
        rows = tx.all(
            """
            SELECT run_document.run_id, run_document.body
            FROM run_document
            JOIN run ON run.id = run_document.run_id
                AND run.version = run_document.version
            WHERE run_document.run_id IN (:runs)
            """,
            runs=list(numbers[start : start + 1000]),
        )
        found.update((row[0], row[1]) for row in rows)

    return found


def keep(tx: Tx, documents: Sequence[Document]) -> None:
    """Keep prepared forms; one made from an older version gives way."""
    tx.run_many(
        """
        INSERT INTO run_document (run_id, version, body)
        VALUES (:run, :version, :body)
        ON CONFLICT (run_id) DO UPDATE SET
            body = CASE WHEN excluded.version >= run_document.version
                THEN excluded.body ELSE run_document.body END,
            version = CASE WHEN excluded.version >= run_document.version
                THEN excluded.version ELSE run_document.version END
        """,
        [document._asdict() for document in documents],
    )


def _labels(tx: Tx, table: str, numbers: list[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    rows = tx.all(
        f"""
        SELECT run_id, word.name, value FROM {table}
        JOIN word ON word.id = {table}.key_id
        WHERE run_id IN (:runs) ORDER BY run_id, word.name
        """,  # noqa: S608  # one of two names of ours
        runs=numbers,
    )
    for run, key, value in rows:
        found.setdefault(run, []).append((key, value))

    return found


def _metrics(tx: Tx, numbers: list[int]) -> dict[int, list[Latest]]:
    found: dict[int, list[Latest]] = {}
    rows = tx.all(
        """
        SELECT run_id, is_nan, word.name, step, time_ms, value, low, high, points
        FROM latest JOIN word ON word.id = latest.key_id
        WHERE run_id IN (:runs) ORDER BY run_id, word.name
        """,
        runs=numbers,
    )
    for run, is_nan, key, step, time_ms, value, low, high, points in rows:
        real = float("nan") if is_nan else value
        found.setdefault(run, []).append(
            Latest(key, step, time_ms, real, low, high, points)
        )

    return found
