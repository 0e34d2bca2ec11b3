"""A database is made, found, or refused; never harmed."""

import multiprocessing
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from runstone import errors
from runstone.model import Stage, TraceState
from runstone.storage import documents, experiments, migrate, search, series
from runstone.storage.db import Database
from runstone.storage.registry import aliases, transitions
from runstone.storage.tracing import search as trace_search
from runstone.storage.tracing import spans
from tests.factories import new_run


def test_a_new_database_is_made(database_url: str) -> None:
    """And found made the next time."""
    assert migrate.current(database_url) is None

    assert migrate.upgrade(database_url) == migrate.HEAD

    assert migrate.current(database_url) == migrate.HEAD
    assert migrate.upgrade(database_url) == migrate.HEAD
    with closing(Database(database_url)) as db:
        assert db.look(experiments.by_id, 0).name == "Default"


def test_migrating_again_loses_nothing(migrated_url: str) -> None:
    """Every start of a server does it."""
    with closing(Database(migrated_url)) as db:
        run_id = new_run(db)

    migrate.upgrade(migrated_url)

    with closing(Database(migrated_url)) as db:
        assert db.look(documents.by_id, run_id).run.id == run_id


def test_many_servers_may_start_at_once(database_url: str) -> None:
    """One makes the tables, the others wait for it."""
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=migrate.upgrade, args=(database_url,)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    assert migrate.current(database_url) == migrate.HEAD


def test_a_newer_schema_is_refused(migrated_url: str) -> None:
    """With the command that helps; nothing is changed."""
    execute(migrated_url, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")

    with pytest.raises(errors.SchemaTooNew, match="pip install --upgrade"):
        migrate.upgrade(migrated_url)
    with pytest.raises(errors.SchemaTooNew, match="9999"):
        migrate.current(migrated_url)


def test_mlflows_own_database_is_refused(database_url: str) -> None:
    """Two programs in one database would end badly for the user's record."""
    execute(database_url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    execute(database_url, "INSERT INTO alembic_version VALUES ('f5a4f2784254')")

    with pytest.raises(errors.Unusable, match="belongs to another program"):
        migrate.upgrade(database_url)

    assert migrate.current(database_url) is None


@pytest.mark.parametrize("name", ["한글 폴더", "100% sure", "a b#c?", "'\";--"])
def test_a_path_may_have_any_sign(tmp_path: Path, name: str) -> None:
    """People keep experiments in folders of their own language."""
    if "?" in name:
        name = name.replace("?", "")  # ends a URL's path
    folder = tmp_path / name
    folder.mkdir()
    url = f"sqlite:///{folder / 'my runs.db'}"

    migrate.upgrade(url)

    with closing(Database(url)) as db:
        new_run(db)
    assert (folder / "my runs.db").exists()


def test_a_place_of_installation_may_have_a_percent_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alembic's settings take a percent sign for their own."""
    package = Path(migrate.__file__).parent
    place = tmp_path / "50% off"
    shutil.copytree(package / "migrations", place / "migrations")
    monkeypatch.setattr(migrate, "__file__", str(place / "migrate.py"))

    assert migrate.upgrade(f"sqlite:///{tmp_path / 'a.db'}") == migrate.HEAD


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In our words, with the place."""
    with pytest.raises(errors.Unusable, match="missing"):
        migrate.upgrade(f"sqlite:///{tmp_path / 'missing' / 'a.db'}")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """And left as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but dear to its owner\n" * 100)

    with pytest.raises(errors.Unusable, match=r"notes\.txt"):
        migrate.upgrade(f"sqlite:///{path}")

    assert path.read_text().startswith("not a database")


def test_a_password_is_not_told() -> None:
    """Errors end in logs."""
    with pytest.raises(errors.Unusable) as caught:
        migrate.upgrade("postgresql+psycopg://ann:secret@127.0.0.1:1/x")

    assert "secret" not in str(caught.value)


UPGRADES = Path(__file__).parent.parent / "upgrades"


@pytest.mark.parametrize("path", sorted(UPGRADES.glob("*.db")), ids=lambda p: p.stem)
def test_a_database_of_every_revision_opens(path: Path, tmp_path: Path) -> None:
    """No migration loses a row: what `dev/upgrades.py` wrote is still there."""
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    url = f"sqlite:///{copy}"

    migrate.upgrade(url)

    with closing(Database(url)) as db:
        query = search.Query((1,), "params.lr = '0.1' AND metrics.loss < 1")
        (number,) = db.look(search.run_numbers, query).numbers
        (found,) = db.look(documents.whole, [number])
        whole = db.look(series.whole, found.run.id, "loss")
    assert found.run.name == "kept"
    assert dict(found.tags)["note"] == "새긴 것은 남는다"
    assert found.inputs[0].dataset.name == "digits"
    assert found.outputs[0].model_id == "m-1"
    assert whole.step.tolist() == [0, 1, 2, 3]
    assert whole.value.tolist()[:2] == [1.5, 1.25]


@pytest.mark.parametrize(
    "path",
    sorted(each for each in UPGRADES.glob("*.db") if each.stem >= "0002"),
    ids=lambda path: path.stem,
)
def test_a_registry_of_every_revision_opens(path: Path, tmp_path: Path) -> None:
    """With the alias, the stage and the history that it had."""
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    url = f"sqlite:///{copy}"

    migrate.upgrade(url)

    with closing(Database(url)) as db:
        champion = db.look(aliases.version, "kept", alias="champion")
        moves = db.look(transitions.page, "kept", limit=9).transitions
    assert champion.stage is Stage.PRODUCTION
    assert dict(champion.tags) == {"team": "stone"}
    assert [move.author for move in moves] == ["ann", "ann"]


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(UPGRADES.glob("*.db")) if path.stem >= "0004"],
    ids=lambda p: p.stem,
)
def test_a_kept_trace_is_still_there(path: Path, tmp_path: Path) -> None:
    """Every database since traces are kept has one, with all that belongs to it."""
    copy = tmp_path / path.name
    shutil.copy(path, copy)
    url = f"sqlite:///{copy}"

    migrate.upgrade(url)

    asked = f"run_id = '{'0' * 31}1' AND prompt = 'greet/1' AND span.type = 'CHAIN'"
    with closing(Database(url)) as db:
        (found,) = db.look(trace_search.find, trace_search.Query((1,), asked)).traces
        bodies = db.look(spans.of, found.id)
    assert (found.start_ms, found.duration_ms, found.state) == (3, 4, TraceState.OK)
    assert found.tags["mlflow.traceName"] == "kept"
    assert found.metadata["version"] == "7"
    assert found.assessments[0].value == "true"
    assert bodies == ["{}"]


def test_there_is_a_database_of_this_revision() -> None:
    """A new revision comes with its file: `python dev/upgrades.py`."""
    assert (UPGRADES / f"{migrate.HEAD}.db").exists()


def test_the_kept_databases_are_of_their_revision() -> None:
    """A file that was migrated by mistake would test nothing."""
    for path in UPGRADES.glob("*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            rows = file.execute(f"SELECT version_num FROM {migrate.VERSION_TABLE}")
            assert rows.fetchone() == (path.stem,)


def execute(url: str, sql: str) -> None:
    """Change a database behind Runstone's back."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()
