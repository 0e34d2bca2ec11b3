"""Traces: their life, their spans, and the old form of both."""

import base64

from tests.wire.calls import Call, Json, get, post


V3 = "/api/3.0/mlflow/traces"
V2 = "/api/2.0/mlflow/traces"

# The places of the ids: one hex digit, thirty-two times.
FIRST, SECOND, THIRD, FAILED = ("tr-" + digit * 32 for digit in "abcd")
GONE = "tr-" + "9" * 32


def start(says: str, trace_id: str, **fields: object) -> Call:
    """Start a trace in the experiment that the script made first."""
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}
    fit = {
        "trace_id": trace_id,
        "trace_location": place,
        "request_time": "1970-01-01T00:00:01.500Z",
        "execution_duration": "0.250s",
        "state": "OK",
    }

    return post(says, V3, {"trace": {"trace_info": fit | fields}})


def span(trace: str, number: int, **fields: object) -> dict[str, object]:
    """Make a span of OTLP's JSON; number 1 is the root of the others."""
    fit: dict[str, object] = {
        "traceId": trace.removeprefix("tr-"),
        "spanId": f"{number:016x}",
        "name": f"span {number}",
        "kind": 1,
        "startTimeUnixNano": str(1_500_000_000 + number * 1_000_000),
        "endTimeUnixNano": str(1_750_000_000 - number * 1_000_000),
        "status": {"code": 1},
        "attributes": [],
    }
    if number > 1:
        fit["parentSpanId"] = f"{1:016x}"

    return fit | fields


def attribute(key: str, **value: object) -> dict[str, object]:
    """Make one attribute of OTLP's JSON."""
    return {"key": key, "value": value}


def export(says: str, *spans: Json, resource: Json = None, **headers: str) -> Call:
    """Send spans as an OpenTelemetry exporter does, as JSON."""
    body = {
        "resourceSpans": [
            {
                "resource": {"attributes": resource or []},
                "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}],
            }
        ]
    }
    known = {"x-mlflow-experiment-id": "{e}"} | headers

    return Call(says, "POST", "/v1/traces", body, {}, known)


def change(says: str, method: str, path: str, body: Json = None, **keep: str) -> Call:
    """Ask by another method, with a JSON body."""
    return Call(says, method, path, body, keep)


EVERYTHING = [
    attribute("mlflow.spanInputs", stringValue='{"question": "why"}'),
    attribute("mlflow.spanOutputs", stringValue="because"),
    attribute("mlflow.spanType", stringValue="CHAIN"),
    attribute("text", stringValue="plain"),
    attribute("quoted", stringValue='"inner"'),
    attribute("listed", stringValue="[1, 2]"),
    attribute("digits", stringValue="12"),
    attribute("yes", stringValue="true"),
    attribute("bool", boolValue=True),
    attribute("int", intValue="42"),
    attribute("double", doubleValue=1.5),
    attribute("whole", doubleValue=2.0),
    attribute(
        "array", arrayValue={"values": [{"intValue": "1"}, {"stringValue": "a"}]}
    ),
    attribute(
        "table", kvlistValue={"values": [{"key": "k", "value": {"boolValue": False}}]}
    ),
    attribute("nothing"),
]

LIFE = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    post("make a run", "runs/create", {"experiment_id": "{e}"}, r="run.info.run_id"),
    start("start", FIRST),
    start(
        "start with everything",
        SECOND,
        client_request_id="mine",
        request_preview="ask",
        response_preview="told",
        trace_metadata={"mlflow.sourceRun": "{r}", "m": "1"},
        tags={"mlflow.traceName": "second", "t": "1", "mlflow.artifactLocation": "no"},
        request_time="1970-01-01T00:00:02Z",
        execution_duration="3s",
        state="ERROR",
    ),
    start("start again", SECOND, tags={"u": "2"}, trace_metadata={"m": "3"}),
    start("start in progress", THIRD, state="IN_PROGRESS", execution_duration=None),
    start("start with a number for a state", "tr-5", state=2),
    start("start nowhere", "tr-6", trace_location=None),
    start(
        "start in a missing experiment",
        "tr-7",
        trace_location={
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": "987654"},
        },
    ),
    start("start without an id", ""),
    start("start with a path for an id", "../x"),
    start("start with a slash", "a/b"),
    start("start with a percent", "a%b"),
    start("start with words for a time", "tr-8", request_time="soon"),
    start("start with words for a duration", "tr-8", execution_duration="long"),
    start("start with a wrong state", "tr-8", state="FINE"),
    post("start nothing", V3, {}),
    get("get the info", f"{V3}/{SECOND}"),
    get("get a missing info", f"{V3}/{GONE}"),
    get("get the trace without spans", f"{V3}/get", {"trace_id": FIRST}),
    get("get a missing trace", f"{V3}/get", {"trace_id": GONE}),
    get("get nothing", f"{V3}/get"),
    change("set a tag", "PATCH", f"{V3}/{FIRST}/tags", {"key": "a", "value": "b"}),
    change("set an old tag", "PATCH", f"{V2}/{FIRST}/tags", {"key": "c", "value": "d"}),
    change("set it again", "PATCH", f"{V3}/{FIRST}/tags", {"key": "a", "value": "c"}),
    change("set no key", "PATCH", f"{V3}/{FIRST}/tags", {"value": "b"}),
    change("set no value", "PATCH", f"{V3}/{FIRST}/tags", {"key": "empty"}),
    change(
        "set a held tag",
        "PATCH",
        f"{V3}/{FIRST}/tags",
        {"key": "mlflow.artifactLocation", "value": "b"},
    ),
    change("set a tag of nothing", "PATCH", f"{V3}/{GONE}/tags", {"key": "a"}),
    change("delete a tag", "DELETE", f"{V3}/{FIRST}/tags", {"key": "a"}),
    change("delete it again", "DELETE", f"{V3}/{FIRST}/tags", {"key": "a"}),
    change("delete an old tag", "DELETE", f"{V2}/{FIRST}/tags", {"key": "c"}),
    change("delete a tag of nothing", "DELETE", f"{V3}/{GONE}/tags", {"key": "a"}),
    get("get the tagged", f"{V3}/{FIRST}"),
    post(
        "link",
        "traces/link-to-run",
        {"trace_ids": [FIRST, THIRD, GONE], "run_id": "{r}"},
    ),
    post("link again", "traces/link-to-run", {"trace_ids": [FIRST], "run_id": "{r}"}),
    post(
        "link to nothing", "traces/link-to-run", {"trace_ids": [FIRST], "run_id": "x"}
    ),
    post("link none", "traces/link-to-run", {"trace_ids": [], "run_id": "{r}"}),
    post(
        "link too many",
        "traces/link-to-run",
        {"trace_ids": ["x"] * 101, "run_id": "{r}"},
    ),
    post(
        "link a prompt",
        "traces/link-prompts",
        {"trace_id": FIRST, "prompt_versions": [{"name": "p", "version": "1"}]},
    ),
    post(
        "link a prompt of nothing",
        "traces/link-prompts",
        {"trace_id": GONE, "prompt_versions": [{"name": "p", "version": "1"}]},
    ),
    post("infos", f"{V3}/batchGetInfos", {"trace_ids": [SECOND, GONE, FIRST]}),
    post("infos of none", f"{V3}/batchGetInfos", {"trace_ids": []}),
    post(
        "infos elsewhere",
        f"{V3}/batchGetInfos",
        {"trace_ids": [SECOND], "experiment_ids": ["0"]},
    ),
]

SPANS = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    export("export a child", span(FIRST, 2)),
    get("get the unfinished info", f"{V3}/{FIRST}"),
    export("export the root", span(FIRST, 1, attributes=EVERYTHING)),
    get("get the finished info", f"{V3}/{FIRST}"),
    get("get it whole", f"{V3}/get", {"trace_id": FIRST}),
    get("get several", f"{V3}/batchGet", {"trace_ids": [FIRST, GONE]}),
    get("get none", f"{V3}/batchGet"),
    export("export again", span(FIRST, 1, name="renamed")),
    get("get the renamed", f"{V3}/get", {"trace_id": FIRST}),
    get(
        "get the file",
        "/ajax-api/3.0/mlflow/get-trace-artifact",
        {"request_id": FIRST},
    ),
    get("get no file", "/ajax-api/3.0/mlflow/get-trace-artifact"),
    get(
        "get a missing file",
        "/ajax-api/3.0/mlflow/get-trace-artifact",
        {"request_id": GONE},
    ),
    export(
        "export a failure with events, links, a resource and tags",
        span(
            FAILED,
            1,
            kind=3,
            status={"code": 2, "message": "it broke"},
            events=[
                {
                    "name": "exception",
                    "timeUnixNano": "1600000000",
                    "attributes": [attribute("exception.type", stringValue="E")],
                }
            ],
            links=[
                {
                    "traceId": "a" * 32,
                    "spanId": "1" * 16,
                    "attributes": [attribute("why", stringValue="cause")],
                }
            ],
            attributes=[
                attribute("mlflow.traceTag.mood", stringValue="bad"),
                attribute("mlflow.traceTag.mlflow.traceName", stringValue="failing"),
                attribute("session.id", stringValue="s-1"),
                attribute("user.id", stringValue="ann"),
            ],
        ),
        resource=[
            attribute("service.name", stringValue="checkout"),
            attribute("telemetry.sdk.name", stringValue="opentelemetry"),
            attribute("mlflow.x", stringValue="no"),
            attribute("replicas", intValue="3"),
        ],
    ),
    get("get the failure", f"{V3}/get", {"trace_id": FAILED}),
    start(
        "start after the spans",
        FIRST,
        tags={"mlflow.traceName": "mine"},
        trace_metadata={"mlflow.trace.sizeStats": '{"num_spans": 2}'},
        request_time="1970-01-01T00:00:07Z",
    ),
    get("get what was started", f"{V3}/get", {"trace_id": FIRST}),
    export("export unspecified", span(SECOND, 1, status={}, kind=0)),
    get("get the unspecified", f"{V3}/get", {"trace_id": SECOND}),
    export("export nothing"),
    export(
        "export without an experiment", span(THIRD, 1), **{"x-mlflow-experiment-id": ""}
    ),
    export("export to words", span(THIRD, 1), **{"x-mlflow-experiment-id": "x"}),
    export(
        "export to a missing one", span(THIRD, 1), **{"x-mlflow-experiment-id": "98"}
    ),
    export(
        "export to another experiment",
        span(FIRST, 3),
        **{"x-mlflow-experiment-id": "0"},
    ),
    export("export as text", span(THIRD, 1), **{"Content-Type": "text/plain"}),
    export("export without a trace", span("", 1)),
    export("export without a span id", span(THIRD, 1, spanId="")),
    export("export half a byte", span(THIRD, 1, spanId="abc")),
    Call(
        "export broken protobuf",
        "POST",
        "/v1/traces",
        base64.b64decode("AQID").decode("latin-1"),
        {},
        {"x-mlflow-experiment-id": "{e}", "Content-Type": "application/x-protobuf"},
    ),
    Call(
        "export broken JSON",
        "POST",
        "/v1/traces",
        "{",
        {},
        {"x-mlflow-experiment-id": "{e}"},
    ),
]

OLD = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    post(
        "start",
        V2,
        {
            "experiment_id": "{e}",
            "timestamp_ms": 1000,
            "request_metadata": [{"key": "m", "value": "1"}],
            "tags": [
                {"key": "mlflow.traceName", "value": "old"},
                {"key": "mlflow.artifactLocation", "value": "no"},
            ],
        },
        t="trace_info.request_id",
    ),
    post("start with little", V2, {"experiment_id": "{e}", "timestamp_ms": 7}),
    post("start with nothing", V2, {}),
    post("start nowhere", V2, {"experiment_id": "98", "timestamp_ms": 7}),
    get("get", f"{V2}/{{t}}/info"),
    change(
        "end",
        "PATCH",
        f"{V2}/{{t}}",
        {
            "timestamp_ms": 1250,
            "status": "OK",
            "request_metadata": [{"key": "n", "value": "2"}],
            "tags": [{"key": "t", "value": "3"}],
        },
    ),
    change(
        "end a missing one",
        "PATCH",
        f"{V2}/{GONE}",
        {"timestamp_ms": 5, "status": "OK"},
    ),
    change("end with nothing", "PATCH", f"{V2}/{{t}}", {}),
    get("get a missing one", f"{V2}/{GONE}/info"),
    get("get the ended", f"{V2}/{{t}}/info"),
    get("get it the new way", f"{V3}/{{t}}"),
    get("find", V2, {"experiment_ids": ["{e}"]}),
]

SCRIPTS = {"traces": LIFE, "spans": SPANS, "old_traces": OLD}
