"""What is measured: a workload is described once and runs against every peer."""

import functools
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from bench.data import Stage
from bench.peers import Peer
from bench.sizes import Sizes
from bench.stores import Database


Unit = Literal["/s", "s", "MiB/s", "MiB", "B/point"]
Turn = Callable[[], float]
Start = Callable[[Peer, Sizes], Turn]

T = TypeVar("T")

WARM_UP_SECONDS = 8


class WrongAnswer(Exception):
    """A peer was fast, but not right."""


@dataclass(frozen=True)
class Target:
    """
    What Runstone has to reach.

    Either `times` as good as `against` (the peer `mlflow`, or the name of
    another workload, meaning Runstone's own result there), or `at_most` in
    the workload's unit.
    """

    times: float = 1.0
    against: str = "mlflow"
    at_most: float | None = None


BOTH: tuple[Database, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One line of the report."""

    name: str
    title: str
    unit: Unit
    start: Start
    """Prepares a peer, untimed, and returns what does one turn and its value."""

    stage: Callable[[Sizes], Stage]
    targets: Mapping[Database, tuple[Target, ...]] = field(default_factory=dict)
    databases: tuple[Database, ...] = BOTH
    sides: tuple[str, ...] = ("mlflow", "runstone")
    repeats: bool = True
    """False where a second turn could only say the same."""

    @property
    def more_is_better(self) -> bool:
        """Rates are better when great, everything else when small."""
        return self.unit.endswith("/s")


@dataclass
class Result:
    """What came of one workload on one database."""

    workload: str
    database: Database
    values: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def median(self, side: str) -> float:
        """Median of a side's turns; NaN where it has none."""
        if side in self.errors or not self.values.get(side):
            return math.nan

        return statistics.median(self.values[side])


@dataclass(frozen=True)
class Bench:
    """Everything a whole run of the harness knows."""

    sizes: Sizes
    mlflow_python: Path
    cache: Path
    sides: tuple[str, ...]


def take_turns(
    workload: Workload, peers: Iterable[Peer], sizes: Sizes, result: Result
) -> None:
    """
    Let the peers do a workload by turns: one, the other, one, the other.

    The first turn of a peer is its warm-up and does not count, unless it took
    so long that nothing can still be cold.
    """
    turns: dict[str, Turn] = {}
    for peer in peers:
        if peer.side in workload.sides:
            prepare = functools.partial(_prepare, workload, peer, sizes)
            if turn := _guarded(result, peer.side, prepare):
                turns[peer.side] = turn

    spent = dict.fromkeys(turns, 0.0)
    for number in range(sizes.turns + 1 if workload.repeats else 1):
        for side, turn in turns.items():
            if side in result.errors or spent[side] > sizes.side_seconds:
                continue
            began = time.perf_counter()
            value = _guarded(result, side, turn)
            took = time.perf_counter() - began
            warms_up = workload.repeats and number == 0 and took < WARM_UP_SECONDS
            if value is None or warms_up:
                continue
            spent[side] += took
            result.values.setdefault(side, []).append(value)


def _prepare(workload: Workload, peer: Peer, sizes: Sizes) -> Turn:
    turn = workload.start(peer, sizes)
    peer.settle()

    return turn


def _guarded(result: Result, side: str, act: Callable[[], T]) -> T | None:
    try:
        return act()
    # A peer may fail in any way it likes; the report says so and goes on.
    except Exception as error:  # noqa: BLE001
        result.errors[side] = f"{type(error).__name__}: {error}"

        return None


def expect(answer: object, truth: object, what: str) -> None:
    """Raise WrongAnswer unless both are equal."""
    if answer != truth:
        raise WrongAnswer(f"{what} is {str(answer)[:200]}, expected {str(truth)[:200]}")


def seconds(act: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    act()

    return time.perf_counter() - began
