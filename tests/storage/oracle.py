"""Runs drawn at random, and a search of them that is slow and plain."""

import functools
import math
from typing import NamedTuple

from hypothesis import strategies as st

from runstone.model import (
    Dataset,
    DatasetInput,
    Lifecycle,
    Param,
    Point,
    RunStatus,
    Tag,
)
from runstone.search.grammar import parse_runs
from runstone.search.match import Subject, matches
from runstone.search.order import (
    order_runs,
    settle_runs,
)
from runstone.search.show import show
from runstone.search.tree import Kind, OrderTerm
from runstone.storage import datasets, documents, runs
from runstone.storage.db import Database
from runstone.storage.documents import Whole
from runstone.storage.search import Query
from tests.factories import log, new_experiment, new_run
from tests.search import trees


KEYS = st.sampled_from(["a", "b", "A", "é"])
HEAD = "x" * 64
TEXTS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "A",
            "ab",
            "É",
            "é",
            "",
            " a",
            "%",
            "_",
            "\\",
            "a\\b",
            "'",
            '"',
            "a%",
        ),
        *(HEAD, HEAD + "1", HEAD + "2", HEAD[:-1], "😀", "\uffff"),
    ]
)
NUMBERS = st.sampled_from([0.0, -0.0, 1.0, 0.5, -1.0, 1e300, math.inf, -math.inf])


class Drawn(NamedTuple):
    """A run to be."""

    experiment: int
    name: str
    user: str
    start_ms: int
    end_ms: int | None
    status: RunStatus
    deleted: bool
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]
    datasets: list[tuple[str, str, str | None]]


RUNS = st.builds(
    Drawn,
    experiment=st.integers(0, 2),
    name=TEXTS,
    user=TEXTS,
    start_ms=st.integers(0, 2),
    end_ms=st.none() | st.integers(0, 2),
    status=st.sampled_from(RunStatus),
    deleted=st.booleans(),
    metrics=st.dictionaries(KEYS, NUMBERS | st.just(math.nan), max_size=3),
    params=st.dictionaries(KEYS, TEXTS, max_size=3),
    tags=st.dictionaries(KEYS, TEXTS, max_size=3),
    datasets=st.lists(
        st.tuples(KEYS, KEYS, st.none() | KEYS),
        max_size=2,
        unique_by=lambda each: each[:2],
    ),
)
STORES = st.lists(RUNS, min_size=1, max_size=9)

COLUMNS = ("start_time", "end_time", "run_id", "run_name", "status", "user_id")
FIELDS = st.sampled_from(
    [f"attributes.{name}" for name in COLUMNS]
    + [f"{kind}.{key}" for kind in ("metrics", "params", "tags") for key in "abzA"]
)
TERMS = st.tuples(FIELDS, st.sampled_from(["", " ASC", " DESC"])).map("".join)
ORDERS = st.lists(TERMS, max_size=3, unique_by=lambda term: term.split()[0])
VIEWS = st.sampled_from(
    [
        (Lifecycle.ACTIVE,),
        (Lifecycle.DELETED,),
        (Lifecycle.ACTIVE, Lifecycle.DELETED),
    ]
)
OPS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
TEXT_OPS = st.sampled_from(["=", "!=", "LIKE", "ILIKE"])


def quoted(text: str) -> str:
    """Write a text as the language takes it."""
    return "'" + text.replace("'", "") + "'"


TERM = (
    st.builds(
        "metrics.{} {} {}".format,
        st.sampled_from("abA"),
        OPS,
        st.sampled_from(["0", "1", "0.5", "-1", "1e300"]),
    )
    | st.builds(
        "{}.{} {} {}".format,
        st.sampled_from(["params", "tags"]),
        st.sampled_from("abA"),
        TEXT_OPS,
        TEXTS.filter(lambda text: not text.endswith("\\")).map(quoted),
    )
    | st.builds(
        "{}.a IN ({}, {})".format,
        st.sampled_from(["params", "tags"]),
        TEXTS.filter(lambda text: not text.endswith("\\")).map(quoted),
        st.just("'a'"),
    )
    | st.builds("start_time {} {}".format, OPS, st.integers(0, 2))
    | st.sampled_from(["params.a IS NULL", "tags.b IS NOT NULL", "dataset.name = 'a'"])
)
FILTERS = (
    st.lists(TERM, min_size=1, max_size=3).map(" AND ".join)
    | st.lists(TERM, min_size=2, max_size=3).map(" OR ".join)
    | st.none()
    | trees.RUN_TREES.map(show)
)


class Store(NamedTuple):
    """Runs in a database, and the same runs as plain records."""

    ids: tuple[int, ...]
    """Of the experiments."""

    subjects: dict[str, Subject]
    experiments: dict[str, int]
    deleted: set[str]


def fill(db: Database, drawn: list[Drawn]) -> Store:
    """Write runs into experiments of their own."""
    ids = tuple(new_experiment(db) for _ in range(3))
    store = Store(ids, {}, {}, set())
    for each in drawn:
        experiment = ids[each.experiment]
        run_id = write(db, each, experiment)
        found = db.look(documents.by_id, run_id)
        store.subjects[run_id] = subject(each, found)
        store.experiments[run_id] = experiment
        if each.deleted:
            store.deleted.add(run_id)

    return store


def write(db: Database, drawn: Drawn, experiment: int) -> str:
    """Create a run with everything that a filter can ask for."""
    run_id = new_run(db, experiment, name=drawn.name, start_ms=drawn.start_ms)
    log(db, run_id, [Point(key, 0, 0, value) for key, value in drawn.metrics.items()])
    db.transact(
        runs.log_params, run_id, [Param(*each) for each in drawn.params.items()]
    )
    db.transact(runs.set_tags, run_id, [Tag(*each) for each in drawn.tags.items()])
    inputs = [
        DatasetInput(
            Dataset(name, digest, "local", ""),
            () if context is None else (Tag(datasets.CONTEXT_TAG, context),),
        )
        for name, digest, context in drawn.datasets
    ]
    db.transact(datasets.log_inputs, run_id, inputs)
    db.transact(runs.update, run_id, status=drawn.status, end_ms=drawn.end_ms)
    if drawn.deleted:
        db.transact(runs.delete, run_id, now_ms=9)

    return run_id


def subject(drawn: Drawn, found: Whole) -> Subject:
    """Say what a filter sees of a run."""
    return Subject(
        attributes={
            "run_id": found.run.id,
            "run_name": drawn.name,
            "status": drawn.status.value,
            "user_id": "",
            "artifact_uri": found.run.artifact_uri,
            "start_time": drawn.start_ms,
            "end_time": drawn.end_ms,
        },
        metrics=drawn.metrics,
        params=drawn.params,
        tags=drawn.tags | {runs.NAME_TAG: drawn.name},
        datasets=[
            {"name": name, "digest": digest}
            | ({} if context is None else {"context": context})
            for name, digest, context in drawn.datasets
        ],
    )


def slow_search(store: Store, query: Query) -> list[str]:
    """Look at every run and sort them: slow and plain."""
    node = parse_runs(query.filter)
    found = [
        run_id
        for run_id, each in store.subjects.items()
        if store.experiments[run_id] in query.experiment_ids
        and (Lifecycle.DELETED if run_id in store.deleted else Lifecycle.ACTIVE)
        in query.lifecycles
        and matches(node, each)
    ]
    terms = settle_runs(order_runs(query.order_by))

    def compare(a: str, b: str) -> int:
        for term in terms:
            sign = compare_term(store.subjects[a], store.subjects[b], term)
            if sign:
                return sign
        return 0

    return sorted(found, key=functools.cmp_to_key(compare))


def compare_term(a: Subject, b: Subject, term: OrderTerm) -> int:
    """Compare by one key: numbers, then NaN, then missing, whatever the direction."""
    ranked = [(rank(each, term), each) for each in (a, b)]
    (left, _), (right, _) = ranked
    if left[0] != right[0]:
        return -1 if left[0] < right[0] else 1
    if left[1] == right[1]:
        return 0
    less = left[1] < right[1]  # type: ignore[operator]  # both are of one sort

    return -1 if less is not term.descending else 1


def rank(each: Subject, term: OrderTerm) -> tuple[int, str | float]:
    """Return the place among numbers, NaN and missing, and the value."""
    kind, key = term.field
    values = {
        Kind.ATTRIBUTE: each.attributes,
        Kind.METRIC: each.metrics,
        Kind.PARAM: each.params,
        Kind.TAG: each.tags,
    }[kind]
    value = values.get(key)
    if value is None:
        return 2, 0
    if isinstance(value, float) and math.isnan(value):
        return 1, 0

    return 0, value
