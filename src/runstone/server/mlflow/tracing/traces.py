"""Traces on MLflow's wire, as its clients since 3 speak it."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from runstone import errors, limits
from runstone.model import Trace
from runstone.server.downloads import OCTETS, download
from runstone.server.http import (
    Int64,
    Needed,
    Reply,
    Request,
    Right,
    Route,
    lacking,
    read,
    reply,
)
from runstone.server.mlflow import places
from runstone.server.mlflow.messages import experiment_id
from runstone.server.mlflow.tracing import messages
from runstone.server.mlflow.tracing import spans as span_form
from runstone.server.mlflow.wire import encode
from runstone.server.state import database, now_ms
from runstone.storage.tracing import search, spans, traces
from runstone.storage.tracing.spans import FINAL_KEY, SPANS_HERE, SPANS_TAG, Whole


SIZE_KEY: Final = "mlflow.trace.sizeStats"
"""Metadata of a trace in which its client counts the spans."""

WAITS_SECONDS: Final = (0.1, 0.2, 0.4, 0.8, 1.5)
"""How long a reader waits for spans that are still on their way."""

DATA_FILE: Final = "traces.json"
"""What clients before 3.4 write the spans of a trace to."""


class Told(msgspec.Struct):
    """A trace in the message that starts it."""

    trace_info: messages.TraceInfo


class Start(msgspec.Struct):
    """Body of `traces` since 3; clients send it when the trace is over."""

    trace: Told


class Get(msgspec.Struct):
    """Query of `traces/get`."""

    trace_id: Needed
    allow_partial: bool = False


class Several(msgspec.Struct):
    """Which traces, and perhaps in which experiments only."""

    trace_ids: Annotated[list[str], msgspec.Meta(max_length=limits.TRACE_IDS)] = []
    experiment_ids: list[str] | None = None


class Search(msgspec.Struct):
    """Body of `traces/search`."""

    locations: list[messages.Location] = []
    filter: str | None = None
    max_results: Annotated[int, msgspec.Meta(ge=1, le=limits.SEARCH_TRACES)] = 100
    order_by: list[str] = []
    page_token: str | None = None


class Delete(msgspec.Struct):
    """Body of `traces/delete-traces`."""

    experiment_id: Needed
    max_timestamp_millis: Int64 | None = None
    max_traces: Int64 | None = None
    request_ids: Annotated[list[str], msgspec.Meta(max_length=limits.TRACE_IDS)] = []


class SetTag(msgspec.Struct):
    """Body of a new tag."""

    key: Needed
    value: str = ""


class DeleteTag(msgspec.Struct):
    """Body of a tag's removal."""

    key: Needed


class Link(msgspec.Struct):
    """Body of `traces/link-to-run`."""

    run_id: Needed
    trace_ids: list[str] = []


class PromptVersion(msgspec.Struct):
    """A version of a prompt."""

    name: Needed
    version: str = ""


class LinkPrompts(msgspec.Struct):
    """Body of `traces/link-prompts`."""

    trace_id: Needed
    prompt_versions: list[PromptVersion] = []


class File(msgspec.Struct):
    """Query of `get-trace-artifact`."""

    request_id: Needed
    path: str = ""


async def start(request: Request) -> Reply:
    """Write a trace, or what its client says at last of one whose spans are here."""
    body = await read(request, Start)
    trace = messages.read_trace(body.trace.trace_info, now_ms=now_ms())
    final = {**trace.metadata, FINAL_KEY: "true"}
    written = await database(request).write(
        traces.put, trace.id, trace._replace(metadata=final)
    )

    return reply({"trace": {"trace_info": messages.info(written)}})


async def get_info(request: Request) -> Reply:
    """Return a trace without its spans."""
    trace = await database(request).read(traces.by_id, request.params["trace_id"])

    return reply({"trace": {"trace_info": messages.info(trace)}})


async def get(request: Request) -> Reply:
    """Return a trace with its spans, and wait a moment for those on their way."""
    query = await read(request, Get)
    whole = await _whole(request, query.trace_id, is_partial=query.allow_partial)

    return Reply(b'{"trace":' + _sent(whole) + b"}")


async def get_several(request: Request) -> Reply:
    """Return those traces of which every span has come."""
    query = await _several(request)
    found = await database(request).read(
        spans.several, query.trace_ids, experiment_ids=_homes(query)
    )
    bodies = [_sent(whole) for whole in found if whole.spans and not _awaited(whole)]

    return Reply(_listed(b"traces", bodies))


async def get_infos(request: Request) -> Reply:
    """Return those traces that there are, without their spans."""
    query = await read(request, Several)
    found = await database(request).read(
        traces.by_ids, query.trace_ids, experiment_ids=_homes(query)
    )

    return Reply(_listed(b"trace_infos", _infos(found)))


async def find(request: Request) -> Reply:
    """Search traces."""
    body = await read(request, Search)
    places = [place.mlflow_experiment for place in body.locations]
    page = await database(request).read(
        search.find,
        search.Query(
            tuple(experiment_id(place.experiment_id) for place in places if place),
            body.filter,
            tuple(body.order_by),
            body.max_results,
            body.page_token,
        ),
    )
    token = page.next_page_token
    more = b',"next_page_token":' + encode(token) + b"}" if token else b"}"

    return Reply(_listed(b"traces", _infos(page.traces))[:-1] + more)


async def delete(request: Request) -> Reply:
    """Delete traces for good: the named ones, or the oldest."""
    body = await read(request, Delete)
    _require_one_way(body)
    selection = traces.Selection(
        experiment_id(body.experiment_id),
        body.request_ids,
        body.max_timestamp_millis,
        body.max_traces,
    )
    deleted = await database(request).write_long(traces.delete, selection)

    return reply({"traces_deleted": deleted})


async def set_tag(request: Request) -> Reply:
    """Set a tag of a trace."""
    body = await read(request, SetTag)
    messages.require_allowed(body.key, "set")
    await database(request).write(
        traces.set_tag, request.params["trace_id"], body.key, body.value
    )

    return Reply()


async def delete_tag(request: Request) -> Reply:
    """Remove a tag of a trace."""
    body = await read(request, DeleteTag)
    messages.require_allowed(body.key, "deleted")
    await database(request).write(
        traces.delete_tag, request.params["trace_id"], body.key
    )

    return Reply()


async def link_to_run(request: Request) -> Reply:
    """Note that traces belong to a run."""
    body = await read(request, Link)
    if len(body.trace_ids) > limits.TRACE_LINKS:
        raise errors.InvalidInput(
            f"Cannot link more than {limits.TRACE_LINKS} traces to a run in a single "
            f"request. Provided {len(body.trace_ids)} traces."
        )
    links = traces.Links(body.trace_ids, body.run_id)
    await database(request).write(traces.link_to_run, links)

    return Reply()


async def link_prompts(request: Request) -> Reply:
    """Note which versions of prompts a trace used."""
    body = await read(request, LinkPrompts)
    prompts = [f"{prompt.name}/{prompt.version}" for prompt in body.prompt_versions]
    await database(request).write(traces.link_prompts, body.trace_id, prompts)

    return Reply()


async def get_file(request: Request) -> Reply:
    """Return the spans of a trace as a file, or a file that was attached to it."""
    query = await read(request, File)
    whole = await database(request).read(spans.whole, query.request_id)
    if query.path or not whole.spans:
        return await _download(request, whole.trace, query.path)
    name = b'attachment; filename="%s"' % DATA_FILE.encode()

    return Reply(
        span_form.as_file(whole.spans),
        content_type=OCTETS,
        headers=[(b"content-disposition", name)],
    )


async def _download(request: Request, trace: Trace, path: str) -> Reply:
    place = trace.tags.get(traces.PLACE_TAG, "")
    store, root = places.place(request, place)
    name = f"attachments/{path}" if path else DATA_FILE

    return await download(request, store, places.below(root, name))


async def _whole(request: Request, trace_id: str, *, is_partial: bool) -> Whole:
    whole = await database(request).read(spans.whole, trace_id)
    if is_partial:
        return whole
    for seconds in WAITS_SECONDS:
        if not _awaited(whole):
            break
        await asyncio.sleep(seconds)
        whole = await database(request).read(spans.whole, trace_id)
    if whole.trace.tags.get(SPANS_TAG) != SPANS_HERE:
        raise errors.NotFound(
            f"Trace {trace_id!r} has no spans here; look for {DATA_FILE} in its tag "
            f"{traces.PLACE_TAG}"
        )
    if _awaited(whole):
        raise errors.NotFound(
            f"Trace with ID {trace_id} is not fully exported yet, please try again "
            "later."
        )

    return whole


def _awaited(whole: Whole) -> bool:
    """Say whether the client has counted more spans than have come."""
    if SPANS_TAG not in whole.trace.tags:
        return False
    try:
        counted = json.loads(whole.trace.metadata.get(SIZE_KEY, "{}"))["num_spans"]
        return int(counted) > len(whole.spans)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return False


async def _several(request: Request) -> Several:
    query = await read(request, Several)
    if not query.trace_ids:
        raise lacking("trace_ids")

    return query


def _homes(query: Several) -> list[int] | None:
    if query.experiment_ids is None:
        return None

    return [experiment_id(text) for text in query.experiment_ids]


def _sent(whole: Whole) -> bytes:
    """Splice a trace with its spans, which are kept as they are sent."""
    info = b'{"trace_info":' + encode(messages.info(whole.trace))
    if not whole.spans:
        return info + b"}"

    return info + b',"spans":[' + ",".join(whole.spans).encode() + b"]}"


def _infos(found: Sequence[Trace]) -> list[bytes]:
    return [encode(messages.info(trace)) for trace in found]


def _listed(name: bytes, bodies: list[bytes]) -> bytes:
    """Write a message of one list; protobuf leaves an empty one out."""
    return b'{"' + name + b'":[' + b",".join(bodies) + b"]}" if bodies else b"{}"


def _require_one_way(body: Delete) -> None:
    """Source: `AbstractStore.delete_traces`, MLflow 3.18."""
    until, most, named = body.max_timestamp_millis, body.max_traces, body.request_ids
    wrong = ""
    if until is None and not named:
        wrong = "Either `max_timestamp_millis` or `trace_ids` must be specified."
    elif until is not None and named:
        wrong = "Only one of `max_timestamp_millis` and `trace_ids` can be specified."
    elif named and most is not None:
        wrong = "`max_traces` can't be specified if `trace_ids` is specified."
    elif most is not None and most <= 0:
        wrong = f"`max_traces` must be a positive integer, received {most}."
    if wrong:
        raise errors.InvalidInput(wrong)


async def refuse(request: Request) -> Reply:
    """Say that numbers over many traces are not built."""
    raise errors.NotBuilt(
        f"Runstone does not have {request.method} {request.path} (yet): it keeps "
        "traces and finds them, and counts nothing over them"
    )


TAGS: Final = "mlflow/traces/{trace_id}/tags"

routes = [
    Route("GET", "mlflow/get-trace-artifact", get_file, Right.READ, File),
    Route("GET", "mlflow/traces/get", get, Right.READ, Get),
    Route("GET", "mlflow/traces/batchGet", get_several, Right.READ, Several),
    Route("POST", "mlflow/traces/batchGetInfos", get_infos, Right.READ, Several),
    Route("POST", "mlflow/traces/search", find, Right.READ, Search),
    Route("POST", "mlflow/traces/delete-traces", delete, Right.EDIT, Delete),
    Route("POST", "mlflow/traces/link-to-run", link_to_run, Right.EDIT, Link),
    Route("POST", "mlflow/traces/link-prompts", link_prompts, Right.EDIT, LinkPrompts),
    Route("PATCH", TAGS, set_tag, Right.EDIT, SetTag),
    Route("DELETE", TAGS, delete_tag, Right.EDIT, DeleteTag),
]

# Their paths look like those of a trace.
routes += [
    Route("POST", f"mlflow/traces/{name}", refuse, Right.READ)
    for name in ("metrics", "calculate-filter-correlation")
]

# The old form has other messages under these paths.
since_3 = [
    Route("POST", "mlflow/traces", start, Right.EDIT, Start),
    Route("GET", "mlflow/traces/{trace_id}", get_info, Right.READ),
]
