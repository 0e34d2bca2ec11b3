"""`Api`: runs from anywhere, with their history and files."""

from pathlib import Path

import pytest

from runstone import wandb
from runstone.wandb.live import Run
from tests.wandb.asking import told


pytestmark = pytest.mark.usefixtures("store")


def trained(name: str, accuracy: float) -> Run:
    """Return a run that has ended."""
    run = wandb.init(project="my-project", name=name, config={"lr": accuracy / 10})
    for step in range(3):
        run.log({"val_accuracy": accuracy - (2 - step) / 10, "val_loss": 1 - accuracy})
    run.finish()

    return run


def test_runs_are_compared_in_a_dataframe() -> None:
    """S2.41: the comparison of the documents, line by line."""
    import pandas as pd

    for name, accuracy in (("a", 0.7), ("b", 0.9), ("c", 0.8)):
        trained(name, accuracy)

    runs = wandb.Api().runs("my-project")
    comparison = [
        {
            "name": run.name,
            "accuracy": run.summary.get("val_accuracy"),
            "loss": run.summary.get("val_loss"),
            "config": run.config,
        }
        for run in runs
    ]
    frame = pd.DataFrame(comparison).sort_values("accuracy", ascending=False)

    assert list(frame["name"]) == ["b", "c", "a"]
    assert frame["config"].iloc[0] == {"lr": 0.9 / 10}


def test_runs_come_page_by_page() -> None:
    """Whoever looks at the first does not wait for the last."""
    for number in range(5):
        trained(str(number), 0.5)

    runs = wandb.Api().runs("team/my-project", order="-display_name", per_page=2)

    assert runs[0].name == "4"
    assert len(runs._found) == 1
    assert [run.name for run in runs] == ["4", "3", "2", "1", "0"]
    assert len(runs) == 5
    assert [run.name for run in runs[1:3]] == ["3", "2"]
    with pytest.raises(IndexError):
        runs[5]


def test_runs_are_ordered_by_what_they_reached() -> None:
    """The best first."""
    for name, accuracy in (("a", 0.7), ("b", 0.9), ("c", 0.8)):
        trained(name, accuracy)

    runs = wandb.Api().runs("my-project", order="-summary_metrics.val_accuracy")

    assert [run.name for run in runs] == ["b", "c", "a"]


def test_history_is_by_step() -> None:
    """With W&B's columns for steps and times."""
    found = told(trained("a", 0.9))

    frame = found.history()
    rows = list(found.scan_history(keys=["val_accuracy"], min_step=1))

    assert list(frame["_step"]) == [0, 1, 2]
    assert list(frame["val_accuracy"]) == [0.9 - 0.2, 0.9 - 0.1, 0.9]
    assert {"_timestamp", "_runtime", "val_loss"} <= set(frame.columns)
    assert rows == [{"val_accuracy": 0.9 - 0.1}, {"val_accuracy": 0.9}]
    assert found.lastHistoryStep == 2


def test_a_long_history_is_sampled_with_its_ends() -> None:
    """A chart of it needs no more."""
    run = wandb.init(project="p")
    for step in range(1000):
        run.log({"a": step})

    rows = told(run).history(samples=10, pandas=False)

    assert len(rows) == 10
    assert (rows[0]["a"], rows[-1]["a"]) == (0, 999)


def test_files_are_fetched(store: Path) -> None:
    """What was saved comes back, and is not overwritten unasked."""
    (store / "model.txt").write_text("weights")
    run = wandb.init(project="p")
    run.save("model.txt")
    found = told(run)

    (file,) = found.files()
    with file.download(root="fetched") as opened:
        assert opened.read() == "weights"

    assert (file.name, file.size) == ("model.txt", 7)
    with pytest.raises(wandb.UsageError, match="replace=True"):
        found.file("model.txt").download(root="fetched")
    found.file("model.txt").download(root="fetched", exist_ok=True).close()


def test_a_run_can_be_changed_afterwards() -> None:
    """A config that was logged wrong is put right."""
    found = told(trained("a", 0.9))

    found.name = "better"
    found.tags.append("checked")
    found.config["lr"] = 0.5
    found.summary["verdict"] = "good"
    found.update()

    again = told_again = wandb.Api().run(f"my-project/{found.id}")
    assert (again.name, again.tags) == ("better", ["checked"])
    assert told_again.config == {"lr": 0.5}
    assert again.summary["verdict"] == "good"
    assert again.state == "finished"
    assert len(wandb.Api().runs("my-project", {"config.lr": 0.5})) == 1


def test_a_summary_is_updated_at_once() -> None:
    """W&B's `run.summary.update()` needs no other call."""
    found = told(trained("a", 0.9))

    found.summary["verdict"] = "good"
    found.summary.update({"more": 1})

    assert wandb.Api().run(f"my-project/{found.id}").summary["more"] == 1


def test_a_deleted_run_is_not_found() -> None:
    """It lies in the bin."""
    found = told(trained("a", 0.9))

    found.delete()

    assert len(wandb.Api().runs("my-project")) == 0


def test_what_is_not_there_is_named() -> None:
    """Projects and runs."""
    trained("a", 0.5)

    with pytest.raises(ValueError, match="nothing"):
        len(wandb.Api().runs("nothing"))
    with pytest.raises(wandb.CommError, match="my-project/none"):
        wandb.Api().run("my-project/none")


def test_a_run_of_mlflows_names_is_one_of_the_project() -> None:
    """D1: params are its config, as the values that they were."""
    from runstone import journal
    from runstone.sdk.session import session

    core = session.begin(journal.Begin(experiment="theirs", name="x"))
    core.log_params({"lr": "0.1", "layers": "[1, 2]", "model": "resnet"})
    core.log({"acc": 0.5}, step=3)

    (run,) = wandb.Api().runs("theirs", {"config.lr": {"$lt": 1}})

    assert run.config == {"lr": 0.1, "layers": [1, 2], "model": "resnet"}
    assert (run.summary["acc"], run.id) == (0.5, core.id)
