"""A migrated database for each test, on every kind that Runstone can use."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runstone.storage import compaction, migrate
from runstone.storage.db import Database
from tests import services
from tests.conftest import DATABASES


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of a migrated database: to copy it is cheaper than to migrate."""
    path = tmp_path_factory.mktemp("template") / "runstone.db"
    migrate.upgrade(f"sqlite:///{path}")

    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str) -> Iterator[str]:
    """Name of a migrated database: to copy it is cheaper than to migrate."""
    with services.fresh_postgresql(postgresql_url) as url:
        migrate.upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture(scope="session")
def mariadb_template(mariadb_url: str) -> Iterator[str]:
    """Name of a migrated database: to copy it is cheaper than to migrate."""
    with services.fresh_mariadb(mariadb_url) as url:
        migrate.upgrade(url)
        yield url.rpartition("/")[2]


@pytest.fixture(params=DATABASES)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a migrated database, on each kind that Runstone can use."""
    if request.param == "sqlite":
        path = tmp_path / "runstone.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    elif request.param == "postgresql":
        server = request.getfixturevalue("postgresql_url")
        name = request.getfixturevalue("postgresql_template")
        with services.fresh_postgresql(server, template=name) as url:
            yield url
    else:
        server = request.getfixturevalue("mariadb_url")
        name = request.getfixturevalue("mariadb_template")
        with services.fresh_mariadb(server, template=name) as url:
            yield url


@pytest.fixture
def db(migrated_url: str) -> Iterator[Database]:
    """Open such a database."""
    with closing(Database(migrated_url)) as database:
        yield database


@pytest.fixture(autouse=True)
def short_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let four points be a long series, so that small tests meet chunks and rests."""
    monkeypatch.setattr(compaction, "SHORT_POINTS", 4)
