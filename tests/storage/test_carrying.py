"""Old records go into every kind of database as they were."""

import math

from runstone.model import Alias, Lifecycle, Param, RunStatus, Stage, Tag
from runstone.storage import experiments, runs, series
from runstone.storage.carrying import old
from runstone.storage.carrying.old import (
    OldExperiment,
    OldModel,
    OldRun,
    OldVersion,
)
from runstone.storage.db import Database
from runstone.storage.metrics import Batch
from runstone.storage.registry import aliases, carrying, versions
from runstone.storage.registry.sources import Source


RUN = OldRun(
    "a" * 32,
    "old",
    "kim",
    RunStatus.RUNNING,
    Lifecycle.DELETED,
    5,
    None,
    7,
    "",
    (Param("lr", "1"),),
    (Tag("mlflow.runName", "old"),),
)


def test_a_number_that_was_kept_is_not_given_again(db: Database) -> None:
    """PostgreSQL would count on from where it was, and collide."""
    kept = db.transact(old.put_experiment, experiment(2, "a"), artifact_root="/x")
    taken = db.transact(old.put_experiment, experiment(2, "b"), artifact_root="/x")
    huge = db.transact(old.put_experiment, experiment(10**17, "c"), artifact_root="/x")
    same = db.transact(old.put_experiment, experiment(9, "a"), artifact_root="/x")
    tagged = experiment(2, "a")._replace(tags=(Tag("k", "1"),))
    db.transact(old.put_experiment, tagged, artifact_root="/x")
    changed = tagged._replace(tags=(Tag("k", "2"),))
    db.transact(old.put_experiment, changed, artifact_root="/x")
    fresh = db.transact(experiments.create, "d", artifact_root="/x", now_ms=1)

    assert (kept, same) == (2, 2)
    assert sorted((taken, huge, fresh)) == [3, 4, 5]
    assert db.look(experiments.by_id, 2).artifact_location == "/x/2"
    assert db.look(experiments.by_id, 2).tags == (Tag("k", "1"),)


def test_a_deleted_run_takes_points_and_is_finished_once(db: Database) -> None:
    """The bin is carried like the rest, and what is here is never overwritten."""
    put = db.transact(old.put_run, 0, run=RUN)
    points = Batch(["k", "k"], [1, 2], [3, 4], [math.nan, math.inf])
    db.transact(old.put_points, put.place.run, batch=points)
    done = RUN._replace(
        status=RunStatus.FINISHED,
        end_ms=9,
        params=(Param("lr", "2"), Param("new", "1")),
    )
    again = db.transact(old.put_run, 0, run=done)
    late = db.transact(old.put_run, 0, run=done._replace(end_ms=11))

    run = db.look(runs.by_id, RUN.id)
    found = db.look(series.whole, RUN.id, "k")
    missing = db.look(old.missing_series, put.place.run, {"k": 2, "other": 1})
    assert (put.is_new, again.is_new, late.is_new) == (True, False, False)
    assert (run.status, run.end_ms) == (RunStatus.FINISHED, 9)
    assert run.lifecycle is Lifecycle.DELETED
    assert math.isnan(found.value[0])
    assert found.value[1] == math.inf
    assert missing == {"other"}


def test_a_model_keeps_its_numbers(db: Database) -> None:
    """Version 3 is version 3, and the next one is 4, also where 2 is gone."""
    model = OldModel(
        "m", "", 1, 2, (), (Alias("best", 1),), (version(1), version(3, Stage.STAGING))
    )

    new = db.transact(carrying.put, model)
    again = db.transact(carrying.put, model)
    fresh = db.transact(versions.create, "m", source=Source("s3://b/x"), now_ms=3)

    assert (new, again, fresh.version) == (2, 0, 4)
    assert db.look(versions.by_version, "m", 3).stage is Stage.STAGING
    assert db.look(aliases.version, "m", alias="best").version == 1


def experiment(number: int, name: str) -> OldExperiment:
    """Make an old experiment."""
    return OldExperiment(number, name, Lifecycle.ACTIVE, 1, 2)


def version(number: int, stage: Stage = Stage.NONE) -> OldVersion:
    """Make an old version."""
    return OldVersion(number, stage, "s3://b/m", "s3://b/m", "", "", None, 1, 2)
