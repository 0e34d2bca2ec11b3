"""Workloads that read the registry: one version, and whole pages."""

from collections.abc import Iterator
from typing import Any

import msgspec

from bench import client, data
from bench.data import Stage
from bench.peers import API, Peer
from bench.sizes import Sizes
from bench.workload import Start, Target, Turn, Workload, expect, seconds


VERSIONS = 10
"""Versions of each model; the fifth is the champion."""


def name(number: int) -> str:
    """Name the model of this number."""
    return f"model-{number:05}"


def filled(peer: Peer, sizes: Sizes) -> None:
    """Register models over the wire, unless they are there."""
    last = f"{API}/registered-models/get?name={name(sizes.models - 1)}"
    with peer.connect() as connection:
        try:
            connection.ask(client.request("GET", last))
        except client.Refused:
            client.alone(peer.port, _posts(sizes.models), seconds=float("inf"))


def _posts(models: int) -> Iterator[bytes]:
    for number in range(models):
        model = {"name": name(number), "tags": [{"key": "team", "value": "vision"}]}
        yield _post("registered-models/create", model)
        for version in range(1, VERSIONS + 1):
            source = f"s3://bucket/{number}/{version}"
            tags = [{"key": "validated", "value": "yes"}]
            body = {"name": name(number), "source": source, "tags": tags}
            yield _post("model-versions/create", body)
        alias = {"name": name(number), "alias": "champion", "version": "5"}
        yield _post("registered-models/alias", alias)


def _post(path: str, body: object) -> bytes:
    return client.request("POST", f"{API}/{path}", msgspec.json.encode(body))


def by_alias(peer: Peer, sizes: Sizes) -> Turn:
    """Ask one connection for champions as fast as it goes."""
    return _one_by_one(peer, sizes, "registered-models/alias?alias=champion")


def by_version(peer: Peer, sizes: Sizes) -> Turn:
    """Ask one connection for fifth versions as fast as it goes."""
    return _one_by_one(peer, sizes, "model-versions/get?version=5")


def _one_by_one(peer: Peer, sizes: Sizes, query: str) -> Turn:
    filled(peer, sizes)
    asks = [
        client.request("GET", f"{API}/{query}&name={name(number)}")
        for number in range(sizes.models)
    ]
    with peer.connect() as connection:
        found: Any = msgspec.json.decode(connection.ask(asks[-1]))
    expect(found["model_version"]["version"], "5", "version")
    expect(found["model_version"]["name"], name(sizes.models - 1), "name")

    def turn() -> float:
        done = client.alone(peer.port, asks, seconds=sizes.seconds)

        return done.answers / done.seconds

    return turn


def models(peer: Peer, sizes: Sizes) -> Turn:
    """Every model, on one page."""
    filled(peer, sizes)
    path = f"{API}/registered-models/search?max_results={sizes.models}"
    truth = [name(number) for number in range(sizes.models)]

    return _page(peer, path, "registered_models", truth)


def versions(peer: Peer, sizes: Sizes) -> Turn:
    """Every version, on one page."""
    filled(peer, sizes)
    count = sizes.models * VERSIONS
    path = f"{API}/model-versions/search?max_results={count}&order_by=name"
    truth = [name(number) for number in range(sizes.models) for _ in range(VERSIONS)]

    return _page(peer, path, "model_versions", truth)


def _page(peer: Peer, path: str, listed: str, truth: list[str]) -> Turn:
    ask = client.request("GET", path)

    def turn() -> float:
        answers: list[bytes] = []
        with peer.connect() as connection:
            took = seconds(lambda: answers.append(connection.ask(ask)))
        found: Any = msgspec.json.decode(answers[0])
        expect([each["name"] for each in found[listed]], truth, listed)

        return took

    return turn


def stage(_sizes: Sizes) -> Stage:
    """Nothing but what a workload registers."""
    return Stage("registry", data.empty, read_only=False)


def _workload(key: str, title: str, start: Start, *, rate: bool) -> Workload:
    return Workload(
        name=key,
        title=title,
        unit="/s" if rate else "s",
        start=start,
        stage=stage,
        targets={"sqlite": (Target(20),)},
    )


WORKLOADS = [
    _workload("model-alias", "a version by its alias", by_alias, rate=True),
    _workload("model-version", "a version by its number", by_version, rate=True),
    _workload("model-search", "1,000 models on a page", models, rate=False),
    _workload(
        "version-search", "their 10,000 versions on a page", versions, rate=False
    ),
]
