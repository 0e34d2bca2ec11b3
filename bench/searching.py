"""Workloads that search runs."""

import base64
import time

import msgspec

from bench import client, data
from bench.data import Stage
from bench.peers import API, Peer, SearchAnswer
from bench.sizes import Sizes
from bench.workload import Start, Target, Turn, Workload, expect


FILTER = "metrics.accuracy > 0.9 AND params.n_estimators = '100'"
ORDER = ["metrics.f1 DESC"]


def message(peer: Peer, **search: object) -> bytes:
    """Encode one search in the experiment that is full."""
    body = {"experiment_ids": [peer.experiment_id("search")], **search}

    return client.request("POST", f"{API}/runs/search", msgspec.json.encode(body))


def one(peer: Peer, ask: bytes, truth: list[str]) -> Turn:
    """Ask for one page and compare it with the *truth*."""

    def turn() -> float:
        with peer.connect() as connection:
            began = time.perf_counter()
            body = connection.ask(ask)
            took = time.perf_counter() - began
        expect(msgspec.json.decode(body, type=SearchAnswer).names, truth, "runs")

        return took

    return turn


def filtered(peer: Peer, sizes: Sizes) -> Turn:
    """A metric and a param filter, ordered by another metric, the best 100."""
    ask = message(peer, filter=FILTER, order_by=ORDER, max_results=100)

    return one(peer, ask, data.found(sizes.many_runs, 100))


def ordered(peer: Peer, sizes: Sizes) -> Turn:
    """All runs ordered by a metric, the best 100."""
    ask = message(peer, order_by=ORDER, max_results=100)

    return one(peer, ask, data.ordered(sizes.few_runs, 100))


def first_page(peer: Peer, sizes: Sizes) -> Turn:
    """The newest 100."""
    ask = message(peer, max_results=100)

    return one(peer, ask, data.newest(sizes.many_runs, 100))


def deep_page(peer: Peer, sizes: Sizes) -> Turn:
    """Page 1,000 of 100 runs each."""
    skip = (sizes.deep_page - 1) * 100
    token = _mlflow_token(skip) if peer.side == "mlflow" else _walk(peer, sizes)
    ask = message(peer, max_results=100, page_token=token)

    return one(peer, ask, data.newest(sizes.many_runs, 100, skip=skip))


def _mlflow_token(offset: int) -> str:
    # Source: SearchUtils.create_page_token of MLflow 3.18; walking there would
    # take minutes.
    return base64.b64encode(msgspec.json.encode({"offset": offset})).decode()


def _walk(peer: Peer, sizes: Sizes) -> str:
    token = ""
    with peer.connect() as connection:
        for _ in range(sizes.deep_page - 1):
            after = {"page_token": token} if token else {}
            body = connection.ask(message(peer, max_results=100, **after))
            token = client.page_token(body)

    return token


def every_page(peer: Peer, sizes: Sizes) -> Turn:
    """All runs in pages of 1,000."""

    def turn() -> float:
        pages: list[bytes] = []
        token = ""
        ask = message(peer, max_results=1000)
        took = 0.0
        with peer.connect() as connection:
            while not pages or token:
                began = time.perf_counter()
                pages.append(connection.ask(ask))
                took += time.perf_counter() - began
                token = client.page_token(pages[-1])
                ask = message(peer, max_results=1000, page_token=token)
        names = [
            name
            for page in pages
            for name in msgspec.json.decode(page, type=SearchAnswer).names
        ]
        expect(names, data.newest(sizes.few_runs, sizes.few_runs), "runs")

        return took

    return turn


def few(sizes: Sizes) -> Stage:
    """10,000 runs."""
    runs = sizes.few_runs

    return Stage(f"runs_{runs}", lambda: data.searched(runs))


def many(sizes: Sizes) -> Stage:
    """100,000 runs."""
    runs = sizes.many_runs

    return Stage(f"runs_{runs}", lambda: data.searched(runs))


def _workload(name: str, title: str, start: Start, *, big: bool) -> Workload:
    targets = TARGETS[name]

    return Workload(
        name=name,
        title=title,
        unit="s",
        start=start,
        stage=many if big else few,
        targets={"sqlite": targets[0], "postgresql": targets[1]},
    )


TARGETS: dict[str, tuple[tuple[Target, ...], tuple[Target, ...]]] = {
    "search-10k": ((Target(500),), ()),
    "search-pages": ((Target(80),), (Target(60),)),
    "search-100k": ((Target(1000),), (Target(50),)),
    "search-page": ((Target(40),), ()),
    # "As fast as page 1", with a fifth for the noise of two measurements.
    "search-page-1000": (
        (Target(0.8, against="search-page"),),
        (Target(0.8, against="search-page"),),
    ),
}

WORKLOADS = [
    _workload("search-10k", "search 10,000 runs, by metric", ordered, big=False),
    _workload(
        "search-pages", "all 10,000 runs in pages of 1,000", every_page, big=False
    ),
    _workload(
        "search-100k",
        "search 100,000 runs, metric and param filter, by metric",
        filtered,
        big=True,
    ),
    _workload("search-page", "page 1 of 100 in 100,000 runs", first_page, big=True),
    _workload(
        "search-page-1000", "page 1,000 of 100 in 100,000 runs", deep_page, big=True
    ),
]
