"""The search of logged models: filters, orders, datasets, pages."""

from typing import Any, Final

from tests.wire.calls import Call, post
from tests.wire.scripts.logged_models import (
    BEGIN,
    EMPTY,
    MODELS,
    create,
    log,
    pairs,
    patch,
)


FILTERS: Final = [
    "name = 'model 1'",
    "name != 'model 1'",
    "name LIKE 'model%'",
    "name like '%1'",
    "name ILIKE 'MODEL%'",
    "name IN ('model 0', 'model 2')",
    "name NOT IN ('model 0', 'model 2')",
    "attributes.name = 'model 1'",
    "attribute.name = 'model 1'",
    "name = model",
    'name = "model 1"',
    "name > 'a'",
    "`name` = 'model 1'",
    "model_type = 'agent'",
    "model_type = ''",
    "source_run_id = '{a}'",
    "source_run_id != '{a}'",
    "status = 'READY'",
    "status != 'READY'",
    "status IN ('READY', 'FAILED')",
    "status = 'LOGGED_MODEL_READY'",
    "status LIKE 'R%'",
    "status = 'nothing'",
    "creation_time > 0",
    "creation_timestamp > 0",
    "creation_timestamp_ms < 5",
    "last_updated_timestamp >= 5",
    "creation_time = 'x'",
    "creation_time LIKE 'x'",
    "nothing = 'x'",
    "nothing.x = 'x'",
    "params.lr = '0.1'",
    "params.lr != '0.1'",
    "params.lr LIKE '0%'",
    "params.lr IN ('0.1', '0.2')",
    "params.`lr` = '0.1'",
    "params.nothing = '1'",
    "params.lr > '0'",
    "tags.team = 'a'",
    "tags.team != 'a'",
    "tags.team ILIKE 'A'",
    "metrics.acc > 0.6",
    "metrics.acc < 0.6",
    "metrics.acc = 0.5",
    "metrics.acc != 0.5",
    "metrics.acc >= 0.75 AND params.lr = '0.2'",
    "metrics.acc > '0.6'",
    "metrics.acc LIKE '0'",
    "metrics.nothing > 0",
    "name LIKE 'model%' AND tags.team = 'a' AND metrics.acc > 0",
    "name = 'a' OR name = 'b'",
    "name = ",
    "name",
    "= 'a'",
    "AND",
    "",
    "   ",
    "model_id = '{n}'",
    "model_id IN ('{n}')",
]

ORDERS: Final[list[Any]] = [
    [{"field_name": "name"}],
    [{"field_name": "name", "ascending": False}],
    [{"field_name": "metrics.acc"}],
    [{"field_name": "metrics.acc", "ascending": False}],
    [{"field_name": "metrics.acc", "ascending": False}, {"field_name": "name"}],
    [{"field_name": "metrics.acc", "dataset_name": "iris"}],
    [{"field_name": "metrics.acc", "dataset_name": "iris", "dataset_digest": "d1"}],
    [{"field_name": "metrics.nothing"}],
    [{"field_name": "creation_time"}],
    [{"field_name": "creation_timestamp", "ascending": True}],
    [{"field_name": "last_updated_timestamp", "ascending": False}],
    [{"field_name": "model_type"}],
    [{"field_name": "status"}, {"field_name": "name"}],
    [{"field_name": "params.lr"}],
    [{"field_name": "attributes.name"}],
    [{"field_name": "nothing"}],
    [{"field_name": ""}],
    [{}],
    ["name"],
]

DATASETS: Final[list[Any]] = [
    [{"dataset_name": "iris", "dataset_digest": "d1"}],
    [{"dataset_name": "iris", "dataset_digest": "d9"}],
    [{"dataset_name": "iris"}],
    [{"dataset_name": "bare"}],
    [{"dataset_digest": "d1"}],
    [{"dataset_name": ""}],
    [
        {"dataset_name": "iris", "dataset_digest": "d1"},
        {"dataset_name": "wine", "dataset_digest": "d2"},
    ],
]


def _search(says: str, **body: object) -> Call:
    return post(says, f"{MODELS}/search", {"experiment_ids": ["{e}"]} | body)


def _made() -> list[Call]:
    """Make five models, alike but for what is asked for."""
    made = []
    for number in range(5):
        keep = "n" if number == 1 else f"m{number}"
        made.append(
            create(
                f"create {number}",
                keep,
                name=f"model {number}",
                **({"source_run_id": "{a}"} if number < 3 else {}),
                **({"model_type": "agent"} if number == 1 else {}),
                params=pairs(lr=f"0.{number}") if number else [],
                tags=pairs(team="a" if number % 2 else "b") if number < 4 else [],
            )
        )
        if number < 3:
            step = 3 - number
            made.append(
                log(
                    f"log to {number}",
                    model_id=f"{{{keep}}}",
                    value=number / 4,
                    step=step,
                )
            )
    return [
        *made,
        log("log an older one", model_id="{m2}", value=9, step=0),
        log(
            "log on iris",
            model_id="{m2}",
            value=0.1,
            step=8,
            dataset_name="iris",
            dataset_digest="d1",
        ),
        log(
            "log on iris again",
            model_id="{m3}",
            value=0.2,
            dataset_name="iris",
            dataset_digest="d1",
        ),
        log(
            "log on wine",
            model_id="{m4}",
            value=0.3,
            dataset_name="wine",
            dataset_digest="d2",
        ),
        log("log without a digest", model_id="{m0}", step=-1, dataset_name="bare"),
        patch("finish 0", "{m0}", {"model_id": "{m0}", "status": 2}),
        patch("fail 3", "{m3}", {"model_id": "{m3}", "status": 3}),
    ]


SEARCH: Final = [
    *BEGIN,
    *_made(),
    _search("all"),
    *(_search(f"filter {text}|", filter=text) for text in FILTERS),
    *(_search(f"order {order}", order_by=order) for order in ORDERS),
    *(_search(f"datasets {datasets}", datasets=datasets) for datasets in DATASETS),
    _search(
        "datasets and a metric",
        datasets=[{"dataset_name": "iris", "dataset_digest": "d1"}],
        filter="metrics.acc > 0.15",
    ),
    _search(
        "datasets and an order",
        datasets=[{"dataset_name": "iris", "dataset_digest": "d1"}],
        order_by=[{"field_name": "metrics.acc", "ascending": False}],
    ),
    post(
        "page 1",
        f"{MODELS}/search",
        {"experiment_ids": ["{e}"], "max_results": 2},
        token="next_page_token",
    ),
    _search("page 2", max_results=2, page_token="{token}"),
    _search("page 2 of another search", page_token="{token}", filter="name != 'x'"),
    _search("page of nothing", page_token="x"),
    _search("max_results 0", max_results=0),
    _search("max_results -1", max_results=-1),
    _search("max_results as text", max_results="2"),
    _search("max_results in words", max_results="x"),
    _search("two experiments", experiment_ids=["{e}", "0"]),
    _search("a missing experiment", experiment_ids=["123456"]),
    _search("a word for an experiment", experiment_ids=["abc"]),
    _search("no experiments", experiment_ids=[]),
    post("nothing", f"{MODELS}/search", EMPTY),
]

SCRIPTS = {"logged_model_search": SEARCH}
