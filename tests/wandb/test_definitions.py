"""What is said of metrics ahead."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.wandb import definitions, summaries
from runstone.wandb.definitions import Definitions, Metric
from runstone.wandb.errors import UsageError


@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_summaries_are_what_all_values_give(values: list[float]) -> None:
    """They are kept while values come, and nobody looks back."""
    told = Definitions()
    words = ("min", "max", "mean", "best", "first")
    told.define(Metric("loss", summary=words, goal="maximize"), overwrite=False)
    last: dict[str, float] = {}

    for value in values:
        last |= told.summaries({"loss": value, "other": 1.0})

    assert last["loss.min"] == min(values)
    assert last["loss.max"] == last["loss.best"] == max(values)
    assert last["loss.first"] == values[0]
    assert last["loss.mean"] == pytest.approx(sum(values) / len(values), abs=1e-6)


def test_a_value_that_is_no_number_changes_no_summary() -> None:
    """One NaN in a night's training leaves the best as it was."""
    told = Definitions()
    told.define(Metric("loss", summary=("min",)), overwrite=False)

    assert told.summaries({"loss": math.nan}) == {}
    assert told.summaries({"loss": 2.0}) == {"loss.min": 2.0}
    assert told.summaries({"loss": math.nan}) == {}
    assert told.summaries({"loss": 3.0}) == {}


def test_a_full_name_goes_before_a_pattern() -> None:
    """`*` says what holds for the rest."""
    told = Definitions()
    told.define(Metric("val/*", "epoch", summary=("max",)), overwrite=False)
    told.define(Metric("val/loss", "epoch", summary=("min",)), overwrite=False)

    found = [told.of(key) for key in ("val/loss", "val/acc", "train/acc")]

    assert [m.summary if m else None for m in found] == [("min",), ("max",), None]


def test_a_row_without_its_axis_gets_the_last_one() -> None:
    """Else a curve over epochs would have no place for it."""
    told = Definitions()
    told.define(Metric("val", "epoch"), overwrite=False)

    assert told.axes({"val": 1.0}, {"epoch": 3.0}) == {"epoch": 3.0}
    assert told.axes({"val": 1.0, "epoch": 4.0}, {"epoch": 3.0}) == {}
    assert told.axes({"other": 1.0}, {"epoch": 3.0}) == {}


def test_a_definition_is_read_as_it_was_written() -> None:
    """It is a tag, and whoever draws reads it."""
    told = Definitions()
    metric = Metric("a", "epoch", hidden=True, summary=("best",), goal="maximize")
    told.define(metric, overwrite=False)

    assert definitions.parsed(told.text()) == {"a": metric}
    assert definitions.parsed("[1]") == definitions.parsed("{") == {}


def test_a_word_that_means_nothing_is_refused() -> None:
    """The error names those that do."""
    with pytest.raises(UsageError, match="mean"):
        Definitions().define(Metric("a", summary=("median",)), overwrite=False)


def test_a_summary_shows_what_was_defined() -> None:
    """As W&B has it: parts below the metric's name, and nothing for "none"."""
    defined = {
        "loss": Metric("loss", summary=("min", "last")),
        "step/*": Metric("step/*", summary=("none",)),
    }
    last = {"loss": 2.0, "loss.min": 1.0, "step/x": 1.0, "acc": 0.5, "a.min": 3.0}

    found = summaries.view(last, {"acc": 0.9}, defined)

    assert found == {"loss": {"last": 2.0, "min": 1.0}, "acc": 0.9, "a.min": 3.0}
