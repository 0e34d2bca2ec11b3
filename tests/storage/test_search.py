"""A search finds what the slow reference finds, in its order, page by page."""

import math
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import (
    Lifecycle,
    RunStatus,
)
from runstone.storage import documents, keyset, search
from runstone.storage.db import Database
from runstone.storage.search import Query
from tests.factories import new_run
from tests.storage.oracle import (
    FILTERS,
    HEAD,
    ORDERS,
    STORES,
    VIEWS,
    Drawn,
    fill,
    slow_search,
)


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


@settings(max_examples=100)
@given(
    drawn=STORES,
    text=FILTERS,
    order=ORDERS,
    limit=st.integers(1, 10),
    ways=st.tuples(st.sampled_from([0, 2, 2_000]), st.sampled_from([0, 20])),
    count=st.integers(1, 3),
    view=VIEWS,
)
def test_a_search_is_the_slow_reference(
    db: Database,
    drawn: list[Drawn],
    text: str | None,
    order: list[str],
    limit: int,
    ways: tuple[int, int],
    count: int,
    view: tuple[Lifecycle, ...],
) -> None:
    """Whichever way it is found: from few, along an index, merged, or sorted."""
    store = fill(db, drawn)
    query = Query(store.ids[:count], text, tuple(order), view, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", ways[0])
        patch.setattr(search, "WALKS", ways[1])
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


CORNERS = [
    "metrics.a != 0",
    "NOT metrics.a != 0",
    "metrics.a = 0",
    "metrics.a > -1e308 AND metrics.a < 1e308",
    "metrics.z != 0 OR metrics.a >= 1",
    f"params.a = '{HEAD}a'",
    f"params.a = '{HEAD}'",
    f"tags.a IN ('{HEAD}a', '{HEAD}c', 'z')",
    f"tags.a NOT IN ('{HEAD}a', 'z')",
    f"tags.a LIKE '{HEAD}_'",
    "params.a != 'z'",
    "params.a = ''",
    "params.a ILIKE 'É'",
    "params.a ILIKE 'Z'",
    "params.a LIKE 'Z'",
    "params.a IS NULL",
    "NOT params.a IS NULL AND NOT tags.a = 'z'",
    "end_time != 1",
    "NOT end_time != 1",
    "run_name LIKE 'run 1%' AND (start_time = 1 OR params.a = 'z')",
]
"""What is easily got wrong: NaN, missing keys, heads that collide, folding."""


def test_a_filter_means_the_same_in_its_corners(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by itself, on runs that were chosen for it."""
    store = fill(db, SAMPLE)

    for few in (0, 2_000):
        monkeypatch.setattr(search, "FEW", few)
        for text in CORNERS:
            query = Query(store.ids, text, limit=5)
            found = [run_id for page in pages(db, query) for run_id in page]
            assert found == slow_search(store, query), text


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
    mark = keyset.mark(
        query.experiment_ids, query.filter, query.order_by, query.lifecycles
    )
    token = keyset.token(mark, [rank, 0.0, 0, "0" * 32])

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
