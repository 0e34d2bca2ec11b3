"""
The console: what the process writes on its standard streams, kept line by line.

The streams stay who they are; only their `write` also hands what it wrote to a
queue.  A thread makes lines of it and appends them to the run's journal a few times
a second.  What C libraries and child processes write does not come by here.
"""

import itertools
import operator
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

from runstone.journal import Lines
from runstone.sdk import forks, ranks
from runstone.sdk.run import Run


GATHER_SECONDS: Final = 0.2
LINE_CHARS: Final = 10_000
"""A longer line is cut."""

RECORD_CHARS: Final = 100_000
"""Most text in one record."""

WAITING_CHARS: Final = 8_000_000
"""What may wait for the thread; more is dropped, and counted."""

BURST_CHARS: Final = 4_000_000
STEADY_CHARS: Final = 256_000
"""How much is kept at once, and in a second for ever."""

PROGRESS_SECONDS: Final = 15.0
"""How often a progress bar that is drawn over and over leaves a line."""

END_SECONDS: Final = 2.0

Stream = Literal["stdout", "stderr"]
STREAMS: Final[tuple[Stream, ...]] = ("stdout", "stderr")


class Written(NamedTuple):
    """One call of `write`."""

    time_ms: int
    stream: Stream
    text: str


class Console:
    """The standard streams of the process; made once, by the module."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._queue: queue.SimpleQueue[Written | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lost = 0
        self._taps: list[Tap] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()

    def follow(self, run: Run) -> Callable[[], None]:
        """Give a run what is written from now on; the answer ends that."""
        with self._lock:
            if not self._runs:
                self._start()
            else:
                self._flush()
            self._runs.append(run)

        return lambda: self._leave(run)

    def forget(self) -> None:
        """Write as before, in a forked child: the lines are the parent's."""
        self._runs = []
        self._queue = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._stop_tapping()

    def _start(self) -> None:
        self._queue = queue.SimpleQueue()
        self._waiting = self._lost = 0
        self._taps = _tap(self._take)
        if shell := _notebook():
            shell.events.register("pre_run_cell", self._tap_again)
        self._thread = threading.Thread(
            target=self._work, name="runstone-console", daemon=True
        )
        self._thread.start()

    def _leave(self, run: Run) -> None:
        with self._lock:
            if run not in self._runs:
                return
            last = len(self._runs) == 1
            if last:
                self._stop_tapping()
                self._queue.put(None)
                if self._thread:
                    self._thread.join(END_SECONDS)
            else:
                self._flush()
            self._runs.remove(run)

    def _flush(self) -> None:
        """Wait until what is written already has gone to the run that it is of."""
        deadline = time.monotonic() + END_SECONDS
        while self._waiting and time.monotonic() < deadline:
            time.sleep(GATHER_SECONDS / 10)

    def _stop_tapping(self) -> None:
        while self._taps:
            self._taps.pop().undo()
        if shell := _notebook():
            with suppress(ValueError):  # it was not told to
                shell.events.unregister("pre_run_cell", self._tap_again)

    def _tap_again(self, *_: object) -> None:
        """Tap again before a cell runs: IPython sets `write` back after each."""
        lost = [tap for tap in self._taps if not tap.is_outermost]
        for tap in lost:
            with suppress(AttributeError, TypeError):
                self._taps.append(Tap(getattr(sys, tap.name), tap.name, self._take))
                self._taps.remove(tap)

    def _latest(self) -> Run | None:
        """Return the run that is begun last: what is written is most likely its."""
        return self._runs[-1] if self._runs else None

    def _take(self, stream: Stream, text: str) -> None:
        """Take what was just written; in any thread, in a signal's handler too."""
        if not self._runs or not text:
            return
        if self._waiting > WAITING_CHARS:
            self._lost += text.count("\n")
            return
        self._waiting += len(text)
        self._queue.put(Written(time.time_ns() // 1_000_000, stream, text))

    def _work(self) -> None:
        with forks.importing:
            keeper = Keeper(self._latest)
        ended = False
        while not ended:
            written = self._next()
            if written and written[-1] is not None:
                time.sleep(GATHER_SECONDS)
            with suppress(queue.Empty):
                while True:
                    written.append(self._queue.get_nowait())
            ended = None in written
            told = [item for item in written if item is not None]
            lost, self._lost = self._lost, 0
            # What people print must never end this thread.
            with suppress(Exception):
                keeper.keep(told, lost=lost, ended=ended)
            self._waiting = max(0, self._waiting - sum(len(w.text) for w in told))

    def _next(self) -> list[Written | None]:
        try:
            return [self._queue.get(timeout=PROGRESS_SECONDS)]
        except queue.Empty:
            return []


class Keeper:
    """
    Makes lines of what was written, and keeps as many as there is room for.

    Args:
        run: Says whose they are.
    """

    def __init__(self, run: Callable[[], Run | None]) -> None:
        from runstone.sdk.capture.secrets import Redactor  # compiles much

        self._run = run
        self._redactor = Redactor()
        self._rooms = {stream: Assembly() for stream in STREAMS}
        self._budget = float(BURST_CHARS)
        self._filled_at = time.monotonic()
        self._lost = 0
        rank = ranks.here().rank
        self._prefix = f"[rank {rank}] " if rank else ""

    def keep(self, written: list[Written], *, lost: int, ended: bool) -> None:
        """Append the lines that are complete, or all where it has *ended*."""
        self._lost += lost
        for piece in _joined(written):
            lines = self._rooms[piece.stream].feed(piece.text)
            for group in _groups(lines):
                self._say(piece, group)
        now_ms = time.time_ns() // 1_000_000
        for stream, room in self._rooms.items():
            if rest := room.rest() if ended else room.progress():
                self._say(Written(now_ms, stream, ""), [rest])

    def _say(self, head: Written, lines: list[str]) -> None:
        run = self._run()
        now = time.monotonic()
        earned = (now - self._filled_at) * STEADY_CHARS
        self._budget = min(self._budget + earned, BURST_CHARS)
        self._filled_at = now
        size = sum(map(len, lines))
        if run is None or size > self._budget:
            self._lost += len(lines)
            return
        self._budget -= size
        text = self._redactor.text("\n".join(self._prefix + line for line in lines))
        text = text.encode("utf-8", "replace").decode()
        run.say(Lines(head.time_ms, text, head.stream, self._lost))
        self._lost = 0


class Assembly:
    """The lines of one stream, as its pieces come."""

    def __init__(self) -> None:
        self._part = ""
        self._shown = ""
        self._shown_at = time.monotonic()

    def feed(self, text: str) -> list[str]:
        """Take a piece and return the lines that it ends."""
        *whole, part = (self._part + text).split("\n")
        self._part = _latest(part)
        if len(self._part) > LINE_CHARS:
            whole.append(self._part)
            self._part = ""

        return [_shown(line) for line in whole]

    def progress(self) -> str:
        """Return what a progress bar shows now, if it is time for that."""
        now = time.monotonic()
        if "\r" not in self._part:
            self._shown_at = now
            return ""
        shown = _shown(self._part)
        if now - self._shown_at < PROGRESS_SECONDS or shown == self._shown:
            return ""
        self._shown, self._shown_at = shown, now

        return shown

    def rest(self) -> str:
        """Return a last line that nothing ended."""
        rest, self._part = _shown(self._part), ""

        return rest


def _joined(written: list[Written]) -> Iterator[Written]:
    """Put together what was written to one stream in a row."""
    for stream, run in itertools.groupby(written, key=_stream):
        pieces = list(run)
        text = "".join([piece.text for piece in pieces])
        yield Written(pieces[0].time_ms, stream, text)


_stream = operator.attrgetter("stream")


def _groups(lines: list[str]) -> Iterator[list[str]]:
    """Part lines into what fits a record."""
    group: list[str] = []
    size = 0
    for line in lines:
        group.append(line)
        size += len(line) + 1
        if size > RECORD_CHARS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _latest(part: str) -> str:
    """Return what is left of a line that was drawn over."""
    place = part.rstrip("\r").rfind("\r")

    return part[place:] if place > 0 else part


def _shown(line: str) -> str:
    """Return what a terminal would show of a line, colours kept."""
    shown = _latest(line.rstrip("\r")).lstrip("\r") if "\r" in line else line

    return shown if len(shown) <= LINE_CHARS else shown[:LINE_CHARS] + " …"


_within = threading.local()


class Tap:
    """
    Has a stream tell what it writes.

    Args:
        stream: Whatever stands for a file there.

        name: Which one it is.

        take: Is told the name and the text, after it was written.

    Raises:
        AttributeError: The stream takes no attribute.
        TypeError: It has none.
    """

    def __init__(
        self,
        stream: Any,  # noqa: ANN401  # see above
        name: Stream,
        take: Callable[[Stream, str], None],
    ) -> None:
        self.name = name
        self._stream = stream
        self._before = vars(stream).get("write")
        write = stream.write

        def tapped(text: str) -> Any:  # noqa: ANN401  # what the stream says
            if getattr(_within, "write", False):  # another tap of ours is around
                return write(text)
            _within.write = True
            try:
                answer = write(text)
            finally:
                _within.write = False
            if isinstance(text, str):
                take(name, text)
            return answer

        self._tapped = tapped
        stream.write = tapped

    @property
    def is_outermost(self) -> bool:
        """Whether nobody has put something in its place, or around it."""
        return vars(self._stream).get("write") is self._tapped

    def undo(self) -> None:
        """Let the stream be as it was; where others are around it, it stays silent."""
        if not self.is_outermost:
            return
        if self._before is None:
            del self._stream.write
        else:
            self._stream.write = self._before


def _tap(take: Callable[[Stream, str], None]) -> list[Tap]:
    """Have the standard streams tell what they write."""
    taps = []
    tapped: list[object] = []
    for name in STREAMS:
        stream = getattr(sys, name)
        if stream is None or stream in tapped:
            continue
        tapped.append(stream)
        # A stream that cannot be tapped is left alone.
        with suppress(AttributeError, TypeError):
            taps.append(Tap(stream, name, take))

    return taps


def _notebook() -> Any:  # noqa: ANN401  # IPython's, which is not loaded for this
    """Return IPython's shell, if the process has one."""
    ipython: Any = sys.modules.get("IPython")
    found = getattr(ipython, "get_ipython", None)

    return found() if found else None


console: Final = Console()
