"""Runs: their life, params, tags, batches, search."""

from typing import Any

from tests.wire.calls import Call, get, post


EMPTY: dict[str, object] = {}
ODD_KEYS = {
    "plain": "loss",
    "slashes": "train/loss",
    "spaces": "train loss",
    "colon": "a:b",
    "dots": "a.b-c_d",
    "any script": "정확도",
    "empty": "",
    "one space": " ",
    "star": "a*b",
    "at": "a@b",
    "brackets": "a[0]",
    "percent": "a%",
    "quotes": "a'b",
    "newline": "a\nb",
    "trailing newline": "a\n",
    "tab": "a\tb",
    "emoji": "a🙂",
    "up": "a/../b",
    "double slash": "a//b",
    "end slash": "a/",
    "first slash": "/a",
    "dot": ".",
    "two dots": "..",
    "dot first": "./a",
    "two dots first": "../a",
    "long": "k" * 250,
    "too long": "k" * 251,
}


def _run(name: str, says: str, **body: object) -> Call:
    return post(says, "runs/create", body, **{name: "run.info.run_id"})


LIFE = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    _run(
        "a", "create", experiment_id="{e}", start_time=5, run_name="one", user_id="ann"
    ),
    _run("bare", "create with nothing"),
    _run("b", "create without a name", experiment_id="{e}", start_time=6),
    _run("n", "create with a number", experiment_id=0, start_time=6, run_name="n"),
    _run(
        "c", "create with an empty name", experiment_id="{e}", start_time=7, run_name=""
    ),
    _run(
        "d",
        "create named by a tag",
        experiment_id="{e}",
        start_time=8,
        tags=[{"key": "mlflow.runName", "value": "tagged"}],
    ),
    _run(
        "d2",
        "create named twice the same",
        experiment_id="{e}",
        start_time=8,
        run_name="same",
        tags=[{"key": "mlflow.runName", "value": "same"}],
    ),
    _run(
        "d3",
        "create named twice",
        experiment_id="{e}",
        run_name="one",
        tags=[{"key": "mlflow.runName", "value": "two"}],
    ),
    _run(
        "u",
        "create with a user in a tag",
        experiment_id="{e}",
        start_time=8,
        run_name="u",
        tags=[{"key": "mlflow.user", "value": "bob"}, {"key": "x", "value": ""}],
    ),
    _run(
        "dup",
        "create with a tag twice",
        experiment_id="{e}",
        start_time=8,
        run_name="dup",
        tags=[{"key": "x", "value": "1"}, {"key": "x", "value": "2"}],
    ),
    _run(
        "t",
        "create with a time as text",
        experiment_id="{e}",
        start_time="9",
        run_name="t",
    ),
    _run(
        "neg",
        "create with a negative time",
        experiment_id="{e}",
        start_time=-1,
        run_name="neg",
    ),
    _run(
        "w",
        "create with a word as time",
        experiment_id="{e}",
        start_time="x",
        run_name="w",
    ),
    _run(
        "f",
        "create with a broken time",
        experiment_id="{e}",
        start_time=1.5,
        run_name="f",
    ),
    _run(
        "big",
        "create with a huge time",
        experiment_id="{e}",
        start_time=2**63,
        run_name="b",
    ),
    _run("m", "create in a missing experiment", experiment_id="123456"),
    _run("m2", "create in a word", experiment_id="abc"),
    _run("m3", "create in nothing", experiment_id=""),
    _run(
        "bt",
        "create with a bad tag",
        experiment_id="{e}",
        tags=[{"key": "a*", "value": "1"}],
    ),
    _run(
        "et",
        "create with an empty tag",
        experiment_id="{e}",
        tags=[{"key": "", "value": "1"}],
    ),
    _run(
        "nt",
        "create with half a tag",
        experiment_id="{e}",
        run_name="h",
        start_time=1,
        tags=[{"key": "a"}],
    ),
    _run("s", "create with a text for tags", experiment_id="{e}", tags="x"),
    get("get", "runs/get", {"run_id": "{a}"}),
    get("get by the old name", "runs/get", {"run_uuid": "{a}"}),
    get("get by both", "runs/get", {"run_uuid": "{a}", "run_id": "{a}"}),
    get("get as a page does", "/ajax-api/2.0/mlflow/runs/get", {"run_id": "{a}"}),
    get("get under version 3", "/api/3.0/mlflow/runs/get", {"run_id": "{a}"}),
    get("get with its user", "runs/get", {"run_id": "{u}"}),
    get("get a missing one", "runs/get", {"run_id": "0" * 32}),
    get("get a strange one", "runs/get", {"run_id": "a b/c"}),
    get("get nothing", "runs/get", {"run_id": ""}),
    get("get without an id", "runs/get"),
    post(
        "finish", "runs/update", {"run_id": "{a}", "status": "FINISHED", "end_time": 50}
    ),
    get("get finished", "runs/get", {"run_id": "{a}"}),
    post("run again", "runs/update", {"run_id": "{a}", "status": "RUNNING"}),
    post(
        "fail", "runs/update", {"run_id": "{a}", "status": "FAILED", "end_time": "60"}
    ),
    post("kill by number", "runs/update", {"run_id": "{a}", "status": 5}),
    post("schedule", "runs/update", {"run_id": "{a}", "status": "SCHEDULED"}),
    post("number as text", "runs/update", {"run_id": "{a}", "status": "3"}),
    post("no such status", "runs/update", {"run_id": "{a}", "status": "SLEEPING"}),
    post("no such number", "runs/update", {"run_id": "{a}", "status": 9}),
    post("end at 0", "runs/update", {"run_id": "{a}", "end_time": 0}),
    post("end before the start", "runs/update", {"run_id": "{a}", "end_time": -5}),
    post("end in words", "runs/update", {"run_id": "{a}", "end_time": "x"}),
    post("rename", "runs/update", {"run_id": "{a}", "run_name": "uno"}),
    post("rename to nothing", "runs/update", {"run_id": "{a}", "run_name": ""}),
    post("update nothing", "runs/update", {"run_id": "{a}"}),
    get("get renamed", "runs/get", {"run_id": "{a}"}),
    post(
        "update by the old name",
        "runs/update",
        {"run_uuid": "{a}", "status": "FINISHED"},
    ),
    post(
        "update a missing one",
        "runs/update",
        {"run_id": "0" * 32, "status": "FINISHED"},
    ),
    post("update without an id", "runs/update", {"status": "FINISHED"}),
    post(
        "rename by a tag",
        "runs/set-tag",
        {"run_id": "{a}", "key": "mlflow.runName", "value": "eins"},
    ),
    get("get renamed by a tag", "runs/get", {"run_id": "{a}"}),
    post("delete", "runs/delete", {"run_id": "{a}"}),
    get("get deleted", "runs/get", {"run_id": "{a}"}),
    post("delete again", "runs/delete", {"run_id": "{a}"}),
    post("delete a missing one", "runs/delete", {"run_id": "0" * 32}),
    post("delete without an id", "runs/delete", EMPTY),
    post("update a deleted one", "runs/update", {"run_id": "{a}", "status": "FAILED"}),
    post(
        "tag a deleted one", "runs/set-tag", {"run_id": "{a}", "key": "a", "value": "1"}
    ),
    post("untag a deleted one", "runs/delete-tag", {"run_id": "{a}", "key": "a"}),
    post(
        "param to a deleted one",
        "runs/log-parameter",
        {"run_id": "{a}", "key": "a", "value": "1"},
    ),
    post(
        "metric to a deleted one",
        "runs/log-metric",
        {"run_id": "{a}", "key": "a", "value": 1, "timestamp": 1},
    ),
    post("empty batch to a deleted one", "runs/log-batch", {"run_id": "{a}"}),
    get(
        "history of a deleted one",
        "metrics/get-history",
        {"run_id": "{a}", "metric_key": "a"},
    ),
    post("restore", "runs/restore", {"run_id": "{a}"}),
    get("get restored", "runs/get", {"run_id": "{a}"}),
    post("restore a live one", "runs/restore", {"run_id": "{a}"}),
    post("restore a missing one", "runs/restore", {"run_id": "0" * 32}),
    post("restore without an id", "runs/restore", EMPTY),
]


def _param(says: str, **body: object) -> Call:
    return post(says, "runs/log-parameter", {"run_id": "{a}"} | body)


def _tag(says: str, **body: object) -> Call:
    return post(says, "runs/set-tag", {"run_id": "{a}"} | body)


PARAMS = [
    _run("a", "make a run", experiment_id="0", start_time=1, run_name="a"),
    _param("param", key="p", value="1"),
    _param("param again", key="p", value="1"),
    _param("param changed", key="p", value="2"),
    _param("param without a value", key="q"),
    _param("param with nothing", key="q2", value=""),
    _param("param as a number", key="q3", value=3),
    _param("param as a float", key="q4", value=0.5),
    _param("param as a bool", key="q5", value=True),
    _param("param as null", key="q6", value=None),
    _param("param as a list", key="q7", value=["a"]),
    _param("param without a key", value="1"),
    _param("param with key null", key=None, value="1"),
    _param("param with a number for a key", key=5, value="1"),
    _param("a long value", key="long", value="v" * 6000),
    _param("a longer value", key="longer", value="v" * 6001),
    *(
        _param(f"param key: {name}", key=key, value="1")
        for name, key in ODD_KEYS.items()
    ),
    post("param without a run", "runs/log-parameter", {"key": "p", "value": "1"}),
    post(
        "param by the old name",
        "runs/log-parameter",
        {"run_uuid": "{a}", "key": "old", "value": "1"},
    ),
    post(
        "param to a missing run",
        "runs/log-parameter",
        {"run_id": "0" * 32, "key": "p", "value": "1"},
    ),
    post(
        "param to a strange run",
        "runs/log-parameter",
        {"run_id": "../x", "key": "p", "value": "1"},
    ),
    _tag("tag", key="t", value="1"),
    _tag("tag changed", key="t", value="2"),
    _tag("tag without a value", key="u"),
    _tag("tag with nothing", key="u2", value=""),
    _tag("tag as a number", key="u3", value=3),
    _tag("tag as null", key="u4", value=None),
    _tag("tag without a key", value="1"),
    _tag("a long tag", key="long tag", value="v" * 8000),
    _tag("a longer tag", key="longer tag", value="v" * 8001),
    *(_tag(f"tag key: {name}", key=key, value="1") for name, key in ODD_KEYS.items()),
    post("tag without a run", "runs/set-tag", {"key": "p", "value": "1"}),
    post(
        "tag a missing run",
        "runs/set-tag",
        {"run_id": "0" * 32, "key": "p", "value": "1"},
    ),
    post("untag", "runs/delete-tag", {"run_id": "{a}", "key": "t"}),
    post("untag again", "runs/delete-tag", {"run_id": "{a}", "key": "t"}),
    post("untag without a key", "runs/delete-tag", {"run_id": "{a}"}),
    post("untag an empty key", "runs/delete-tag", {"run_id": "{a}", "key": ""}),
    post("untag without a run", "runs/delete-tag", {"key": "t"}),
    post("untag a missing run", "runs/delete-tag", {"run_id": "0" * 32, "key": "t"}),
    _tag("tag its user", key="mlflow.user", value="bob"),
    get("get all", "runs/get", {"run_id": "{a}"}),
]


def _batch(says: str, **body: object) -> Call:
    return post(says, "runs/log-batch", {"run_id": "{a}"} | body)


def _metric(
    key: object, value: object = 1.0, time: object = 1, **more: object
) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": time} | more


def _pairs(count: int, start: str = "k") -> list[dict[str, str]]:
    return [{"key": f"{start}{i}", "value": str(i)} for i in range(count)]


BATCH = [
    _run("a", "make a run", experiment_id="0", start_time=1, run_name="a"),
    _run(
        "z", "make one for what is odd", experiment_id="0", start_time=1, run_name="z"
    ),
    _batch("nothing"),
    _batch("empty lists", metrics=[], params=[], tags=[]),
    _batch(
        "one of each",
        metrics=[_metric("m")],
        params=[{"key": "p", "value": "1"}],
        tags=[{"key": "t", "value": "1"}],
    ),
    _batch(
        "the same again",
        metrics=[_metric("m")],
        params=[{"key": "p", "value": "1"}],
        tags=[{"key": "t", "value": "2"}],
    ),
    _batch(
        "a param changed",
        metrics=[_metric("lost")],
        params=[{"key": "p", "value": "2"}],
        tags=[{"key": "lost", "value": "2"}],
    ),
    _batch(
        "a param twice",
        params=[{"key": "dup", "value": "1"}, {"key": "dup", "value": "1"}],
    ),
    _batch(
        "a param twice, changed",
        params=[{"key": "dup", "value": "1"}, {"key": "dup", "value": "2"}],
    ),
    _batch(
        "a tag twice", tags=[{"key": "dup", "value": "1"}, {"key": "dup", "value": "2"}]
    ),
    _batch("a metric twice", metrics=[_metric("twice", 1), _metric("twice", 1)]),
    _batch(
        "a metric at two steps",
        metrics=[_metric("steps", 1, step=1), _metric("steps", 2, step=2)],
    ),
    _batch(
        "a metric out of order",
        metrics=[_metric("order", 1, step=9), _metric("order", 2, step=2)],
    ),
    _batch("values as text", metrics=[_metric("texts", "1.5", "7", step="3")]),
    _batch("NaN as text", metrics=[_metric("nan", "NaN")]),
    _batch(
        "infinities as text",
        metrics=[_metric("inf", "Infinity"), _metric("ninf", "-Infinity")],
    ),
    _batch("a bare NaN", run_id="{z}", metrics=[_metric("bare", float("nan"))]),
    _batch("a metric without a key", metrics=[{"value": 1, "timestamp": 1}]),
    _batch("a metric without a value", metrics=[{"key": "m", "timestamp": 1}]),
    _batch("a metric without a time", metrics=[{"key": "m", "value": 1}]),
    _batch("a metric of null", metrics=[_metric("m", None)]),
    _batch("a metric in words", run_id="{z}", metrics=[_metric("m", "x")]),
    _batch("a metric of bool", run_id="{z}", metrics=[_metric("m", value=True)]),
    _batch("a metric of a list", run_id="{z}", metrics=[_metric("m", [1])]),
    _batch("a metric with a negative time", metrics=[_metric("m", 1, -1)]),
    _batch(
        "a metric with a negative step",
        metrics=[_metric("negative step", 1, 1, step=-1)],
    ),
    _batch(
        "a metric with a broken step",
        run_id="{z}",
        metrics=[_metric("m", 1, 1, step=1.5)],
    ),
    _batch("a metric with a broken time", run_id="{z}", metrics=[_metric("m", 1, 1.5)]),
    _batch("a metric with a whole float", metrics=[_metric("whole", 1, 2.0, step=3.0)]),
    _batch(
        "a metric with a huge step",
        run_id="{z}",
        metrics=[_metric("m", 1, 1, step=2**63)],
    ),
    _batch(
        "a metric with the last step",
        metrics=[_metric("last step", 1, 1, step=2**63 - 1)],
    ),
    _batch("a param without a key", params=[{"value": "1"}]),
    _batch("a param without a value", params=[{"key": "no value"}]),
    _batch("a param of null", params=[{"key": "null value", "value": None}]),
    _batch("a param as a number", run_id="{z}", params=[{"key": "n", "value": 5}]),
    _batch("a tag without a key", tags=[{"value": "1"}]),
    _batch("a tag without a value", tags=[{"key": "no tag value"}]),
    _batch("a bad metric key", metrics=[_metric("ok"), _metric("a*b")]),
    _batch("a bad param key", params=[{"key": "a*b", "value": "1"}]),
    _batch("a bad tag key", tags=[{"key": "a/../b", "value": "1"}]),
    _batch("an empty metric key", metrics=[_metric("")]),
    _batch("too long a metric key", metrics=[_metric("k" * 251)]),
    _batch("too long a param key", params=[{"key": "k" * 251, "value": "1"}]),
    _batch("too long a param value", params=[{"key": "long", "value": "v" * 6001}]),
    _batch("too long a tag key", tags=[{"key": "k" * 251, "value": "1"}]),
    _batch(
        "1000 metrics",
        metrics=[_metric(f"many{i % 3}", i, i, step=i) for i in range(1000)],
    ),
    _batch(
        "1001 metrics", metrics=[_metric("many", i, i, step=i) for i in range(1001)]
    ),
    _batch("100 params", params=_pairs(100)),
    _batch("101 params", params=_pairs(101)),
    _batch("100 tags", tags=_pairs(100)),
    _batch("101 tags", tags=_pairs(101)),
    _batch(
        "1000 together",
        metrics=[_metric("many", i) for i in range(800)],
        params=_pairs(100),
        tags=_pairs(100),
    ),
    _batch(
        "1001 together",
        metrics=[_metric("many", i) for i in range(801)],
        params=_pairs(100),
        tags=_pairs(100),
    ),
    _batch("text for metrics", metrics="x"),
    _batch("an object for metrics", metrics={}),
    _batch("numbers for params", params=[1]),
    _batch("null for metrics", run_id="{z}", metrics=None),
    post("no run", "runs/log-batch", {"metrics": [_metric("m")]}),
    post("null for the run", "runs/log-batch", {"run_id": None}),
    post("a number for the run", "runs/log-batch", {"run_id": 5}),
    post(
        "a missing run",
        "runs/log-batch",
        {"run_id": "0" * 32, "metrics": [_metric("m")]},
    ),
    post("a missing run and nothing", "runs/log-batch", {"run_id": "0" * 32}),
    post("no body", "runs/log-batch"),
    post("broken JSON", "runs/log-batch", "{"),
    get("get all", "runs/get", {"run_id": "{a}"}),
    get(
        "history of a metric twice",
        "metrics/get-history",
        {"run_id": "{a}", "metric_key": "twice"},
    ),
]

SCRIPTS = {"runs": LIFE, "params_and_tags": PARAMS, "log_batch": BATCH}
