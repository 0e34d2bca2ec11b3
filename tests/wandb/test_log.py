"""`log`: steps, names, values, and what of them is in the summary."""

import math

import numpy as np
import pytest

from runstone import wandb
from tests.wandb.asking import items, points, told


pytestmark = pytest.mark.usefixtures("store")


def test_steps_are_counted_by_the_call() -> None:
    """S2.25: no script has to name its steps."""
    run = wandb.init(project="p")

    for value in (3.0, 2.0, 1.0):
        wandb.log({"loss": value})

    assert points(run, "loss") == [(0, 3.0), (1, 2.0), (2, 1.0)]
    assert run.step == 3


def test_a_late_step_is_kept() -> None:
    """Other trackers drop it with a warning; an evaluation may come late."""
    run = wandb.init(project="p")
    run.log({"loss": 1.0}, step=10)

    run.log({"val": 0.5}, step=3)
    run.log({"loss": 0.5})

    assert points(run, "val") == [(3, 0.5)]
    assert points(run, "loss") == [(10, 1.0), (10, 0.5)]


def test_calls_that_do_not_commit_share_a_step() -> None:
    """Parts of a row come from parts of a script."""
    run = wandb.init(project="p")

    run.log({"a": 1}, commit=False)
    run.log({"b": 2})
    run.log({"a": 3})
    run.log({"a": 4}, step=7, commit=True)

    assert points(run, "a") == [(0, 1), (1, 3), (7, 4)]
    assert points(run, "b") == [(0, 2)]
    assert run.step == 8


def test_the_later_value_of_a_step_counts() -> None:
    """Also where the earlier one was greater and both are of one moment."""
    run = wandb.init(project="p")
    run.define_metric("other")

    for value in (5.0, 3.0, 4.0):
        run.log({"a": value}, commit=False)

    assert told(run).summary["a"] == 4.0
    assert told(run).history(keys=["a"], pandas=False) == [{"a": 4.0}]


def test_nested_values_have_dots_in_their_names() -> None:
    """As W&B shows them."""
    run = wandb.init(project="p")

    run.log({"train": {"loss": 1.0, "by": {"class": 2.0}}})

    assert set(told(run).summary) >= {"train.loss", "train.by.class"}


def test_numbers_of_all_kinds_are_numbers() -> None:
    """Losses come from NumPy more often than from Python."""
    run = wandb.init(project="p")

    run.log(
        {
            "numpy": np.float32(0.5),
            "one": np.array([2.0]),
            "none": None,
            "flag": True,
            "nan": math.nan,
            "inf": -math.inf,
        }
    )

    summary = told(run).summary
    assert (summary["numpy"], summary["one"], summary["flag"]) == (0.5, 2.0, 1.0)
    assert math.isnan(summary["nan"])
    assert summary["inf"] == -math.inf
    assert "none" not in summary


def test_texts_and_lists_are_kept_as_they_are() -> None:
    """They stand in the summary and in the rows."""
    run = wandb.init(project="p")

    run.log({"status": "warm", "layers": [1, 2, 3], "few": np.arange(3)})

    assert run.summary["status"] == "warm"
    assert run.summary["few"] == [0, 1, 2]
    row = told(run).history(pandas=False)[0]
    assert (row["status"], row["layers"]) == ("warm", [1, 2, 3])


def test_an_array_of_many_numbers_is_a_histogram() -> None:
    """As W&B takes it."""
    run = wandb.init(project="p")

    run.log({"weights": np.arange(100)})

    assert sum(items(run, "weights")[0]["counts"]) == 100


def test_a_list_that_is_too_long_for_a_row_is_a_file() -> None:
    """The row stays small, and nothing is lost."""
    run = wandb.init(project="p")

    run.log({"tokens": list(range(50_000))})

    (item,) = items(run, "tokens")
    with told(run).file(item["path"]).download() as file:
        assert file.read().startswith("[0,1,2,")


@pytest.mark.parametrize("wrong", [5, [1], {1: 2.0}, {1: "text"}, None])
def test_what_is_no_dict_with_names_is_refused(wrong: object) -> None:
    """The programmer's error shows where it was made."""
    run = wandb.init(project="p")

    with pytest.raises(ValueError, match="dict"):
        run.log(wrong)  # type: ignore[arg-type]


def test_nothing_is_logged_without_a_run() -> None:
    """The error says what to call."""
    with pytest.raises(wandb.Error, match=r"wandb\.init"):
        wandb.log({"a": 1})


def test_a_run_that_has_ended_takes_no_more() -> None:
    """The error says what to call."""
    run = wandb.init(project="p")
    run.finish()

    with pytest.raises(wandb.Error, match="has ended"):
        run.log({"a": 1})


def test_the_best_value_is_a_metric_to_search_by() -> None:
    """`define_metric(summary=…)` survives whatever kills the process."""
    run = wandb.init(project="p")
    run.define_metric("loss", summary="min,max,mean,last")

    for value in (2.0, 1.0, 4.0, 3.0):
        run.log({"loss": value})

    expected = {"min": 1.0, "max": 4.0, "mean": 2.5, "last": 3.0}
    assert run.summary["loss"] == told(run).summary["loss"] == expected
    found = wandb.Api().runs("p", {"summary_metrics.loss.min": {"$lt": 1.5}})
    assert len(found) == 1


def test_a_late_value_changes_the_summary_now() -> None:
    """The summary is what is known now, however late a step is."""
    run = wandb.init(project="p")
    run.define_metric("loss", summary="min")
    run.log({"loss": 2.0}, step=10)

    run.log({"loss": 1.0}, step=5)

    assert told(run).summary["loss"] == {"min": 1.0}


def test_what_people_put_into_the_summary_wins() -> None:
    """A number that no series has can be searched and sorted by too."""
    run = wandb.init(project="p")
    run.log({"acc": 0.5})

    run.summary["acc"] = 0.9
    run.summary["best"] = 0.8
    run.summary["best"] = 0.7
    wandb.summary.update({"note": "good", "nested": {"a": 1}})

    summary = told(run).summary
    assert (summary["acc"], summary["best"], summary["note"]) == (0.9, 0.7, "good")
    assert summary["nested"] == {"a": 1}
    assert points(run, "acc") == [(0, 0.5)]
    assert len(wandb.Api().runs("p", {"summary_metrics.best": {"$lt": 0.75}})) == 1
    assert len(wandb.Api().runs("p", {"summary_metrics.acc": {"$gt": 0.8}})) == 1


def test_an_axis_is_logged_with_what_it_is_of() -> None:
    """S2.25's epochs: a metric that is logged elsewhere gets its place."""
    run = wandb.init(project="p")
    run.define_metric("epoch")
    run.define_metric("val/*", step_metric="epoch")
    run.log({"epoch": 3})

    run.log({"val/acc": 0.5})

    assert points(run, "epoch") == [(0, 3), (1, 3)]


def test_an_alert_is_kept_with_the_run() -> None:
    """Somebody may look at the run much later."""
    run = wandb.init(project="p")

    run.alert("Low accuracy", "It is 0.1", level=wandb.AlertLevel.WARN)

    assert items(run, "alerts") == [
        {"title": "Low accuracy", "text": "It is 0.1", "level": "WARN"}
    ]
