"""
Traces on MLflow's wire, as its clients before 3 speak it.

They write the spans to a file of their own, and here only when the trace was
and how it ended.
"""

import uuid
from collections.abc import Mapping
from typing import Annotated

import msgspec

from runstone import limits
from runstone.model import Trace, TraceState
from runstone.server.http import (
    Int64,
    Reply,
    Request,
    Right,
    Route,
    lacking,
    read,
    reply,
)
from runstone.server.mlflow.messages import KeyValue, experiment_id
from runstone.server.mlflow.tracing import messages, times
from runstone.server.mlflow.wire import pairs
from runstone.server.state import database
from runstone.storage.tracing import search, traces


class Start(msgspec.Struct):
    """Body of `traces` before 3; clients send it when the trace begins."""

    experiment_id: str
    timestamp_ms: Int64 = 0
    request_metadata: list[KeyValue] = []
    tags: list[KeyValue] = []


class End(msgspec.Struct):
    """Body of a trace's end."""

    timestamp_ms: Int64 = 0
    status: str | int | None = None
    request_metadata: list[KeyValue] = []
    tags: list[KeyValue] = []


class Search(msgspec.Struct):
    """Query of `traces`."""

    experiment_ids: list[str] = []
    filter: str | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_TRACES)] = 100
    order_by: list[str] = []
    page_token: str | None = None


async def start(request: Request) -> Reply:
    """Begin a trace."""
    body = await read(request, Start)
    trace = Trace(
        uuid.uuid4().hex,
        experiment_id(body.experiment_id),
        times.require_time(body.timestamp_ms, "timestamp_ms"),
        TraceState.IN_PROGRESS,
        tags=messages.allowed(_table(body.tags)),
        metadata=_table(body.request_metadata),
    )
    written = await database(request).write(traces.put, trace.id, trace)

    return reply({"trace_info": info(written)})


async def end(request: Request) -> Reply:
    """Say when and how a trace ended."""
    body = await read(request, End)
    if not body.timestamp_ms:
        raise lacking("timestamp_ms")
    told = Trace(
        request.params["trace_id"],
        0,
        0,
        messages.read_state(body.status),
        tags=messages.allowed(_table(body.tags)),
        metadata=_table(body.request_metadata),
    )
    ended = await database(request).write(
        traces.finish,
        told.id,
        end_ms=times.require_time(body.timestamp_ms, "timestamp_ms"),
        told=told,
    )

    return reply({"trace_info": info(ended)})


async def get(request: Request) -> Reply:
    """Return a trace without its spans."""
    trace = await database(request).read(traces.by_id, request.params["trace_id"])

    return reply({"trace_info": info(trace)})


async def find(request: Request) -> Reply:
    """Search traces."""
    query = await read(request, Search)
    if not query.experiment_ids:
        raise lacking("experiment_ids")
    page = await database(request).read(
        search.find,
        search.Query(
            tuple(map(experiment_id, query.experiment_ids)),
            query.filter,
            tuple(query.order_by),
            query.max_results,
            query.page_token,
        ),
    )
    found: dict[str, object] = {}
    if page.traces:
        found["traces"] = list(map(info, page.traces))
    if page.next_page_token:
        found["next_page_token"] = page.next_page_token

    return reply(found)


def info(trace: Trace) -> dict[str, object]:
    """Return a trace as MLflow sent it before 3."""
    is_known = trace.state is not TraceState.UNKNOWN
    found: dict[str, object] = {
        "request_id": trace.id,
        "experiment_id": str(trace.experiment_id),
        "timestamp_ms": trace.start_ms,
        "execution_time_ms": trace.duration_ms or 0,
        "status": trace.state if is_known else "TRACE_STATUS_UNSPECIFIED",
    }
    if trace.metadata:
        found["request_metadata"] = pairs(trace.metadata.items())
    if trace.tags:
        found["tags"] = pairs(trace.tags.items())

    return found


def _table(sent: list[KeyValue]) -> Mapping[str, str]:
    return {pair.key: pair.value for pair in sent}


until_3 = [
    Route("POST", "mlflow/traces", start, Right.EDIT, Start),
    Route("GET", "mlflow/traces", find, Right.READ, Search),
    Route("PATCH", "mlflow/traces/{trace_id}", end, Right.EDIT, End),
    Route("GET", "mlflow/traces/{trace_id}/info", get, Right.READ),
]
