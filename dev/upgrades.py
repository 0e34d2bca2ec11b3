"""
Write the database that `tests/upgrades` keeps of the newest revision.

    PYTHONPATH=src .venv/bin/python dev/upgrades.py

Run it once when a migration is added; the files of older revisions stay as they
are, or they would not show that an old database still opens.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from runstone.model import Dataset, DatasetInput, Param, RunStatus, Stage, Tag
from runstone.storage import compaction, datasets, experiments, metrics, migrate, runs
from runstone.storage.datasets import ModelOutput
from runstone.storage.db import Database
from runstone.storage.metrics import Batch
from runstone.storage.registry import aliases, models, stages, versions
from runstone.storage.registry.sources import Source
from runstone.storage.registry.transitions import Note


FOLDER = Path(__file__).resolve().parent.parent / "tests" / "upgrades"
RUN_ID = "0" * 31 + "1"


def main() -> None:
    """Write the file, unless it is there."""
    path = FOLDER / f"{migrate.HEAD}.db"
    if path.exists():
        raise SystemExit(f"{path} is there already; it is kept as it is")

    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    with closing(Database(url)) as db:
        fill(db)
    with closing(sqlite3.connect(path)) as file:  # one file, without its log
        file.execute("PRAGMA journal_mode = DELETE")
        file.execute("VACUUM")
    print(f"wrote {path}")


def fill(db: Database) -> None:
    """Write a run with something in every table."""
    number = db.transact(
        experiments.create,
        "kept",
        artifact_location="file:///artifacts/1",
        tags=[Tag("team", "stone")],
        now_ms=1,
    )
    db.transact(runs.create, RUN_ID, number, name="kept", user="ann", start_ms=2)
    db.transact(runs.log_params, RUN_ID, [Param("lr", "0.1")])
    db.transact(runs.set_tags, RUN_ID, [Tag("note", "새긴 것은 남는다")])
    db.transact(metrics.append, RUN_ID, points([0, 1], [1.5, 1.25]))
    compaction.compact_all(db)
    db.transact(metrics.append, RUN_ID, points([2, 3], [float("nan"), 0.5]))
    data = Dataset("digits", "d1", "local", "{}")
    db.transact(datasets.log_inputs, RUN_ID, [DatasetInput(data)])
    db.transact(datasets.log_outputs, RUN_ID, [ModelOutput("m-1", 3)])
    db.transact(runs.update, RUN_ID, status=RunStatus.FINISHED, end_ms=9)
    register(db)


def register(db: Database) -> None:
    """Write a model with a version that has an alias, a stage and a tag."""
    source = Source(f"runs:/{RUN_ID}/model", RUN_ID)
    tags = [Tag("team", "stone")]
    note = Note(11, "ann", "the best so far")
    db.transact(models.create, "kept", tags=tags, now_ms=10)
    db.transact(versions.create, "kept", source=source, tags=tags, now_ms=10)
    db.transact(aliases.put, "kept", alias="champion", version=1, note=note)
    db.transact(stages.move, "kept", version=1, stage=Stage.PRODUCTION, note=note)


def points(steps: list[int], values: list[float]) -> Batch:
    """Make points of the loss."""
    return Batch(["loss"] * len(steps), steps, steps, values)


if __name__ == "__main__":
    main()
