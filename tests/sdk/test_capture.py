"""What a run keeps of how it was made, without anybody asking for it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runstone.sdk import options
from runstone.sdk.capture import git
from tests.sdk.conftest import Script
from tests.sdk.test_sender import fetched, only_run
from tests.server.running import Server


Start = Callable[..., Server]

TRAINING = """
run = begin()
run.log({"loss": 1.0}, step=1)
session.finish(run, RunStatus.FINISHED)
"""


def test_a_run_says_how_it_was_made(
    script: Script, start: Start, tmp_path: Path
) -> None:
    """Commit, changes, command, versions and machine, even of a very short script."""
    commit = repository(tmp_path)
    server = start()

    done = script(TRAINING, uri=server.url, RUNSTONE_CAPTURE="all")

    assert (done.returncode, done.stderr) == (0, "")
    run = only_run(server)
    found = tags(run)
    assert found["mlflow.source.name"].endswith("train.py")
    assert found["mlflow.source.type"] == "LOCAL"
    assert found["mlflow.source.git.commit"] == commit
    assert found["mlflow.source.git.branch"] == "trunk"
    assert found["mlflow.source.git.repoURL"] == "https://git.example.com/me/x.git"
    assert found["runstone.git.dirty"] == "true"
    assert found["runstone.python_version"].startswith("3.")
    facts = metadata(server, run)
    assert facts["command"][-1].endswith("train.py")
    assert facts["cpu"]["count"] >= 1
    assert facts["memory_bytes"] > 0
    lines = fetched(server, run, "runstone/requirements.txt").decode().splitlines()
    assert any(line.lower().startswith("msgspec==") for line in lines)
    assert b"begin()" in fetched(server, run, "runstone/code/train.py")


def test_the_patch_brings_back_what_ran(
    script: Script, start: Start, tmp_path: Path
) -> None:
    """Changed, removed, binary and untracked files: `git apply` restores them all."""
    repository(tmp_path)
    (tmp_path / "model.py").write_text("WIDTH = 20\n")
    (tmp_path / "old.py").unlink()
    (tmp_path / "image.bin").write_bytes(bytes(range(256)))
    (tmp_path / "new file.py").write_text("x = 'ü'\n\ny = 2")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / ".env").write_text("PASSWORD=hunter2hunter2\n")
    (tmp_path / "weights.pt").write_bytes(b"\0" * 5000)
    server = start()

    script(TRAINING, uri=server.url, RUNSTONE_CAPTURE="git")

    run = only_run(server)
    patch = fetched(server, run, "runstone/diff.patch")
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", ".", str(clone))
    applied = subprocess.run(["git", "apply"], cwd=clone, input=patch, check=False)
    assert applied.returncode == 0
    assert not (clone / "old.py").exists()
    for name in ("model.py", "image.bin", "new file.py", "empty.py", "train.py"):
        assert (clone / name).read_bytes() == (tmp_path / name).read_bytes()
    assert b"hunter2" not in patch
    about = metadata(server, run)["git"]
    assert "new file.py" in about["untracked"]
    assert about["left_out"] >= 1


def test_a_planted_secret_is_nowhere(
    script: Script, start: Start, tmp_path: Path
) -> None:
    """In the environment, a URL, a source or the output: no byte of it is sent."""
    repository(tmp_path)
    run_git(
        tmp_path, "remote", "set-url", "origin", "https://me:pa55w0rdpa55@example.com/x"
    )
    (tmp_path / "keys.py").write_text('api_key = "planted-secret-1"\n')
    server = start()

    script(
        TRAINING.replace("run.log", "print('token=planted-secret-2'); run.log")
        + "print(os.environ['MY_TOKEN'])\n"
        + "raise ValueError('password: planted-secret-4')",
        uri=server.url,
        RUNSTONE_CAPTURE="all",
        MY_TOKEN="planted-secret-3",
    )

    everything = b"".join(
        path.read_bytes() for path in server.folder.rglob("*") if path.is_file()
    )
    assert b"mlflow.source.git.commit" in everything
    assert b"planted-secret" not in everything
    assert b"pa55w0rd" not in everything


def test_variables_are_kept_only_by_name(script: Script, start: Start) -> None:
    """And a secret among them is none the less one."""
    server = start()

    script(
        TRAINING,
        uri=server.url,
        RUNSTONE_CAPTURE="command",
        RUNSTONE_CAPTURE_VARIABLES="CUDA_VISIBLE_DEVICES, MY_TOKEN, MISSING",
        CUDA_VISIBLE_DEVICES="0,1",
        MY_TOKEN="planted",
    )

    kept = metadata(server, only_run(server))["environment"]
    assert kept == {"CUDA_VISIBLE_DEVICES": "0,1", "MY_TOKEN": "[redacted]"}


def test_nothing_is_captured_where_that_is_wanted(
    script: Script, start: Start, tmp_path: Path
) -> None:
    """By one variable, or part by part."""
    repository(tmp_path)
    server = start()

    script(TRAINING + "print('hello')", uri=server.url, RUNSTONE_CAPTURE="none")

    run = only_run(server)
    assert set(tags(run)) == {"mlflow.runName"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", options.USUAL_PARTS),
        ("none", frozenset()),
        ("git, packages", {"git", "packages"}),
        ("-console,-git", options.USUAL_PARTS - {"console", "git"}),
        ("all", options.PARTS),
        ("all,-system", options.PARTS - {"system"}),
    ],
)
def test_parts_are_chosen_by_name(
    monkeypatch: pytest.MonkeyPatch, said: str, expected: frozenset[str]
) -> None:
    """Whoever wants less says which."""
    monkeypatch.setenv("RUNSTONE_CAPTURE", said)
    monkeypatch.delenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", raising=False)

    assert options.parts() == expected


def test_a_run_that_goes_on_keeps_how_it_began(script: Script, start: Start) -> None:
    """A script that adds a result later is not what made the run."""
    server = start()
    number = "ab" * 16
    script(
        f"run = begin(run_id={number!r})\nsession.finish(run, RunStatus.FINISHED)",
        uri=server.url,
        RUNSTONE_CAPTURE="command,packages",
    )
    first = metadata(server, only_run(server))

    script(
        f"run = session.begin(Begin(experiment='tests'), {number!r})\n"
        "session.finish(run, RunStatus.FINISHED)",
        uri=server.url,
        RUNSTONE_CAPTURE="command,packages",
    )

    run = only_run(server)
    assert metadata(server, run) == first
    again = list(server.folder.glob("**/runstone/2*Z/metadata.json"))
    assert len(again) == 1


def test_a_seed_is_set_and_kept(script: Script, start: Start) -> None:
    """Before and after the run began; NumPy's and Python's chance repeat."""
    server = start()

    done = script(
        """
import random, runstone, numpy
runstone.seed_everything(3)
first = (random.random(), float(numpy.random.rand()))
run = begin()
runstone.seed_everything(3)
assert first == (random.random(), float(numpy.random.rand()))
try:
    runstone.seed_everything(-1)
except Exception as error:
    assert "0 to 4294967295" in str(error)
assert os.environ["PYTHONHASHSEED"] == "3"
""",
        uri=server.url,
    )

    assert done.returncode == 0, done.stderr
    assert tags(only_run(server))["runstone.seed"] == "3"


def test_an_exception_leaves_its_last_frames(script: Script, start: Start) -> None:
    """Where it happened, not only what."""
    server = start()

    script(
        "run = begin()\ndef deep(n):\n    if n: return deep(n - 1)\n"
        "    raise ValueError('too hot')\ndeep(50)",
        uri=server.url,
    )

    found = tags(only_run(server))
    assert found["runstone.error"] == "ValueError: too hot"
    assert "in deep" in found["runstone.traceback"]
    assert "raise ValueError" in found["runstone.traceback"]
    assert found["runstone.traceback"].count("\n") < 60


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host/x.git", "https://host/x.git"),
        ("https://ghp_token@host/x.git", "https://host/x.git"),
        ("git@host:x.git", "git@host:x.git"),
        ("ssh://git@host/x", "ssh://host/x"),
    ],
)
def test_a_remote_has_no_credentials(url: str, shown: str) -> None:
    """The name of a user of ssh is no secret where it is part of the address."""
    assert git.without_credentials(url) == shown


def repository(folder: Path) -> str:
    """Make a repository with a commit; return its id."""
    (folder / "model.py").write_text("WIDTH = 10\n")
    (folder / "old.py").write_text("OLD = 1\n")
    (folder / "image.bin").write_bytes(b"\0\1\2")
    run_git(folder, "init", "--quiet", "--initial-branch=trunk")
    run_git(folder, "add", "model.py", "old.py", "image.bin")
    run_git(folder, "commit", "--quiet", "-m", "first")
    run_git(folder, "remote", "add", "origin", "https://u:p@git.example.com/me/x.git")

    return run_git(folder, "rev-parse", "HEAD").strip()


def run_git(folder: Path, *arguments: str) -> str:
    """Run git, as somebody."""
    who = ("-c", "user.name=n", "-c", "user.email=e@example.com")

    return subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def tags(run: dict[str, Any]) -> dict[str, str]:
    """Return a run's tags."""
    return {tag["key"]: tag["value"] for tag in run["data"]["tags"]}


def metadata(server: Server, run: dict[str, Any]) -> dict[str, Any]:
    """Return what a run says of itself."""
    found: dict[str, Any] = json.loads(fetched(server, run, "runstone/metadata.json"))

    return found
