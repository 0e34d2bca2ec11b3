"""Traces: nested, failing, in a run, tagged, judged, found, deleted."""

import contextlib
import os
import subprocess
import sys

import mlflow
from mlflow.tracking import MlflowClient


MAJOR, MINOR = (int(part) for part in mlflow.__version__.split(".")[:2])
client = MlflowClient()


def write_with_3() -> None:
    """Trace as the documents of MLflow 3 do, in the background or at once."""
    experiment = mlflow.set_experiment(f"traces {os.getpid()}").experiment_id

    @mlflow.trace(span_type="RETRIEVER")
    def retrieve(question: str) -> list[str]:
        return [f"{question}, 한국어", "because"]

    @mlflow.trace(name="answer", attributes={"model": "m-1", "depth": {"a": [1, None]}})
    def answer(question: str) -> dict[str, object]:
        found = retrieve(question)
        with mlflow.start_span("inside", span_type="TOOL") as span:
            span.set_inputs({"found": found})
            span.set_attribute("score", 0.5)
            span.set_outputs(len(found))
        mlflow.update_current_trace(
            tags={"color": "red"}, metadata={"version": "7"}, client_request_id="mine"
        )
        return {"text": found[0], "n": 2}

    @mlflow.trace
    def fail() -> None:
        with mlflow.start_span("deep"):
            message = "it broke"
            raise ValueError(message)

    with mlflow.start_run() as run:
        answer("why")
    first = mlflow.get_last_active_trace_id()
    with contextlib.suppress(ValueError):
        fail()
    second = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()

    read(first, second, run.info.run_id)
    search(experiment, run.info.run_id, first, second)
    judge(first, second)
    delete(experiment, first, second)


def read(first: str, second: str, run_id: str) -> None:
    """Read both traces back as they were."""
    trace = mlflow.get_trace(first)
    assert [span.name for span in trace.data.spans] == ["answer", "retrieve", "inside"]
    root, below, inside = trace.data.spans
    assert root.inputs == {"question": "why"}
    assert root.outputs == {"text": "why, 한국어", "n": 2}
    assert root.get_attribute("depth") == {"a": [1, None]}
    assert below.parent_id == inside.parent_id == root.span_id
    assert (below.span_type, inside.span_type) == ("RETRIEVER", "TOOL")
    assert inside.get_attribute("score") == 0.5
    assert inside.outputs == 2
    assert trace.info.state == "OK"
    assert trace.info.client_request_id == "mine"
    assert trace.info.tags["color"] == "red"
    assert trace.info.tags["mlflow.traceName"] == "answer"
    assert trace.info.trace_metadata["version"] == "7"
    assert trace.info.trace_metadata["mlflow.sourceRun"] == run_id
    assert trace.info.execution_duration is not None

    broken = mlflow.get_trace(second)
    assert broken.info.state == "ERROR"
    deep = broken.data.spans[1]
    assert deep.status.status_code == "ERROR"
    assert deep.events[0].attributes["exception.message"] == "it broke"


def search(experiment: str, run_id: str, first: str, second: str) -> None:
    """Find the two traces by what they are."""

    def ids(filter_string: str | None = None, **more: object) -> list[str]:
        found = mlflow.search_traces(
            locations=[experiment],
            filter_string=filter_string,
            return_type="list",
            **more,
        )
        return [trace.info.trace_id for trace in found]

    assert ids() == [second, first]
    assert ids(order_by=["timestamp_ms ASC"]) == [first, second]
    assert ids("trace.status = 'ERROR'") == [second]
    assert ids("tag.color = 'red' AND name = 'answer'") == [first]
    assert ids("metadata.version = '7'") == [first]
    assert ids("span.name LIKE 'in%' AND span.type = 'TOOL'") == [first]
    assert ids("trace.text LIKE '%한국어%'") == [first]
    assert ids(run_id=run_id) == [first]
    page = client.search_traces(locations=[experiment], max_results=1)
    assert [trace.info.trace_id for trace in page] == [second]
    rest = client.search_traces(
        locations=[experiment], max_results=1, page_token=page.token
    )
    assert [trace.info.trace_id for trace in rest] == [first]
    assert rest.token is None


def judge(first: str, second: str) -> None:
    """Say what is thought and expected of a trace."""
    good = mlflow.log_feedback(trace_id=first, name="good", value=True, rationale="so")
    mlflow.log_feedback(trace_id=first, name="score", value=0.75)
    mlflow.log_expectation(trace_id=first, name="facts", value=["a", {"b": 1}])
    mlflow.log_feedback(trace_id=second, name="good", error=ValueError("no judge"))
    new = mlflow.override_feedback(
        trace_id=first, assessment_id=good.assessment_id, value=False
    )
    held = {each.name: each for each in mlflow.get_trace(first).info.assessments}
    assert held["facts"].value == ["a", {"b": 1}]
    assert held["score"].value == 0.75
    assert mlflow.get_assessment(first, good.assessment_id).valid is False
    assert mlflow.get_assessment(first, new.assessment_id).value is False
    kept = mlflow.get_trace(second).info.assessments[0]
    assert kept.feedback.error.error_message == "no judge"
    mlflow.delete_assessment(trace_id=first, assessment_id=new.assessment_id)
    assert mlflow.get_assessment(first, good.assessment_id).valid is True


def delete(experiment: str, first: str, second: str) -> None:
    """Tag a trace, link it to another run, delete both traces."""
    client.set_trace_tag(first, "mood", "good")
    assert mlflow.get_trace(first).info.tags["mood"] == "good"
    client.delete_trace_tag(first, "mood")
    assert "mood" not in mlflow.get_trace(first).info.tags
    other = client.create_run(experiment).info.run_id
    client.link_traces_to_run([second], other)
    linked = mlflow.search_traces(
        locations=[experiment], run_id=other, return_type="list"
    )
    assert [trace.info.trace_id for trace in linked] == [second]
    assert client.delete_traces(experiment, trace_ids=[first]) == 1
    assert mlflow.get_trace(first) is None
    until = linked[0].info.request_time
    assert client.delete_traces(experiment, max_timestamp_millis=until) == 1


def write_with_2() -> None:
    """Trace as the last clients before 3 do: the spans go to a file."""
    experiment = mlflow.set_experiment("old traces").experiment_id

    @mlflow.trace
    def answer(question: str) -> str:
        with mlflow.start_span("inside") as span:
            span.set_inputs({"a": 1})
        return question.upper()

    answer("why")
    if flush := getattr(mlflow, "flush_trace_async_logging", None):
        flush()
    trace = mlflow.get_last_active_trace()
    found = client.get_trace(trace.info.request_id)
    assert [span.name for span in found.data.spans] == ["answer", "inside"]
    assert found.info.status == "OK"
    assert found.data.spans[0].outputs == "WHY"
    client.set_trace_tag(trace.info.request_id, "a", "b")
    page = client.search_traces([experiment], "tag.a = 'b'")
    assert [each.info.request_id for each in page] == [trace.info.request_id]
    assert page[0].data.spans[0].name == "answer"
    client.delete_trace_tag(trace.info.request_id, "a")
    ids = [trace.info.request_id]
    assert client.delete_traces(experiment, request_ids=ids) == 1


if "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING" not in os.environ:
    # A process decides at its first trace whether it writes in the background.
    for mode in ("true", "false"):
        subprocess.run(
            [sys.executable, "-P", "-W", "ignore", __file__],
            env=os.environ | {"MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": mode},
            check=True,
        )
elif MAJOR >= 3:
    write_with_3()
elif (MAJOR, MINOR) >= (2, 14):  # which brought traces
    write_with_2()
