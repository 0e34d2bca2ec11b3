"""
System metrics: how busy the machine and the process are, beside the curves.

Names and units are MLflow's (`mlflow/system_metrics`, MLflow 3.18) where it has
them; what begins with `process_` is ours.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from runstone import errors
from runstone.sdk import calls, door, forks, options, ranks
from runstone.sdk.capture.gpus import Gpus
from runstone.sdk.run import Run


END_SECONDS = 1.0


class Monitor:
    """
    Measures now and then, in a thread.

    Args:
        run: Where the points go.

        is_old: Whether the run goes on that was begun before, so that its steps do.
    """

    def __init__(self, run: Run, *, is_old: bool = False) -> None:
        self._run = run
        self._is_old = is_old
        self._ending = threading.Event()
        self._prefix = _prefix()
        self._thread = threading.Thread(
            target=self._work, name="runstone-system", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Stop measuring."""
        self._ending.set()
        self._thread.join(END_SECONDS)

    def _work(self) -> None:
        # A broken driver must not show up in the output of the training.
        with suppress(Exception):
            with forks.importing:
                meter = Meter()
            step = self._first_step() if self._is_old else 0
            while (values := self._sampled(meter)) is not None:
                named = {self._prefix + key: value for key, value in values.items()}
                self._run.log(named, step=step)
                step += 1

    def _sampled(self, meter: "Meter") -> dict[str, float] | None:
        """Return the mean of some measurements; None once it has ended."""
        samples = []
        for _ in range(options.system_samples()):
            if self._ending.wait(options.system_seconds()):
                return None
            samples.append(meter.read())

        return {
            key: round(
                sum(sample.get(key, 0.0) for sample in samples) / len(samples), 3
            )
            for key in samples[-1]
        }

    def _first_step(self) -> int:
        """Return the step behind the last one that the server knows."""
        with suppress(errors.RunstoneError, LookupError, OSError):
            to = door.to(self._run.tracking_uri)
            found: Any = calls.ask(to, "GET", "runs/get", {"run_id": self._run.id})
            metrics = found["run"]["data"].get("metrics", [])
            steps = [
                int(item["step"])
                for item in metrics
                if item["key"].startswith(self._prefix)
            ]
            return max(steps, default=-1) + 1

        return 0


class Meter:
    """Reads the counters of the machine and of this process."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil
        self._process = psutil.Process()
        self._gpus = Gpus()
        self._network = psutil.net_io_counters()
        self._disk = psutil.disk_io_counters()
        psutil.cpu_percent()  # the first answer means nothing: it is since when
        self._process.cpu_percent()

    def read(self) -> dict[str, float]:
        """Return every metric by its name, without prefix."""
        psutil = self._psutil
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(os.sep)
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / 1e6,
            "disk_available_megabytes": disk.free / 1e6,
        }
        with suppress(AttributeError, TypeError, psutil.Error):  # not on every system
            network = psutil.net_io_counters()
            values["network_receive_megabytes"] = (
                network.bytes_recv - self._network.bytes_recv
            ) / 1e6
            values["network_transmit_megabytes"] = (
                network.bytes_sent - self._network.bytes_sent
            ) / 1e6
        with suppress(AttributeError, TypeError, psutil.Error):
            counters: Any = psutil.disk_io_counters()
            before: Any = self._disk
            values["disk_read_megabytes"] = (
                counters.read_bytes - before.read_bytes
            ) / 1e6
            values["disk_write_megabytes"] = (
                counters.write_bytes - before.write_bytes
            ) / 1e6
        with suppress(psutil.Error):
            values |= self._own()

        return values | self._gpus.read()

    def _own(self) -> dict[str, float]:
        process = self._process
        with process.oneshot():
            return {
                "process_cpu_percentage": process.cpu_percent(),
                "process_memory_megabytes": process.memory_info().rss / 1e6,
                "process_threads": float(process.num_threads()),
            }


def follow(run: Run, *, is_old: bool = False) -> Callable[[], None]:
    """Measure beside a run; the answer ends that."""
    return Monitor(run, is_old=is_old).end


def _mean(samples: list[dict[str, float]], key: str) -> float:
    values = [sample[key] for sample in samples if key in sample]

    return sum(values) / len(values)


def _prefix() -> str:
    """Return what goes before a name: ranks and nodes are told apart."""
    node = os.environ.get("MLFLOW_SYSTEM_METRICS_NODE_ID", "")
    rank = ranks.here().rank
    named = node or (f"rank_{rank}" if rank else "")

    return f"system/{named}/" if named else "system/"
