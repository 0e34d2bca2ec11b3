"""What is said of metrics ahead: their axis, and what of them stands in the summary."""

import fnmatch
import json
import math
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from runstone.wandb.errors import UsageError


Goal = Literal["minimize", "maximize"]
SUMMARIES: Final = ("min", "max", "mean", "last", "best", "first", "copy", "none")


class Metric(NamedTuple):
    """What was defined for a name, or for all that a pattern with `*` fits."""

    name: str
    step_metric: str | None = None
    """Name of the metric that is its axis."""

    step_sync: bool = True
    """Whether a row without the axis gets its last value."""

    hidden: bool = False
    summary: tuple[str, ...] = ()
    """Empty: the last value, as if nothing had been defined."""

    goal: Goal = "minimize"


class Seen(NamedTuple):
    """What was seen of one metric; numbers that are none count for nothing."""

    points: int = 0
    total: float = 0.0
    first: float = math.nan
    min: float = math.inf
    max: float = -math.inf

    def more(self, value: float) -> "Seen":
        """Return what is seen with one more value."""
        if math.isnan(value):
            return self

        return Seen(
            self.points + 1,
            self.total + value,
            self.first if self.points else value,
            min(self.min, value),
            max(self.max, value),
        )

    def said(self, word: str, goal: Goal) -> float:
        """Return what a word of `SUMMARIES` stands for."""
        if word == "best":
            return self.max if goal == "maximize" else self.min
        if word == "mean":
            return self.total / self.points

        found: float = getattr(self, word)

        return found


class Definitions:
    """All that was defined in a run."""

    def __init__(self) -> None:
        self._by_name: dict[str, Metric] = {}
        self._known: dict[str, Metric | None] = {}
        self._seen: dict[str, Seen] = {}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def define(self, metric: Metric, *, overwrite: bool) -> None:
        """
        Define a metric; what was defined before and is not said again stays.

        Raises:
            UsageError: The summary has a word that means nothing.
        """
        for word in metric.summary:
            if word not in SUMMARIES:
                raise UsageError(
                    f"summary has {word!r}, expected one of {', '.join(SUMMARIES)}"
                )
        before = self._by_name.get(metric.name)
        if before and not overwrite:
            metric = metric._replace(
                step_metric=metric.step_metric or before.step_metric,
                summary=metric.summary or before.summary,
                hidden=metric.hidden or before.hidden,
            )
        self._by_name[metric.name] = metric
        self._known.clear()

    def of(self, key: str) -> Metric | None:
        """Return what was defined for a metric; the full name goes before patterns."""
        if key not in self._known:
            self._known[key] = find(self._by_name, key)

        return self._known[key]

    def axes(
        self, values: Mapping[str, float], last: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the last value of each axis that *values* lack."""
        found = {}
        for key in values:
            metric = self.of(key)
            axis = metric.step_metric if metric and metric.step_sync else None
            if axis and axis not in values and axis in last:
                found[axis] = last[axis]

        return found

    def summaries(self, values: Mapping[str, float]) -> dict[str, float]:
        """Take in values and return the summaries that they change, such as `a.min`."""
        changed = {}
        for key, value in values.items():
            metric = self.of(key)
            words = [w for w in metric.summary if w in KEPT] if metric else []
            if not metric or not words:
                continue
            before = self._seen.get(key, Seen())
            now = self._seen[key] = before.more(float(value))
            for word in words if now.points else ():
                found = now.said(word, metric.goal)
                if not before.points or found != before.said(word, metric.goal):
                    changed[f"{key}.{word}"] = found

        return changed

    def text(self) -> str:
        """Return all of it as JSON."""
        return json.dumps({m.name: _said(m) for m in self._by_name.values()})


KEPT: Final = frozenset({"min", "max", "mean", "best", "first"})
"""Summaries that are metrics of their own; the others are seen from the metric."""


def find(by_name: Mapping[str, Metric], key: str) -> Metric | None:
    """Return what fits a key best."""
    if key in by_name:
        return by_name[key]
    fitting = (name for name in by_name if "*" in name and fnmatch.fnmatch(key, name))

    return next((by_name[name] for name in fitting), None)


def parsed(text: str | None) -> dict[str, Metric]:
    """Read what `Definitions.text` wrote."""
    try:
        found = json.loads(text or "{}")
        return {
            name: Metric(name, **{**said, "summary": tuple(said.get("summary", ()))})
            for name, said in found.items()
        }
    except (ValueError, TypeError, AttributeError):  # written by somebody else
        return {}


def _said(metric: Metric) -> dict[str, Any]:
    """Return what differs from no definition at all."""
    plain = Metric(metric.name)

    return {
        field: value
        for field, value in metric._asdict().items()
        if value != getattr(plain, field)
    }
