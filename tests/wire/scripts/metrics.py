"""Metrics: points in, histories out; datasets; the server itself."""

from tests.wire.calls import Call, Json, get, post
from tests.wire.scripts.runs import ODD_KEYS


EMPTY: dict[str, object] = {}
AJAX = "/ajax-api/2.0/mlflow/"
BULK = AJAX + "metrics/get-history-bulk"
INTERVAL = "metrics/get-history-bulk-interval"


def _log(says: str, **body: object) -> Call:
    whole = {"run_id": "{a}", "key": "m", "value": 1.0, "timestamp": 1} | body
    return post(says, "runs/log-metric", {k: v for k, v in whole.items() if v != "-"})


def _history(says: str, keep: str = "", **query: object) -> Call:
    kept = {keep: "next_page_token"} if keep else {}
    return get(says, "metrics/get-history", {"run_id": "{a}"} | query, **kept)


MAKE = [
    post(
        "make a run",
        "runs/create",
        {"experiment_id": "0", "start_time": 1, "run_name": "a"},
        a="run.info.run_id",
    ),
    post(
        "make another",
        "runs/create",
        {"experiment_id": "0", "start_time": 1, "run_name": "b"},
        b="run.info.run_id",
    ),
]

POINTS = [
    *MAKE,
    _log("log"),
    _log("log again"),
    _log("another step", step=5, value=0.5),
    _log("an earlier step", step=2, value=0.25),
    _log("a step twice", step=5, value=0.75, timestamp=2),
    _log("a whole number", key="whole", value=3),
    _log("text for a number", key="text", value="2.5"),
    _log("text for integers", key="integers", timestamp="12", step="34"),
    _log("NaN", key="nan", value="NaN"),
    _log("NaN after a number", key="m nan", value=1),
    _log("NaN after a number 2", key="m nan", value="NaN", step=1),
    _log("infinity", key="inf", value="Infinity"),
    _log("minus infinity", key="ninf", value="-Infinity"),
    _log("a bare NaN", run_id="{b}", key="bare nan", value=float("nan")),
    _log("a bare infinity", run_id="{b}", key="bare inf", value=float("inf")),
    _log("a tiny number", key="tiny", value=5e-324),
    _log("a huge number", key="huge", value=1.7976931348623157e308),
    _log("minus zero", key="minus zero", value=-0.0),
    _log("a bool", run_id="{b}", key="bool", value=True),
    _log("words", value="x"),
    _log("null", value=None),
    _log("a list", run_id="{b}", value=[1]),
    _log("no value", value="-"),
    _log("no key", key="-"),
    _log("no time", timestamp="-"),
    _log("no run", run_id="-"),
    _log("the old name", run_id="-", run_uuid="{a}", key="old"),
    _log("a missing run", run_id="0" * 32),
    _log("a strange run", run_id="a b"),
    _log("a negative time", timestamp=-1),
    _log("time 0", key="time 0", timestamp=0),
    _log("a broken time", run_id="{b}", timestamp=1.5),
    _log("a time in words", timestamp="x"),
    _log("a null time", timestamp=None),
    _log("a huge time", run_id="{b}", timestamp=2**63),
    _log("a negative step", key="negative", step=-7),
    _log("a broken step", run_id="{b}", step=0.5),
    _log("a whole float step", key="float step", step=4.0),
    _log("a null step", key="null step", step=None),
    _log("a huge step", run_id="{b}", step=2**63),
    _log("the last step", key="last", step=2**63 - 1),
    *(_log(f"metric key: {name}", key=key) for name, key in ODD_KEYS.items()),
    _log("with a dataset", key="with data", dataset_name="d", dataset_digest="x"),
    _log("with a model", run_id="{b}", key="with model", model_id="m-1"),
    get("get all", "runs/get", {"run_id": "{a}"}),
    _history("history", metric_key="m"),
    _history("history of NaN", metric_key="m nan"),
    _history("history of infinity", metric_key="inf"),
    _history("history of minus infinity", metric_key="ninf"),
    _history("history of minus zero", metric_key="minus zero"),
    _history("history of nothing", metric_key="none"),
    _history("history without a key"),
    _history("history with an empty key", metric_key=""),
    get("history without a run", "metrics/get-history", {"metric_key": "m"}),
    get(
        "history by the old name",
        "metrics/get-history",
        {"metric_key": "m", "run_uuid": "{a}"},
    ),
    get(
        "history of a missing run",
        "metrics/get-history",
        {"metric_key": "m", "run_id": "0" * 32},
    ),
    _history("history of one", metric_key="m", max_results=1),
    _history("history page 1", keep="p", metric_key="m", max_results=3),
    _history("history page 2", metric_key="m", max_results=3, page_token="{p}"),
    _history("history just enough", metric_key="m", max_results=4),
    _history("history of 0", metric_key="m", max_results=0),
    _history("history of -1", metric_key="m", max_results=-1),
    _history("history of words", metric_key="m", max_results="x"),
    _history("history of very many", metric_key="m", max_results=1_000_000),
    _history(
        "history with a bad token", metric_key="m", max_results=3, page_token="bad"
    ),
    _history("history with an empty token", metric_key="m", page_token=""),
    _history("history of nothing, paged", metric_key="none", max_results=3),
]

BULKS = [
    *MAKE,
    post(
        "log many",
        "runs/log-batch",
        {
            "run_id": "{a}",
            "metrics": [
                {"key": "m", "value": i, "timestamp": i, "step": i} for i in range(40)
            ],
        },
    ),
    post(
        "log few",
        "runs/log-batch",
        {
            "run_id": "{b}",
            "metrics": [
                {"key": "m", "value": -i, "timestamp": i, "step": i} for i in range(3)
            ],
        },
    ),
    get("bulk", BULK, {"run_id": ["{b}"], "metric_key": "m"}),
    get("bulk of none", BULK, {"metric_key": "m"}),
    get("bulk without a key", BULK, {"run_id": "{b}"}),
    get("bulk of an unknown key", BULK, {"run_id": "{b}", "metric_key": "none"}),
    get("bulk of a missing run", BULK, {"run_id": "0" * 32, "metric_key": "m"}),
    get("bulk of one", BULK, {"run_id": ["{b}"], "metric_key": "m", "max_results": 1}),
    get(
        "bulk of 101",
        BULK,
        {"run_id": [f"{i:032x}" for i in range(101)], "metric_key": "m"},
    ),
    get(
        "bulk at the other door",
        "metrics/get-history-bulk",
        {"run_id": ["{b}"], "metric_key": "m"},
    ),
    get("interval", INTERVAL, {"run_ids": ["{b}"], "metric_key": "m"}),
    get(
        "interval of a range",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 5, "end_step": 7},
    ),
    get(
        "interval of one step",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 5, "end_step": 5},
    ),
    get(
        "interval of 0 to 0",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 0, "end_step": 0},
    ),
    get(
        "interval of nothing",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 90, "end_step": 99},
    ),
    get(
        "interval backwards",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 7, "end_step": 5},
    ),
    get(
        "interval without an end",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": 7},
    ),
    get(
        "interval without a start",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "end_step": 7},
    ),
    get(
        "interval from words",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "start_step": "x", "end_step": 5},
    ),
    get("interval of no runs", INTERVAL, {"metric_key": "m"}),
    get("interval without a key", INTERVAL, {"run_ids": ["{a}"]}),
    get(
        "interval of 0",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "max_results": 0},
    ),
    get(
        "interval of 2501",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "max_results": 2501},
    ),
    get(
        "interval of words",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "max_results": "x"},
    ),
    get(
        "interval of 101 runs",
        INTERVAL,
        {"run_ids": [f"{i:032x}" for i in range(101)], "metric_key": "m"},
    ),
    get(
        "interval of a missing run",
        INTERVAL,
        {"run_ids": ["0" * 32], "metric_key": "m"},
    ),
    get(
        "interval of an unknown key",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "none"},
    ),
    get(
        "interval of two runs", INTERVAL, {"run_ids": ["{b}", "{b}"], "metric_key": "m"}
    ),
    get(
        "interval thinned",
        INTERVAL,
        {"run_ids": ["{a}"], "metric_key": "m", "max_results": 10},
    ),
]


def _inputs(says: str, *datasets: Json, **more: object) -> Call:
    return post(
        says, "runs/log-inputs", {"run_id": "{a}", "datasets": list(datasets)} | more
    )


def _dataset(name: object = "iris", tags: Json = (), **more: object) -> dict[str, Json]:
    whole = {"name": name, "digest": "d1", "source_type": "http", "source": "{}"} | more
    return {"dataset": {k: v for k, v in whole.items() if v != "-"}, "tags": list(tags)}


CONTEXT = [{"key": "mlflow.data.context", "value": "training"}]
SEARCHES = "experiments/search-datasets"
DATASETS = [
    post("make an experiment", "experiments/create", {"name": "d"}, e="experiment_id"),
    post(
        "make a run",
        "runs/create",
        {"experiment_id": "{e}", "start_time": 1, "run_name": "a"},
        a="run.info.run_id",
    ),
    get("inputs of none", "runs/get", {"run_id": "{a}"}),
    _inputs("one", _dataset(tags=CONTEXT, schema="{}", profile="{}")),
    get("inputs of one", "runs/get", {"run_id": "{a}"}),
    _inputs("the same", _dataset(tags=CONTEXT, schema="{}", profile="{}")),
    _inputs(
        "the same with another tag", _dataset(tags=[{"key": "other", "value": "1"}])
    ),
    get("inputs of the same", "runs/get", {"run_id": "{a}"}),
    _inputs("one without tags", _dataset("plain")),
    get("inputs without tags", "runs/get", {"run_id": "{a}"}),
    _inputs("none"),
    post("no list", "runs/log-inputs", {"run_id": "{a}"}),
    post("no run", "runs/log-inputs", {"datasets": []}),
    post(
        "a missing run",
        "runs/log-inputs",
        {"run_id": "0" * 32, "datasets": [_dataset()]},
    ),
    _inputs("an empty name", _dataset("")),
    _inputs("a long name", _dataset("n" * 500)),
    _inputs("too long a name", _dataset("n" * 501)),
    _inputs("a tag without a value", _dataset("t", tags=[{"key": "a"}])),
    post("search", AJAX + SEARCHES, {"experiment_ids": ["{e}"]}),
    post(
        "search at the odd door",
        "/api/2.0" + "mlflow/" + SEARCHES,
        {"experiment_ids": ["{e}"]},
    ),
    post("search none", AJAX + SEARCHES, {"experiment_ids": []}),
    post("search nothing", AJAX + SEARCHES, EMPTY),
    post("search a missing one", AJAX + SEARCHES, {"experiment_ids": ["123456"]}),
    post("search the default", AJAX + SEARCHES, {"experiment_ids": ["0"]}),
    post("search 21", AJAX + SEARCHES, {"experiment_ids": [str(i) for i in range(21)]}),
    post(
        "find by the dataset",
        "runs/search",
        {"experiment_ids": ["{e}"], "filter": "dataset.name = 'iris'"},
    ),
    post(
        "find by its context",
        "runs/search",
        {"experiment_ids": ["{e}"], "filter": "dataset.context = 'training'"},
    ),
    post("delete the run", "runs/delete", {"run_id": "{a}"}),
    _inputs("to a deleted run", _dataset("late")),
    post("search after the run is gone", AJAX + SEARCHES, {"experiment_ids": ["{e}"]}),
    post("restore the run", "runs/restore", {"run_id": "{a}"}),
    _inputs("no name", _dataset("-")),
    _inputs("no digest", _dataset(digest="-")),
    _inputs("no source", _dataset(source="-")),
    _inputs("no source type", _dataset(source_type="-")),
    _inputs("a tag without a key", _dataset("t", tags=[{"value": "a"}])),
    _inputs("no dataset", {"tags": []}),
    _inputs("text", "x"),
]

ABOUT = [
    get("health", "/health"),
    get("version", "/version"),
    get("server info", "/api/3.0/mlflow/server-info"),
    get("server info of a page", "/ajax-api/3.0/mlflow/server-info"),
    post("no models", "logged-models/search", {"experiment_ids": ["0"]}),
]

SCRIPTS = {"metrics": POINTS, "bulk": BULKS, "datasets": DATASETS, "about": ABOUT}
