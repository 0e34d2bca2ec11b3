"""
The session: what a process has under way, whichever names it is called by.

There is one sender in a process, one store that it talks to, and one stack of
runs, which MLflow's names and W&B's share.
"""

import atexit
import importlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from runstone import journal
from runstone.model import RunStatus
from runstone.sdk import capture, door, failure, forks, options, ranks, say, spool
from runstone.sdk.door import Door
from runstone.sdk.options import Mode
from runstone.sdk.run import Run
from runstone.sdk.sender import Lane, Progress, Sender
from runstone.sdk.spool import Writer


FLUSH_SECONDS: Final = 60.0
"""How long a question waits for what was logged before it, so that it is seen."""

ATTACHED_RUNS: Final = 16
"""Most runs of others that are held open for what comes next."""

PATIENT_SECONDS: Final = 1.0
"""How long the end of a script is silent about what it waits for."""


class Session:
    """One process; made once, by the module."""

    def __init__(self) -> None:
        self._uri: str | None = None
        self._lock = threading.RLock()
        self._sender: Sender | None = None
        self._runs: list[Run] = []
        self._attached: OrderedDict[tuple[str, str], Run] = OrderedDict()
        self._ids: set[str] = set()
        self._shared: Run | None = None
        self._holders: set[str] = set()
        self._failure: dict[str, str] = {}
        self._status = RunStatus.FINISHED
        self._facts: dict[str, str] = {}
        self._agreed = 0
        self._hooked = False
        self._is_child = False

    @property
    def tracking_uri(self) -> str:
        """Where runs go; "" is nowhere."""
        if self._uri is None:
            return options.fixed(options.tracking_uri())

        return self._uri

    def set_tracking_uri(self, uri: str) -> None:
        """
        Say where runs go from now on.

        Raises:
            Unusable: No store is spelled like this.
        """
        self._uri = options.fixed(uri)

    def door(self) -> Door:
        """
        Return the way to the store, once all that was logged before is there.

        So whoever asks sees what was logged; where the server is away for long, the
        question is asked all the same.
        """
        self._hook()  # a store in this process is closed at the end
        self.flush()

        return door.to(self.tracking_uri)

    def is_disabled(self) -> bool:
        """Say whether nothing is recorded at all."""
        return options.mode() == "disabled" or not self.tracking_uri

    def begin(
        self,
        begin: journal.Begin | None,
        run_id: str | None = None,
        *,
        parts: frozenset[str] | None = None,
        mode: Mode | None = None,
    ) -> Run:
        """
        Begin a run, or let an old one go on.

        In a distributed training the first rank does; the others' runs say nothing,
        or take part in the same one (see `ranks`).

        Args:
            begin: What it begins with; None attaches to a run that somebody else
                has begun.

            run_id: 32 hex digits; None makes some.

            parts: What is captured beside it, of `options.PARTS`; by default what
                the environment says.

            mode: Of this run; by default what the environment says.
        """
        rank = ranks.here() if begin is not None else ranks.Place()
        number = run_id or self._number(rank)
        mode = mode or options.mode()
        if mode == "disabled" or not self.tracking_uri or number is None:
            return Run(number or uuid.uuid4().hex, None)
        parts = options.parts() if parts is None else parts
        if begin is None or rank.is_first:
            run = self._made(number, mode, is_guest=False)
            if begin is not None:
                self._begin(begin, run, parts, is_old=run_id is not None)
            return run
        if ranks.who() != "all":
            self._measure(number, mode)
            return Run(number, None)

        run = self._made(number, mode, is_guest=True)
        capture.begin(run, parts & {"console", "system"})

        return run

    def _begin(
        self,
        begin: journal.Begin,
        run: Run,
        parts: frozenset[str],
        *,
        is_old: bool,
    ) -> None:
        self._ids.add(run.id)
        run.is_new = not is_old
        run.name = begin.name
        run.tags.update(begin.tags)
        run.say(begin)
        run.set_tags(self._facts)
        # Only an old run keeps its name.
        capture.begin(run, parts, is_old=is_old and not begin.name)

    def _made(self, number: str, mode: Mode, *, is_guest: bool) -> Run:
        self._hook()
        uri = self.tracking_uri
        run = Run(number, lambda: self._open(uri, number, mode))
        run.tracking_uri = uri
        run.is_guest = is_guest
        with self._lock:
            self._runs.append(run)

        return run

    def _number(self, rank: ranks.Place) -> str | None:
        """Return the id of a new run; None where ranks need one and have none."""
        if rank.is_alone or ranks.who() == "first":
            return uuid.uuid4().hex
        number = ranks.agreed_id(self._agreed)
        self._agreed += 1
        if number is None and rank.is_first:
            say.warn(
                "the ranks of this training cannot agree on a run, so only rank 0 "
                "logs; set RUNSTONE_RUN_ID to the same new name in all of them"
            )
            return uuid.uuid4().hex

        return number

    def _measure(self, number: str, mode: Mode) -> None:
        """Have the machine of another rank measured, if that is asked for."""
        if ranks.who() == "system":
            run = self._made(number, mode, is_guest=True)
            capture.begin(run, frozenset({"system"}))

    def remember(self, tags: dict[str, str]) -> None:
        """Set tags of the runs that this process has begun, and will begin."""
        self._facts |= tags
        for run in list(self._runs):
            if not run.is_guest:
                run.set_tags(tags)

    def attach(
        self,
        run_id: str,
        *,
        begin: journal.Begin | None = None,
        tracking_uri: str | None = None,
    ) -> Run:
        """
        Return a run to add to that does not end with this process.

        Args:
            run_id: 32 hex digits.  A run that this process is about is returned as
                it is; of others some are held open.

            begin: What it begins with, where it begins here.

            tracking_uri: Where it is; by default where runs go now.
        """
        uri = self.tracking_uri if tracking_uri is None else options.fixed(tracking_uri)
        if options.mode() == "disabled" or not uri:
            return Run(run_id, None)
        self._hook()
        with self._lock:
            own = next((run for run in self._runs if run.id == run_id), None)
            run = own or self._attached.get((uri, run_id))
            if begin is not None:
                self._ids.add(run_id)
            if run is None:
                mode = options.mode()
                run = Run(run_id, lambda: self._open(uri, run_id, mode))
                run.is_new = begin is not None
                self._attached[uri, run_id] = run
                # An artifact waits for the first word: let there be one.
                run.say(begin or journal.Tags({}))
            if run is not own:
                self._attached.move_to_end((uri, run_id))
            while len(self._attached) > ATTACHED_RUNS:
                self._attached.popitem(last=False)[1].close()

        return run

    def forget(self, run_id: str) -> None:
        """Let go of a run that was put into the bin, or taken out of it."""
        with self._lock:
            self._ids.discard(run_id)
            for key in [key for key in self._attached if key[1] == run_id]:
                self._attached.pop(key).close()

    def has_begun(self, run_id: str) -> bool:
        """Say whether this process began a run, however it went on."""
        return run_id in self._ids

    def finish(self, run: Run, status: RunStatus) -> None:
        """End a run."""
        run.finish(status)
        run.close()
        with self._lock:
            if run in self._runs:
                self._runs.remove(run)

    @property
    def is_uri_set(self) -> bool:
        """Whether the process said where runs go."""
        return self._uri is not None

    def is_held(self, holder: str) -> bool:
        """Say whether the shared run is under way under these names."""
        run = self._shared

        return run is not None and not run.ended and holder in self._holders

    def shared(self) -> Run | None:
        """Return the one run that MLflow's names and W&B's have in common."""
        return self._shared

    def join(
        self,
        holder: str,
        begin: journal.Begin,
        run_id: str | None = None,
        *,
        parts: frozenset[str] | None = None,
        mode: Mode | None = None,
    ) -> Run:
        """
        Begin the run that this process is about, or join it under other names.

        Args:
            holder: Whose names: "mlflow", "wandb".

            begin: What a new run begins with.  One that is there keeps its name and
                its experiment, and gets the tags.

            run_id: 32 hex digits; another run than the shared one is begun anew.

            parts: What is captured beside a run that is begun here, as in `begin`.

            mode: Of a run that is begun here; by default what the environment says.
        """
        run = self._shared
        if run is None or run.ended or run_id not in (None, run.id):
            run = self._shared = self.begin(begin, run_id, parts=parts, mode=mode)
            self._holders.clear()
        else:
            run.set_tags(begin.tags)
        self._holders.add(holder)
        if len(self._holders) > 1:
            run.count_once()

        return run

    def leave(self, holder: str, run: Run, status: RunStatus) -> None:
        """End a run; the shared one ends when the last who holds it leaves."""
        if run is not self._shared:
            self.finish(run, status)
            return
        self._holders.discard(holder)
        if not self._holders:
            self._shared = None
            self.finish(run, status)

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until the server has what was logged; say whether it has."""
        if self._sender is None:
            return True

        return self._sender.flush(timeout_seconds)

    def _open(self, uri: str, run_id: str, mode: Mode) -> Writer:
        """Make a writer and have it sent."""
        writer = Writer(options.spool(), uri, run_id)
        if mode == "online" and writer.folder.exists():
            with self._lock:
                if self._sender is None:
                    self._sender = Sender()
                    self._sender.adopt(_left_for(uri))
                self._sender.add(Lane(writer.folder, writer))

        return writer

    def _hook(self) -> None:
        """Have the end of the process told to us."""
        with self._lock:
            if self._hooked:
                return
            self._hooked = True
        at_end(self.close)
        forks.guard()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._fork)
        before = sys.excepthook

        def hook(
            kind: type[BaseException],
            error: BaseException,
            trace: TracebackType | None,
        ) -> None:
            self._fail(error)
            before(kind, error, trace)

        sys.excepthook = hook

    def _fail(self, error: BaseException) -> None:
        interrupted = isinstance(error, KeyboardInterrupt)
        self._status = RunStatus.KILLED if interrupted else RunStatus.FAILED
        self._failure = failure.tags(error)

    def _fork(self) -> None:
        """Begin anew in a forked child: threads and files are the parent's."""
        self._lock = threading.RLock()
        self._sender = None
        self._is_child = True
        door.forget()
        capture.forget()
        for run in [*self._runs, *self._attached.values()]:
            run.begin_again()

    def close(self) -> None:
        """End what is under way and send it, within bounds; the rest is sent later."""
        for run in list(self._runs):
            if self._is_child:  # the run is the parent's to end
                run.close()
                continue
            run.set_tags(self._failure)
            self.finish(run, self._status)
        while self._attached:
            self._attached.popitem()[1].close()
        if self._sender is None:
            door.close()
            return
        started = time.monotonic()
        try:
            done = self._sender.flush(
                options.exit_seconds(), lambda left: _tell(left, started)
            )
        except KeyboardInterrupt:
            done = False
        _tell_end()
        self._sender.stop()
        self._sender = None
        door.close()
        if not done:
            send_later()


def at_end(act: Callable[[], None]) -> None:
    """
    Have something done at the end of the process, while threads can still work.

    Plain `atexit` comes after the executors of `concurrent.futures` have closed,
    and a store in this process needs them.  What is registered after theirs comes
    before it.
    """
    importlib.import_module("concurrent.futures.thread")
    getattr(threading, "_register_atexit", atexit.register)(act)
    atexit.register(act)  # for what other handlers of the end still log


def _left_for(uri: str) -> list[Path]:
    """Return what earlier processes left for this store."""
    found = []
    for folder in spool.folders(options.spool()):
        with suppress(OSError, ValueError, TypeError):
            if spool.target(folder).tracking_uri == uri:
                found.append(folder)

    return found


_told: list[float] = []


def _tell(left: Progress, started: float) -> None:
    """Show what the end of a script waits for."""
    if say.is_silent() or time.monotonic() - started < PATIENT_SECONDS:
        return
    if _told and (not sys.stderr.isatty() or time.monotonic() - _told[-1] < 0.2):
        return
    _told.append(time.monotonic())
    size = (left.journal_bytes + left.file_bytes) / 1e6
    files = f" in {left.files} files" if left.files else ""
    line = f"runstone: sending {size:.1f} MB{files} (Ctrl-C: go on in the background)"
    end = "" if sys.stderr.isatty() else "\n"
    sys.stderr.write(("\r" if end == "" else "") + line + end)
    sys.stderr.flush()


def _tell_end() -> None:
    if _told and sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 78 + "\r")


def send_later() -> None:
    """Let a process of its own send what is left, after this one has ended."""
    folder = options.spool()
    say.note(
        f"the rest goes on in the background; if the machine stops, send what is in "
        f"{folder} with: runstone sync"
    )
    try:
        subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "runstone", "sync", "--quiet", "--patience", "3600"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path(folder).anchor,
        )
    except OSError as error:
        say.warn(f"the background could not be started ({error})")


session = Session()
