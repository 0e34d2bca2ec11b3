"""What a run logs: rows of numbers and media at steps, and their summary."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from runstone.sdk.run import Run as Core
from runstone.wandb import definitions, labels, summaries
from runstone.wandb.data_types.media import Keeper
from runstone.wandb.definitions import Definitions, Metric
from runstone.wandb.errors import UsageError
from runstone.wandb.summaries import Summary
from runstone.wandb.values import NUMBERS, row


class History:
    """
    The rows of a run.

    Steps are counted, one a call of `log`, where the caller names none.  A step that
    is named may be any, also an earlier one; what is logged twice at a step is kept
    twice, and the later counts.

    Args:
        core: The run of ours.

        keeper: Stores its files.
    """

    def __init__(self, core: Core, keeper: Keeper) -> None:
        self._core = core
        self.keeper = keeper
        self._lock = threading.RLock()
        self._step = 0
        self._first_step = 0
        self._top_step = -1
        self._time_ms = 0
        self._finished = False
        self._definitions = Definitions()
        self._shown: dict[str, Any] = {}
        self._put: dict[str, Any] = {}
        self._own: set[str] = set()
        self.summary = Summary(self._read_summary, self._write_summary)

    @property
    def step(self) -> int:
        """The step of the next call that names none."""
        return self._step

    @property
    def starting_step(self) -> int:
        """The step it began with."""
        return self._first_step

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        """
        Log values at a step.

        Args:
            data: Numbers, texts, arrays, media, and dicts of them, by name.

            step: Any step, also an earlier one: it is kept.  Without it steps are
                counted, one a call.

            commit: False leaves the next call at the same step.

            sync: Taken and unused, as nothing waits here.

        Raises:
            UsageError: The run has ended.
            ValueError: It is no dict with names.
        """
        is_plain = isinstance(data, dict) and NUMBERS.issuperset(
            map(type, data.values())
        )
        if not is_plain or self._definitions or self._finished:
            self._log_any(data, step, commit)
            return
        with self._lock:
            if step is None and commit is None:  # as nearly always: not a call more
                at = self._step
                self._step = at + 1
            else:
                at = self._turn(step, commit)
            is_new = at > self._top_step
            if is_new:
                self._top_step = at
                self._time_ms = time.time_ns() // 1_000_000
        try:
            if is_new:
                self._core.log(data, step=at, time_ms=self._time_ms)
            else:
                self._log_numbers(dict(data), at)
        except TypeError:
            raise _nameless(data) from None

    def log_points(
        self, values: Mapping[str, float], *, step: int, time_ms: int
    ) -> None:
        """Log numbers that were measured elsewhere, at their own step and time."""
        self._core.log(values, step=step, time_ms=time_ms)
        self._count(step)

    def log_body(
        self, key: str, body: Mapping[str, object], *, step: int | None = None
    ) -> None:
        """Log a body of media as it is."""
        at = self._step if step is None else step
        self._core.log_media(key, body, step=at)
        self._count(at)

    def define_metric(
        self,
        name: str,
        step_metric: "str | Metric | None" = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
    ) -> Metric:
        """
        Say how a metric is drawn and what of it stands in the summary.

        Args:
            name: Of the metric, or a pattern with `*`.

            step_metric: Name of the metric that is its axis.

            step_sync: Whether a row without the axis gets the axis' last value.

            hidden: Whether it is not drawn by itself.

            summary: Of min, max, mean, last, best, first, copy, none; with commas.

            goal: "minimize" or "maximize", which "best" needs.

            overwrite: Whether what was defined before is forgotten.
        """
        axis = step_metric.name if isinstance(step_metric, Metric) else step_metric
        words = (word.strip() for word in (summary or "").split(","))
        metric = Metric(
            name,
            axis,
            step_sync=True if step_sync is None else step_sync,
            hidden=bool(hidden),
            summary=tuple(word for word in words if word),
            goal="maximize" if str(goal).startswith("max") else "minimize",
        )
        with self._lock:
            self._definitions.define(metric, overwrite=bool(overwrite))
            self._core.set_tags({labels.METRICS: self._definitions.text()})

        return metric

    def go_on(
        self, step: int, *, last: Mapping[str, float], put: Mapping[str, Any]
    ) -> None:
        """Go on behind what an earlier process logged."""
        self._step = self._first_step = step
        self._top_step = step - 1
        self._put.update(put)
        for key, value in last.items():
            self._core.last.setdefault(key, value)

    def _log_any(
        self, data: Mapping[str, Any], step: int | None, commit: bool | None
    ) -> None:
        if self._finished:
            raise UsageError("The run has ended; begin another with wandb.init()")
        if not _is_named(data):
            raise _nameless(data)
        with self._lock:
            at = self._turn(step, commit)
            found = row(data, self.keeper)
            self._log_numbers(found.numbers, at)
            for key, body in found.bodies.items():
                self._core.log_media(key, body, step=at)
            self._shown.update(found.shown)

    def _turn(self, step: int | None, commit: bool | None) -> int:
        """Return the step of this call, and count on."""
        at = self._step if step is None else int(step)
        ends = step is None if commit is None else commit
        self._count(at + 1 if ends else at)

        return at

    def _count(self, step: int) -> None:
        with self._lock:
            self._step = max(self._step, step)

    def _log_numbers(self, numbers: dict[str, float], at: int) -> None:
        if not numbers:
            return
        # Where a step is said twice, the later value counts: their times must differ.
        self._time_ms = max(time.time_ns() // 1_000_000, self._time_ms + 1)
        changed: dict[str, float] = {}
        if self._definitions:
            numbers.update(self._definitions.axes(numbers, self._core.last))
            changed = self._definitions.summaries(numbers)
        self._top_step = max(self._top_step, at)
        if at == self._top_step:
            numbers.update(changed)
        else:  # what comes late changes the summary now
            self._core.log(changed, step=self._top_step, time_ms=self._time_ms)
        self._core.log(numbers, step=at, time_ms=self._time_ms)

    def _read_summary(self) -> Mapping[str, Any]:
        defined = definitions.parsed(self._core.tags.get(labels.METRICS))

        return summaries.view({**self._core.last, **self._shown}, self._put, defined)

    def _write_summary(self, values: Mapping[str, Any]) -> None:
        """Keep what people put there; a number that no series has becomes one."""
        with self._lock:
            for key, value in values.items():
                self._put.pop(key, None)
                if value is None:
                    continue
                self._put[key] = value
                fits = key in self._own or key not in self._core.last
                if type(value) in NUMBERS and fits:
                    self._own.add(key)
                    self._log_numbers({key: value}, max(self._top_step, 0))
            self._core.set_tags({labels.SUMMARY: summaries.written(self._put)})


def _is_named(data: object) -> bool:
    return isinstance(data, Mapping) and all(isinstance(key, str) for key in data)


def _nameless(data: object) -> ValueError:
    kind = type(data).__name__

    return ValueError(f"log takes a dict with texts as names, not {kind}: {data!r:.80}")
