"""A search finds what the slow reference finds, in its order, page by page."""

import functools
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import (
    Dataset,
    DatasetInput,
    Experiment,
    Lifecycle,
    Param,
    Point,
    RunStatus,
    Tag,
)
from runstone.search.grammar import parse_experiments, parse_runs
from runstone.search.match import Subject, matches
from runstone.search.order import (
    order_experiments,
    order_runs,
    settle_experiments,
    settle_runs,
)
from runstone.search.show import show
from runstone.search.tree import Kind, OrderTerm
from runstone.storage import datasets, documents, experiments, runs, search
from runstone.storage.db import Database, Tx
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


def pages(db: Database, query: Query) -> Iterator[list[str]]:
    """Search page by page, as a client does, and name the runs."""
    while True:
        page = db.look(search.run_numbers, query)
        assert len(page.numbers) <= query.limit
        yield [item.run.id for item in db.look(documents.whole, page.numbers)]
        if page.next_page_token is None:
            return
        assert page.numbers
        query = query._replace(page_token=page.next_page_token)


@settings(max_examples=150)
@given(
    drawn=STORES,
    text=FILTERS,
    order=ORDERS,
    limit=st.integers(1, 10),
    few=st.sampled_from([0, 2, 2_000]),
    count=st.integers(1, 3),
    view=VIEWS,
)
def test_a_search_is_the_slow_reference(
    db: Database,
    drawn: list[Drawn],
    text: str | None,
    order: list[str],
    limit: int,
    few: int,
    count: int,
    view: tuple[Lifecycle, ...],
) -> None:
    """Whichever way it is found: from few, along an index, or by sorting."""
    store = fill(db, drawn)
    query = Query(store.ids[:count], text, tuple(order), view, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", few)
        found = [run_id for page in pages(db, query) for run_id in page]

    assert found == slow_search(store, query)


@pytest.mark.parametrize("few", [0, 2_000])
@pytest.mark.parametrize(
    "order",
    [
        "metrics.a",
        "metrics.a DESC",
        "params.a",
        "params.a DESC",
        "tags.a DESC",
        "end_time",
        "end_time DESC",
        "run_id DESC",
        "start_time",
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_every_order_pages_through_everything(
    db: Database, monkeypatch: pytest.MonkeyPatch, order: str, few: int, count: int
) -> None:
    """NaN, infinities, missing keys and heads that collide, one run a page."""
    monkeypatch.setattr(search, "FEW", few)
    store = fill(db, SAMPLE)
    query = Query(store.ids[:count], "start_time >= 0", (order,), limit=1)

    found = [run_id for page in pages(db, query) for run_id in page]

    assert found == slow_search(store, query)
    assert db.look(lambda tx: list(search.iterate(tx, query)))


def sample(number: int, value: float | None, text: str | None) -> Drawn:
    """Make a plain run."""
    return Drawn(
        experiment=number % 2,
        name=f"run {number}",
        user="",
        start_ms=number % 3,
        end_ms=None if number % 4 == 0 else number % 3,
        status=RunStatus.FINISHED,
        deleted=False,
        metrics={} if value is None else {"a": value},
        params={} if text is None else {"a": text},
        tags={} if text is None else {"a": text},
        datasets=[],
    )


SAMPLE = [
    sample(number, value, text)
    for number, (value, text) in enumerate(
        [
            (0.0, HEAD + "b"),
            (math.inf, HEAD + "a"),
            (None, None),
            (-math.inf, HEAD),
            (math.nan, "é"),
            (0.0, HEAD + "a"),
            (None, ""),
            (math.nan, "z"),
            (-1.0, None),
            (math.inf, "Z"),
            (0.0, HEAD + "b"),
            (1.0, HEAD + "c"),
        ]
    )
]


def test_a_token_of_another_search_is_refused(db: Database) -> None:
    """Or a page would silently be of neither."""
    store = fill(db, SAMPLE)
    query = Query(store.ids, order_by=("metrics.a",), limit=2)
    token = db.look(search.run_numbers, query).next_page_token
    others = [
        query._replace(order_by=("metrics.a DESC",)),
        query._replace(filter="metrics.a > 0"),
        query._replace(experiment_ids=store.ids[:1]),
        query._replace(lifecycles=(Lifecycle.DELETED,)),
    ]

    for other in others:
        with pytest.raises(errors.InvalidInput, match="page token"):
            db.look(search.run_numbers, other._replace(page_token=token))


@pytest.mark.parametrize("token", ["x", "é", "AAAA", "gA==", "kA==", "=" * 50, "2"])
def test_a_token_that_is_none_is_refused(db: Database, token: str) -> None:
    """What comes from outside is hostile."""
    with pytest.raises(errors.InvalidInput, match="page token"):
        db.look(search.run_numbers, Query((0,), page_token=token))


@pytest.mark.parametrize("rank", ["x", 1e300, -5, 99, 2**63])
def test_a_forged_rank_is_no_crash(db: Database, rank: str | float) -> None:
    """A token can be taken apart and put together again."""
    query = Query((0,), order_by=("metrics.a",))
    mark = search._mark(
        query.experiment_ids, query.filter, query.order_by, query.lifecycles
    )
    token = search._token(mark, [rank, 0.0, 0, "0" * 32])

    with suppress(errors.InvalidInput):
        assert db.look(search.run_numbers, query._replace(page_token=token))


def test_no_experiments_are_no_runs(db: Database) -> None:
    """And still a filter that does not parse is told."""
    new_run(db)

    assert db.look(search.run_numbers, Query(())).numbers == []
    with pytest.raises(errors.BadFilter):
        db.look(search.run_numbers, Query((), "metrics."))


def test_a_list_of_experiments_has_an_end(db: Database) -> None:
    """Ten thousand are answered, more are refused."""
    with pytest.raises(errors.TooLarge):
        db.look(search.run_numbers, Query(tuple(range(10_001))))
    assert db.look(search.run_numbers, Query(tuple(range(10_000)))).numbers == []


# --- Experiments ----------------------------------------------------------------


EXPERIMENT_TEXTS = (
    st.none()
    | trees.EXPERIMENT_TREES.map(show)
    | st.builds(
        "{} {} {}".format,
        st.sampled_from(["name", "tags.a", "tags.b"]),
        TEXT_OPS,
        TEXTS.filter(lambda text: not text.endswith("\\")).map(quoted),
    )
    | st.sampled_from(["tags.a IS NULL", "NOT tags.b = 'a'", "creation_time > 1"])
)
EXPERIMENT_ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["name", "experiment_id", "creation_time", "last_update_time"]),
        st.sampled_from([" ASC", " DESC"]),
    ).map("".join),
    max_size=2,
    unique_by=lambda term: term.split()[0],
)


@settings(max_examples=60)
@given(
    drawn=st.lists(
        st.tuples(
            TEXTS.filter(bool),
            st.integers(0, 2),
            st.booleans(),
            st.dictionaries(st.sampled_from("ab"), TEXTS),
        ),
        max_size=6,
        unique_by=lambda each: each[0],
    ),
    text=EXPERIMENT_TEXTS,
    order=EXPERIMENT_ORDERS,
    limit=st.integers(1, 7),
    view=VIEWS,
)
def test_a_search_of_experiments_is_the_slow_reference(
    db: Database,
    drawn: list[tuple[str, int, bool, dict[str, str]]],
    text: str | None,
    order: list[str],
    limit: int,
    view: tuple[Lifecycle, ...],
) -> None:
    """The same language, other columns."""
    db.transact(forget_experiments)
    for name, created_ms, deleted, tags in drawn:
        number = db.transact(
            experiments.create,
            name,
            tags=[Tag(*each) for each in tags.items()],
            now_ms=created_ms,
        )
        if deleted:
            db.transact(experiments.delete, number, now_ms=created_ms + 1)

    found: list[int] = []
    token = None
    while True:
        page = db.look(
            search.experiments,
            text,
            order_by=order,
            lifecycles=view,
            limit=limit,
            page_token=token,
        )
        found += [experiment.id for experiment in page.experiments]
        token = page.next_page_token
        if token is None:
            break

    assert found == slow_experiments(db, text, order, view)


def forget_experiments(tx: Tx) -> None:
    """Leave none, so that names are free for the next example."""
    tx.run("DELETE FROM experiment")
    tx.run("DELETE FROM experiment_tag")


def slow_experiments(
    db: Database, text: str | None, order: list[str], view: tuple[Lifecycle, ...]
) -> list[int]:
    """Look at every experiment and sort them."""
    node = parse_experiments(text)
    rows = db.look(lambda tx: tx.all("SELECT id FROM experiment"))
    every = db.look(experiments.by_ids, [row[0] for row in rows])
    found = [
        each for each in every if each.lifecycle in view and matches(node, seen(each))
    ]
    for term in reversed(settle_experiments(order_experiments(order))):
        place = {
            "experiment_id": lambda each: each.id,
            "name": lambda each: each.name,
            "creation_time": lambda each: each.created_ms,
            "last_update_time": lambda each: each.updated_ms,
        }[term.field.key]
        found.sort(key=place, reverse=term.descending)

    return [each.id for each in found]


def seen(experiment: Experiment) -> Subject:
    """Say what a filter sees of an experiment."""
    return Subject(
        attributes={
            "experiment_id": str(experiment.id),
            "name": experiment.name,
            "creation_time": experiment.created_ms,
            "last_update_time": experiment.updated_ms,
        },
        tags={tag.key: tag.value for tag in experiment.tags},
    )
