"""What people write as a store leads to the right place, or to a clear word."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from runstone import locations
from runstone.errors import Unusable
from runstone.storage import migrate
from runstone.storage.db import Database
from runstone.storage.tx import Tx


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgresql+psycopg2://u@h/d?sslmode=require", "?sslmode=require"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mysql+pymysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mariadb://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("file:///abs/runs", "sqlite:////abs/runs/runstone.db"),
        ("file:///abs/my%20runs", "sqlite:////abs/my runs/runstone.db"),
        ("/abs/folder", "sqlite:////abs/folder/runstone.db"),
    ],
)
def test_every_usual_spelling_of_a_store_is_understood(uri: str, expected: str) -> None:
    """Scripts written for MLflow start unchanged."""
    assert expected in locations.locate(uri).database_url


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:./mlruns", "file:mlruns"])
def test_a_relative_folder_is_taken_from_here(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store stays where it was, wherever a worker is started."""
    monkeypatch.chdir(tmp_path)

    store = locations.locate(uri)

    assert store.folder == tmp_path / "mlruns"
    assert store.database_url == f"sqlite:///{tmp_path}/mlruns/runstone.db"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "empty"),
        ("http://u:secret@mlflow:5000", "MLFLOW_TRACKING_URI"),
        ("s3://bucket/runs", "no store is spelled"),
        ("mssql://u:secret@h/d", "no store is spelled"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://u:secret@h", "names no database"),
        ("file://server/runs", "names the machine"),
        ("a\0b", "empty"),
        ("sqlite:///x.db?synchronous=OFF", "NORMAL or FULL"),
    ],
)
def test_what_is_no_store_is_refused_without_its_password(uri: str, said: str) -> None:
    """The error says what would help, and may be pasted into a chat."""
    with pytest.raises(Unusable, match=said) as caught:
        locations.locate(uri)

    assert "secret" not in str(caught.value)


@given(name=NAMES)
def test_any_folder_name_reaches_the_database_as_it_is(name: str) -> None:
    """Korean, spaces, percent and question marks are names like any other."""
    folder = Path("/stores") / name

    database = make_url(locations.locate(str(folder)).database_url).database

    if name not in {".", ".."}:
        assert database == str(folder / "runstone.db")


@pytest.mark.parametrize("name", ["실험 기록", "100% done?", "a#b"])
def test_a_store_with_an_odd_name_opens(tmp_path: Path, name: str) -> None:
    """The URL leads to that very file."""
    store = locations.locate(str(tmp_path / name))
    store.make_folders()

    engine = create_engine(store.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (x INTEGER)"))
    engine.dispose()

    assert store.file is not None
    with closing(sqlite3.connect(store.file)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall()


@pytest.mark.parametrize(
    ("query", "level"), [("", 1), ("?synchronous=FULL", 2), ("?synchronous=full", 2)]
)
def test_a_store_can_be_told_to_survive_a_power_cut(
    tmp_path: Path, query: str, level: int
) -> None:
    """What the URL says reaches SQLite: 1 is NORMAL, 2 is FULL."""
    url = locations.locate(f"sqlite:///{tmp_path}/runs.db{query}").database_url
    migrate.upgrade(url)
    database = Database(url)

    with closing(database):
        assert database.transact(_synchronous) == level


def _synchronous(tx: Tx) -> int:
    return int(tx.all("PRAGMA synchronous")[0][0])


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in the way is said, not traced."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Unusable, match="--backend-store-uri"):
        locations.locate(f"{tmp_path}/file/mlruns").make_folders()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@x@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?password=p&a=b", "postgresql://h/d?password=***&a=b"),
        ("postgresql://u@h/d?a=%20", "postgresql://u@h/d?a=%20"),
        ("s3://bucket/a b", "s3://bucket/a b"),
        ("./mlruns", "./mlruns"),
    ],
)
def test_passwords_are_masked(uri: str, expected: str) -> None:
    """Nothing that is printed holds a secret."""
    assert locations.shown(uri) == expected
