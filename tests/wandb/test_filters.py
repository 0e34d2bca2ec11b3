"""W&B's filters: what fits, and that the server is asked for no less."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import wandb
from runstone.search.grammar import parse_runs
from runstone.search.order import order_runs
from runstone.wandb import labels
from runstone.wandb.apis import filters
from runstone.wandb.asking import Metric, Record
from runstone.wandb.errors import UsageError


RUN = Record(
    "a" * 32,
    "1",
    "resnet",
    "kim",
    "FINISHED",
    1_700_000_000_000,
    1_700_000_060_000,
    {"lr": "0.1", "opt.name": "adam", "flag": "True"},
    {labels.LABEL + "baseline": "true", labels.GROUP: "g"},
    {"acc": Metric(0.9, 4), "val/loss": Metric(0.5, 4)},
)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"config.lr": 0.1},
        {"config.lr.value": {"$gt": 0.01, "$lt": 1}},
        {"config.opt.name": {"$in": ["adam", "sgd"]}},
        {"config.flag": True},
        {"config.none": None},
        {"config.none": {"$exists": False}},
        {"summary_metrics.acc": {"$gte": 0.9}},
        {"summary_metrics.val/loss": {"$ne": 1}},
        {"state": "finished"},
        {"state": {"$nin": ["running", "crashed"]}},
        {"display_name": {"$regex": "^res"}},
        {"displayName": "resnet"},
        {"tags": "baseline"},
        {"tags": {"$in": ["other", "baseline"]}},
        {"tags": {"$all": ["baseline"]}},
        {"group": "g", "username": "kim"},
        {"created_at": {"$gt": "2023-11-14T00:00:00", "$lt": "2023-11-15"}},
        {"$or": [{"config.lr": 5}, {"state": "finished"}]},
        {"$and": [{"config.lr": 0.1}, {"$not": {"state": "running"}}]},
        {"$nor": [{"state": "running"}, {"config.lr": 5}]},
        {"config.lr": {"$not": {"$gt": 1}}},
    ],
)
def test_what_fits(asked: dict[str, Any]) -> None:
    """S2.41's questions and those of MongoDB's manual."""
    assert filters.fits(RUN, asked)
    assert not filters.fits(RUN, {"$not": asked})
    parse_runs(filters.server(asked))


@pytest.mark.parametrize(
    "asked",
    [
        {"config.lr": {"$gt": 0.5}},
        {"config.lr": {"$gt": "text"}},
        {"config.none": {"$gt": 0}},
        {"tags": {"$nin": ["baseline"]}},
        {"state": "running"},
    ],
)
def test_what_does_not_fit(asked: dict[str, Any]) -> None:
    """A text and a number are neither more nor less than each other."""
    assert not filters.fits(RUN, asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"nonsense": 1},
        {"config.": 1},
        {"config.lr": {"$near": 1}},
        {"$where": "1"},
    ],
)
def test_what_cannot_be_asked_is_named(asked: dict[str, Any]) -> None:
    """With what can."""
    with pytest.raises(UsageError, match="not known"):
        filters.fits(RUN, asked)


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        ("-created_at", "attributes.start_time DESC"),
        ("+summary_metrics.val/loss", "metrics.`val/loss` ASC"),
        ("config.lr", "params.`lr` ASC"),
        ("-display_name", "attributes.run_name DESC"),
    ],
)
def test_an_order_is_one_of_ours(asked: str, ours: str) -> None:
    """Plus is up, minus is down."""
    assert filters.order(asked) == [ours]
    order_runs(filters.order(asked))


FIELDS = st.sampled_from(
    ["config.lr", "summary_metrics.acc", "state", "tags", "display_name", "group"]
)
VALUES = st.sampled_from([0.1, 0.9, 5, "finished", "running", "baseline", "g", "it's"])
TERMS = st.builds(
    lambda field, op, value: {field: {op: value}},
    FIELDS,
    st.sampled_from(["$eq", "$gt", "$lte", "$ne"]),
    VALUES,
)
FILTERS = st.recursive(
    TERMS,
    lambda inner: st.builds(
        lambda op, parts: {op: parts},
        st.sampled_from(["$and", "$or", "$nor"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


@pytest.mark.usefixtures("store")
def test_the_server_lets_all_through_that_fits() -> None:
    """What it is asked narrows the answer, and never takes a run from it."""
    for n, (lr, acc) in enumerate([(0.1, 0.9), (5, 0.1), (0.1, 0.1), (5, 5)]):
        tags = ["baseline"] if n % 2 else []
        run = wandb.init(project="p", config={"lr": lr}, tags=tags, group="g")
        run.log({"acc": acc})
        if n == 2:
            run.summary["acc"] = 0.9
        if n:
            run.finish(exit_code=n // 2)
        else:
            run.finish()
    every = list(wandb.Api().runs("p"))

    @given(asked=FILTERS)
    def law(asked: dict[str, Any]) -> None:
        fitting = [r.id for r in every if filters.fits(r._record, asked)]
        assert [r.id for r in wandb.Api().runs("p", asked)] == fitting

    law()
