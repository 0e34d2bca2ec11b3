"""What a peer costs at rest: memory, time to start, bytes on disk."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import artifacts, data
from bench.data import Floats, Stage
from bench.peers import Peer, Side, command, environment
from bench.sizes import Sizes
from bench.workload import Target, Turn, Workload, seconds
from bench.writing import fresh


MIB = 1 << 20


def idle_memory(peer: Peer, _: Sizes) -> Turn:
    """Resident memory of all processes, nothing being asked."""

    def turn() -> float:
        time.sleep(0.2)

        return peer.rss_bytes() / MIB

    return turn


def upload_memory(peer: Peer, sizes: Sizes) -> Turn:
    """Greatest resident memory while a big file is sent, above that before."""
    send = artifacts.upload(peer, sizes)

    def turn() -> float:
        before = peer.rss_bytes()
        with _peak(peer) as peak:
            send()

        return max(0.0, max(peak) - before) / MIB

    return turn


@contextlib.contextmanager
def _peak(peer: Peer) -> Iterator[list[int]]:
    seen = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            seen[0] = max(seen[0], peer.rss_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def start_up(peer: Peer, _: Sizes) -> Turn:
    """Seconds from the call to the first answer, on a store that exists already."""
    return lambda: peer.start_seconds


def version(side: Side, mlflow_python: Path) -> str:
    """Return what `--version` of a peer says and the best time of three calls."""
    words = [*command(side, mlflow_python), "--version"]
    said = ""

    def call() -> None:
        nonlocal said
        said = subprocess.run(
            words, check=True, capture_output=True, text=True, env=environment(side)
        ).stdout.strip()

    try:
        took = min(seconds(call) for _ in range(3))
    except OSError as error:
        return f"unknown: {error.strerror}"
    except subprocess.CalledProcessError as error:
        return f"unknown: `--version` exits with {error.returncode}"

    return f"{said} (`--version` took {took:.2f} s)"


def disk(peer: Peer, sizes: Sizes) -> Turn:
    """Bytes of the store for each point, once the server has gone quiet."""
    store = peer.store
    assert store
    peer.settle(looks=24)

    return lambda: store.size_bytes() / sizes.disk_points


def _disk_stage(name: str, values: Floats) -> Stage:
    run = data.series_run("disk", 0, values)

    return Stage(f"disk_{name}_{len(values)}", lambda: iter([run]))


def float32_disk(sizes: Sizes) -> Stage:
    """Losses of a training in float32."""
    return _disk_stage("float32", data.losses(sizes.disk_points))


def noise_disk(sizes: Sizes) -> Stage:
    """Noise in float64."""
    return _disk_stage("noise", data.noise(sizes.disk_points))


WORKLOADS = [
    Workload(
        name="start-up",
        title="start: call to first answered /health",
        unit="s",
        start=start_up,
        stage=fresh,
        repeats=False,
    ),
    Workload(
        name="memory-idle",
        title="memory, idle (sum of RSS of the process tree)",
        unit="MiB",
        start=idle_memory,
        stage=fresh,
    ),
    Workload(
        name="memory-upload",
        title="memory a 256 MiB upload adds at its peak",
        unit="MiB",
        start=upload_memory,
        stage=fresh,
        databases=("sqlite",),
        targets={"sqlite": (Target(at_most=32),)},
    ),
    Workload(
        name="disk-float32",
        title="disk, losses born as float32",
        unit="B/point",
        start=disk,
        stage=float32_disk,
        repeats=False,
    ),
    Workload(
        name="disk-noise",
        title="disk, full-entropy float64",
        unit="B/point",
        start=disk,
        stage=noise_disk,
        repeats=False,
    ),
]
