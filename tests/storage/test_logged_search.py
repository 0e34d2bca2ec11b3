"""The search of logged models finds what a reader of the list would find."""

import math
from collections.abc import Callable
from itertools import product

import pytest

from runstone import errors, limits
from runstone.model import LoggedModel, ModelPoint, ModelStatus, Param, Point, Tag
from runstone.storage import logged_models, model_points
from runstone.storage.db import Database
from runstone.storage.logged_search import OnDataset, OrderBy, Query, find
from tests.factories import batch, new_experiment, new_model, new_run


VALUES = (None, 0.5, -1.0, math.nan, math.inf)
"""Latest value of `acc`; None is never measured."""

IRIS = OnDataset("iris", "d1")
Fits = Callable[[LoggedModel], bool]


def latest(model: LoggedModel, on: OnDataset | None = None) -> float | None:
    """Return the latest value of `acc`, the slow way."""
    points = [
        item.point
        for item in model.points
        if item.point.key == "acc"
        and (on is None or item.dataset_name == on.name)
        and (on is None or on.digest in ("", item.dataset_digest))
    ]
    if not points:
        return None

    return max(points, key=lambda p: (p.step, p.time_ms)).value


@pytest.fixture
def models(db: Database) -> list[LoggedModel]:
    """Make models of every kind, the oldest first."""
    here = new_experiment(db)
    run_id = new_run(db, here)
    made = []
    for place, (value, kind) in enumerate(product(VALUES, ("", "agent"))):
        model = new_model(
            db,
            here,
            name=f"model {place % 4}",
            type=kind,
            source_run_id=run_id if place % 3 else "",
            params=[Param("lr", f"0.{place}")] if place % 2 else [],
            tags=[Tag("team", "a" if place % 4 else "b")] if place < 8 else [],
            now_ms=place // 2,
        )
        points = [ModelPoint(model.id, Point("acc", 0, 5, 9.0))]
        if value is not None:
            points.append(ModelPoint(model.id, Point("acc", 1, 1, value)))
            points.append(ModelPoint(model.id, Point("other", 7, 7, 1.0)))
            if place % 2:
                point = Point("acc", 0, 9, place / 4)
                points.append(ModelPoint(model.id, point, *IRIS))
            given = batch(item.point for item in points)
            db.transact(model_points.log, run_id, points, points=given)
        if place % 3 == 0:
            db.transact(
                logged_models.finalize,
                model_id=model.id,
                status=ModelStatus.READY,
                now_ms=100 - place,
            )
        made.append(model.id)
    gone = new_model(db, here, name="gone", now_ms=99)
    db.transact(logged_models.delete, model_id=gone.id, now_ms=99)
    new_model(db, new_experiment(db), name="elsewhere")

    return [db.look(logged_models.by_id, model_id) for model_id in made]


def number(fits: Callable[[float], bool]) -> Fits:
    """Say that the latest `acc` is a number that fits."""

    def judge(model: LoggedModel) -> bool:
        value = latest(model)
        return value is not None and not math.isnan(value) and fits(value)

    return judge


FILTERS: dict[str, Fits] = {
    "": lambda _: True,
    "name = 'model 1'": lambda m: m.name == "model 1",
    "name != 'model 1'": lambda m: m.name != "model 1",
    "name ILIKE 'MODEL _'": lambda _: True,
    "name LIKE 'MODEL%'": lambda _: False,
    "name IN ('model 1', 'x') OR name = 'model 2'": lambda m: m.name[-1] in "12",
    "model_type = 'agent'": lambda m: m.type == "agent",
    "NOT model_type = 'agent'": lambda m: m.type == "",
    "source_run_id = ''": lambda m: m.source_run_id == "",
    "status = 'READY'": lambda m: m.status is ModelStatus.READY,
    "status NOT IN ('READY', 'FAILED')": lambda m: m.status is ModelStatus.PENDING,
    "creation_time >= 2": lambda m: m.created_ms >= 2,
    "last_updated_timestamp > 90": lambda m: m.updated_ms > 90,
    "params.lr = '0.3'": lambda m: ("lr", "0.3") in m.params,
    "params.lr != '0.3'": lambda m: bool(m.params) and ("lr", "0.3") not in m.params,
    "NOT params.lr = '0.3'": lambda m: ("lr", "0.3") not in m.params,
    "params.lr IS NULL": lambda m: not m.params,
    "tags.team IS NOT NULL": lambda m: bool(m.tags),
    "tags.team = 'a'": lambda m: ("team", "a") in m.tags,
    "metrics.acc > 0": number(lambda v: v > 0),
    "metrics.acc <= 0.5": number(lambda v: v <= 0.5),
    "metrics.acc = 0.5": number(lambda v: v == 0.5),
    "metrics.acc != 0.5": lambda m: latest(m) not in (None, 0.5),
    "NOT metrics.acc = 0.5": lambda m: latest(m) != 0.5,
    "NOT (metrics.acc != 0.5 OR model_type = '')": lambda m: (
        latest(m) in (None, 0.5) and m.type == "agent"
    ),
    "metrics.nothing = 0": lambda _: False,
    "NOT metrics.nothing = 0": lambda _: True,
    "metrics.acc > 0 AND tags.team = 'a' AND params.lr LIKE '0.%'": lambda m: (
        number(lambda v: v > 0)(m) and ("team", "a") in m.tags and bool(m.params)
    ),
}


def test_a_filter_finds_what_it_says(db: Database, models: list[LoggedModel]) -> None:
    """A metric is its latest value; a NaN fulfils only `!=`."""
    here = (models[0].experiment_id,)
    for text, fits in FILTERS.items():
        page = db.look(find, Query(here, text))

        wanted = {model.id for model in models if fits(model)}
        assert {model.id for model in page.models} == wanted, text


ORDERS: dict[tuple[OrderBy, ...], Callable[[LoggedModel], tuple[object, ...]]] = {
    (): lambda m: (-m.created_ms, m.id),
    (OrderBy("name"),): lambda m: (m.name, -m.created_ms, m.id),
    (OrderBy("status", descending=True), OrderBy("model_type")): lambda m: (
        m.status is ModelStatus.PENDING,
        m.type,
        -m.created_ms,
        m.id,
    ),
    (OrderBy("creation_time"),): lambda m: (m.created_ms, m.id),
    (OrderBy("metrics.acc"),): lambda m: (
        *ranked(latest(m), 1),
        -m.created_ms,
        m.id,
    ),
    (OrderBy("metrics.acc", descending=True), OrderBy("model_id")): lambda m: (
        *ranked(latest(m), -1),
        m.id,
    ),
    (OrderBy("metrics.acc", descending=True, on=IRIS),): lambda m: (
        *ranked(latest(m, IRIS), -1),
        -m.created_ms,
        m.id,
    ),
}


def ranked(value: float | None, sign: int) -> tuple[int, float]:
    """Put numbers first, then NaN, then what is missing, in either direction."""
    if value is None:
        return 2, 0.0

    return (1, 0.0) if math.isnan(value) else (0, sign * value)


def test_an_order_is_kept_over_pages_of_any_size(
    db: Database, models: list[LoggedModel]
) -> None:
    """Nothing is left out where one page ends, and nothing comes twice."""
    here = (models[0].experiment_id,)
    for order, key in ORDERS.items():
        wanted = [model.id for model in sorted(models, key=key)]
        for size in (1, 3, 100):
            query = Query(here, order_by=order, limit=size)
            found = []
            while True:
                page = db.look(find, query)
                found += [model.id for model in page.models]
                if page.next_page_token is None:
                    break
                query = query._replace(page_token=page.next_page_token)

            assert found == wanted, (order, size)


def test_only_points_on_the_datasets_asked_for_count(
    db: Database, models: list[LoggedModel]
) -> None:
    """A model that was never measured on them is not found at all."""
    here = (models[0].experiment_id,)
    on_iris = {m.id for m in models if latest(m, IRIS) is not None}
    assert on_iris

    for asked in ((IRIS,), (OnDataset("iris"),), (OnDataset("x"), IRIS)):
        page = db.look(find, Query(here, datasets=asked))
        assert {m.id for m in page.models} == on_iris
        page = db.look(find, Query(here, "metrics.acc > 1", datasets=asked))
        wanted = {m.id for m in models if (latest(m, IRIS) or 0) > 1}
        assert {m.id for m in page.models} == wanted
    for asked in ((OnDataset("iris", "d2"),), (OnDataset("wine", "d1"),)):
        assert db.look(find, Query(here, datasets=asked)).models == []


def test_a_search_of_no_experiments_finds_nothing(
    db: Database, models: list[LoggedModel]
) -> None:
    """And one of two finds both theirs."""
    here = models[0].experiment_id

    assert db.look(find, Query(())).models == []
    assert len(db.look(find, Query((here, 0, here + 1))).models) == len(models) + 1


@pytest.mark.parametrize(
    "query",
    [
        Query((0,), "status = 'ready'"),
        Query((0,), "status LIKE 'R%'"),
        Query((0,), "nothing = 'x'"),
        Query((0,), "dataset.name = 'x'"),
        Query((0,), "creation_time = 'x'"),
        Query((0,), order_by=(OrderBy("params.lr"),)),
        Query((0,), order_by=(OrderBy("metrics."),)),
        Query((0,), order_by=(OrderBy(""),)),
        Query((0,), order_by=(OrderBy("name"),) * (limits.ORDER_TERMS + 1)),
        Query((0,), datasets=(IRIS,) * (limits.SEARCH_MODEL_DATASETS + 1)),
        Query(tuple(range(limits.SEARCH_EXPERIMENT_IDS + 1))),
        Query((0,), page_token="x"),
        Query((0,), page_token="é"),
    ],
)
def test_what_cannot_be_asked_is_refused(db: Database, query: Query) -> None:
    """Never a surprise of the database's."""
    with pytest.raises(errors.InvalidInput):
        db.look(find, query)


def test_a_token_belongs_to_its_search(db: Database, models: list[LoggedModel]) -> None:
    """With another filter it would skip what it should show."""
    here = (models[0].experiment_id,)
    token = db.look(find, Query(here, limit=1)).next_page_token

    with pytest.raises(errors.InvalidInput, match="page token"):
        db.look(find, Query(here, "name != 'x'", limit=1, page_token=token))


def test_the_text_of_a_filter_is_never_sql(
    db: Database, models: list[LoggedModel]
) -> None:
    """Keys and values of users go by parameters and numbers."""
    here = (models[0].experiment_id,)
    hostile = "x' OR 1=1 --"

    for text in (
        f'name = "{hostile}"',
        f'params."{hostile}" = "a"',
        f'metrics."{hostile}" > 0',
    ):
        assert db.look(find, Query(here, text)).models == []
    page = db.look(
        find, Query(here, order_by=(OrderBy(f"metrics.{hostile}", on=OnDataset("'")),))
    )
    assert len(page.models) == len(models)
