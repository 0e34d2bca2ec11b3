"""
Write the database that `tests/upgrades` keeps of the newest revision.

    PYTHONPATH=src .venv/bin/python dev/upgrades.py

Run it once when a migration is added; the files of older revisions stay as they
are, or they would not show that an old database still opens.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from runstone.model import (
    Assessment,
    AssessmentKind,
    Dataset,
    DatasetInput,
    Param,
    RunStatus,
    Span,
    Stage,
    Tag,
    Trace,
    TraceState,
    Webhook,
    WebhookStatus,
)
from runstone.storage import compaction, datasets, experiments, metrics, migrate, runs
from runstone.storage.datasets import ModelOutput
from runstone.storage.db import Database
from runstone.storage.metrics import Batch
from runstone.storage.registry import aliases, models, stages, versions, webhooks
from runstone.storage.registry.sources import Source
from runstone.storage.registry.transitions import Note
from runstone.storage.tracing import spans, traces
from runstone.storage.tracing.spans import Arrival
from runstone.storage.tracing.traces import Links


FOLDER = Path(__file__).resolve().parent.parent / "tests" / "upgrades"
RUN_ID = "0" * 31 + "1"
TRACE_ID = "tr-" + RUN_ID


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
    trace(db, number)


def register(db: Database) -> None:
    """Write a webhook, and a model with a version of an alias, a stage and a tag."""
    url, events = "https://hooks.example/x", ("model_version.created",)
    active = WebhookStatus.ACTIVE
    db.transact(
        webhooks.create,
        Webhook(0, "w-1", "kept", url, events, "", active, "signs", 10, 10),
    )
    source = Source(f"runs:/{RUN_ID}/model", RUN_ID)
    tags = [Tag("team", "stone")]
    note = Note(11, "ann", "the best so far")
    db.transact(models.create, "kept", tags=tags, now_ms=10)
    db.transact(versions.create, "kept", source=source, tags=tags, now_ms=10)
    db.transact(aliases.put, "kept", alias="champion", version=1, note=note)
    db.transact(stages.move, "kept", version=1, stage=Stage.PRODUCTION, note=note)


def trace(db: Database, experiment: int) -> None:
    """Write a trace with something in every table."""
    kind = AssessmentKind.FEEDBACK
    good = Assessment("a-1", TRACE_ID, kind, "good", "true", "HUMAN", 5, 6)
    kept = Trace(TRACE_ID, experiment, 3, TraceState.OK, 4)._replace(
        tags={"mlflow.traceName": "kept"},
        metadata={"version": "7"},
        assessments=(good,),
    )
    root = Span("1" * 16, None, "answer", "CHAIN", "OK", 3_000_000, 7_000_000, "{}")
    db.transact(traces.put, TRACE_ID, kept)
    db.transact(spans.append, [Arrival(TRACE_ID, [root])], experiment_id=experiment)
    db.transact(traces.link_to_run, Links([TRACE_ID], RUN_ID))
    db.transact(traces.link_prompts, TRACE_ID, ["greet/1"])


def points(steps: list[int], values: list[float]) -> Batch:
    """Make points of the loss."""
    return Batch(["loss"] * len(steps), steps, steps, values)


if __name__ == "__main__":
    main()
