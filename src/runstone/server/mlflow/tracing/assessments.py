"""Assessments on MLflow's wire."""

import json
import re
import uuid
from typing import Any, Final

import msgspec

from runstone import errors
from runstone.model import Assessment, AssessmentKind
from runstone.server.http import Reply, Request, Right, Route, lacking, read, reply
from runstone.server.mlflow.tracing import times
from runstone.server.state import database, now_ms
from runstone.storage.tracing import assessments
from runstone.storage.tracing.assessments import Change


SERIALIZED: Final = "JSON_FORMAT"
SOURCES: Final = ("SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE")
"""Source: `AssessmentSource` in `mlflow/protos/assessments.proto`, 3.18."""

Json = Any  # whatever stands there


class Source(msgspec.Struct):
    """Who or what assessed."""

    source_type: str | int = SOURCES[0]
    source_id: str | None = None


class Failure(msgspec.Struct, omit_defaults=True):
    """Why there is no value."""

    error_code: str = ""
    error_message: str | None = None
    stack_trace: str | None = None


class Feedback(msgspec.Struct):
    """What somebody thinks."""

    value: Json = None
    error: Failure | None = None


class Serialized(msgspec.Struct):
    """A list or a table as text."""

    value: str
    serialization_format: str = SERIALIZED


class Expectation(msgspec.Struct):
    """What somebody expects."""

    value: Json = None
    serialized_value: Serialized | None = None


class Issue(msgspec.Struct):
    """What is wrong; its id is the assessment's name."""

    issue_name: str = ""


class Message(msgspec.Struct):
    """An assessment as MLflow's clients send it."""

    assessment_id: str = ""
    assessment_name: str = ""
    span_id: str | None = None
    source: Source | None = None
    create_time: str | None = None
    last_update_time: str | None = None
    feedback: Feedback | None = None
    expectation: Expectation | None = None
    issue: Issue | None = None
    rationale: str | None = None
    overrides: str | None = None
    metadata: dict[str, str] = {}


class Create(msgspec.Struct):
    """Body of `traces/{trace_id}/assessments`."""

    assessment: Message


class Update(msgspec.Struct):
    """Body of a change to an assessment; the mask names what changes."""

    assessment: Message
    update_mask: str


class Said(msgspec.Struct):
    """The value of an assessment, taken out of its three places."""

    kind: AssessmentKind
    value: str
    error: str | None = None


async def create(request: Request) -> Reply:
    """Write an assessment of a trace."""
    body = await read(request, Create)
    trace_id = request.params["trace_id"]
    assessment = read_one(body.assessment, trace_id=trace_id, now_ms=now_ms())
    written = await database(request).write(assessments.create, trace_id, assessment)

    return reply({"assessment": sent(written)})


async def get(request: Request) -> Reply:
    """Return an assessment."""
    found = await database(request).read(
        assessments.by_id, request.params["trace_id"], request.params["assessment_id"]
    )

    return reply({"assessment": sent(found)})


async def update(request: Request) -> Reply:
    """Change what the mask names of an assessment."""
    body = await read(request, Update)
    changed = await database(request).write(
        assessments.update,
        request.params["trace_id"],
        request.params["assessment_id"],
        change=_change(body),
        now_ms=now_ms(),
    )

    return reply({"assessment": sent(changed)})


async def delete(request: Request) -> Reply:
    """Remove an assessment, if it is there."""
    await database(request).write(
        assessments.delete, request.params["trace_id"], request.params["assessment_id"]
    )

    return Reply()


def read_one(message: Message, *, trace_id: str, now_ms: int) -> Assessment:
    """
    Read an assessment; one without an id gets one.

    Raises:
        InvalidInput: It says nothing, or something in it does not fit.
    """
    said = _said(message)
    source = message.source or Source()
    created, updated = message.create_time, message.last_update_time

    return Assessment(
        message.assessment_id or f"a-{uuid.uuid4().hex}",
        trace_id,
        said.kind,
        message.assessment_name,
        said.value,
        _source_type(source.source_type),
        times.read_stamp(created, "create_time") if created else now_ms,
        times.read_stamp(updated, "last_update_time") if updated else now_ms,
        said.error,
        source.source_id,
        message.span_id,
        message.rationale,
        message.overrides,
        metadata=message.metadata,
    )


def sent(item: Assessment) -> dict[str, object]:
    """Return an assessment as MLflow sends it."""
    found: dict[str, object | None] = {
        "assessment_id": item.id,
        "assessment_name": item.name,
        "trace_id": item.trace_id,
        "span_id": item.span_id,
        "source": {"source_type": item.source_type}
        | ({"source_id": item.source_id} if item.source_id else {}),
        "create_time": times.stamp(item.created_ms),
        "last_update_time": times.stamp(item.updated_ms),
        item.kind: _value(item),
        "rationale": item.rationale,
        "metadata": item.metadata or None,
        "overrides": item.overrides,
        "valid": item.is_valid,
    }

    return {name: value for name, value in found.items() if value is not None}


def _value(item: Assessment) -> dict[str, object]:
    value = json.loads(item.value)
    if item.kind is AssessmentKind.ISSUE:
        return {"issue_name": value}
    if item.kind is AssessmentKind.FEEDBACK:
        error = {"error": json.loads(item.error)} if item.error else {}
        return {"value": value} | error
    if isinstance(value, list | dict):
        text = {"serialization_format": SERIALIZED, "value": item.value}
        return {"serialized_value": text}

    return {"value": value}


def _said(message: Message) -> Said:
    feedback, expectation, issue = message.feedback, message.expectation, message.issue
    if feedback is not None:
        wrong = feedback.error
        error = msgspec.json.encode(wrong).decode() if wrong else None
        return Said(AssessmentKind.FEEDBACK, _json(feedback.value), error)
    if expectation is not None:
        return Said(AssessmentKind.EXPECTATION, _expected(expectation))
    if issue is not None:
        return Said(AssessmentKind.ISSUE, _json(issue.issue_name))

    raise lacking("assessment.feedback")


def _expected(expectation: Expectation) -> str:
    serialized = expectation.serialized_value
    if serialized is None:
        return _json(expectation.value)
    if serialized.serialization_format != SERIALIZED:
        raise errors.InvalidInput(
            f"Unknown serialization format: {serialized.serialization_format[:100]!r}. "
            f"Only {SERIALIZED} is supported."
        )
    try:
        return _json(msgspec.json.decode(serialized.value))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise errors.InvalidInput(
            f"The serialized value of an expectation is not JSON: {error}"
        ) from None


def _json(value: Json) -> str:
    # With spaces, as MLflow writes the lists and tables that it sends back.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _source_type(sent_type: str | int) -> str:
    """Return a known type of source; MLflow takes any other for an unknown one."""
    if isinstance(sent_type, int):
        return SOURCES[sent_type] if 0 <= sent_type < len(SOURCES) else SOURCES[0]

    return sent_type if sent_type in SOURCES else SOURCES[0]


def _change(body: Update) -> Change:
    """Read what the mask names, in protobuf's camels or as it is."""
    told = body.assessment
    paths = {
        re.sub(r"[A-Z]", lambda sign: f"_{sign[0].lower()}", path.strip())
        for path in body.update_mask.split(",")
    }
    change = Change(
        name=told.assessment_name if "assessment_name" in paths else None,
        rationale=told.rationale if "rationale" in paths else None,
        metadata=told.metadata if "metadata" in paths else {},
    )
    valued = Message(
        feedback=told.feedback if "feedback" in paths else None,
        expectation=told.expectation if "expectation" in paths else None,
    )
    if paths.isdisjoint({"feedback", "expectation"}):
        return change
    said = _said(valued)

    return change._replace(kind=said.kind, value=said.value, error=said.error)


ALL: Final = "mlflow/traces/{trace_id}/assessments"
ONE: Final = ALL + "/{assessment_id}"

routes = [
    Route("POST", ALL, create, Right.EDIT, Create),
    Route("GET", ONE, get, Right.READ),
    Route("PATCH", ONE, update, Right.EDIT, Update),
    Route("DELETE", ONE, delete, Right.EDIT),
]
