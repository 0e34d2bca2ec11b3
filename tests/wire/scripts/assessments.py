"""Assessments of traces: written, read, changed, overridden, deleted."""

from tests.wire.calls import Call, get, post
from tests.wire.scripts.traces import FIRST, GONE, SECOND, V3, change, start


def assess(says: str, trace_id: str, name: str, **fields: object) -> Call:
    """Write an assessment."""
    body = {
        "assessment_name": name,
        "trace_id": trace_id,
        "source": {"source_type": "HUMAN", "source_id": "ann"},
    }

    return post(
        says,
        f"{V3}/{trace_id}/assessments",
        {"assessment": body | fields},
        **{name: "assessment.assessment_id"},
    )


ONE = f"{V3}/{FIRST}/assessments"

ASSESSMENTS = [
    post("make an experiment", "experiments/create", {"name": "x"}, e="experiment_id"),
    start("start", FIRST),
    start(
        "start with an assessment",
        SECOND,
        assessments=[
            {
                "assessment_name": "inside",
                "source": {"source_type": "CODE", "source_id": "f"},
                "feedback": {"value": "yes"},
                "assessment_id": "a-" + "1" * 32,
                "create_time": "1970-01-01T00:00:03Z",
                "last_update_time": "1970-01-01T00:00:04Z",
            }
        ],
    ),
    assess("yes", FIRST, "yes", feedback={"value": True}, rationale="why not"),
    assess("number", FIRST, "number", feedback={"value": 3}),
    assess("half", FIRST, "half", feedback={"value": 0.5}),
    assess("words", FIRST, "words", feedback={"value": "fine"}, metadata={"a": "b"}),
    assess("list", FIRST, "list", feedback={"value": ["a", 1]}, span_id="0" * 16),
    assess("table", FIRST, "table", feedback={"value": {"a": 1}}),
    assess(
        "failure",
        FIRST,
        "failure",
        feedback={"error": {"error_code": "E", "error_message": "m"}},
    ),
    assess("answer", FIRST, "answer", expectation={"value": "42"}),
    assess(
        "answers",
        FIRST,
        "answers",
        expectation={
            "serialized_value": {
                "serialization_format": "JSON_FORMAT",
                "value": '["a", "b"]',
            }
        },
    ),
    assess("issue", FIRST, "issue", issue={"issue_name": "slow"}),
    assess("nothing at all", FIRST, "void"),
    assess(
        "two at once", FIRST, "two", feedback={"value": 1}, expectation={"value": 1}
    ),
    assess("of nothing", GONE, "good", feedback={"value": True}),
    assess(
        "by nobody known",
        FIRST,
        "source",
        source={"source_type": "ORACLE"},
        feedback={"value": True},
    ),
    assess(
        "with a time",
        FIRST,
        "timed",
        feedback={"value": 1},
        create_time="1970-01-01T00:00:05Z",
        last_update_time="1970-01-01T00:00:05.250Z",
    ),
    post("without a name", ONE, {"assessment": {"feedback": {"value": 1}}}),
    post("without anything", ONE, {}),
    get("get", f"{ONE}/{{yes}}"),
    get("get a missing one", f"{ONE}/a-x"),
    get("get one of nothing", f"{V3}/{GONE}/assessments/a-x"),
    change(
        "update the value",
        "PATCH",
        f"{ONE}/{{yes}}",
        {"assessment": {"feedback": {"value": False}}, "update_mask": "feedback"},
    ),
    change(
        "update name, rationale and metadata",
        "PATCH",
        f"{ONE}/{{words}}",
        {
            "assessment": {
                "assessment_name": "renamed",
                "rationale": "r",
                "metadata": {"c": "d"},
                "feedback": {"value": "not this"},
            },
            "update_mask": "assessmentName,rationale,metadata",
        },
    ),
    change(
        "update an expectation",
        "PATCH",
        f"{ONE}/{{answer}}",
        {"assessment": {"expectation": {"value": "43"}}, "update_mask": "expectation"},
    ),
    change(
        "update across kinds",
        "PATCH",
        f"{ONE}/{{answer}}",
        {"assessment": {"feedback": {"value": "43"}}, "update_mask": "feedback"},
    ),
    change(
        "update without a mask",
        "PATCH",
        f"{ONE}/{{answer}}",
        {"assessment": {"expectation": {"value": "44"}}},
    ),
    change(
        "update a missing one",
        "PATCH",
        f"{ONE}/a-x",
        {"assessment": {"feedback": {"value": "43"}}, "update_mask": "feedback"},
    ),
    assess("override", FIRST, "override", feedback={"value": 9}, overrides="{yes}"),
    get("get the overridden", f"{ONE}/{{yes}}"),
    assess("override nothing", FIRST, "nil", feedback={"value": 9}, overrides="a-x"),
    change("delete the override", "DELETE", f"{ONE}/{{override}}"),
    get("get the restored", f"{ONE}/{{yes}}"),
    change("delete", "DELETE", f"{ONE}/{{yes}}"),
    change("delete again", "DELETE", f"{ONE}/{{yes}}"),
    change("delete of nothing", "DELETE", f"{V3}/{GONE}/assessments/a-x"),
    get("get them with the trace", f"{V3}/{FIRST}"),
    get("get the one from the start", f"{V3}/{SECOND}"),
]

SCRIPTS = {"assessments": ASSESSMENTS}
