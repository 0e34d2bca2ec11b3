"""The live stream: what happens to runs, as server-sent events."""

import asyncio

import msgspec

from runstone import errors, limits
from runstone.server.http import Reply, Request, Right, Route, from_query
from runstone.server.live import Listener, position
from runstone.server.mlflow.messages import experiment_id
from runstone.server.state import State, database, state
from runstone.storage import experiments
from runstone.storage.running import live


class Watched(msgspec.Struct):
    """Query of a stream."""

    runs: str = ""
    """Ids of runs, with commas."""

    experiment: str = ""
    """Id of an experiment: what runs or begins in it."""


async def stream(request: Request) -> Reply:
    """
    Tell what happens to runs, as server-sent events, for as long as one listens.

    Events: `points` (new points by key, as columns), `run` (its state, name, or
    something else of it changed), `new` (a run began), `reload` (points went by too
    fast: read the charts anew), `mark` (up to here; its id is what a client that
    comes back sends as Last-Event-ID).
    """
    query = from_query(request.query(), Watched)
    held = state(request)
    if held.live.listeners >= limits.LIVE_STREAMS:
        raise errors.Unavailable("Too many live streams are open here; try again later")
    heard = position(request.header(b"last-event-id"))
    if query.experiment:
        number = experiment_id(query.experiment)
        await database(request).read(experiments.by_id, number)
        listener = Listener(experiments=frozenset([number]), heard=heard)
    else:
        listener = Listener(runs=await _numbers(request, query.runs), heard=heard)
    _end_with_server(request, held)
    headers = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
    if request.method == "HEAD":
        return Reply(b"", content_type=b"text/event-stream", headers=headers)

    return Reply(
        held.live.stream(listener), content_type=b"text/event-stream", headers=headers
    )


async def _numbers(request: Request, spelled: str) -> frozenset[int]:
    run_ids = [run_id for run_id in spelled.split(",") if run_id]
    if not run_ids:
        raise errors.InvalidInput("Say what to listen to: runs=ID,ID or experiment=ID")
    if len(run_ids) > limits.LIVE_RUNS:
        raise errors.TooLarge("The list of runs", len(run_ids), limits.LIVE_RUNS)
    found = await database(request).read(live.numbers, run_ids)
    for run_id in run_ids:
        if run_id not in found:
            raise errors.RunNotFound(run_id)

    return frozenset(found.values())


def _end_with_server(request: Request, held: State) -> None:
    """Have the streams end when the server begins to stop, not when it has to."""
    ending: asyncio.Event | None = request.scope.get("state", {}).get("ending")
    if ending is None or held.live.ends_with is not None:
        return

    async def wait() -> None:
        await ending.wait()
        held.live.stop()

    held.live.ends_with = asyncio.create_task(wait())


routes = [Route("GET", "live", stream, Right.READ, Watched)]
