"""`runstone import` and what a server says of MLflow's stores, as people type it."""

import json
import sqlite3

import pytest

from tests.carry.conftest import unpack
from tests.cli.conftest import PATIENCE_SECONDS, Shell
from tests.cli.test_server import get, until


def test_an_import_says_what_came(shell: Shell) -> None:
    """Who moves wants to see that nothing is missing."""
    unpack("mlruns-2.22", shell.home)

    said = shell.run("import", "./mlruns", "--to", "./ours")
    again = shell.run("import", "./mlruns", "--to", "./ours", "--json")

    assert (said.returncode, said.stderr) == (0, "")
    assert "3 experiments and 3 runs (3 new), 7 new points, 1 new files" in said.stdout
    assert json.loads(again.stdout)["new_runs"] == 0


def test_what_could_not_come_is_named_and_the_exit_code_says_so(shell: Shell) -> None:
    """A script that moves a store must notice."""
    unpack("mlruns-2.22", shell.home)
    for meta in shell.home.glob("mlruns/*/*/meta.yaml"):
        meta.write_text(": :")

    said = shell.run("import", "./mlruns", "--to", "./ours")

    assert said.returncode == 1
    assert "meta.yaml is broken" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("command", ["server", "ui"])
def test_a_database_of_mlflows_is_refused_with_the_way_on(
    shell: Shell, command: str
) -> None:
    """The first thing that people try is their old command line."""
    unpack("mlflow-3.18", shell.home)

    said = shell.run(command, "--backend-store-uri", "sqlite:///mlflow.db")

    assert said.returncode == 3
    expected = "runstone import sqlite:///mlflow.db --to sqlite:///runstone.db\n"
    assert said.stderr.endswith(expected)


def test_a_folder_of_mlflows_is_shown_after_an_import(shell: Shell, port: int) -> None:
    """`mlflow ui --backend-store-uri ./mlruns` is how most people begin (T1)."""
    unpack("mlruns-3.18", shell.home)
    before = {path: path.stat().st_mtime_ns for path in shell.home.glob("mlruns/*/*/*")}

    process = shell.start(
        "ui", "--import", "--backend-store-uri", "./mlruns", "--port", str(port)
    )
    until(lambda: _answers(port) or process.poll() is not None)
    process.terminate()
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)

    connection = sqlite3.connect(shell.home / "mlruns/runstone.db")
    (count,) = connection.execute("SELECT COUNT(*) FROM run").fetchone()
    connection.close()
    assert count == 3, said
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_a_folder_of_mlflows_offers_the_import(shell: Shell, port: int) -> None:
    """An empty page where runs were would frighten people."""
    unpack("mlruns-3.18", shell.home)

    process = shell.start("ui", "--backend-store-uri", "./mlruns", "--port", str(port))
    assert process.stdout
    said = process.stdout.readline()

    assert "runstone import ./mlruns --to ./mlruns" in said


def _answers(port: int) -> bool:
    try:
        return get(port) == "OK"
    except OSError:
        return False
