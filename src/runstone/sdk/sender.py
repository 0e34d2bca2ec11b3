"""
The sender: carries spools to their server, in threads beside the training.

A lane is one writer's folder.  Each lane is tried again for ever, later and later
while its server is away; what a server refuses for good stops the lane, and its
folder stays for `runstone sync`.
"""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from runstone import errors
from runstone.sdk import calls, door, say, spool
from runstone.sdk.calls import Busy
from runstone.sdk.locks import Lock
from runstone.sdk.spool import Journal, Target, Writer


GATHER_SECONDS: Final = 0.05
"""How long what is logged may gather before it is sent."""

BEAT_SECONDS: Final = 30.0
"""How often a writer that says nothing lets its server know that it lives."""

ADOPT_SECONDS: Final = 2.0
"""How often a process looks for what its forked children left."""

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 60.0


class Progress(NamedTuple):
    """What is still to be sent."""

    journal_bytes: int
    files: int
    file_bytes: int

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not self.journal_bytes and not self.files


class Lane:
    """
    One writer's folder on its way to its server.

    Args:
        folder: The writer's.

        writer: The writer, if it lives in this process.  Where it is gone, the
            folder goes too once all of it is heard.

        uri: Where it goes, if not where its writer said.
    """

    def __init__(
        self, folder: Path, writer: Writer | None = None, uri: str | None = None
    ) -> None:
        self.journal = Journal(folder)
        if uri:
            self.journal.target = self.journal.target._replace(tracking_uri=uri)
        self.refused: errors.RunstoneError | None = None
        self._writer = writer
        self._files = Files(folder / "files")
        self._lock = Lock(folder)
        self._next = {"journal": 0.0, "files": 0.0}
        self._pause = FIRST_PAUSE_SECONDS
        self._heard_at = 0.0
        self._warned = False
        self._memory: tuple[Target, list[bytes]] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the writer says nothing more."""
        return self._writer is None or self._writer.is_closed

    def take(self) -> bool:
        """Take the folder's lock; False where another process sends it."""
        return self._lock.take()

    def send(self) -> bool:
        """Send a portion, or a sign of life where it is time; False if idle."""
        return self._attempt("journal", self._send)

    def send_file(self) -> bool:
        """Send one artifact that waits; False if idle."""
        return self._attempt("files", self._send_file)

    def progress(self) -> Progress:
        """Return what is left."""
        held = sum(map(len, self._writer.held())) if self._writer else 0

        return Progress(self.journal.waiting_bytes() + held, *self._files.waiting())

    def is_over(self) -> bool:
        """Say whether the writer is gone and all of it was heard."""
        return self.has_ended and not self.refused and self.progress().is_done

    def release(self) -> None:
        """Leave the folder to others; remove it where it has served."""
        if self.is_over():
            self.journal.remove()
        self._lock.release()
        if self._writer:
            self._writer.release()

    def hurry(self) -> None:
        """Try at once what was put off."""
        self._next = dict.fromkeys(self._next, 0.0)

    def _attempt(self, what: str, act: Callable[[], bool]) -> bool:
        """Act, unless it is too early or in vain; note how it went."""
        if self.refused or time.monotonic() < self._next[what]:
            return False
        try:
            did = act()
        except (errors.Unavailable, errors.NotFound) as error:
            self._put_off(what, error)
            return False
        except errors.RunstoneError as error:
            self._stop(error)
            return False
        # Whatever goes wrong beside training must not end this thread: it is told,
        # and tried again.
        except Exception as error:  # noqa: BLE001  # see above
            self._put_off(what, error)
            return False
        if did:
            self._pause = FIRST_PAUSE_SECONDS
            self._warned = False

        return did

    def _send(self) -> bool:
        portion = self.journal.portion(ended=self.has_ended)
        if portion is None:
            return self._send_held() or self._beat()
        self._tell(portion.before.position, portion.body)
        self.journal.sent(portion.after)

        return True

    def _send_held(self) -> bool:
        """
        Send what the disk does not take from memory.

        It is no part of the journal, so it is sent as the word of a writer of its
        own; until that is heard, the same is sent again.
        """
        held = self._writer.held() if self._writer else []
        if not held or self._writer is None:
            return False
        own = self.journal.target._replace(writer=uuid.uuid4().hex)
        self._memory = self._memory or (own, held)
        own, held = self._memory
        self._tell(0, b"".join(held), target=own)
        self._writer.drop(held)
        self._memory = None

        return True

    def _tell(self, position: int, body: bytes, target: Target | None = None) -> None:
        """Tell the server, and the user what it could not keep."""
        to = target or self.journal.target
        sent = calls.Sent(to.run_id, to.writer, position, body)
        heard = calls.journal(door.to(to.tracking_uri), sent)
        self._heard_at = time.monotonic()
        for refusal in heard.refused:
            say.warn(f"{refusal.what} was not kept: {refusal.message}")

    def _beat(self) -> bool:
        """Give a sign of life, so that the run is not taken for dead."""
        is_due = time.monotonic() - self._heard_at >= BEAT_SECONDS
        if not self.has_ended and self._heard_at and is_due:
            self._tell(self.journal.mark.position, b"")

        return False

    def _send_file(self) -> bool:
        waiting = self._files.first()
        # The run has to be there, and the journal's first record makes it.
        if waiting is None or not self.journal.mark.position:
            return False
        target = self.journal.target
        to = door.to(target.tracking_uri)
        try:
            calls.put_file(to, target.run_id, waiting.path, waiting.content)
        except errors.InvalidInput as error:
            say.warn(f"artifact {waiting.path!r} was not kept: {error}")
        self._files.done(waiting)

        return True

    def _put_off(self, what: str, error: Exception) -> None:
        """Wait, longer each time, and never in step with others."""
        asked = error.seconds if isinstance(error, Busy) else None
        self._next[what] = time.monotonic() + (
            asked or self._pause * random.uniform(0.5, 1.5)  # noqa: S311  # only to part clients
        )
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        if not self._warned and self._pause > 4:
            self._warned = True
            say.warn(
                f"{error} What is logged is kept in {self.journal.folder.parents[1]}"
            )

    def _stop(self, error: errors.RunstoneError) -> None:
        self.refused = error
        target = self.journal.target
        say.warn(
            f"the server does not take run {target.run_id}: {error}; what was logged "
            f"is kept in {self.journal.folder}, send it again with: runstone sync"
        )


class Waiting(NamedTuple):
    """An artifact that waits for its upload."""

    note: Path
    content: Path
    path: str


class Files:
    """Artifacts of one writer that wait: a note and the content of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def first(self) -> Waiting | None:
        """Return the oldest."""
        note = min(self._notes(), default=None)
        if note is None:
            return None
        path = json.loads(note.read_text())["path"]

        return Waiting(note, note.with_suffix(".content"), path)

    def done(self, waiting: Waiting) -> None:
        """Delete one that was sent."""
        waiting.note.unlink(missing_ok=True)
        waiting.content.unlink(missing_ok=True)

    def waiting(self) -> tuple[int, int]:
        """Return how many there are, and their bytes."""
        count = size = 0
        for note in self._notes():
            with suppress(FileNotFoundError):
                size += note.with_suffix(".content").stat().st_size
                count += 1

        return count, size

    def _notes(self) -> list[Path]:
        """Return the notes; another thread may remove the whole folder meanwhile."""
        with suppress(FileNotFoundError):
            return list(self.folder.glob("*.json"))

        return []


class Sender:
    """
    Two threads that send lanes: one what was said, one the artifacts.

    Args:
        uri: Where adopted lanes go, if not where their writers said.
    """

    def __init__(self, uri: str | None = None) -> None:
        self._uri = uri
        self._lanes: list[Lane] = []
        self._changing = threading.Lock()
        self._stopping = False
        self._wake = {"journal": threading.Event(), "files": threading.Event()}
        self._adopt_at = 0.0
        self._threads = [
            threading.Thread(
                target=self._run, args=(name, act), name=f"runstone-{name}", daemon=True
            )
            for name, act in (("journal", Lane.send), ("files", Lane.send_file))
        ]
        for thread in self._threads:
            thread.start()

    def add(self, lane: Lane) -> None:
        """Send one more lane."""
        with self._changing:
            self._lanes = [*self._lanes, lane]
        self.hurry()

    def adopt(self, folders: Iterable[Path]) -> None:
        """Take on what other writers left behind in these folders."""
        ours = {lane.journal.folder for lane in self._lanes}
        for lane in orphans(set(folders) - ours, self._uri):
            self.add(lane)

    def hurry(self) -> None:
        """Send now."""
        for event in self._wake.values():
            event.set()

    def progress(self) -> Progress:
        """Return what is left of all lanes that are not refused."""
        left = Progress(0, 0, 0)
        for lane in self._lanes:
            if not lane.refused:
                pairs = zip(left, lane.progress(), strict=True)
                left = Progress(*(one + more for one, more in pairs))

        return left

    def flush(
        self, timeout_seconds: float, tell: Callable[[Progress], None] | None = None
    ) -> bool:
        """
        Wait until all is sent that is written now; say whether it is.

        Args:
            timeout_seconds: How long at most.

            tell: Called now and then with what is left.
        """
        deadline = time.monotonic() + timeout_seconds
        self._adopt_siblings()
        for lane in self._lanes:
            lane.hurry()
        while not (left := self.progress()).is_done:
            if time.monotonic() >= deadline:
                return False
            if tell:
                tell(left)
            self.hurry()
            time.sleep(0.005)

        return True

    def stop(self) -> None:
        """End both threads; what is under way is finished, or is sent again."""
        self._stopping = True
        self.hurry()
        for thread in self._threads:
            thread.join(5)
        for lane in self._lanes:
            lane.release()

    def _run(self, name: str, act: Callable[[Lane], bool]) -> None:
        wake = self._wake[name]
        while not self._stopping:
            busy = False
            for lane in self._lanes:
                busy |= act(lane)
            if name == "journal":
                self._tidy()
            wake.wait(0 if busy and name == "files" else GATHER_SECONDS)
            wake.clear()

    def _tidy(self) -> None:
        """Let go of lanes that are over, and look for what forked children left."""
        for lane in self._lanes:
            if lane.has_ended and lane.is_over():
                with self._changing:
                    self._lanes = [each for each in self._lanes if each is not lane]
                lane.release()
        if time.monotonic() >= self._adopt_at:
            self._adopt_siblings()

    def _adopt_siblings(self) -> None:
        self._adopt_at = time.monotonic() + ADOPT_SECONDS
        runs = {lane.journal.folder.parent for lane in self._lanes}
        self.adopt(folder for run in runs for folder in spool.writers(run))


def orphans(folders: Iterable[Path], uri: str | None = None) -> Iterator[Lane]:
    """Yield the lanes of writers that died before they were heard to the end."""
    for folder in sorted(folders):
        with suppress(OSError, ValueError, TypeError):  # it is going, or half made
            lane = Lane(folder, uri=uri)
            if lane.take():
                yield lane
