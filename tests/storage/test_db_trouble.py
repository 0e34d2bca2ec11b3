"""Connections break and disks fill up: callers hear it in our words."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from runstone import errors
from runstone.storage import db as storage_db
from runstone.storage.db import Database
from runstone.storage.tx import Tx
from tests.services import plain
from tests.storage.jobs import add, names


def test_a_killed_connection_is_made_anew(db: Database) -> None:
    """The database was restarted: who writes next notices nothing."""
    if db.dialect != "postgresql":
        pytest.skip("only PostgreSQL's connections can be killed so simply")
    db.transact(add, "before")
    db.look(names)
    kill_connections(db)

    assert db.transact(add, "after") == "after"
    assert db.look(names) == ["after", "before"]


def test_a_connection_killed_at_work_is_tried_again(db: Database) -> None:
    """The job in hand is done a second time, and once is what counts."""
    if db.dialect != "postgresql":
        pytest.skip("only PostgreSQL's connections can be killed so simply")
    calls: list[str] = []

    def add_killed(tx: Tx) -> None:
        add(tx, "once")
        if not calls:
            kill_connections(db)
        calls.append("run")

    db.transact(add_killed)

    assert db.look(names) == ["once"]


def test_a_reader_whose_connection_is_killed_is_told(db: Database) -> None:
    """It may simply ask again."""
    if db.dialect != "postgresql":
        pytest.skip("only PostgreSQL's connections can be killed so simply")

    def killed(tx: Tx) -> list[str]:
        names(tx)
        kill_connections(db)
        return names(tx)

    with pytest.raises(errors.Unavailable, match="try again"):
        db.look(killed)
    assert db.look(names) == []


def kill_connections(db: Database) -> None:
    """End every connection to this database but our own."""
    url = plain(db.url.render_as_string(hide_password=False))
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()


def test_a_server_that_is_away_is_unavailable() -> None:
    """Nobody listens on this port."""
    pytest.importorskip("psycopg")
    with closing(Database("postgresql+psycopg://x@127.0.0.1:1/x")) as db:
        with pytest.raises(errors.Unavailable):
            db.transact(names)
        with pytest.raises(errors.Unavailable):
            db.look(names)


def test_a_full_disk_is_unavailable(sqlite_template: Path, tmp_path: Path) -> None:
    """The write is refused, the rest stays readable, and room makes it well again."""
    path = tmp_path / "runstone.db"
    path.write_bytes(sqlite_template.read_bytes())
    with closing(Database(f"sqlite:///{path}")) as db:
        pages = db.transact(pragma, "page_count")
        db.transact(pragma, f"max_page_count = {pages}")

        with pytest.raises(errors.Unavailable, match="full"):
            db.transact(add_much)

        assert db.look(names) == []
        db.transact(pragma, f"max_page_count = {10 * pages}")
        db.transact(add_much)
        assert len(db.look(names)) == 500


def pragma(tx: Tx, text: str) -> int:
    """Set or ask one of SQLite's settings."""
    row = tx.one(f"PRAGMA {text}")
    assert row is not None

    return int(row[0])


def add_much(tx: Tx) -> None:
    """Write more than fits into the free rest of a page."""
    for n in range(500):
        add(tx, f"{n:0400}")


def test_a_file_that_cannot_be_written_is_unavailable(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """A mount that became read-only, told in our words."""
    path = tmp_path / "runstone.db"
    path.write_bytes(sqlite_template.read_bytes())
    with closing(Database(f"sqlite:///{path}")) as db:
        db.transact(query_only)

        with pytest.raises(errors.Unavailable, match="readonly"):
            db.transact(add, "a")

        assert db.look(names) == []


def query_only(tx: Tx) -> None:
    """Make SQLite refuse to write, as a read-only file does (root may write any)."""
    tx.all("PRAGMA query_only = ON")


def test_too_many_readers_are_told_to_try_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connections are in use: that is no error of the program."""
    monkeypatch.setattr(db._reading.pool, "_timeout", 0.01)

    def nested(tx: Tx, depth: int) -> list[str]:
        return names(tx) if depth == 0 else db.look(nested, depth - 1)

    assert db.look(nested, storage_db.READERS - 1) == []
    with pytest.raises(errors.Unavailable, match="try again"):
        db.look(nested, storage_db.READERS)


def test_the_url_chooses_how_safe_a_commit_is(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """FULL survives the loss of power too."""
    path = tmp_path / "runstone.db"
    path.write_bytes(sqlite_template.read_bytes())

    with closing(Database(f"sqlite:///{path}?synchronous=FULL")) as db:
        full = db.transact(pragma, "synchronous")
    with closing(Database(f"sqlite:///{path}")) as db:
        normal = db.transact(pragma, "synchronous")

    assert (full, normal) == (2, 1)
    assert make_url(f"sqlite:///{path}").database == str(path)
