"""The numbers of a classifier's charts, by nothing but NumPy."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from runstone.wandb.errors import UsageError


class Thresholds(NamedTuple):
    """How a classifier does at each of its scores, the highest first."""

    hits: Any
    """float64[n]: positives with at least this score."""

    alarms: Any
    """float64[n]: negatives with at least this score."""


def thresholds(is_positive: Any, scores: Any) -> Thresholds:
    """Count hits and false alarms at each distinct score."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    positive, score = is_positive[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    hits = np.cumsum(positive)[last].astype(np.float64)

    return Thresholds(hits, last + 1.0 - hits)


def roc(is_positive: Any, scores: Any) -> tuple[Any, Any]:
    """
    Return false positive and true positive rates, from (0, 0) to (1, 1).

    Points on a straight line between their neighbours are left out.
    """
    import numpy as np

    found = thresholds(is_positive, scores)
    hits = np.concatenate(([0.0], found.hits))
    alarms = np.concatenate(([0.0], found.alarms))
    bends = np.diff(hits)[:-1] * np.diff(alarms)[1:] != (
        np.diff(hits)[1:] * np.diff(alarms)[:-1]
    )
    kept = np.concatenate(([True], bends, [True]))

    return _share(alarms[kept]), _share(hits[kept])


def precision(is_positive: Any, scores: Any, recalls: Any) -> Any:
    """
    Return the interpolated precision at *recalls*.

    That is the best precision at this recall or a higher one.

    Source: Manning, Raghavan, Schütze, "Introduction to Information Retrieval",
    section 8.4; as W&B 0.31 draws it.
    """
    import numpy as np

    found = thresholds(is_positive, scores)
    reached = _share(found.hits)
    exact = found.hits / (found.hits + found.alarms)
    best = np.maximum.accumulate(exact[::-1])[::-1]
    place = np.searchsorted(reached, recalls, side="left")

    return best[np.minimum(place, len(best) - 1)]


def matrix(actual: Sequence[Any], predicted: Sequence[Any], names: list[str]) -> Any:
    """
    Return int64[class, class]: how often an actual class was taken for another.

    Classes are numbers of *names*, or names themselves.

    Raises:
        UsageError: A class is neither.
    """
    import numpy as np

    numbers = {name: place for place, name in enumerate(names)}

    def place(label: Any) -> int:
        found = numbers.get(label, -1) if isinstance(label, str) else int(label)
        if not 0 <= found < len(names):
            raise UsageError(f"The class {label!r} is none of {names}")
        return found

    counts = np.zeros((len(names), len(names)), np.int64)
    for one, other in zip(actual, predicted, strict=True):
        counts[place(one), place(other)] += 1

    return counts


def _share(counts: Any) -> Any:
    """Return counts as shares of the last one; NaN where there is nothing to count."""
    import numpy as np

    return counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan)
