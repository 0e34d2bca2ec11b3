"""Logged models: their life, their metrics and files."""

from typing import Any, Final

from tests.wire.calls import Call, get, post


MODELS: Final = "logged-models"
PREFIX: Final = "/api/2.0/mlflow/logged-models"
NO_MODEL: Final = "m-" + "0" * 32
EMPTY: Final[dict[str, Any]] = {}


def create(says: str, keep: str = "", **body: object) -> Call:
    """Create a logged model; its id is known as *keep*."""
    names = {keep: "model.info.model_id"} if keep else {}
    return post(says, MODELS, {"experiment_id": "{e}"} | body, **names)


def patch(says: str, path: str, body: object = None) -> Call:
    """Send a PATCH below `logged-models/`."""
    return Call(says, "PATCH", f"{PREFIX}/{path}", body)


def _delete(says: str, path: str, body: object = None) -> Call:
    return Call(says, "DELETE", f"{PREFIX}/{path}", body)


def _get(says: str, path: str, query: object = None) -> Call:
    return get(says, f"{PREFIX}/{path}", query)


def pairs(**pairs: object) -> list[dict[str, object]]:
    """Write params or tags as the wire has them."""
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
    create("create", "m", name="model"),
    _get("get", "{m}"),
    create(
        "create with all",
        "n",
        name="all of it",
        model_type="agent",
        source_run_id="{a}",
        params=pairs(lr="0.1", depth="5"),
        tags=pairs(team="a", more="b c"),
    ),
    _get("get with all", "{n}"),
    get("get at the other door", "/ajax-api/2.0/mlflow/logged-models/{n}"),
    create("create the same name again", name="model"),
    create("create without a name"),
    create("create with an empty name", name=""),
    *(
        create(f"create with the name {name}", name=name)
        for name in ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "a b", "é한")
    ),
    create("create with a number for a name", name=5),
    create("create in a missing experiment", experiment_id="123456", name="x"),
    create("create in a word", experiment_id="abc", name="x"),
    post("create in nothing", MODELS, {"name": "x"}),
    create("create for a missing run", name="x", source_run_id="0" * 32),
    create("create with a text for params", name="x", params="x"),
    create("create with a text for tags", name="x", tags="x"),
    create("create with an empty param", name="x", params=[{"key": "a"}]),
    create(
        "create with a param without a key",
        experiment_id="0",
        name="x",
        params=[{"value": "a"}],
    ),
    create(
        "create with a param of a number",
        experiment_id="0",
        name="x",
        params=pairs(a=5),
    ),
    create(
        "create with a param twice",
        experiment_id="0",
        name="x",
        params=[{"key": "a", "value": "1"}, {"key": "a", "value": "1"}],
    ),
    post("create with nothing", MODELS, EMPTY),
    create("create one for what is odd", "w", name="odd", experiment_id="0"),
    _get("get a missing one", NO_MODEL),
    _get("get a strange one", "a%20b"),
    patch("finish", "{m}", {"model_id": "{m}", "status": "LOGGED_MODEL_READY"}),
    _get("get finished", "{m}"),
    patch("fail", "{m}", {"model_id": "{m}", "status": "LOGGED_MODEL_UPLOAD_FAILED"}),
    patch("finish by number", "{m}", {"model_id": "{m}", "status": 2}),
    patch("pending by number as text", "{m}", {"model_id": "{m}", "status": "1"}),
    patch("finish without its id", "{w}", {"status": "LOGGED_MODEL_READY"}),
    patch("finish with nothing", "{m}", {"model_id": "{m}"}),
    patch("finish in words", "{w}", {"model_id": "{w}", "status": "READY"}),
    patch("finish by a wild number", "{w}", {"model_id": "{w}", "status": 9}),
    patch("finish a missing one", NO_MODEL, {"model_id": NO_MODEL, "status": 2}),
    patch("tag", "{m}/tags", {"tags": pairs(t="1", u="2")}),
    patch("tag again", "{m}/tags", {"tags": pairs(t="3")}),
    patch(
        "tag twice",
        "{m}/tags",
        {"tags": [{"key": "w", "value": "1"}, {"key": "w", "value": "2"}]},
    ),
    patch("tag with nothing", "{m}/tags", EMPTY),
    patch("tag without a value", "{m}/tags", {"tags": [{"key": "v"}]}),
    patch("tag without a key", "{w}/tags", {"tags": [{"value": "v"}]}),
    patch("tag with a text", "{m}/tags", {"tags": "x"}),
    patch("tag a missing one", f"{NO_MODEL}/tags", {"tags": pairs(t="1")}),
    _get("get tagged", "{m}"),
    _delete("untag", "{m}/tags/t", {"model_id": "{m}", "tag_key": "t"}),
    _delete("untag again", "{m}/tags/t"),
    _delete("untag a missing one", f"{NO_MODEL}/tags/t"),
    post(
        "params", f"{MODELS}/{{m}}/params", {"model_id": "{m}", "params": pairs(p="1")}
    ),
    post("params with nothing", f"{MODELS}/{{m}}/params", {"model_id": "{m}"}),
    post("params without its id", f"{MODELS}/{{w}}/params", {"params": pairs(q="1")}),
    post(
        "params again",
        f"{MODELS}/{{m}}/params",
        {"model_id": "{m}", "params": pairs(p="1")},
    ),
    post(
        "params changed",
        f"{MODELS}/{{m}}/params",
        {"model_id": "{m}", "params": pairs(p="2")},
    ),
    post(
        "params of a missing one",
        f"{MODELS}/{NO_MODEL}/params",
        {"model_id": NO_MODEL, "params": pairs(p="2")},
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
    patch("tag a deleted one", "{m}/tags", {"tags": pairs(t="1")}),
    patch("finish a deleted one", "{m}", {"model_id": "{m}", "status": 2}),
    _get("files of a deleted one", "{m}/artifacts/directories"),
    post("search without the deleted", f"{MODELS}/search", {"experiment_ids": ["{e}"]}),
    post("delete the experiment", "experiments/delete", {"experiment_id": "{e}"}),
    create("create in a deleted experiment", name="x"),
    _get("get of a deleted experiment", "{n}"),
]


def log(says: str, **body: object) -> Call:
    """Log a point of the first run."""
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
    create("create", "m", name="model", source_run_id="{a}"),
    create("create another", "n", name="other", source_run_id="{a}"),
    create("create one for what is odd", "w", name="odd"),
    log("log", model_id="{m}"),
    log("log the same", model_id="{m}"),
    log("log a later one", model_id="{m}", value=0.75, step=1),
    log(
        "log with a dataset",
        model_id="{m}",
        value=0.25,
        step=2,
        dataset_name="iris",
        dataset_digest="d1",
    ),
    log("log NaN", model_id="{w}", key="nan", value="NaN"),
    log("log infinity", model_id="{n}", key="inf", value="Infinity"),
    log("log to a missing model", run_id="{c}", model_id=NO_MODEL),
    log("log to no model", model_id=""),
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
            "params": pairs(p="1"),
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
    log("log to a deleted run", model_id="{m}", step=99),
    post(
        "outputs of a deleted run",
        "runs/outputs",
        {"run_id": "{a}", "models": [{"model_id": "{m}", "step": 9}]},
    ),
    _get("get of a deleted run", "{m}"),
]


def _register(says: str, model: str, **more: object) -> Call:
    body = {"name": "iris", "source": f"models:/{model}", "model_id": model}
    return post(says, "model-versions/create", body | more)


VERSIONS: Final = [
    *BEGIN,
    create("create", "m", name="model", source_run_id="{a}"),
    create("create without a run", "n", name="alone"),
    post("make a registered model", "registered-models/create", {"name": "iris"}),
    _register("register", "{m}", run_id="{a}"),
    _get("get", "{m}"),
    _register("register again", "{m}"),
    _get("get with two versions", "{m}"),
    _register("register the other", "{n}"),
    _get("get the other", "{n}"),
    _register("register by a place", "{n}", source="s3://bucket/iris", run_id="{a}"),
    _get("get with a place", "{n}"),
    patch(
        "clear the list", "{n}/tags", {"tags": pairs(**{"mlflow.modelVersions": ""})}
    ),
    _register("register after that", "{n}"),
    _get("get with a new list", "{n}"),
    patch(
        "break the list", "{n}/tags", {"tags": pairs(**{"mlflow.modelVersions": "x"})}
    ),
    _register("register with a broken list", "{n}"),
    _delete("delete", "{m}"),
    _register("register a deleted one", "{m}"),
    _register("register a deleted one by a place", "{m}", source="s3://bucket/iris"),
]

SCRIPTS = {
    "logged_models": LIFE,
    "logged_model_metrics": METRICS,
    "logged_model_versions": VERSIONS,
}
