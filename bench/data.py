"""
The runs every peer is filled with, made from a seed.

The same description is written into MLflow's tables by SQL and sent to
Runstone over HTTP, and it is what answers are checked against.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


Floats = npt.NDArray[np.float64]

START_MS = 1_700_000_000_000
N_ESTIMATORS = [str(100 * number) for number in range(1, 11)]
OPTIMIZERS = ["adam", "adamw", "sgd", "lion"]
MODELS = ["resnet", "vit", "mlp", "unet", "forest"]


class Run(NamedTuple):
    """A finished run; point number i of a series has step i and time start + i."""

    experiment: str
    name: str
    start_ms: int
    params: dict[str, str]
    tags: dict[str, str]
    series: dict[str, Floats]

    @property
    def end_ms(self) -> int:
        """End of the run, in milliseconds since the epoch."""
        return self.start_ms + max(map(len, self.series.values()), default=0)


class Registry(NamedTuple):
    """How many models there are, and how many versions each has."""

    models: int
    versions: int


@dataclass(frozen=True)
class Stage:
    """What a store holds before a workload runs on it."""

    name: str
    runs: Callable[[], Iterator[Run]]
    read_only: bool = True
    registry: Registry | None = None


class Table(NamedTuple):
    """The numbers of `searched` runs, a row per run."""

    n_estimators: npt.NDArray[np.str_]
    metrics: Floats

    @property
    def accuracy(self) -> Floats:
        """Metric `accuracy` of each run."""
        return self.metrics[:, 0]

    @property
    def f1(self) -> Floats:
        """Metric `f1` of each run: near `accuracy`, with noise."""
        return self.metrics[:, 1]


def empty() -> Iterator[Run]:
    """Nothing at all."""
    return iter(())


def losses(points: int, *, seed: int = 0) -> Floats:
    """A falling training loss with noise, born as float32."""
    steps = np.arange(points)
    noise = np.random.default_rng(seed).normal(0, 0.02, points)
    curve = 2.0 * np.exp(-steps / (points / 5)) + 0.3 + noise

    return curve.astype(np.float32).astype(np.float64)


def noise(points: int, *, seed: int = 0) -> Floats:
    """Full-entropy float64 around 0.5: nothing to compress but the exponent."""
    return np.random.default_rng(seed).uniform(0.49, 0.51, points)


def series_run(experiment: str, number: int, values: Floats) -> Run:
    """One run with one series `loss`."""
    name = f"run-{number:06d}"

    return Run(experiment, name, START_MS + number * 1000, {}, {}, {"loss": values})


def history(points: int) -> Iterator[Run]:
    """One run of one long series."""
    yield series_run("history", 0, losses(points))


def charts(runs: int, points: int) -> Iterator[Run]:
    """Some runs of one series each."""
    for number in range(runs):
        yield series_run("charts", number, losses(points, seed=number))


def table(runs: int) -> Table:
    """Draw the numbers of `searched(runs)`."""
    source = np.random.default_rng(20_000 + runs)
    metrics = source.random((runs, 20))
    metrics[:, 0] = source.uniform(0.5, 1.0, runs)
    metrics[:, 1] = metrics[:, 0] + source.normal(0, 0.02, runs)

    return Table(source.choice(N_ESTIMATORS, runs), metrics)


def searched(runs: int) -> Iterator[Run]:
    """Runs with 20 params, 10 tags and 20 metrics each, to search in."""
    drawn = table(runs)
    for number, row in enumerate(drawn.metrics):
        yield summary(number, str(drawn.n_estimators[number]), row)


def summary(number: int, n_estimators: str, metrics: Floats) -> Run:
    """One run of 20 params, 10 tags and 20 metrics of one point."""
    params = {
        "n_estimators": n_estimators,
        "optimizer": OPTIMIZERS[number % 4],
        "learning_rate": f"{10 ** -(1 + number % 5):g}",
    } | {f"param_{key:02d}": str(number * key % 997) for key in range(3, 20)}
    tags = {"model": MODELS[number % 5], "team": f"team-{number % 7}"} | {
        f"tag_{key}": f"value-{number * key % 101}" for key in range(2, 10)
    }
    keys = ["accuracy", "f1", *(f"metric_{key:02d}" for key in range(2, 20))]
    series = {key: metrics[at : at + 1] for at, key in enumerate(keys)}

    return Run(
        "search", run_name(number), START_MS + number * 1000, params, tags, series
    )


def run_name(number: int) -> str:
    """Name of run *number*: the same at every peer, as ids are not."""
    return f"run-{number:06d}"


def found(runs: int, limit: int) -> list[str]:
    """Name what `metrics.accuracy > 0.9 AND params.n_estimators = '100'` finds."""
    drawn = table(runs)
    rows = np.flatnonzero((drawn.accuracy > 0.9) & (drawn.n_estimators == "100"))
    best = rows[np.argsort(-drawn.f1[rows])]

    return [run_name(int(row)) for row in best[:limit]]


def ordered(runs: int, limit: int) -> list[str]:
    """Name the runs of greatest `f1`."""
    return [run_name(int(row)) for row in np.argsort(-table(runs).f1)[:limit]]


def newest(runs: int, limit: int, *, skip: int = 0) -> list[str]:
    """Name the runs that started last, which is the order a search has unasked."""
    last = runs - 1 - skip

    return [run_name(number) for number in range(last, max(last - limit, -1), -1)]


def model_name(number: int) -> str:
    """Name model *number*."""
    return f"model-{number:05d}"


def champion(number: int, versions: int) -> int:
    """Return the version of model *number* that has the alias `champion`."""
    return 1 + number * 7 % versions


def model_source(number: int, version: int) -> str:
    """Say where the files of a version would lie."""
    return f"s3://bench/{number}/{version}"
