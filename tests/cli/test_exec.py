"""`runstone exec`: scripts of MLflow's run on Runstone, not one line changed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from tests.server.running import serving


PATIENCE_SECONDS = 60
Run = Callable[..., "subprocess.CompletedProcess[str]"]

SCRIPT = """
import sys
import mlflow
import mlflow.tracking
from mlflow import MlflowClient, log_metric
from mlflow.entities import Metric, RunStatus, ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.store.entities import PagedList

with mlflow.start_run() as run:
    log_metric("x", 1)
    mlflow.log_param("words", " ".join(sys.argv[1:]))
try:
    MlflowClient().get_run("0" * 32)
except MlflowException as error:
    assert error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST)
found = mlflow.tracking.MlflowClient().get_run(run.info.run_id)
assert found.data.metrics == {"x": 1.0}
assert sys.modules["mlflow"].__name__ == "mlflow"
print(found.data.params["words"], mlflow.__version__)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that these tests share."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
def execute(url: str, tmp_path: Path) -> Run:
    """Run `runstone exec …` below a folder of the test."""

    def run(*words: object, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words),
            cwd=tmp_path,
            env=environment(tmp_path, url) | environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    return run


def command(*words: object) -> list[str]:
    """Return the command line."""
    return [sys.executable, "-m", "runstone", "exec", *map(str, words)]


def environment(folder: Path, url: str) -> dict[str, str]:
    """Return what the command is started with; our Python comes first."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RUNSTONE_", "MLFLOW_", "PYTEST_"))
    }

    return inherited | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "MLFLOW_TRACKING_URI": url,
        "RUNSTONE_SPOOL": str(folder / "spool"),
    }


def written(folder: Path, text: str, name: str = "train.py") -> Path:
    """Write a script."""
    file = folder / name
    file.write_text(text)

    return file


def test_a_script_runs_unchanged(execute: Run, tmp_path: Path) -> None:
    """Its options and its exit code are its own."""
    done = execute("python", written(tmp_path, SCRIPT), "--lr", "0.1", "--help")

    assert done.stdout == "--lr 0.1 --help 3.18.0\n", done.stderr
    assert done.returncode == 3


def test_a_script_with_a_shebang_runs_unchanged(execute: Run, tmp_path: Path) -> None:
    """So does what it starts."""
    file = written(tmp_path, "#!/usr/bin/env python\n" + SCRIPT)
    file.chmod(0o755)
    shell = written(tmp_path, f"#!/bin/sh\n{file} from a shell\n", "train.sh")
    shell.chmod(0o755)

    done = execute(shell)

    assert done.stdout == "from a shell 3.18.0\n", done.stderr


def test_the_options_of_the_command_go_before_the_script(
    execute: Run, tmp_path: Path
) -> None:
    """Where runs go, and in which experiment."""
    script = (
        "import mlflow\n"
        "print(mlflow.get_tracking_uri())\n"
        "with mlflow.start_run() as run: pass\n"
        "print(mlflow.get_experiment(run.info.experiment_id).name)\n"
    )

    done = execute(
        "--tracking-uri",
        tmp_path / "mlruns",
        "--experiment",
        "here",
        "python",
        written(tmp_path, script),
    )

    assert done.stdout.split() == [str(tmp_path / "mlruns"), "here"], done.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from mlflow.models import infer_signature", "no mlflow.models"),
        ("import mlflow.server", "no mlflow.server"),
        ("import mlflow; mlflow.xgboost.autolog()", "no mlflow.xgboost"),
    ],
)
def test_what_is_not_there_is_named(
    execute: Run, tmp_path: Path, line: str, words: str
) -> None:
    """A part of Runstone that has the same name is not taken for MLflow's."""
    done = execute("python", written(tmp_path, line))

    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]


def test_a_python_without_runstone_says_so(execute: Run) -> None:
    """And what has nothing to do with MLflow runs all the same."""
    bare = "import os; print('fine'); import mlflow"

    done = execute(
        "env",
        f"PYTHONPATH={ROOT / 'src/runstone/cli/standin'}",
        "python",
        "-S",
        "-c",
        f"import sitecustomize; {bare}",
    )

    assert done.stdout == "fine\n"
    assert "needs Runstone in" in done.stderr.splitlines()[-1]


def test_a_sitecustomize_of_the_user_runs_too(execute: Run, tmp_path: Path) -> None:
    """A company's own start file is not lost."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    written(theirs, "import builtins; builtins.theirs = 'yes'", "sitecustomize.py")
    path = f"{ROOT / 'src'}{os.pathsep}{theirs}"

    done = execute(
        "python",
        "-c",
        "import mlflow; print(theirs, mlflow.__version__)",
        PYTHONPATH=path,
    )

    assert done.stdout == "yes 3.18.0\n", done.stderr


def test_a_program_that_is_not_there_is_named(execute: Run) -> None:
    """One line, and the exit code of a wrong command line."""
    done = execute("no-such-program")

    assert done.returncode == 2
    assert "No program 'no-such-program'" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_reaches_the_script(url: str, tmp_path: Path) -> None:
    """Ctrl-C ends the training as if it had been started by itself."""
    script = written(
        tmp_path,
        "import mlflow, time\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_metric('x', 1)\n"
        "    print(run.info.run_id, flush=True)\n"
        "    time.sleep(60)\n",
    )
    process = subprocess.Popen(
        command("python", script),
        cwd=tmp_path,
        env=environment(tmp_path, url),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    run_id = process.stdout.readline().strip()

    process.send_signal(signal.SIGINT)

    assert process.wait(PATIENCE_SECONDS) != 0
    process.stdout.close()
    asked = (
        f"import runstone as mlflow\nprint(mlflow.get_run({run_id!r}).info.status)\n"
    )
    said = ""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        said = subprocess.check_output(
            [sys.executable, "-c", asked], text=True, env=environment(tmp_path, url)
        )
        if said == "KILLED\n":
            return
    pytest.fail(f"the run is {said}")
