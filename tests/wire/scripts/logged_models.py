"""Logged models: their life, their search, their metrics and files."""

from typing import Any, Final

from tests.wire.calls import Call, get, post


MODELS: Final = "logged-models"
PREFIX: Final = "/api/2.0/mlflow/logged-models"
NO_MODEL: Final = "m-" + "0" * 32
EMPTY: Final[dict[str, Any]] = {}


def _create(says: str, keep: str = "", **body: object) -> Call:
    names = {keep: "model.info.model_id"} if keep else {}
    return post(says, MODELS, {"experiment_id": "{e}"} | body, **names)


def _patch(says: str, path: str, body: object = None) -> Call:
    return Call(says, "PATCH", f"{PREFIX}/{path}", body)


def _delete(says: str, path: str, body: object = None) -> Call:
    return Call(says, "DELETE", f"{PREFIX}/{path}", body)


def _get(says: str, path: str, query: object = None) -> Call:
    return get(says, f"{PREFIX}/{path}", query)


def _pairs(**pairs: object) -> list[dict[str, object]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


BEGIN: Final = [
    post("make an experiment", "experiments/create", {"name": "m"}, e="experiment_id"),
    post(
        "make a run",
        "runs/create",
        {"experiment_id": "{e}", "start_time": 1, "run_name": "a"},
        a="run.info.run_id",
    ),
    post(
        "make another run",
        "runs/create",
        {"experiment_id": "{e}", "start_time": 2, "run_name": "b"},
        b="run.info.run_id",
    ),
]

LIFE: Final = [
    *BEGIN,
    _create("create", "m", name="model"),
    _get("get", "{m}"),
    _create(
        "create with all",
        "n",
        name="all of it",
        model_type="agent",
        source_run_id="{a}",
        params=_pairs(lr="0.1", depth="5"),
        tags=_pairs(team="a", more="b c"),
    ),
    _get("get with all", "{n}"),
    get("get at the other door", "/ajax-api/2.0/mlflow/logged-models/{n}"),
    _create("create the same name again", name="model"),
    _create("create without a name"),
    _create("create with an empty name", name=""),
    *(
        _create(f"create with the name {name}", name=name)
        for name in ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "a b", "é한")
    ),
    _create("create with a number for a name", name=5),
    _create("create in a missing experiment", experiment_id="123456", name="x"),
    _create("create in a word", experiment_id="abc", name="x"),
    post("create in nothing", MODELS, {"name": "x"}),
    _create("create for a missing run", name="x", source_run_id="0" * 32),
    _create("create with a text for params", name="x", params="x"),
    _create("create with a text for tags", name="x", tags="x"),
    _create("create with an empty param", name="x", params=[{"key": "a"}]),
    _create(
        "create with a param without a key",
        experiment_id="0",
        name="x",
        params=[{"value": "a"}],
    ),
    _create(
        "create with a param of a number",
        experiment_id="0",
        name="x",
        params=_pairs(a=5),
    ),
    _create(
        "create with a param twice",
        experiment_id="0",
        name="x",
        params=[{"key": "a", "value": "1"}, {"key": "a", "value": "1"}],
    ),
    post("create with nothing", MODELS, EMPTY),
    _create("create one for what is odd", "w", name="odd", experiment_id="0"),
    _get("get a missing one", NO_MODEL),
    _get("get a strange one", "a%20b"),
    _patch("finish", "{m}", {"model_id": "{m}", "status": "LOGGED_MODEL_READY"}),
    _get("get finished", "{m}"),
    _patch("fail", "{m}", {"model_id": "{m}", "status": "LOGGED_MODEL_UPLOAD_FAILED"}),
    _patch("finish by number", "{m}", {"model_id": "{m}", "status": 2}),
    _patch("pending by number as text", "{m}", {"model_id": "{m}", "status": "1"}),
    _patch("finish without its id", "{w}", {"status": "LOGGED_MODEL_READY"}),
    _patch("finish with nothing", "{m}", {"model_id": "{m}"}),
    _patch("finish in words", "{w}", {"model_id": "{w}", "status": "READY"}),
    _patch("finish by a wild number", "{w}", {"model_id": "{w}", "status": 9}),
    _patch("finish a missing one", NO_MODEL, {"model_id": NO_MODEL, "status": 2}),
    _patch("tag", "{m}/tags", {"tags": _pairs(t="1", u="2")}),
    _patch("tag again", "{m}/tags", {"tags": _pairs(t="3")}),
    _patch(
        "tag twice",
        "{m}/tags",
        {"tags": [{"key": "w", "value": "1"}, {"key": "w", "value": "2"}]},
    ),
    _patch("tag with nothing", "{m}/tags", EMPTY),
    _patch("tag without a value", "{m}/tags", {"tags": [{"key": "v"}]}),
    _patch("tag without a key", "{w}/tags", {"tags": [{"value": "v"}]}),
    _patch("tag with a text", "{m}/tags", {"tags": "x"}),
    _patch("tag a missing one", f"{NO_MODEL}/tags", {"tags": _pairs(t="1")}),
    _get("get tagged", "{m}"),
    _delete("untag", "{m}/tags/t", {"model_id": "{m}", "tag_key": "t"}),
    _delete("untag again", "{m}/tags/t"),
    _delete("untag a missing one", f"{NO_MODEL}/tags/t"),
    post(
        "params", f"{MODELS}/{{m}}/params", {"model_id": "{m}", "params": _pairs(p="1")}
    ),
    post("params with nothing", f"{MODELS}/{{m}}/params", {"model_id": "{m}"}),
    post("params without its id", f"{MODELS}/{{w}}/params", {"params": _pairs(q="1")}),
    post(
        "params again",
        f"{MODELS}/{{m}}/params",
        {"model_id": "{m}", "params": _pairs(p="1")},
    ),
    post(
        "params changed",
        f"{MODELS}/{{m}}/params",
        {"model_id": "{m}", "params": _pairs(p="2")},
    ),
    post(
        "params of a missing one",
        f"{MODELS}/{NO_MODEL}/params",
        {"model_id": NO_MODEL, "params": _pairs(p="2")},
    ),
    _get("get with params", "{m}"),
    _get("files of none", "{m}/artifacts/directories"),
    _get(
        "files of a folder of none",
        "{m}/artifacts/directories",
        {"artifact_directory_path": "a/b"},
    ),
    _get(
        "files above",
        "{m}/artifacts/directories",
        {"artifact_directory_path": "../x"},
    ),
    _get("files of a missing one", f"{NO_MODEL}/artifacts/directories"),
    get(
        "a file of none",
        "/ajax-api/2.0/mlflow/logged-models/{m}/artifacts/files",
        {"artifact_file_path": "MLmodel"},
    ),
    get("no file", "/ajax-api/2.0/mlflow/logged-models/{m}/artifacts/files"),
    get(
        "a file above",
        "/ajax-api/2.0/mlflow/logged-models/{m}/artifacts/files",
        {"artifact_file_path": "../../MLmodel"},
    ),
    _delete("delete", "{m}", {"model_id": "{m}"}),
    _get("get deleted", "{m}"),
    _get("get deleted all the same", "{m}", {"allow_deleted": "true"}),
    _delete("delete again", "{m}"),
    _delete("delete a missing one", NO_MODEL),
    _patch("tag a deleted one", "{m}/tags", {"tags": _pairs(t="1")}),
    _patch("finish a deleted one", "{m}", {"model_id": "{m}", "status": 2}),
    _get("files of a deleted one", "{m}/artifacts/directories"),
    post("search without the deleted", f"{MODELS}/search", {"experiment_ids": ["{e}"]}),
    post("delete the experiment", "experiments/delete", {"experiment_id": "{e}"}),
    _create("create in a deleted experiment", name="x"),
    _get("get of a deleted experiment", "{n}"),
]


def _log(says: str, **body: object) -> Call:
    return post(
        says,
        "runs/log-metric",
        {"run_id": "{a}", "key": "acc", "value": 0.5, "timestamp": 1} | body,
    )


def _metric(key: str, value: float, step: int, **more: object) -> dict[str, object]:
    return {"key": key, "value": value, "timestamp": 7, "step": step} | more


METRICS: Final = [
    *BEGIN,
    post(
        "make a run for what is odd",
        "runs/create",
        {"experiment_id": "0", "start_time": 3, "run_name": "c"},
        c="run.info.run_id",
    ),
    _create("create", "m", name="model", source_run_id="{a}"),
    _create("create another", "n", name="other", source_run_id="{a}"),
    _create("create one for what is odd", "w", name="odd"),
    _log("log", model_id="{m}"),
    _log("log the same", model_id="{m}"),
    _log("log a later one", model_id="{m}", value=0.75, step=1),
    _log(
        "log with a dataset",
        model_id="{m}",
        value=0.25,
        step=2,
        dataset_name="iris",
        dataset_digest="d1",
    ),
    _log("log NaN", model_id="{w}", key="nan", value="NaN"),
    _log("log infinity", model_id="{n}", key="inf", value="Infinity"),
    _log("log to a missing model", run_id="{c}", model_id=NO_MODEL),
    _log("log to no model", model_id=""),
    _get("get", "{m}"),
    _get("get the other", "{n}"),
    _get("get NaN", "{w}"),
    post(
        "log a batch",
        "runs/log-batch",
        {
            "run_id": "{b}",
            "metrics": [
                _metric("loss", 0.1, 0, model_id="{n}"),
                _metric(
                    "loss",
                    0.2,
                    1,
                    model_id="{n}",
                    dataset_name="iris",
                    dataset_digest="d1",
                ),
                _metric("plain", 0.3, 1),
            ],
            "params": _pairs(p="1"),
        },
    ),
    post(
        "log a batch with half a dataset",
        "runs/log-batch",
        {
            "run_id": "{b}",
            "metrics": [_metric("half", 1, 9, model_id="{n}", dataset_name="iris")],
        },
    ),
    post(
        "log a batch to a missing model",
        "runs/log-batch",
        {"run_id": "{c}", "metrics": [_metric("loss", 1, 9, model_id=NO_MODEL)]},
    ),
    _get("get after the batch", "{n}"),
    get("the run has them too", "runs/get", {"run_id": "{a}"}),
    get(
        "the history too", "metrics/get-history", {"run_id": "{a}", "metric_key": "acc"}
    ),
    post(
        "outputs",
        "runs/outputs",
        {"run_id": "{a}", "models": [{"model_id": "{m}", "step": 3}]},
    ),
    post(
        "outputs as text",
        "runs/outputs",
        {"run_id": "{a}", "models": [{"model_id": "{n}", "step": "4"}]},
    ),
    post("outputs with nothing", "runs/outputs", {"run_id": "{a}"}),
    post(
        "outputs of a missing run",
        "runs/outputs",
        {"run_id": "0" * 32, "models": [{"model_id": "{m}", "step": 3}]},
    ),
    post(
        "inputs",
        "runs/log-inputs",
        {"run_id": "{b}", "models": [{"model_id": "{m}"}, {"model_id": "{n}"}]},
    ),
    post(
        "inputs again",
        "runs/log-inputs",
        {"run_id": "{b}", "models": [{"model_id": "{m}"}]},
    ),
    post(
        "inputs of both kinds",
        "runs/log-inputs",
        {
            "run_id": "{a}",
            "models": [{"model_id": "{n}"}],
            "datasets": [
                {
                    "dataset": {
                        "name": "iris",
                        "digest": "d1",
                        "source_type": "http",
                        "source": "{}",
                    },
                    "tags": [{"key": "mlflow.data.context", "value": "eval"}],
                }
            ],
        },
    ),
    get("get with outputs", "runs/get", {"run_id": "{a}"}),
    get("get with inputs", "runs/get", {"run_id": "{b}"}),
    post(
        "search with both", "runs/search", {"experiment_ids": ["{e}"], "max_results": 5}
    ),
    post(
        "note a model as old clients do",
        "runs/log-model",
        {
            "run_id": "{a}",
            "model_json": '{"run_id": "{a}", "artifact_path": "old", '
            '"utc_time_created": "2026-01-02 03:04:05.6", "model_uuid": "u", '
            '"flavors": {"sklearn": {"code": null, "config": {"x": 1}}}, '
            '"signature": null}',
        },
    ),
    post(
        "note another",
        "runs/log-model",
        {
            "run_id": "{a}",
            "model_json": '{"run_id": "{a}", "artifact_path": "two", '
            '"utc_time_created": "2026-01-02 03:04:05.6", "flavors": {}}',
        },
    ),
    get("get with noted models", "runs/get", {"run_id": "{a}"}),
    post(
        "note half a model",
        "runs/log-model",
        {"run_id": "{a}", "model_json": '{"run_id": "{a}"}'},
    ),
    post("note no JSON", "runs/log-model", {"run_id": "{a}", "model_json": "{"}),
    post("note a list", "runs/log-model", {"run_id": "{a}", "model_json": "[]"}),
    post("note nothing", "runs/log-model", {"run_id": "{a}"}),
    post("delete the run", "runs/delete", {"run_id": "{a}"}),
    _log("log to a deleted run", model_id="{m}", step=99),
    post(
        "outputs of a deleted run",
        "runs/outputs",
        {"run_id": "{a}", "models": [{"model_id": "{m}", "step": 9}]},
    ),
    _get("get of a deleted run", "{m}"),
]

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
            _create(
                f"create {number}",
                keep,
                name=f"model {number}",
                **({"source_run_id": "{a}"} if number < 3 else {}),
                **({"model_type": "agent"} if number == 1 else {}),
                params=_pairs(lr=f"0.{number}") if number else [],
                tags=_pairs(team="a" if number % 2 else "b") if number < 4 else [],
            )
        )
        if number < 3:
            step = 3 - number
            made.append(
                _log(
                    f"log to {number}",
                    model_id=f"{{{keep}}}",
                    value=number / 4,
                    step=step,
                )
            )
    return [
        *made,
        _log("log an older one", model_id="{m2}", value=9, step=0),
        _log(
            "log on iris",
            model_id="{m2}",
            value=0.1,
            step=8,
            dataset_name="iris",
            dataset_digest="d1",
        ),
        _log(
            "log on iris again",
            model_id="{m3}",
            value=0.2,
            dataset_name="iris",
            dataset_digest="d1",
        ),
        _log(
            "log on wine",
            model_id="{m4}",
            value=0.3,
            dataset_name="wine",
            dataset_digest="d2",
        ),
        _log("log without a digest", model_id="{m0}", step=-1, dataset_name="bare"),
        _patch("finish 0", "{m0}", {"model_id": "{m0}", "status": 2}),
        _patch("fail 3", "{m3}", {"model_id": "{m3}", "status": 3}),
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

SCRIPTS = {
    "logged_models": LIFE,
    "logged_model_metrics": METRICS,
    "logged_model_search": SEARCH,
}
