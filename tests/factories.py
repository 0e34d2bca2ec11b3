"""Builders of records for tests that are about something else."""

import uuid
from collections.abc import Iterable
from typing import Any

from runstone.model import LoggedModel, Point, Tag
from runstone.storage import experiments, logged_models, metrics, runs
from runstone.storage.db import Database
from runstone.storage.metrics import Batch


def new_experiment(db: Database, name: str | None = None) -> int:
    """Create an experiment and return its id."""
    return db.transact(
        experiments.create,
        name or uuid.uuid4().hex,
        artifact_root="file:///artifacts",
        now_ms=1,
    )


def new_run(
    db: Database,
    experiment_id: int = 0,
    *,
    name: str = "run",
    start_ms: int = 0,
    tags: Iterable[Tag] = (),
) -> str:
    """Create a run and return its id."""
    run_id = uuid.uuid4().hex
    db.transact(
        runs.create, run_id, experiment_id, name=name, start_ms=start_ms, tags=tags
    )

    return run_id


def new_model(
    db: Database,
    experiment_id: int = 0,
    *,
    name: str = "model",
    **more: Any,  # noqa: ANN401  # as `create` takes it
) -> LoggedModel:
    """Create a logged model."""
    return db.transact(
        logged_models.create,
        experiment_id,
        model_id=f"m-{uuid.uuid4().hex}",
        name=name,
        **{"now_ms": 1} | more,
    )


def batch(points: Iterable[Point]) -> Batch:
    """Turn points into columns."""
    rows = list(points)

    return Batch(
        [point.key for point in rows],
        [point.step for point in rows],
        [point.time_ms for point in rows],
        [point.value for point in rows],
    )


def log(db: Database, run_id: str, points: Iterable[Point]) -> None:
    """Add points to a run, in one batch."""
    db.transact(metrics.append, run_id, batch(points))
