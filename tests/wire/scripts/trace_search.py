"""Traces: search and deletion."""

from tests.wire.calls import Call, get, post
from tests.wire.scripts.assessments import assess
from tests.wire.scripts.traces import (
    EVERYTHING,
    FAILED,
    FIRST,
    GONE,
    SECOND,
    THIRD,
    V2,
    V3,
    export,
    span,
    start,
)


def find(says: str, **body: object) -> Call:
    """Search in the first experiment."""
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "{e}"}}

    return post(f"find {says}", f"{V3}/search", {"locations": [place]} | body)


FILTERS = [
    "status = 'OK'",
    "attributes.status != 'OK'",
    "trace.status IN ('ERROR', 'IN_PROGRESS')",
    "timestamp > 1500",
    "timestamp_ms <= 1500",
    "execution_time > 250",
    "execution_time_ms <= 250",
    "end_time > 2000",
    "attributes.timestamp = 2000",
    "request_id = 'tr-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'",
    "request_id IN ('tr-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'x')",
    "client_request_id = 'mine'",
    "client_request_id LIKE 'm%'",
    "name = 'second'",
    "name LIKE 'sec%'",
    "trace.name ILIKE 'SEC%'",
    "tags.color = 'red'",
    "tag.color != 'red'",
    "tags.color LIKE 'r%'",
    "tags.color IS NULL",
    "tags.color IS NOT NULL",
    "tags.`mlflow.traceName` = 'second'",
    "metadata.m = '1'",
    "request_metadata.m = '1'",
    "metadata.m IS NULL",
    "run_id = '{r}'",
    "attribute.run_id = '{r}'",
    "metadata.`mlflow.sourceRun` = '{r}'",
    "prompt = 'p/1'",
    "span.name = 'span 2'",
    "span.name LIKE 'span%'",
    "span.type = 'CHAIN'",
    "span.status = 'ERROR'",
    "span.name = 'span 1' AND span.type = 'CHAIN'",
    "span.name = 'span 2' AND span.type = 'CHAIN'",
    "trace.text LIKE '%because%'",
    "feedback.good = 'true'",
    "feedback.score > 0.5",
    "feedback.word = 'fine'",
    "feedback.word LIKE '%in%'",
    "feedback.good IS NULL",
    "feedback.good IS NOT NULL",
    "expectation.answer = '42'",
    "status = 'OK' AND tags.color = 'red'",
    "status = 'OK' OR status = 'ERROR'",
    "nothing = 'x'",
    "params.x = 'y'",
    "status > 'OK'",
    "timestamp = 'x'",
    "tags.color = red",
    "tags.color > 'red'",
    "span.nothing = 'x'",
    "span.status > 'x'",
    "trace.text = 'x'",
    "prompt = 'p'",
    "feedback.score = 0.5",
    "feedback.score > 'x'",
    "issue.id = 'iss-1'",
    "status =",
    "",
]

ORDERS = [
    ["timestamp ASC"],
    ["timestamp_ms DESC"],
    ["execution_time DESC"],
    ["execution_time"],
    ["end_time DESC"],
    ["status ASC", "timestamp ASC"],
    ["name DESC"],
    ["tags.color ASC"],
    ["metadata.m DESC"],
    ["request_id DESC"],
    ["experiment_id ASC"],
    ["run_id ASC"],
    ["nothing"],
    ["client_request_id"],
    ["timestamp UP"],
    ["status", "status"],
]

SEARCH = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    post("make a run", "runs/create", {"experiment_id": "{e}"}, r="run.info.run_id"),
    start("start a", FIRST, tags={"color": "red"}, trace_metadata={"m": "2"}),
    start(
        "start b",
        SECOND,
        client_request_id="mine",
        tags={"mlflow.traceName": "second", "color": "blue"},
        trace_metadata={"m": "1", "mlflow.sourceRun": "{r}"},
        request_time="1970-01-01T00:00:02Z",
        execution_duration="3s",
        state="ERROR",
    ),
    start("start c", THIRD, state="IN_PROGRESS", execution_duration=None),
    export(
        "export",
        span(FIRST, 1, attributes=EVERYTHING),
        span(FIRST, 2),
        span(FAILED, 1, status={"code": 2}),
    ),
    post("link", "traces/link-to-run", {"trace_ids": [FIRST], "run_id": "{r}"}),
    post(
        "link a prompt",
        "traces/link-prompts",
        {"trace_id": SECOND, "prompt_versions": [{"name": "p", "version": "1"}]},
    ),
    assess("good", FIRST, "good", feedback={"value": True}),
    assess("score", SECOND, "score", feedback={"value": 0.8}),
    assess("word", THIRD, "word", feedback={"value": "fine"}),
    assess("answer", FIRST, "answer", expectation={"value": 42}),
    *(find(f"{text}|", filter=text) for text in FILTERS),
    *(find(f"by {terms}", order_by=terms) for terms in ORDERS),
    find("all"),
    find("nowhere", locations=[]),
    find(
        "in a missing experiment",
        locations=[
            {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "98"}}
        ],
    ),
    find("max_results 0", max_results=0),
    find("max_results 501", max_results=501),
    find("max_results words", max_results="many"),
    find("a wrong token", page_token="nonsense"),
    post(
        "find two",
        f"{V3}/search",
        {
            "locations": [
                {
                    "type": "MLFLOW_EXPERIMENT",
                    "mlflow_experiment": {"experiment_id": "{e}"},
                }
            ],
            "max_results": 2,
        },
        token="next_page_token",
    ),
    find("the next two", max_results=2, page_token="{token}"),
    get("find as of old", V2, {"experiment_ids": ["{e}"], "max_results": 10}),
    get(
        "find as of old by a filter",
        V2,
        {"experiment_ids": ["{e}"], "filter": "status = 'OK'"},
    ),
    get("find as of old nowhere", V2),
    post("delete without a limit", "traces/delete-traces", {"experiment_id": "{e}"}),
    post(
        "delete by both",
        "traces/delete-traces",
        {"experiment_id": "{e}", "max_timestamp_millis": 5, "request_ids": [FIRST]},
    ),
    post(
        "delete none of the newest",
        "traces/delete-traces",
        {"experiment_id": "{e}", "max_timestamp_millis": 5000, "max_traces": 0},
    ),
    post(
        "delete some of the named",
        "traces/delete-traces",
        {"experiment_id": "{e}", "request_ids": [FIRST], "max_traces": 1},
    ),
    post(
        "delete elsewhere",
        "traces/delete-traces",
        {"experiment_id": "0", "request_ids": [FIRST]},
    ),
    post(
        "delete by name",
        f"{V3}/delete-traces",
        {"experiment_id": "{e}", "request_ids": [FIRST, GONE]},
    ),
    post(
        "delete the oldest",
        f"{V3}/delete-traces",
        {"experiment_id": "{e}", "max_timestamp_millis": 1999, "max_traces": 1},
    ),
    find("what is left"),
    post(
        "delete by time",
        f"{V3}/delete-traces",
        {"experiment_id": "{e}", "max_timestamp_millis": 1999},
    ),
    find("the last"),
    post("delete nowhere", f"{V3}/delete-traces", {"max_timestamp_millis": 1999}),
    get("get the deleted", f"{V3}/{FIRST}"),
]

SCRIPTS = {"trace_search": SEARCH}
