"""Parts of MLflow's messages about traces, and how traces are sent."""

import os.path
from collections.abc import Mapping
from typing import Final

import msgspec

from runstone import errors, limits
from runstone.model import Trace, TraceState
from runstone.server.http import lacking
from runstone.server.mlflow.messages import experiment_id
from runstone.server.mlflow.tracing import assessments as judged
from runstone.server.mlflow.tracing import times


HELD_TAGS: Final = frozenset(
    {
        "mlflow.artifactLocation",
        "mlflow.trace.spansLocation",
        "mlflow.trace.archiveLocation",
        "mlflow.trace.archivalFailure",
    }
)
"""
Tags that say where the data of a trace lie: the server's to set.

Source: `_HANDLER_BLOCKED_TRACE_TAGS` in `mlflow/server/handlers.py`, 3.18.
"""

STATES: Final = dict(enumerate(TraceState.__members__.values()))
"""Source: `TraceInfoV3.State` in `mlflow/protos/service.proto`, 3.18."""


class ExperimentPlace(msgspec.Struct):
    """An experiment that traces lie in."""

    experiment_id: str = ""


class Location(msgspec.Struct):
    """Where traces lie; here it is always an experiment."""

    mlflow_experiment: ExperimentPlace | None = None


class TraceInfo(msgspec.Struct):
    """A trace as MLflow's clients since 3 send it."""

    trace_id: str = ""
    trace_location: Location | None = None
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    request_time: str = "1970-01-01T00:00:00Z"
    execution_duration: str | None = None
    state: str | int | None = None
    trace_metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    assessments: list[judged.Message] = []


def read_trace(sent: TraceInfo, *, now_ms: int) -> Trace:
    """
    Read a trace.

    Raises:
        InvalidInput: An id, a time or a state is none.
    """
    place = sent.trace_location and sent.trace_location.mlflow_experiment
    if not place or not place.experiment_id:
        raise lacking("trace.trace_info.trace_location.mlflow_experiment.experiment_id")
    trace_id = require_id(sent.trace_id)
    lasted = sent.execution_duration

    return Trace(
        trace_id,
        experiment_id(place.experiment_id),
        times.read_stamp(sent.request_time, "request_time"),
        read_state(sent.state),
        None if lasted is None else times.read_duration(lasted, "execution_duration"),
        sent.client_request_id,
        storable(sent.request_preview),
        storable(sent.response_preview),
        allowed(sent.tags),
        sent.trace_metadata,
        tuple(
            judged.read_one(item, trace_id=trace_id, now_ms=now_ms)
            for item in sent.assessments
        ),
    )


def require_id(trace_id: str) -> str:
    """
    Return the id of a new trace: it names a folder as well.

    Source: `_validate_new_trace_id` in `mlflow/store/tracking/file_store.py`, 3.18.

    Raises:
        InvalidInput: It would name another folder, or none.
    """
    plain = (
        trace_id
        and os.path.basename(trace_id) == trace_id  # noqa: PTH119  # a text, not a file
        and trace_id.rstrip(" .") == trace_id
        and not any(sign in "%?#\\:" or not sign.isprintable() for sign in trace_id)
    )
    if not plain or len(trace_id) > limits.TRACE_ID_CHARS:
        shown = msgspec.json.encode(trace_id[:100]).decode("utf-8")
        raise errors.InvalidInput(
            f"Invalid value {shown} for parameter 'trace_id' supplied: must be a "
            f"single path component of at most {limits.TRACE_ID_CHARS} printable "
            "characters, without %, ?, #, : and backslash"
        )

    return trace_id


def read_state(sent: str | int | None) -> TraceState:
    """
    Read a state by its name or number; the old form's word for unknown is another.

    Raises:
        InvalidInput: There is no such state.
    """
    text = str(sent or TraceState.UNKNOWN).replace("TRACE_STATUS_", "STATE_")
    if text.isdecimal() and len(text) == 1 and int(text) in STATES:
        return STATES[int(text)]
    try:
        return TraceState(text)
    except ValueError:
        raise errors.InvalidInput(
            f"Invalid value for parameter 'state' supplied: expected one of "
            f"{', '.join(TraceState)}"
        ) from None


def allowed(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that clients may write; old ones send all of them back."""
    return {key: value for key, value in tags.items() if key not in HELD_TAGS}


def require_allowed(key: str, done: str) -> None:
    """
    Make sure that clients may write a tag.

    Raises:
        InvalidInput: It is the server's.
    """
    if key in HELD_TAGS:
        raise errors.InvalidInput(
            f"Tag '{key}' is immutable and cannot be {done} on a trace."
        )


def storable(text: str | None) -> str | None:
    """Return a preview without what no database keeps."""
    return None if text is None else text.replace("\0", "\ufffd")


def info(trace: Trace) -> dict[str, object]:
    """Return a trace as MLflow sends it since 3."""
    lasted = trace.duration_ms
    found = {
        "trace_id": trace.id,
        "client_request_id": trace.client_request_id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": str(trace.experiment_id)},
        },
        "request_preview": trace.request_preview,
        "response_preview": trace.response_preview,
        "request_time": times.stamp(trace.start_ms),
        "execution_duration": None if lasted is None else times.duration(lasted),
        "state": trace.state,
        "trace_metadata": trace.metadata or None,
        "tags": trace.tags or None,
        "assessments": list(map(judged.sent, trace.assessments)) or None,
    }

    return {name: value for name, value in found.items() if value is not None}
