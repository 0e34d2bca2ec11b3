"""Start and stop the servers that are compared."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import psutil

from bench import client, ports
from bench.stores import Store


Side = Literal["mlflow", "runstone"]
T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
API = "/api/2.0/mlflow"

MARK = "RUNSTONE_BENCH"
"""Environment variable by which a server's processes are known as ours."""


class NotStarted(Exception):
    """A server did not come up."""


class ExperimentInfo(msgspec.Struct):
    """The part of an experiment that is needed here."""

    experiment_id: str


class ExperimentAnswer(msgspec.Struct):
    """Answer of `experiments/get-by-name`."""

    experiment: ExperimentInfo


class RunInfo(msgspec.Struct):
    """The part of a run's info that is compared."""

    run_id: str
    run_name: str = ""


class FoundRun(msgspec.Struct):
    """A run."""

    info: RunInfo


class RunAnswer(msgspec.Struct):
    """Answer of `runs/create`."""

    run: FoundRun


class SearchAnswer(msgspec.Struct):
    """Answer of `runs/search`."""

    runs: list[FoundRun] = []
    next_page_token: str = ""

    @property
    def names(self) -> list[str]:
        """Names of the runs, in the order of the answer."""
        return [run.info.run_name for run in self.runs]


@dataclass(frozen=True)
class Peer:
    """A server that runs."""

    side: str
    port: int
    process: subprocess.Popen[bytes]
    start_seconds: float
    store: Store | None = None
    client_python: Path | None = None
    """Python of an environment that has MLflow's client."""

    def connect(self) -> client.Connection:
        """Open one connection."""
        return client.Connection(self.port)

    def post(self, path: str, message: object, answer: type[T]) -> T:
        """Ask one thing of MLflow's API."""
        body = msgspec.json.encode(message)
        with self.connect() as connection:
            reply = connection.ask(client.request("POST", API + path, body))

        return msgspec.json.decode(reply, type=answer, strict=False)

    def experiment_id(self, name: str) -> str:
        """Return the id of the experiment with this name, made if it is not there."""
        path = f"{API}/experiments/get-by-name?experiment_name={name}"
        with self.connect() as connection:
            try:
                reply = connection.ask(client.request("GET", path))
            except client.Refused:
                return self.post(
                    "/experiments/create", {"name": name}, ExperimentInfo
                ).experiment_id

        return msgspec.json.decode(
            reply, type=ExperimentAnswer
        ).experiment.experiment_id

    def new_run(self, experiment: str = "bench") -> str:
        """Create a run and return its id."""
        message = {
            "experiment_id": self.experiment_id(experiment),
            "start_time": int(time.time() * 1000),
        }

        return self.post("/runs/create", message, RunAnswer).run.info.run_id

    def run_ids(self, experiment: str) -> list[str]:
        """Return the ids of an experiment's runs in order of their names."""
        message = {
            "experiment_ids": [self.experiment_id(experiment)],
            "max_results": 1000,
        }
        runs = self.post("/runs/search", message, SearchAnswer).runs
        runs.sort(key=lambda run: run.info.run_name)

        return [run.info.run_id for run in runs]

    def processes(self) -> list[psutil.Process]:
        """Return the server and all its children."""
        try:
            root = psutil.Process(self.process.pid)

            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def rss_bytes(self) -> int:
        """Sum the resident memory of the process tree; shared pages count each time."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss

        return total

    def settle(self, *, looks: int = 3, timeout_seconds: float = 180) -> None:
        """
        Wait until the server was quiet at *looks* looks, half a second apart.

        Runstone compacts a run that got nothing for eight seconds.
        """
        deadline = time.monotonic() + timeout_seconds
        quiet = 0
        while quiet < looks and time.monotonic() < deadline:
            before = self._cpu_seconds()
            time.sleep(0.5)
            quiet = quiet + 1 if self._cpu_seconds() - before < 0.05 else 0

    def _cpu_seconds(self) -> float:
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system

        return total


def command(side: Side, mlflow_python: Path) -> list[str]:
    """Return how a peer's program is called."""
    if side == "mlflow":
        return [str(mlflow_python), "-m", "mlflow"]

    return [sys.executable, "-m", "runstone"]


def environment(side: str) -> dict[str, str]:
    """Return the environment a peer runs in: Runstone is the one of this checkout."""
    variables = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    variables.pop("PYTHONPATH", None)
    if side != "mlflow":
        variables["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])

    return variables


@contextlib.contextmanager
def serve(side: Side, store: Store, mlflow_python: Path) -> Iterator[Peer]:
    """Start MLflow or Runstone on *store*; end it and its children afterwards."""
    port = ports.free()
    words = [
        *command(side, mlflow_python),
        *("server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", store.uri),
        *("--artifacts-destination", str(store.files)),
    ]
    if side == "mlflow":
        words += ["--workers", "1"]
    with _started(side, words, port, store) as peer:
        yield dataclasses.replace(peer, client_python=mlflow_python)


@contextlib.contextmanager
def echo() -> Iterator[Peer]:
    """Start the bare ASGI application."""
    port = ports.free()
    words = [
        *(sys.executable, "-m", "uvicorn", "bench.echo:app", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning"),
    ]
    with _started("echo", words, port, None) as peer:
        yield peer


@contextlib.contextmanager
def _started(
    side: str, words: list[str], port: int, store: Store | None
) -> Iterator[Peer]:
    folder = store.files.parent if store else ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{side}.log"
    mark = uuid.uuid4().hex
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment(side) | {MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_health(side, process, port, log)
        yield Peer(side, port, process, time.perf_counter() - began, store)
    finally:
        stop(process, mark)


def _await_health(
    side: str, process: subprocess.Popen[bytes], port: int, log: Path
) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with client.Connection(port, timeout_seconds=10) as connection:
                connection.ask(client.request("GET", "/health"))
                return
        except (OSError, client.Refused):
            time.sleep(0.02)
    last = log.read_text(errors="replace").strip().splitlines()[-3:]

    raise NotStarted(f"{side} did not start: {' | '.join(last) or 'it said nothing'}")


def stop(process: subprocess.Popen[bytes], mark: str) -> None:
    """End a server that we started, and every process it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    # MLflow's job consumers have sessions of their own and outlive it.
    while left := marked(mark):
        for child in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(left, timeout=10)
    process.wait()


def marked(mark: str) -> list[psutil.Process]:
    """Find the processes that carry our mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                found.append(process)

    return found
