"""Workloads that log: single points, batches, whole runs."""

import itertools
import random
import time
from collections.abc import Iterator

import msgspec

from bench import client, data, fill
from bench.data import Stage
from bench.peers import API, Peer, RunAnswer
from bench.sizes import Sizes
from bench.workload import Target, Turn, Workload, expect


FIRST_STEP = 1_000_000_000
"""Steps of ten digits each, so that every body is equally long."""

BASE = b"7777777"
"""Stands in a template for the number of the batch."""

LOG_METRIC = (
    b'{"run_id":"%s","key":"loss","value":0.%09d,"timestamp":17%011d,"step":%d}'
)


class Metric(msgspec.Struct):
    """A latest metric of a run."""

    key: str
    value: float
    step: int = 0


class RunData(msgspec.Struct):
    """What a run holds."""

    metrics: list[Metric] = []
    params: list[object] = []
    tags: list[object] = []


class Status(msgspec.Struct):
    """The part of a run's info that is checked."""

    status: str


class RunBody(msgspec.Struct):
    """A run."""

    info: Status
    data: RunData


class GetRun(msgspec.Struct):
    """Answer of `runs/get`."""

    run: RunBody


def get_run(peer: Peer, run_id: str) -> RunBody:
    """Read one run back."""
    with peer.connect() as connection:
        body = connection.ask(client.request("GET", f"{API}/runs/get?run_id={run_id}"))

    return msgspec.json.decode(body, type=GetRun, strict=False).run


def points(run_id: str, steps: Iterator[int]) -> Iterator[bytes]:
    """Make log-metric requests without end."""
    run = run_id.encode()
    path = f"{API}/runs/log-metric"
    size = len(LOG_METRIC % (run, 0, 0, FIRST_STEP))
    start = client.head("POST", path, size)
    for step in steps:
        number = step * 7_919 % 1_000_000_000
        yield start + LOG_METRIC % (run, number, step, step)


def log_metric(peer: Peer, sizes: Sizes) -> Turn:
    """One client, one point a request."""
    run_id = peer.new_run()
    sent = 0

    def turn() -> float:
        nonlocal sent
        messages = points(run_id, itertools.count(FIRST_STEP + sent))
        done = client.alone(peer.port, messages, seconds=sizes.seconds)
        sent += done.answers
        latest = get_run(peer, run_id).data.metrics[0]
        expect(latest.step, FIRST_STEP + sent - 1, "latest step")

        return done.answers / done.seconds

    return turn


def log_metric_8(peer: Peer, sizes: Sizes) -> Turn:
    """Eight clients, a run each, one point a request."""
    run_ids = [peer.new_run() for _ in range(8)]
    last = dict.fromkeys(run_ids, FIRST_STEP - 1)

    def talk(run_id: str) -> client.Conversation:
        for message in points(run_id, itertools.count(last[run_id] + 1)):
            yield message
            last[run_id] += 1

    def turn() -> float:
        clients = [talk(run_id) for run_id in run_ids]
        done = client.together(peer.port, clients, seconds=sizes.seconds)
        for run_id in run_ids:
            latest = get_run(peer, run_id).data.metrics[0]
            expect(latest.step, last[run_id], "latest step")

        return done.answers / done.seconds

    return turn


def echo(peer: Peer, sizes: Sizes) -> Turn:
    """One client and the body of log-metric, answered by nothing at all."""

    def turn() -> float:
        messages = points("0" * 32, itertools.count(FIRST_STEP))
        done = client.alone(peer.port, messages, seconds=sizes.seconds)

        return done.answers / done.seconds

    return turn


def batches(run_id: str, numbers: Iterator[int]) -> Iterator[bytes]:
    """Make log-batch requests of 1,000 points, without end."""
    templates = [_batch(run_id, random.Random(seed)) for seed in range(16)]
    start = client.head("POST", f"{API}/runs/log-batch", len(templates[0]))
    for number in numbers:
        # A body is a template with its steps and times moved on: the values
        # come back every 16,000 points, the points never do.
        body = templates[number % 16].replace(BASE, b"%07d" % (1_000_000 + number))
        yield start + body


def _batch(run_id: str, source: random.Random) -> bytes:
    points = ",".join(
        f'{{"key":"loss","value":{source.uniform(0.1, 0.9):.16f},'
        f'"timestamp":170{BASE.decode()}{point:03d},"step":{BASE.decode()}{point:03d}}}'
        for point in range(1000)
    )

    return f'{{"run_id":"{run_id}","metrics":[{points}]}}'.encode()


def log_batch(peer: Peer, sizes: Sizes) -> Turn:
    """One client, 1,000 points a request."""
    return _log_batches(peer, sizes, peer.new_run())


def log_batch_deep(peer: Peer, sizes: Sizes) -> Turn:
    """The same into the run that is full already."""
    return _log_batches(peer, sizes, peer.run_ids("history")[0])


def _log_batches(peer: Peer, sizes: Sizes, run_id: str) -> Turn:
    sent = 0

    def turn() -> float:
        nonlocal sent
        messages = batches(run_id, itertools.count(sent))
        done = client.alone(peer.port, messages, seconds=sizes.seconds)
        sent += done.answers
        latest = get_run(peer, run_id).data.metrics[0]
        expect(latest.step, (1_000_000 + sent) * 1000 - 1, "latest step")

        return done.answers * 1000 / done.seconds

    return turn


def lifecycle(peer: Peer, sizes: Sizes) -> Turn:
    """One client: create with 10 tags, log 20 params and 20 metrics, finish."""
    experiment_id = peer.experiment_id("bench")
    run = next(data.searched(1))

    def turn() -> float:
        waited = 0.0
        runs = 0
        created = b""
        with peer.connect() as connection:
            while waited < sizes.seconds:
                talk = fill.conversation(run, experiment_id)
                created, took = _live(connection, talk)
                waited += took
                runs += 1
        _check_run(peer, created)

        return runs / waited

    return turn


def _live(
    connection: client.Connection, talk: client.Conversation
) -> tuple[bytes, float]:
    answers: list[bytes] = []
    waited = 0.0
    message: bytes | None = next(talk)
    while message:
        began = time.perf_counter()
        answers.append(connection.ask(message))
        waited += time.perf_counter() - began
        message = client.following(talk, answers[-1])

    return answers[0], waited


def _check_run(peer: Peer, created: bytes) -> None:
    run_id = msgspec.json.decode(created, type=RunAnswer).run.info.run_id
    run = get_run(peer, run_id)
    counts = len(run.data.params), len(run.data.metrics), run.info.status
    expect(counts, (20, 20, "FINISHED"), "the run")
    # MLflow adds one of its own, mlflow.runName.
    expect(len(run.data.tags) in {10, 11}, truth=True, what="having 10 tags")


def fresh(_: Sizes) -> Stage:
    """An empty store, made for this run."""
    return Stage("fresh", data.empty, read_only=False)


def deep(sizes: Sizes) -> Stage:
    """A store with one long series, to write on."""
    points = sizes.deep_points

    return Stage(f"deep_{points}", lambda: data.history(points), read_only=False)


WORKLOADS = [
    Workload(
        name="echo",
        title="bare ASGI echo of the log-metric body, 1 client",
        unit="/s",
        start=echo,
        stage=fresh,
        sides=("echo",),
    ),
    Workload(
        name="log-metric",
        title="log-metric, 1 client",
        unit="/s",
        start=log_metric,
        stage=fresh,
        targets={
            "sqlite": (Target(25), Target(0.5, against="echo")),
            "postgresql": (Target(5),),
        },
    ),
    Workload(
        name="log-metric-8",
        title="log-metric, 8 clients",
        unit="/s",
        start=log_metric_8,
        stage=fresh,
        targets={"sqlite": (Target(60),), "postgresql": (Target(20),)},
    ),
    Workload(
        name="log-batch",
        title="log-batch of 1,000 points, points",
        unit="/s",
        start=log_batch,
        stage=fresh,
        targets={"sqlite": (Target(75),), "postgresql": (Target(75),)},
    ),
    Workload(
        name="lifecycle",
        title="create run + 20 params + 10 tags + 20 metrics + finish, runs",
        unit="/s",
        start=lifecycle,
        stage=fresh,
        targets={"sqlite": (Target(35),)},
    ),
    Workload(
        name="log-batch-beside",
        title="log-batch of 1,000 points, new run beside one of 10 M, points",
        unit="/s",
        start=log_batch,
        stage=deep,
        sides=("runstone",),
    ),
    Workload(
        name="log-batch-deep",
        title="log-batch of 1,000 points, run holding 10 M already, points",
        unit="/s",
        start=log_batch_deep,
        stage=deep,
        sides=("runstone",),
        # "No slower" with a tenth for the noise of two measurements.
        targets={
            "sqlite": (Target(0.9, against="log-batch-beside"),),
            "postgresql": (Target(0.9, against="log-batch-beside"),),
        },
    ),
]
