"""
Charts: `wandb.plot.line(table, x="step", y="loss")` and others, to be logged.

A chart is kept as its numbers and its kind, and drawn where it is shown.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from runstone.wandb.data_types import Table
from runstone.wandb.data_types.media import INLINE_BYTES, Keeper, Media, spelled
from runstone.wandb.data_types.pixels import array
from runstone.wandb.errors import UsageError
from runstone.wandb.plot import curves


class CustomChart(Media):
    """
    A chart.

    Args:
        form: How it is drawn: "line", "scatter", "bar", "histogram", "line_series",
            "roc_curve", "pr_curve", "confusion_matrix", or a name of the user's.

        table: Its numbers.

        fields: From a part of the chart to the column that it shows.

        strings: Title and labels.
    """

    kind: ClassVar[str] = "plot"

    def __init__(
        self,
        form: str,
        table: Table,
        fields: dict[str, Any],
        strings: dict[str, Any],
    ) -> None:
        missing = [name for name in fields.values() if name not in table.columns]
        if missing:
            raise UsageError(
                f"The table has the columns {table.columns}, not {missing}"
            )
        self.form = form
        self.table = table
        self.fields = fields
        self.strings = strings

    def item(self, keeper: Keeper) -> dict[str, Any]:
        """Return the chart with its numbers, or with the path of many."""
        content = self.table.content(keeper)
        said = {"form": self.form, "fields": self.fields, "strings": self.strings}
        if len(spelled(content)) > INLINE_BYTES:
            return {**said, "path": keeper.keep_json(content, "plot")}

        return {**said, **content}


def line(
    table: Table,
    x: str,
    y: str,
    stroke: str | None = None,
    title: str = "",
    split_table: bool = False,
) -> CustomChart:
    """Return a line of two columns, or one for each value of *stroke*."""
    fields = {"x": x, "y": y} | ({"stroke": stroke} if stroke else {})

    return CustomChart("line", table, fields, {"title": title})


def scatter(
    table: Table, x: str, y: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """Return points of two columns."""
    return CustomChart("scatter", table, {"x": x, "y": y}, {"title": title})


def bar(
    table: Table, label: str, value: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """Return bars: their names and heights are columns."""
    return CustomChart("bar", table, {"label": label, "value": value}, {"title": title})


def histogram(
    table: Table, value: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """Return how the values of a column are spread."""
    return CustomChart("histogram", table, {"value": value}, {"title": title})


def line_series(
    xs: Iterable[Any],
    ys: Iterable[Iterable[Any]],
    keys: Iterable[str] | None = None,
    title: str = "",
    xname: str = "x",
    split_table: bool = False,
) -> CustomChart:
    """
    Return several lines.

    Args:
        xs: One list for all lines, or one for each.

        ys: A list for each line.

        keys: Their names.

        title: Stands above.

        xname: Name of the axis.

        split_table: Taken and unused, as in all of these.
    """
    heights = [list(y) for y in ys]
    given = list(xs)
    is_shared = not given or not hasattr(given[0], "__iter__")
    places = [given] * len(heights) if is_shared else [list(x) for x in given]
    names = list(keys or (f"line_{number}" for number in range(len(heights))))
    if not len(places) == len(heights) == len(names):
        raise UsageError(
            f"There are {len(places)} xs, {len(heights)} ys and {len(names)} keys, "
            "expected one of each for a line"
        )
    rows = [
        [x, name, y]
        for name, place, height in zip(names, places, heights, strict=True)
        for x, y in zip(place, height, strict=False)
    ]
    table = Table(columns=["step", "lineKey", "lineVal"], data=rows)
    fields = {"x": "step", "y": "lineVal", "stroke": "lineKey"}

    return CustomChart("line_series", table, fields, {"title": title, "x": xname})


def confusion_matrix(
    probs: Any = None,
    y_true: Any = None,
    preds: Any = None,
    class_names: Sequence[str] | None = None,
    title: str = "Confusion Matrix",
    split_table: bool = False,
) -> CustomChart:
    """
    Return how often each class was taken for each.

    Args:
        probs: Scores float[n, classes]; the highest is the prediction.

        y_true: The classes as they are: numbers, or names.

        preds: Predicted classes, where there are no *probs*.

        class_names: Of classes 0, 1 and so on.

        title: Stands above.

        split_table: Taken and unused.

    Raises:
        UsageError: Both or neither of *probs* and *preds*, or lengths differ.
    """
    if (probs is None) == (preds is None) or y_true is None:
        raise UsageError("A confusion matrix needs y_true, and probs or preds")
    found = array(probs).argmax(axis=1) if probs is not None else array(preds)
    predicted, actual = found.tolist(), array(y_true).tolist()
    if len(predicted) != len(actual):
        raise UsageError(
            f"There are {len(predicted)} predictions and {len(actual)} true classes"
        )
    if class_names is None:
        labels = sorted({*predicted, *actual}, key=lambda one: (str(type(one)), one))
        numbers = {label: number for number, label in enumerate(labels)}
        predicted = [numbers[label] for label in predicted]
        actual = [numbers[label] for label in actual]
        class_names = [
            one if isinstance(one, str) else f"Class_{number + 1}"
            for number, one in enumerate(labels)
        ]
    names = [str(name) for name in class_names]
    counts = curves.matrix(actual, predicted, names).tolist()
    rows = [
        [names[i], names[j], counts[i][j]]
        for i in range(len(names))
        for j in range(len(names))
    ]
    columns = ["Actual", "Predicted", "nPredictions"]
    fields = dict(zip(("actual", "predicted", "count"), columns, strict=True))

    return CustomChart(
        "confusion_matrix",
        Table(columns=columns, data=rows),
        fields,
        {"title": title},
    )


def roc_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str = "ROC Curve",
    split_table: bool = False,
) -> CustomChart:
    """
    Return each class' true positive rate over its false positive rate.

    Args:
        y_true: The classes as they are [n].

        y_probas: Scores float[n, classes], in the order of the sorted classes.

        labels: Names of the classes.

        classes_to_plot: Which of them; all by default.

        title: Stands above.

        split_table: Taken and unused.
    """
    rows = []
    for name, positive, scores in _classes(y_true, y_probas, labels, classes_to_plot):
        alarms, hits = curves.roc(positive, scores)
        rows += [[name, x, y] for x, y in zip(alarms.tolist(), hits.tolist())]  # noqa: B905  # as long as each other
    table = Table(columns=["class", "fpr", "tpr"], data=rows)
    strings = {"title": title, "x": "False positive rate", "y": "True positive rate"}

    return CustomChart(
        "roc_curve", table, {"x": "fpr", "y": "tpr", "stroke": "class"}, strings
    )


def pr_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    interp_size: int = 21,
    title: str = "Precision-Recall Curve",
    split_table: bool = False,
) -> CustomChart:
    """
    Return each class' precision over its recall.

    Args:
        y_true: As `roc_curve`'s, and so are the next three.

        y_probas: Scores.

        labels: Names.

        classes_to_plot: Which classes.

        interp_size: At how many recalls.

        title: Stands above.

        split_table: Taken and unused.
    """
    import numpy as np

    recalls = np.linspace(0, 1, interp_size)[::-1]
    rows = []
    for name, positive, scores in _classes(y_true, y_probas, labels, classes_to_plot):
        found = curves.precision(positive, scores, recalls)
        rows += [[name, x, y] for x, y in zip(recalls.tolist(), found.tolist())]  # noqa: B905  # as long as each other
    table = Table(columns=["class", "recall", "precision"], data=rows)
    strings = {"title": title, "x": "Recall", "y": "Precision"}

    return CustomChart(
        "pr_curve",
        table,
        {"x": "recall", "y": "precision", "stroke": "class"},
        strings,
    )


def plot_table(
    vega_spec_name: str,
    data_table: Table,
    fields: dict[str, Any],
    string_fields: dict[str, Any] | None = None,
    split_table: bool = False,
) -> CustomChart:
    """Return a chart of a form of the user's own; its numbers are shown as a table."""
    return CustomChart(vega_spec_name, data_table, fields, string_fields or {})


def _classes(
    y_true: Any, y_probas: Any, labels: Sequence[str] | None, wanted: Any
) -> Iterable[tuple[Any, Any, Any]]:
    """Yield name, truth bool[n] and scores float64[n] of each class."""
    import numpy as np

    if y_true is None or y_probas is None:
        raise UsageError("The curve needs y_true and y_probas")
    truth = array(y_true).ravel()
    scores = np.asarray(array(y_probas), np.float64)
    classes = np.unique(truth)
    if scores.ndim == 1:  # of the second of two classes
        scores = np.stack([1 - scores, scores], axis=1)
    if len(scores) != len(truth) or scores.shape[1] < len(classes):
        raise UsageError(
            f"y_probas has the shape {scores.shape}, expected [{len(truth)}, "
            f"{len(classes)}]"
        )
    for number, label in enumerate(classes.tolist()):
        if wanted is None or label in list(wanted):
            is_number = labels is not None and not isinstance(label, str)
            name = labels[int(label)] if labels is not None and is_number else label
            yield name, truth == label, scores[:, number]
