"""The servers that other tests use."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests import services


def test_a_test_gets_a_database_of_its_own(database_url: str) -> None:
    """What one test writes, no other test finds: the table is never there before."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE mine (name VARCHAR(10) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO mine VALUES ('é漢')"))

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name FROM mine")).all()

    engine.dispose()
    assert [tuple(row) for row in rows] == [("é漢",)]


def test_the_next_test_finds_nothing_of_it(database_url: str) -> None:
    """Same table, same name: it would fail if databases were shared."""
    test_a_test_gets_a_database_of_its_own(database_url)


def test_a_copy_of_a_template_has_its_rows(postgresql_url: str) -> None:
    """A migrated database can be copied, which is cheaper than migrating again."""
    with services.fresh_postgresql(postgresql_url) as first:
        test_a_test_gets_a_database_of_its_own(first)
        name = first.rpartition("/")[2]

        with services.fresh_postgresql(postgresql_url, template=name) as second:
            engine = create_engine(second)
            with engine.connect() as connection:
                rows = connection.execute(text("SELECT name FROM mine")).all()
            engine.dispose()

    assert len(rows) == 1


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    """A test run that ends by SIGTERM stops its PostgreSQL on the way out."""
    try:
        services.find_postgresql()
    except services.Missing as reason:
        pytest.skip(str(reason))
    script = tmp_path / "serve.py"
    script.write_text(
        "import os, signal, time\n"
        "from tests import conftest, services\n"
        "conftest.pytest_configure()\n"
        "with services.postgresql() as url:\n"
        "    print(url, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parent.parent

    done = subprocess.run(
        [sys.executable, script],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    port = int(done.stdout.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
