"""A run's files: saved, restored, code, and what lies in its folder."""

from pathlib import Path

import pytest

from runstone import wandb
from tests.wandb.asking import told


def names(run: wandb.Run) -> list[str]:
    """Return a run's files."""
    return [file.name for file in told(run).files()]


def test_files_keep_their_place_below_the_base(store: Path) -> None:
    """By default that is the working folder."""
    (store / "out" / "deep").mkdir(parents=True)
    (store / "out" / "a.txt").write_text("a")
    (store / "out" / "deep" / "b.txt").write_text("b")
    run = wandb.init(project="p")

    found = run.save("out/**", base_path=None)
    based = run.save(store / "out" / "deep" / "*", base_path=store / "out")
    away = run.save("/etc/hostname") if Path("/etc/hostname").exists() else ["hostname"]

    assert found == ["out/a.txt", "out/deep/b.txt"]
    assert based == ["deep/b.txt"]
    assert away == ["hostname"]
    assert set(names(run)) >= {"out/a.txt", "out/deep/b.txt", "deep/b.txt"}


def test_a_file_that_changes_is_stored_again_at_the_end(store: Path) -> None:
    """W&B's policies: live, now and end."""
    for name in ("live.txt", "now.txt"):
        (store / name).write_text("first")
    run = wandb.init(project="p")
    run.save("live.txt")
    run.save("now.txt", policy="now")
    run.save("late*.txt", policy="end")

    for name in ("live.txt", "now.txt", "late.txt"):
        (store / name).write_text("second!")
    run.finish()

    sizes = {file.name: file.size for file in told(run).files()}
    assert sizes == {"live.txt": 7, "now.txt": 5, "late.txt": 7}


@pytest.mark.usefixtures("store")
def test_what_lies_in_the_runs_folder_is_stored() -> None:
    """`wandb.run.dir` is where scripts put their models."""
    run = wandb.init(project="p")
    Path(run.dir, "sub").mkdir()
    Path(run.dir, "sub", "model.bin").write_bytes(b"1")

    run.finish()

    assert names(run) == ["sub/model.bin"]


def test_a_file_is_restored(store: Path) -> None:
    """Of this run or another one; the file that is there stays."""
    (store / "model.txt").write_text("weights")
    first = wandb.init(project="p", id="one")
    first.save("model.txt")
    first.finish()
    run = wandb.init(project="p")

    with run.restore("model.txt", run_path="team/p/one", root="back") as file:
        assert file.read() == "weights"

    with pytest.raises(ValueError, match=r"none\.txt"):
        run.restore("none.txt")


def test_code_is_stored_and_nothing_else(store: Path) -> None:
    """S2.48: no environments, no results, no secrets in hidden folders."""
    for name in ("train.py", "lib/model.py", "requirements.txt", "data.csv"):
        (store / name).parent.mkdir(exist_ok=True)
        (store / name).write_text("x")
    for name in (".git/a.py", "venv/pyvenv.cfg", "venv/b.py", "wandb/c.py"):
        (store / name).parent.mkdir(exist_ok=True)
        (store / name).write_text("x")
    run = wandb.init(project="p")

    stored = run.log_code(".")
    chosen = run.log_code(".", include_fn=lambda path: path.endswith(".csv"))

    assert stored == ["code/lib/model.py", "code/requirements.txt", "code/train.py"]
    assert chosen == ["code/data.csv"]


def test_a_folder_is_stored_as_it_is(store: Path) -> None:
    """Until artifacts have versions."""
    (store / "model" / "sub").mkdir(parents=True)
    (store / "model" / "sub" / "w.bin").write_bytes(b"1")
    run = wandb.init(project="p")

    assert run.log_artifact("model") == ["model/sub/w.bin"]
    assert run.log_model("model", name="best") == ["models/best/sub/w.bin"]
    with pytest.raises(wandb.UsageError, match="missing"):
        run.log_artifact("missing")
