"""
Live: what happens to runs, told to whoever listens, as server-sent events.

One poller of each server process asks the database what changed and tells all
listeners, so a hundred open pages cost what one does, and it does not matter which
server a run writes to.  A listener that is slow is left alone until it has taken
what waits for it, and then gets what it missed, or is told to read the chart anew.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
import numpy as np

from runstone import errors, limits
from runstone.analysis.columns import Columns
from runstone.model import RunStatus
from runstone.storage.db import Database
from runstone.storage.running import live
from runstone.storage.running.live import State
from runstone.storage.tx import Tx


POLL_SECONDS: Final = 0.5

HEARTBEAT_SECONDS: Final = 10.0
"""How often a stream that has nothing to tell says that it is there."""

WAITING_BYTES: Final = 4 * 1024 * 1024
"""What may wait for a listener before it is left alone."""

MOST_RUNS: Final = limits.LIVE_RUNS + live.RUNNING_RUNS
"""Most runs in a position; it comes from outside."""

RETRY: Final = b"retry: 2000\n\n"
"""After how many milliseconds a browser connects again."""


class Seen(NamedTuple):
    """What a listener knows of a run."""

    version: int
    status: RunStatus | None = None
    name: str = ""


class Position(NamedTuple):
    """How far a listener has heard; it comes back with this as Last-Event-ID."""

    newest: int
    """Number of the newest run that it knows of."""

    versions: Mapping[int, int]

    def spelled(self) -> str:
        """Return it as one word."""
        runs = ",".join(f"{n:x}:{version:x}" for n, version in self.versions.items())

        return f"{self.newest:x};{runs}"


def position(spelled: str) -> Position | None:
    """Read a position; None where it is none."""
    try:
        newest, _, rest = spelled.partition(";")
        pairs = [pair.split(":") for pair in rest.split(",") if pair]
        versions = {int(run, 16): int(version, 16) for run, version in pairs}
        found = Position(int(newest, 16), versions)
    except ValueError:
        return None
    numbers = [found.newest, *versions, *versions.values()]
    fits = len(versions) <= MOST_RUNS and all(0 <= n < 2**62 for n in numbers)

    return found if fits else None


class Listener:
    """
    One stream.

    Args:
        runs: Numbers of the runs that it is about.

        experiments: Numbers of experiments: what runs or begins in them.

        heard: How far it has heard before.
    """

    def __init__(
        self,
        *,
        runs: frozenset[int] = frozenset(),
        experiments: frozenset[int] = frozenset(),
        heard: Position | None = None,
    ) -> None:
        self.runs = runs
        self.experiments = experiments
        self.newest: int | None = heard.newest if heard else None
        self.seen: dict[int, Seen] = {}
        if heard:
            known = heard.versions.items()
            self.seen = {n: Seen(v) for n, v in known if not runs or n in runs}
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False

    @property
    def is_ready(self) -> bool:
        """Whether it has taken most of what it was told."""
        return self.waiting_bytes < WAITING_BYTES

    @property
    def waiting_bytes(self) -> int:
        """How much waits for it."""
        return sum(map(len, self._waiting))

    def concerns(self, state: State) -> bool:
        """Say whether it wants to hear of a run."""
        return state.number in self.runs or state.experiment in self.experiments

    def tell(self, events: bytes) -> None:
        """Have it told something."""
        self._waiting.append(events)
        self._wake.set()

    def end(self) -> None:
        """Let it end once it has taken what waits."""
        self._ended = True
        self._wake.set()

    async def events(self) -> AsyncIterator[bytes]:
        """Yield what it is told, and a sign of life now and then."""
        yield RETRY
        while self._waiting or not self._ended:
            if self._waiting:
                yield self._waiting.popleft()
                continue
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield b": alive\n\n"


class Poller:
    """
    Asks the database what changed, for all listeners of this process.

    Args:
        database: The record.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self.ends_with: asyncio.Task[None] | None = None
        """Waits for the server to begin its end."""

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def stream(self, listener: Listener) -> AsyncGenerator[bytes]:
        """Yield the events of a listener until it goes, or the server stops."""
        self._listeners.add(listener)
        if self._stopped:
            listener.end()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            async for events in listener.events():
                yield events
        finally:
            self._listeners.discard(listener)

    def stop(self) -> None:
        """End every stream: the server stops."""
        self._stopped = True
        for listener in self._listeners:
            listener.end()

    async def _poll(self) -> None:
        """Look, tell, and rest, for as long as somebody listens."""
        while self._listeners and not self._stopped:
            ready = [item for item in self._listeners if item.is_ready]
            with suppress(errors.RunstoneError):  # the next look finds it
                told = await self._database.read(_look, ready)
                for listener, events in told:
                    listener.tell(events)
            await asyncio.sleep(POLL_SECONDS)


def _look(tx: Tx, listeners: list[Listener]) -> list[tuple[Listener, bytes]]:
    """Look for what each listener has not heard, and put it into words."""
    runs = {n for listener in listeners for n in (*listener.runs, *listener.seen)}
    experiments = {n for listener in listeners for n in listener.experiments}
    known = [item.newest for item in listeners if item.newest is not None]
    found = live.look(
        tx,
        runs=sorted(runs),
        experiments=sorted(experiments),
        newest=min(known, default=2**62),
    )
    made: dict[tuple[int, int], bytes] = {}
    told = []
    for listener in listeners:
        events = _news(tx, listener, found, made)
        if events:
            told.append((listener, events))

    return told


def _news(
    tx: Tx, listener: Listener, found: live.Look, made: dict[tuple[int, int], bytes]
) -> bytes:
    """Return what is new to a listener, and let it know that."""
    begins = listener.newest is None
    newest = found.newest if listener.newest is None else listener.newest
    told: list[bytes] = []
    for state in filter(listener.concerns, found.states):
        seen = listener.seen.get(state.number)
        if seen is None and (begins or state.number <= newest):
            seen = Seen(state.version, None if begins else state.status, state.name)
            if not begins:  # it had ended and runs again
                told.append(_event("run", _run(state)))
        elif seen is None:
            told.append(_event("new", _run(state)))
            seen = Seen(0, state.status, state.name)
        told += _changes(tx, state, seen, made)
        listener.seen[state.number] = Seen(state.version, state.status, state.name)
        if state.number not in listener.runs and state.status != RunStatus.RUNNING:
            del listener.seen[state.number]
    listener.newest = max(newest, found.newest)
    if begins:
        told.insert(0, b": listening\n")
    if not told:
        return b""
    versions = {number: seen.version for number, seen in listener.seen.items()}
    mark = Position(listener.newest, versions).spelled()

    return b"".join(told) + f"id: {mark}\nevent: mark\ndata: {{}}\n\n".encode()


def _changes(
    tx: Tx, state: State, seen: Seen, made: dict[tuple[int, int], bytes]
) -> Iterator[bytes]:
    if state.version == seen.version:
        return
    has_moved = (seen.status, seen.name) != (state.status, state.name)
    key = (state.number, seen.version)
    if key not in made:
        made[key] = _points(state, live.fresh(tx, state, seen.version))
    if made[key]:
        yield made[key]
    if has_moved or not made[key]:
        yield _event("run", _run(state))


def _points(state: State, fresh: Mapping[str, Columns] | None) -> bytes:
    """Return the event of new points; nothing where there are none."""
    if fresh is None:
        return _event("reload", {"run": state.id, "version": state.version})
    if not fresh:
        return b""
    series = {key: _columns(columns) for key, columns in fresh.items()}

    return _event(
        "points", {"run": state.id, "version": state.version, "series": series}
    )


def _columns(columns: Columns) -> dict[str, list[int] | list[float | None]]:
    values: list[float | None] = columns.value.tolist()
    for place in np.flatnonzero(~np.isfinite(columns.value)).tolist():
        values[place] = None  # as in a chart

    return {
        "step": columns.step.tolist(),
        "time_ms": columns.time_ms.tolist(),
        "value": values,
    }


def _run(state: State) -> dict[str, object]:
    return {
        "run": state.id,
        "experiment_id": str(state.experiment),
        "name": state.name,
        "status": state.status,
        "end_ms": state.end_ms,
        "version": state.version,
    }


def _event(kind: str, message: Mapping[str, object]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(message))
