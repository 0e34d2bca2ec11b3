"""What MLflow recorded is here afterwards, value by value."""

import hashlib
import math
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from runstone import errors
from runstone.model import Lifecycle, RunStatus, Stage, Tag
from runstone.ops.carry import Report
from runstone.settings import Settings
from runstone.storage import compaction, experiments, runs, series
from runstone.storage.registry import aliases, models, versions
from runstone.storage.tx import Row, Tx
from tests.carry.conftest import Carry, Open, unpack


HEX = "0123456789abcdef"


def rows(tx: Tx, sql: str) -> list[Row]:
    """Ask a question of a test's own."""
    return tx.all(sql)


def labels(tx: Tx, table: str, run: int) -> dict[str, str]:
    """Return the params or tags of a run."""
    found = tx.all(
        f"SELECT word.name, value FROM {table} JOIN word ON word.id = key_id "
        "WHERE run_id = :run",
        run=run,
    )

    return dict(found)


def first(opened: Open) -> str:
    """Return the id of the run that has everything."""
    found = opened().look(rows, "SELECT uuid FROM run WHERE name = 'first'")

    return str(found[0][0])


def test_a_run_comes_over_with_every_value(
    source: str, bring: Carry, opened: Open
) -> None:
    """Nobody would move to a store that rounds, clips or forgets."""
    report = bring(source)

    db = opened()
    run = db.look(runs.by_id, first(opened))
    loss = db.look(series.whole, run.id, "val/loss")
    one = db.look(series.whole, run.id, "one")
    params = db.look(labels, "param", run.number)
    tags = db.look(labels, "tag", run.number)
    assert report.faults == []
    assert (run.status, run.start_ms, run.end_ms) == (RunStatus.FAILED, 1000, 9000)
    expected = [0.1, math.nan, math.inf, -math.inf, 1e-300, 0.1 + 0.2]
    np.testing.assert_array_equal(loss.value, expected)
    assert loss.step.tolist() == list(range(6))
    assert loss.time_ms.tolist() == list(range(5000, 5006))
    assert (one.step.tolist(), one.time_ms.tolist()) == ([-2], [7])
    assert params == {"a/b": "line\nbreak  ", "lr": "0.1"}
    assert tags["note"] == "x" * 3000
    assert tags["mlflow.runName"] == "first"


def test_what_was_deleted_stays_deleted(
    source: str, bring: Carry, opened: Open
) -> None:
    """The bin is carried too: somebody may want to restore from it."""
    bring(source)

    db = opened()
    gone = db.look(experiments.by_name, "gone")
    cats = db.look(experiments.by_name, "cats & dogs")
    found = db.look(rows, "SELECT lifecycle, COUNT(*) FROM run GROUP BY lifecycle")
    assert gone.lifecycle is Lifecycle.DELETED
    assert (cats.lifecycle, cats.tags) == (Lifecycle.ACTIVE, (Tag("owner", "Ä"),))
    assert dict(found) == {"active": 1, "deleted": 2}


@pytest.mark.parametrize("name", ["mlruns-3.18", "mlflow-3.18"])
def test_models_come_with_versions_stages_and_aliases(
    name: str, tmp_path: Path, bring: Carry, opened: Open
) -> None:
    """Deployments ask for `models:/m@champion`, wherever it lies."""
    bring(unpack(name, tmp_path))

    db = opened()
    model = db.look(models.by_name, "m")
    third = db.look(versions.by_version, "m", 3)
    champion = db.look(aliases.version, "m", alias="champion")
    assert (model.description, model.tags) == ("about", (Tag("k", "v"),))
    assert (third.stage, third.tags) == (Stage.PRODUCTION, (Tag("t", "1"),))
    assert champion.version == 1
    with pytest.raises(errors.VersionNotFound):
        db.look(versions.by_version, "m", 2)
    run = db.look(runs.by_id, first(opened))
    assert third.storage_location == f"{run.artifact_uri}/deep"


def test_files_are_copied_from_a_folder_that_was_moved(
    tmp_path: Path, settings: Settings, bring: Carry, opened: Open
) -> None:
    """People copy `mlruns` from a cluster; its records name places of the cluster."""
    report = bring(unpack("mlruns-2.9", tmp_path))

    run = opened().look(runs.by_id, first(opened))
    folder = Path(settings.artifacts_uri, str(run.experiment_id), run.id, "artifacts")
    assert report.counts["artifacts"] == 1
    assert (folder / "deep/er/hello.txt").read_text() == "hello"


def test_a_second_import_adds_nothing(source: str, bring: Carry, opened: Open) -> None:
    """An import that broke is begun again, also after the store was compacted."""
    bring(source)
    db = opened()
    for (number,) in db.look(rows, "SELECT id FROM run"):
        db.transact(compaction.apply, db.look(compaction.plan, number))

    again = bring(source)

    counted = ("new_runs", "points", "artifacts", "new_versions")
    assert [again.counts[what] for what in counted] == [0, 0, 0, 0]
    assert again.faults == []


def test_a_run_that_went_on_is_completed(
    tmp_path: Path, bring: Carry, opened: Open
) -> None:
    """A first import may be made while old trainings still run."""
    source = unpack("mlflow-3.18", tmp_path)
    file = tmp_path / "mlflow.db"
    _execute(file, "UPDATE runs SET status = 'RUNNING', end_time = NULL")
    bring(source)
    run_id = first(opened)
    _execute(
        file,
        "UPDATE runs SET status = 'FINISHED', end_time = 12",
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
        f"VALUES ('one', 4, 8, '{run_id}', 9, 0)",
        f"INSERT INTO params (key, value, run_uuid) VALUES ('late', '1', '{run_id}')",
    )

    bring(source)

    db = opened()
    run = db.look(runs.by_id, run_id)
    assert (run.status, run.end_ms) == (RunStatus.FINISHED, 12)
    assert db.look(series.whole, run_id, "one").value.tolist() == [3.0, 4.0]
    assert db.look(labels, "param", run.number)["late"] == "1"


def test_the_source_is_never_changed(source: str, tmp_path: Path, bring: Carry) -> None:
    """Somebody may want to go back."""
    before = _prints(tmp_path)

    bring(source)

    after = {k: v for k, v in _prints(tmp_path).items() if not k.startswith("ours")}
    assert after == before


def test_an_old_schema_is_read(tmp_path: Path, bring: Carry, opened: Open) -> None:
    """MLflow 1.x had neither run names nor aliases, datasets nor creation times."""
    source = unpack("mlflow-3.18", tmp_path)
    _execute(
        tmp_path / "mlflow.db",
        "PRAGMA foreign_keys = OFF",
        "DROP TABLE input_tags",
        "DROP TABLE inputs",
        "DROP TABLE datasets",
        "DROP TABLE registered_model_aliases",
        "ALTER TABLE runs DROP COLUMN deleted_time",
        "ALTER TABLE runs DROP COLUMN name",
        "DROP INDEX idx_experiments_workspace_creation_time",
        "ALTER TABLE experiments DROP COLUMN creation_time",
    )

    report = bring(source)

    assert report.faults == []
    assert first(opened)


def test_a_dry_run_counts_and_writes_nothing(
    source: str, settings: Settings, bring: Carry
) -> None:
    """One wants to know before it takes an hour."""
    report = bring(source, dry_run=True)

    assert (report.counts["runs"], report.counts["points"]) == (3, 7)
    assert not Path(settings.backend_store_uri).exists()


def test_broken_files_are_named_and_the_rest_comes(
    tmp_path: Path, bring: Carry, opened: Open
) -> None:
    """One bad file of ten thousand must not end the import."""
    source = Path(unpack("mlruns-3.18", tmp_path))
    (run,) = (path.parent.parent for path in source.glob("*/*/params/lr"))
    (run / "metrics/one").write_text("7 three\n8 4.0 1\n")
    (run / "params/bytes").write_bytes(b"\xff\xfe")
    other = next(each for each in run.parent.glob("*/meta.yaml") if each.parent != run)
    other.write_text("!!python/object/apply:os.system ['touch /tmp/owned']")

    report = bring(str(source))

    assert len(report.faults) == 3
    assert "could not determine a constructor" in _why(report, other.parent.name)
    assert len(opened().look(series.whole, run.name, "val/loss").step) == 6
    assert opened().look(series.whole, run.name, "one").value.tolist() == [4.0]


def test_a_record_cannot_make_us_read_other_folders(
    tmp_path: Path, settings: Settings, bring: Carry
) -> None:
    """An `mlruns` from elsewhere must not carry this machine's secrets to a server."""
    source = Path(unpack("mlruns-3.18", tmp_path / "in"))
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("k")
    (run,) = (path.parent.parent for path in source.glob("*/*/params/lr"))
    (run / "artifacts/link").symlink_to(secret / "key")
    (run / "artifacts/folder").symlink_to(secret)
    (run / "params/key").symlink_to(secret / "key")
    other = next(each for each in run.parent.glob("*/meta.yaml") if each.parent != run)
    shutil.rmtree(other.parent / "artifacts")
    text = other.read_text().splitlines()[1:]
    other.write_text("\n".join([f"artifact_uri: {secret}", *text]))

    report = bring(str(source))
    again = bring(str(source), artifacts="reference")

    assert {fault.why.partition(",")[0] for fault in report.faults} == {
        "it is a link",
        f"they lie at {secret}",
    }
    assert len(again.faults) == 1
    kept = Path(settings.artifacts_uri).rglob("*")
    assert {path.name for path in kept if path.is_file()} == {"hello.txt"}


def test_a_folder_with_the_record_of_another_run_is_named(
    tmp_path: Path, bring: Carry
) -> None:
    """A folder that somebody copied by hand has no points of its own."""
    source = Path(unpack("mlruns-3.18", tmp_path))
    (run,) = (path.parent.parent for path in source.glob("*/*/params/lr"))
    shutil.copytree(run, run.parent / ("f" * 32))

    report = bring(str(source))

    assert "is of another run" in _why(report, "f" * 32)
    assert report.counts["runs"] == 3


def test_what_is_no_store_of_mlflows_is_refused(
    tmp_path: Path, settings: Settings, bring: Carry
) -> None:
    """A wrong path is said at once, and leaves no empty store behind."""
    for source in (tmp_path, "sqlite:///" + str(tmp_path / "no.db"), "http://x:5000"):
        with pytest.raises(errors.Unusable):
            bring(str(source))

    assert not Path(settings.backend_store_uri).exists()


def _execute(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _prints(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(
            file.read_bytes()
        ).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def _why(report: Report, what: str) -> str:
    return next(fault.why for fault in report.faults if what in fault.what)
