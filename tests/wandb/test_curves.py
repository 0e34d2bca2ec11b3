"""The numbers of charts, beside another library's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from runstone.wandb import plot
from runstone.wandb.data_types import Table
from runstone.wandb.data_types.media import Keeper
from runstone.wandb.errors import UsageError
from runstone.wandb.plot import curves


SCORED = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=60
).filter(lambda rows: 0 < sum(is_true for is_true, _ in rows) < len(rows))


@given(rows=SCORED)
def test_the_roc_curve_is_sklearns(rows: list[tuple[bool, int]]) -> None:
    """Also where many have the same score; the area tells, whichever points stay."""
    truth = np.array([is_true for is_true, _ in rows])
    scores = np.array([score / 8 for _, score in rows])

    alarms, hits = curves.roc(truth, scores)

    assert np.trapezoid(hits, alarms) == pytest.approx(
        metrics.roc_auc_score(truth, scores)
    )
    assert (alarms[0], hits[0], alarms[-1], hits[-1]) == (0, 0, 1, 1)


@given(rows=SCORED)
def test_precision_is_the_best_at_this_recall_or_more(
    rows: list[tuple[bool, int]],
) -> None:
    """As sklearn's points give it."""
    truth = np.array([is_true for is_true, _ in rows])
    scores = np.array([score / 8 for _, score in rows])
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    recalls = np.linspace(0.05, 1, 20)

    found = curves.precision(truth, scores, recalls)

    # Without sklearn's last point, (recall 0, precision 1), which nothing scored.
    slow = [precision[:-1][recall[:-1] >= wanted - 1e-12].max() for wanted in recalls]
    assert found == pytest.approx(slow)


def test_a_confusion_matrix_counts() -> None:
    """S2.30: y_true, preds and class_names, with probs=None."""
    chart = plot.confusion_matrix(
        probs=None, y_true=[0, 1, 1, 2], preds=[0, 1, 2, 2], class_names=["a", "b", "c"]
    )

    found = chart.item(Keeper(None))

    assert found["form"] == "confusion_matrix"
    assert [row for row in found["data"] if row[2]] == [
        ["a", "a", 1],
        ["b", "b", 1],
        ["b", "c", 1],
        ["c", "c", 1],
    ]


def test_a_confusion_matrix_takes_scores_arrays_and_names() -> None:
    """The highest score is the prediction; names may be classes themselves."""
    by_scores = plot.confusion_matrix(
        probs=np.array([[0.9, 0.1], [0.2, 0.8]]), y_true=np.array([0, 0])
    )
    by_names = plot.confusion_matrix(y_true=["cat", "dog"], preds=["cat", "cat"])

    assert [row[2] for row in by_scores.table.data] == [1, 1, 0, 0]
    assert by_names.table.data[2] == ["dog", "cat", 1]


@pytest.mark.parametrize(
    "given",
    [
        {"y_true": [0]},
        {"y_true": [0], "preds": [0], "probs": [[1.0]]},
        {"y_true": [0, 1], "preds": [0]},
        {"y_true": [5], "preds": [0], "class_names": ["a"]},
    ],
)
def test_a_confusion_matrix_that_cannot_be_says_why(given: dict[str, object]) -> None:
    """Before anything is logged."""
    with pytest.raises(UsageError):
        plot.confusion_matrix(**given)  # type: ignore[arg-type]


def test_curves_name_their_classes() -> None:
    """Labels are by class; some may be left out."""
    truth = [0, 1, 1, 0]
    scores = [[0.8, 0.2], [0.3, 0.7], [0.6, 0.4], [0.9, 0.1]]

    roc = plot.roc_curve(truth, scores, labels=["cat", "dog"])
    pr = plot.pr_curve(truth, scores, labels=["cat", "dog"], classes_to_plot=[1])

    assert set(roc.table.get_column("class")) == {"cat", "dog"}
    assert set(pr.table.get_column("class")) == {"dog"}
    assert len(pr.table.data) == 21


def test_lines_share_their_axis_or_have_their_own() -> None:
    """W&B takes both."""
    shared = plot.line_series([0, 1], [[5, 6], [7, 8]], keys=["a", "b"])
    alone = plot.line_series([[0], [1]], [[5], [7]])

    assert shared.table.data[2] == [0, "b", 7]
    assert alone.table.data == [[0, "line_0", 5], [1, "line_1", 7]]
    with pytest.raises(UsageError, match="keys"):
        plot.line_series([0], [[1], [2]], keys=["a"])


def test_a_chart_asks_for_columns_that_are_there() -> None:
    """A typing error shows at once and not in a browser."""
    table = Table(columns=["x", "y"], data=[[1, 2]])

    assert plot.scatter(table, "x", "y").fields == {"x": "x", "y": "y"}
    with pytest.raises(UsageError, match="columns"):
        plot.line(table, "x", "z")
