"""
What a logging library costs the training that calls it: one library, one process.

    python bench/loggers.py LIBRARY CALLS

Needs nothing but the library itself, so it runs in the library's own environment.
The store is named by the environment, as each library reads it.  Prints JSON.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


Log = Callable[[dict[str, float], int], object]
End = Callable[[], object]

VALUES = {
    "loss": 0.5,
    "accuracy": 0.3,
    "val/loss": 1.2,
    "val/accuracy": 0.8,
    "lr": 1e-4,
}


def runstone() -> tuple[Log, End]:
    """Ours, by MLflow's names; it returns when the call outlives the process."""
    library = import_module("runstone")

    library.set_experiment("bench")
    library.start_run()

    def end() -> None:
        library.end_run()
        assert import_module("runstone.sdk.session").session.flush()

    return lambda values, step: library.log_metrics(values, step=step), end


def runstone_wandb() -> tuple[Log, End]:
    """Ours, by W&B's names."""
    library = import_module("runstone.wandb")

    run = library.init(project="bench", settings={"console": "off"})

    def end() -> None:
        library.finish()
        assert import_module("runstone.sdk.session").session.flush()

    return lambda values, step: run.log(values, step=step), end


def mlflow() -> tuple[Log, End]:
    """MLflow against its server, as it is by default: each call is a request."""
    library = import_module("mlflow")

    library.set_experiment("bench")
    library.start_run()

    return lambda values, step: library.log_metrics(values, step=step), library.end_run


def wandb() -> tuple[Log, End]:
    """W&B, offline."""
    library = import_module("wandb")

    run = library.init(project="bench", mode="offline")

    return lambda values, step: run.log(values, step=step), run.finish


def trackio() -> tuple[Log, End]:
    """Trackio into its local database."""
    library = import_module("trackio")

    library.init(project="bench", embed=False)

    return lambda values, step: library.log(values, step=step), library.finish


def aim() -> tuple[Log, End]:
    """Aim into a local repository."""
    library = import_module("aim")
    run = library.Run(experiment="bench", system_tracking_interval=None)

    return lambda values, step: run.track(values, step=step), run.close


def tensorboardx() -> tuple[Log, End]:
    """TensorBoard's event files by tensorboardX."""
    writer = import_module("tensorboardX").SummaryWriter("tensorboard")

    def log(values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            writer.add_scalar(key, value, step)

    return log, writer.close


def swanlab() -> tuple[Log, End]:
    """SwanLab, offline."""
    library = import_module("swanlab")

    library.init(project="bench", mode="offline")

    return lambda values, step: library.log(values, step=step), library.finish


LIBRARIES: dict[str, Callable[[], tuple[Log, End]]] = {
    "runstone": runstone,
    "runstone-wandb": runstone_wandb,
    "mlflow": mlflow,
    "wandb": wandb,
    "trackio": trackio,
    "aim": aim,
    "tensorboardx": tensorboardx,
    "swanlab": swanlab,
}


def measure(name: str, calls: int) -> dict[str, Any]:
    """Log *calls* times and say what each part took."""
    before = _rss_mib()
    began = time.perf_counter()
    log, end = LIBRARIES[name]()
    begun = time.perf_counter()
    blocked = []
    values = dict(VALUES)
    for step in range(calls):
        values["loss"] = step * 0.1
        start = time.perf_counter_ns()
        log(values, step)
        blocked.append(time.perf_counter_ns() - start)
    logged = time.perf_counter()
    end()
    ended = time.perf_counter()
    blocked.sort()

    return {
        "begin_seconds": begun - began,
        "median_us": blocked[len(blocked) // 2] / 1000,
        "p99_us": blocked[min(len(blocked) * 99 // 100, len(blocked) - 1)] / 1000,
        "log_seconds": logged - begun,
        "end_seconds": ended - logged,
        "memory_mib": _rss_mib() - before,
    }


def _rss_mib() -> float:
    # Not the greatest so far: a new process inherits that of the one it came from.
    pages = int(Path("/proc/self/statm").read_text().split()[1])

    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    # What libraries print goes aside; the answer is the last line.
    out = os.dup(1)
    os.dup2(2, 1)
    answer = json.dumps(measure(sys.argv[1], int(sys.argv[2])))
    os.write(out, answer.encode() + b"\n")
