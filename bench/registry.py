"""Workloads on models: reads of a full registry, and a real client end to end."""

import math
import os
import statistics
import subprocess
import time
import urllib.parse
from collections.abc import Callable

import msgspec

from bench import client, data
from bench.data import Registry, Stage
from bench.peers import API, Peer
from bench.sizes import Sizes
from bench.workload import (
    Start,
    Target,
    Turn,
    Unit,
    Workload,
    WrongAnswer,
    expect,
)
from bench.writing import fresh


CLIENT = """
import os, sys, time
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
import mlflow, mlflow.pyfunc, mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

uri, what, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
mlflow.set_tracking_uri(uri)
mlflow.set_experiment("models")
x, y = load_iris(return_X_y=True)
iris = LogisticRegression(max_iter=1000).fit(x, y)

# Named, as the client would otherwise start a process to find it out.
needs = ["scikit-learn"]

def log(name=None):
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            iris, name="model", pip_requirements=needs, registered_model_name=name,
            serialization_format="cloudpickle",
        )

def load():
    model = mlflow.pyfunc.load_model("models:/iris@champion")
    assert (model.predict(x) == iris.predict(x)).all()

if what == "load":
    log("iris")
    client = mlflow.MlflowClient()
    version = client.search_model_versions("name='iris'")[0].version
    client.set_registered_model_alias("iris", "champion", version)

act = {"log": log, "load": load}[what]
for _ in range(times):
    began = time.perf_counter()
    act()
    print("took", time.perf_counter() - began, flush=True)
"""
"""What the client's process does; the time of its imports does not count."""


class Version(msgspec.Struct):
    """The part of a version that is compared."""

    name: str
    version: str


class VersionAnswer(msgspec.Struct):
    """Answer of `model-versions/get` and of `registered-models/alias`."""

    model_version: Version


class Model(msgspec.Struct):
    """A model with its newest versions."""

    name: str
    latest_versions: list[Version] = []


class ModelsAnswer(msgspec.Struct):
    """Answer of `registered-models/search`."""

    registered_models: list[Model] = []


class VersionsAnswer(msgspec.Struct):
    """Answer of `model-versions/search`."""

    model_versions: list[Version] = []


def by_alias(peer: Peer, sizes: Sizes) -> Turn:
    """One client asks for the version that an alias names, model after model."""

    def ask(number: int) -> tuple[str, str]:
        name = data.model_name(number)

        return f"/registered-models/alias?name={name}&alias=champion", str(
            data.champion(number, sizes.versions)
        )

    return _versions(peer, sizes, ask)


def by_number(peer: Peer, sizes: Sizes) -> Turn:
    """One client asks for versions by their numbers."""

    def ask(number: int) -> tuple[str, str]:
        version = 1 + number % sizes.versions
        name = data.model_name(number)

        return f"/model-versions/get?name={name}&version={version}", str(version)

    return _versions(peer, sizes, ask)


def _versions(peer: Peer, sizes: Sizes, ask: Callable[[int], tuple[str, str]]) -> Turn:
    # Far from each other, so that no page of the store is asked for twice in a row.
    numbers = [place * 617 % sizes.models for place in range(sizes.models)]

    def turn() -> float:
        waited, asked = 0.0, 0
        with peer.connect() as connection:
            while waited < sizes.seconds:
                number = numbers[asked % len(numbers)]
                path, version = ask(number)
                message = client.request("GET", API + path)
                began = time.perf_counter()
                body = connection.ask(message)
                waited += time.perf_counter() - began
                asked += 1
                found = msgspec.json.decode(body, type=VersionAnswer).model_version
                truth = data.model_name(number), version
                expect((found.name, str(found.version)), truth, "version")

        return asked / waited

    return turn


def search_models(peer: Peer, sizes: Sizes) -> Turn:
    """Models whose name begins alike, the first 100, each with its newest versions."""
    found = [
        name
        for name in map(data.model_name, range(sizes.models))
        if name.startswith("model-00")
    ]
    path = _search("registered-models", "name LIKE 'model-00%'")

    def turn() -> float:
        took, body = _timed(peer, path)
        models = msgspec.json.decode(body, type=ModelsAnswer).registered_models
        expect([model.name for model in models], found[:100], "models")

        return took

    return turn


def search_versions(peer: Peer, sizes: Sizes) -> Turn:
    """All versions of one model."""
    name = data.model_name(sizes.models // 2)
    path = _search("model-versions", f"name = '{name}'")
    truth = sorted(str(version) for version in range(1, sizes.versions + 1))

    def turn() -> float:
        took, body = _timed(peer, path)
        versions = msgspec.json.decode(body, type=VersionsAnswer).model_versions
        expect(sorted(each.version for each in versions), truth, "versions")

        return took

    return turn


def all_models(peer: Peer, sizes: Sizes) -> Turn:
    """Every model, on one page."""
    path = f"{API}/registered-models/search?max_results={sizes.models}"
    truth = [data.model_name(number) for number in range(sizes.models)]

    def turn() -> float:
        took, body = _timed(peer, path)
        models = msgspec.json.decode(body, type=ModelsAnswer).registered_models
        expect([model.name for model in models], truth, "models")

        return took

    return turn


def all_versions(peer: Peer, sizes: Sizes) -> Turn:
    """Every version, on one page."""
    count = sizes.models * sizes.versions
    path = f"{API}/model-versions/search?max_results={count}&order_by=name"
    truth = [
        data.model_name(number)
        for number in range(sizes.models)
        for _ in range(sizes.versions)
    ]

    def turn() -> float:
        took, body = _timed(peer, path)
        versions = msgspec.json.decode(body, type=VersionsAnswer).model_versions
        expect([each.name for each in versions], truth, "versions")

        return took

    return turn


def _search(noun: str, text: str) -> str:
    query = urllib.parse.urlencode({"filter": text, "max_results": 100})

    return f"{API}/{noun}/search?{query}"


def _timed(peer: Peer, path: str) -> tuple[float, bytes]:
    message = client.request("GET", path)
    with peer.connect() as connection:
        began = time.perf_counter()
        body = connection.ask(message)

        return time.perf_counter() - began, body


def log_model(peer: Peer, sizes: Sizes) -> Turn:
    """MLflow's own client logs a small scikit-learn model, in a run of its own."""
    return lambda: _client(peer, "log", sizes)


def load_model(peer: Peer, sizes: Sizes) -> Turn:
    """MLflow's own client loads a model by its alias and predicts with it."""
    return lambda: _client(peer, "load", sizes)


def _client(peer: Peer, what: str, sizes: Sizes) -> float:
    """Let one process do it some times; the first two are its warm-up."""
    assert peer.client_python
    uri = f"http://127.0.0.1:{peer.port}"
    done = subprocess.run(
        [str(peer.client_python), "-c", CLIENT, uri, what, str(sizes.turns + 2)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
    )
    if done.returncode:
        raise WrongAnswer(done.stderr.strip()[-300:])
    took = [
        float(line.split()[1])
        for line in done.stdout.splitlines()
        if line.startswith("took ")
    ]

    return statistics.median(took[2:]) if len(took) > 2 else math.nan


def full(sizes: Sizes) -> Stage:
    """1,000 models of 10 versions, one of which has the alias `champion`."""
    registry = Registry(sizes.models, sizes.versions)

    return Stage(
        f"registry_{registry.models}x{registry.versions}",
        data.empty,
        registry=registry,
    )


def _reading(name: str, title: str, start: Start, unit: Unit) -> Workload:
    return Workload(
        name=name,
        title=title,
        unit=unit,
        start=start,
        stage=full,
        targets={"sqlite": (Target(20),), "postgresql": ()},
    )


WORKLOADS = [
    Workload(
        name="log-model",
        title="mlflow.sklearn.log_model of iris, MLflow's client end to end",
        unit="s",
        start=log_model,
        stage=fresh,
        targets={"sqlite": (Target(3),)},
        databases=("sqlite",),
        repeats=False,
    ),
    Workload(
        name="load-model",
        title="mlflow.pyfunc.load_model by alias, MLflow's client end to end",
        unit="s",
        start=load_model,
        stage=fresh,
        targets={"sqlite": (Target(2),)},
        databases=("sqlite",),
        repeats=False,
    ),
    _reading("model-alias", "model version by its alias, 1 client", by_alias, "/s"),
    _reading("model-version", "model version by its number, 1 client", by_number, "/s"),
    _reading(
        "model-filter",
        "search 1,000 models of 10 versions, by name, 100 models",
        search_models,
        "s",
    ),
    _reading(
        "version-filter",
        "search 10,000 model versions, the 10 of one model",
        search_versions,
        "s",
    ),
    _reading("model-search", "1,000 models on a page", all_models, "s"),
    _reading("version-search", "10,000 versions on a page", all_versions, "s"),
]
