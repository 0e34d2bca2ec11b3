"""
Bring a database to the schema that this code knows.

The files in `migrations/versions` are the schema; there is no second
description of it.  Alembic runs them, all in one transaction where the
database can do that, under a lock that other starting servers wait for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from runstone import errors
from runstone.storage import db


VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"

HEAD: Final = max(file.name[:4] for file in VERSIONS.glob("[0-9]*.py"))
"""The newest revision in `migrations/versions`."""

VERSION_TABLE: Final = "runstone_version"
LOCK_NUMBER: Final = 7_283_660_198
"""An arbitrary number that only Runstone's migrations lock in PostgreSQL."""

LOCK_SECONDS: Final = 600


def current(url: str) -> str | None:
    """Return the revision of the database, None where it has no tables yet."""
    with _connected(url) as connection:
        return _revision(connection)


def upgrade(url: str) -> str:
    """
    Create or migrate the database where that is needed; return its revision.

    Safe to call from several processes at once: one works, the others wait.

    Raises:
        SchemaTooNew: A newer Runstone has been here.
        Unusable: The file or the server cannot be used.
    """
    with _connected(url) as connection:
        if _revision(connection) == HEAD:
            return HEAD

        with _alone(connection):
            found = _revision(connection)
            if found != HEAD:
                _refuse_strangers(connection, found)
                _migrate(connection)
            connection.commit()

    return HEAD


def _migrate(connection: Connection) -> None:
    # Alembic costs a third of a second to import: only a new or an old
    # database pays for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    scripts = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", scripts)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _refuse_strangers(connection: Connection, found: str | None) -> None:
    """Never write into a newer Runstone's, or into MLflow's own database."""
    if found is not None and found > HEAD:
        raise errors.SchemaTooNew(found, HEAD)
    if found is None and inspect(connection).has_table("alembic_version"):
        raise errors.Unusable(
            "This database belongs to another program (MLflow keeps an "
            "'alembic_version' table like the one here); give Runstone a database "
            "of its own, for example --backend-store-uri sqlite:///runstone.db"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608  # our own constant
    found = None if row is None else str(row[0])
    if found is not None and found > HEAD:
        raise errors.SchemaTooNew(found, HEAD)

    return found


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise errors.Unusable(f"Cannot use {shown}: {error.orig}") from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    engine = db.engine(make_url(url), readers=False)
    if engine.dialect.name == "sqlite":
        # The driver begins nothing by itself, so schema changes are inside too.
        event.listen(
            engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE")
        )

    return engine


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the lock that every migrating server takes."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": LOCK_NUMBER})
        yield
    elif connection.dialect.name in ("mysql", "mariadb"):
        name = {"name": "runstone-migrate", "seconds": LOCK_SECONDS}
        connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), name)
        try:
            yield
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)
    else:  # SQLite: BEGIN IMMEDIATE is the lock
        yield
