"""
Measure what logging costs the training, beside other libraries.

    python -m bench.training setup          once: install the peers into .cache
    python -m bench.training                all; renews its part of bench/RESULTS.md

Each library runs in processes of its own, by turns with the others.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from bench import page, peers
from bench.loggers import LIBRARIES
from bench.peers import Side
from bench.stores import SqliteStore


LOGGERS: Final = Path(__file__).with_name("loggers.py")
CACHE: Final = peers.ROOT / ".cache" / "bench-loggers"
PACKAGES: Final = ("wandb", "trackio", "aim", "tensorboardX", "swanlab")
MODULES: Final = {
    "runstone": "runstone",
    "runstone-wandb": "runstone.wandb",
    "tensorboardx": "tensorboardX",
}
"""What is imported, where it is not the library's name."""

CALLS: Final = {"mlflow": 300}
"""MLflow asks its server each time, so thousands would take minutes."""

MOST_CALLS: Final = 10_000


class Asked(NamedTuple):
    """A goal, and how to read it."""

    figure: str
    title: str
    unit: str
    at_most: float


GOALS: Final = (
    Asked("median_us", "blocked by a call of 5 scalars, median", "µs", 5),
    Asked("p99_us", "blocked by a call of 5 scalars, p99", "µs", 50),
    Asked("committed", "10,000 calls until all is on the server", "s", 1),
    Asked("import", "import, in a new process", "ms", 60),
    Asked("first", "first log of a script: import, begin, log, finish", "s", 0.3),
    Asked("memory_mib", "memory added by begin and 10,000 calls", "MiB", 30),
)


@click.command()
@click.argument("what", default="all", type=click.Choice(["all", "setup"]))
@click.option("--peers-python", type=Path, default=CACHE / "bin" / "python")
@click.option("--mlflow-python", type=Path, help="With MLflow and its server.")
@click.option("--turns", default=5, show_default=True)
@click.option("--only", default="", help="Libraries, comma-separated.")
def main(
    what: str, peers_python: Path, mlflow_python: Path | None, turns: int, only: str
) -> None:
    """Measure every library and write the table."""
    if what == "setup":
        venv.create(CACHE, with_pip=True)
        pip = [str(CACHE / "bin" / "python"), "-m", "pip", "install"]
        subprocess.run([*pip, *PACKAGES], check=True)
        return
    pythons = dict.fromkeys(LIBRARIES, peers_python)
    pythons |= dict.fromkeys(("runstone", "runstone-wandb"), Path(sys.executable))
    if mlflow_python:
        pythons["mlflow"] = mlflow_python
    else:
        del pythons["mlflow"]
    chosen = only.split(",") if only else list(pythons)
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in chosen}
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder), pythons) as to:
        for turn in range(turns):
            for name in chosen:
                for figure, value in _turn(name, pythons[name], to, folder).items():
                    figures[name].setdefault(figure, []).append(value)
                click.echo(f"turn {turn + 1}: {name} done", err=True)
    command = "python -m bench.training"
    busy = f"Load average at the end: {os.getloadavg()[0]:.1f}."
    text = f"{table(figures)}\n\nMedians of {turns} turns. {busy}"
    page.put("logging", "Logging, from the training's side", command, text)


@contextlib.contextmanager
def _servers(folder: Path, pythons: Mapping[str, Path]) -> Iterator[Mapping[str, str]]:
    """Start our server and MLflow's, and say where they are."""
    sides: list[Side] = ["runstone"]
    if "mlflow" in pythons:
        sides.append("mlflow")
    with contextlib.ExitStack() as stack:
        to: dict[str, str] = {}
        for side in sides:
            store = SqliteStore(folder / side)
            store.clear()
            python = pythons.get("mlflow", Path(sys.executable))
            peer = stack.enter_context(peers.serve(side, store, python))
            to[side] = f"http://127.0.0.1:{peer.port}"
        yield to


def _turn(
    name: str, python: Path, to: Mapping[str, str], folder: str
) -> dict[str, float]:
    """Measure one library once."""
    environ = {**os.environ, **_environment(name, to, folder)}
    calls = CALLS.get(name, MOST_CALLS)
    found = _run(python, [str(LOGGERS), name, str(calls)], environ, folder)
    found["committed"] = (found["log_seconds"] + found["end_seconds"]) * (
        MOST_CALLS / calls
    )
    module = MODULES.get(name, name)
    script = (
        "import time; t = time.perf_counter(); "
        f"import {module}; print((time.perf_counter() - t) * 1000)"
    )
    done = subprocess.run(
        [python, "-c", script], env=environ, cwd=folder, capture_output=True, check=True
    )
    found["import"] = float(done.stdout.split()[-1])
    began = time.perf_counter()
    _run(python, [str(LOGGERS), name, "1"], environ, folder)
    found["first"] = time.perf_counter() - began

    return found


def _run(
    python: Path, arguments: Sequence[str], environ: Mapping[str, str], folder: str
) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), *arguments],
        env=environ,
        cwd=folder,
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])

    return found


def _environment(name: str, to: Mapping[str, str], folder: str) -> dict[str, str]:
    return {
        "PYTHONPATH": str(peers.ROOT / "src") if name.startswith("runstone") else "",
        "RUNSTONE_TRACKING_URI": to["runstone"],
        "RUNSTONE_SPOOL": f"{folder}/spool",
        "MLFLOW_TRACKING_URI": to.get("mlflow", ""),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WANDB_SILENT": "true",
        "TRACKIO_DIR": f"{folder}/trackio",
    }


def table(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Write the medians of all turns, a line for each goal."""
    names = list(figures)
    lines = [
        "| what | goal | " + " | ".join(names) + " |",
        "| --- | ---: |" + " ---: |" * len(names),
    ]
    for goal in GOALS:
        cells = []
        for name in names:
            values = figures[name].get(goal.figure, [])
            cells.append(f"{statistics.median(values):.3g}" if values else "-")
        reached = _reached(goal, figures)
        lines.append(
            f"| {goal.title} ({goal.unit}){reached} | ≤ {goal.at_most:g} | "
            + " | ".join(cells)
            + " |"
        )

    return "\n".join(lines)


def _reached(goal: Asked, figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    values = figures.get("runstone", {}).get(goal.figure, [])
    if not values or statistics.median(values) <= goal.at_most:
        return ""

    return " **not reached**"


if __name__ == "__main__":
    main()
