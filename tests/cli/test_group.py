"""The command line as a whole: help, version, errors."""

import json
import subprocess
import sys

import pytest

from runstone import errors
from runstone._version import __version__
from runstone.cli import group
from tests.cli.conftest import Shell


def test_the_version_waits_for_nothing(shell: Shell) -> None:
    """No command, and so no Click, is imported for it."""
    script = (
        "import sys; sys.argv = ['runstone', '--version']; "
        "from runstone.__main__ import main; main(); "
        "assert not {'click', 'msgspec', 'psutil'} & set(sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == f"runstone, version {__version__}\n"


def test_help_imports_no_server(shell: Shell) -> None:
    """Help is what one reads while one thinks; it comes at once."""
    script = (
        "import sys; from runstone.cli import group; group.run(['--help']); "
        "heavy = {'uvicorn', 'sqlalchemy', 'numpy', 'rich', 'psutil', 'starlette'}; "
        "assert not heavy & set(sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "Start the server" in ended.stdout


@pytest.mark.parametrize(
    "command", ["server", "ui", "status", "stop", "logs", "db upgrade", "db current"]
)
def test_every_command_shows_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One copies an example before one reads a list of options."""
    assert group.run([*command.split(), "--help"]) == 0

    assert f"  runstone {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serve", "Did you mean"),
        ("server --prot 5000", "--port"),
        ("server --port many", "--port"),
        ("server --port 70000", "0<=x<=65535"),
    ],
)
def test_a_wrong_command_line_says_what_was_meant(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error costs one look."""
    assert group.run(line.split()) == 2

    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "server --backend-store-uri s3://bucket",
        "server --config nowhere.toml",
        "server --app nothing:here",
        "db upgrade --backend-store-uri sqlite://",
    ],
)
def test_what_cannot_be_used_is_one_line_and_code_3(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts can tell a wrong setting from a wrong command line."""
    assert group.run(line.split()) == 3

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert printed.err.count("\n") == 1


def test_a_reader_that_has_enough_is_no_error(shell: Shell) -> None:
    """`runstone … | head` ends without a word."""
    ended = subprocess.run(
        f"{sys.executable} -m runstone server --help | true",
        shell=True,
        cwd=shell.home,
        env=shell.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stderr == ""


def test_every_error_has_an_exit_code() -> None:
    """A class without a line of its own ends like its parent."""
    assert group.exit_code(errors.SchemaTooNew("2", "1")) == 3
    assert group.exit_code(errors.RunNotFound("x")) == 4
    assert group.exit_code(errors.RunstoneError()) == 1
    families = [
        cls
        for cls in errors.RunstoneError.__subclasses__()
        if cls.__module__ == errors.__name__  # MLflow's and W&B's names have their own
    ]
    assert families
    for cls in families:
        assert cls in group.EXIT_CODES


def test_the_schema_is_made_and_named(shell: Shell) -> None:
    """A migration can be run before the servers are."""
    before = json.loads(shell.run("db", "current", "--json").stdout)
    assert before["schema"] is None
    assert not (shell.home / "mlruns").exists()

    upgraded = shell.run("db", "upgrade")

    after = json.loads(shell.run("db", "current", "--json").stdout)
    assert after["schema"] == after["newest"]
    assert str(after["newest"]) in upgraded.stdout
    assert "the newest" in shell.run("db", "current").stdout
