"""
The spool: what a run says, kept on this machine until the server has it.

Each writer, which is one process that speaks for one run, has a folder of its own:

    <spool>/<run id>/<writer id>/
        target.json       where it goes to
        00000001.journal  what was said, oldest first (see `runstone.journal`)
        sent.json         how far the server has it
        lock              held by whoever sends it, until it dies
        files/            artifacts that wait

`append` is one write to the end of a file, so what it returned from outlives the
process, however that dies.  A disk that is full is waited for; see `Writer`.
"""

import json
import os
import shutil
import struct
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from runstone import errors, journal
from runstone.sdk import say
from runstone.sdk.locks import Lock


SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""A file of a journal ends after so much, so that what is sent can be deleted."""

HELD_BYTES: Final = 64 * 1024 * 1024
"""What is kept in memory while the disk takes nothing."""

RETRY_SECONDS: Final = 1.0
"""How long a disk that took nothing is left alone."""

PORTION_BYTES: Final = 1024 * 1024
"""What is sent in one request, unless one record is larger."""

SUFFIX: Final = ".journal"


class Target(NamedTuple):
    """Where a writer's journal goes."""

    tracking_uri: str
    run_id: str
    writer: str


class Mark(NamedTuple):
    """How far the server has heard a writer."""

    segment: int = 1
    offset: int = 0
    """In the file of the segment."""

    position: int = 0
    """Bytes of whole records before it, which is what the server counts."""


class Writer:
    """
    Appends what one process says of one run; any of its threads may.

    While the disk is full, what is said waits in memory, up to `HELD_BYTES`; then
    the oldest is given up, and how much is said once the disk takes more.

    Args:
        spool: Folder of all spools.

        tracking_uri: Where it goes in the end.

        run_id: 32 hex digits.
    """

    def __init__(self, spool: Path, tracking_uri: str, run_id: str) -> None:
        self.target = Target(tracking_uri, run_id, uuid.uuid4().hex)
        self.folder = spool / run_id / self.target.writer
        self._shapes: dict[tuple[str, ...], journal.Packer] = {}
        # Re-entrant, for a signal's handler that logs.
        self._lock = threading.RLock()
        self._segment = 0
        self._room = 0
        self._file = -1
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._given_up = 0
        self._retry_at = 0.0
        self._lock_file = Lock(self.folder)
        self.is_closed = False
        self.is_carried = False
        """Whether a sender of this process has the folder, and leaves it in the end."""

        try:
            self._settle()
            self._turn()
        except OSError as error:
            self._stumble(error)

    def log(self, step: int, time_ms: int, values: Mapping[str, float]) -> None:
        """
        Append one call of `log`.

        Raises:
            InvalidInput: A key cannot be kept, or a value is no number.
        """
        keys = tuple(values)
        packer = self._shapes.get(keys) or self._shape(keys)
        try:
            record = packer.record(step, time_ms, values.values())
        except (struct.error, TypeError, ValueError):
            raise _misfit(step, values) from None
        self.append(record)

    def change(self, said: journal.Change) -> None:
        """Append a change."""
        self.append(journal.change(said))

    def append(self, record: bytes) -> None:
        """Append one record; the disk's troubles are waited for, never raised."""
        with self._lock:
            if self._held:
                self._hold(record)
                self._release()
                return
            try:
                written = os.write(self._file, record)
            except OSError as error:
                self._stumble(error)
                self._hold(record)
                return
            self._room -= written
            if written != len(record):  # torn: whoever reads goes on behind it
                self._stumble(None)
                self._hold(record)
            elif self._room <= 0:
                self._turn_quietly()

    def close(self) -> None:
        """Let go of the file; what waits in memory gets a last chance."""
        with self._lock:
            self._retry_at = 0.0
            self._release()
            self.is_closed = True
            if not self.is_carried:
                self.release()

    def release(self) -> None:
        """
        Leave the folder to others.

        In a forked child this leaves it to the parent.
        """
        self._lock_file.release()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def held(self) -> list[bytes]:
        """Return what waits in memory for the disk."""
        with self._lock:
            return list(self._held)

    def drop(self, records: Sequence[bytes]) -> None:
        """Forget what waited in memory and came to the server all the same."""
        with self._lock:
            for record in records:
                if self._held and self._held[0] is record:
                    self._held.popleft()
                    self._held_bytes -= len(record)

    def _shape(self, keys: tuple[str, ...]) -> journal.Packer:
        made = journal.packer(keys)
        if len(self._shapes) < 10_000:  # keys that never come again are no use
            self._shapes[keys] = made

        return made

    def _settle(self) -> None:
        """Make the folder, so that others can find it."""
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._lock_file.take()
        write_whole(self.folder / "target.json", self.target._asdict())

    def _turn(self) -> None:
        """Go on in the next file."""
        self._segment += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        path = self.folder / f"{self._segment:08}{SUFFIX}"
        fresh = os.open(path, flags, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file = fresh
        self._room = SEGMENT_BYTES

    def _turn_quietly(self) -> None:
        try:
            self._turn()
        except OSError:  # the file that is there will do until the disk can
            self._room = SEGMENT_BYTES

    def _stumble(self, error: OSError | None) -> None:
        """Leave the disk alone for a moment; say so once."""
        if not self._retry_at:
            reason = error.strerror if error else "it took only a part"
            say.warn(
                f"cannot write to {self.folder} ({reason}); what is logged waits in "
                "memory, free some space"
            )
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _hold(self, record: bytes) -> None:
        self._held.append(record)
        self._held_bytes += len(record)
        while self._held_bytes > HELD_BYTES:
            self._held_bytes -= len(self._held.popleft())
            self._given_up += 1

    def _release(self) -> None:
        """Write what waits in memory, if the disk takes it again."""
        if not self._held or time.monotonic() < self._retry_at:
            return
        try:
            if not (self.folder / "target.json").exists():
                self._settle()
            self._turn()  # so that a torn record has nothing behind it
            while self._held:
                record = self._held[0]
                if os.write(self._file, record) != len(record):
                    self._stumble(None)
                    return
                self._held.popleft()
                self._held_bytes -= len(record)
                self._room -= len(record)
        except OSError as error:
            self._stumble(error)
            return
        self._retry_at = 0.0
        lost, self._given_up = self._given_up, 0
        if lost:
            say.warn(
                f"the disk takes data again; {lost} calls of log had been given up"
            )


class Portion(NamedTuple):
    """A stretch of a journal that is to be sent."""

    body: bytes
    before: Mark
    after: Mark


class Journal:
    """
    Reads a writer's folder for sending; the writer may be alive or dead.

    Raises:
        FileNotFoundError: There is no such folder, or it was never finished.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = target(folder)
        self.mark = self._sent()

    def portion(self, *, ended: bool = False) -> Portion | None:
        """
        Return what is to be sent next, or None where nothing is.

        Args:
            ended: Whether the writer is gone, so that half a record is no more to
                come and is stepped over.
        """
        mark = self.mark
        while True:
            is_last = not self._path(mark.segment + 1).exists()
            body = self._read(mark)
            size = journal.whole(body)
            if size:
                after = Mark(mark.segment, mark.offset + size, mark.position + size)
                return Portion(body[:size], mark, after)
            if body and (ended or not is_last):
                skipped = journal.resume(body, 1)
                mark = mark._replace(offset=mark.offset + skipped)
            elif is_last:
                return None
            else:
                mark = Mark(mark.segment + 1, 0, mark.position)

    def sent(self, mark: Mark) -> None:
        """Note how far the server has it, and delete the files before that."""
        before, self.mark = self.mark, mark
        with suppress(OSError):  # what is sent again is not counted again
            write_whole(self.folder / "sent.json", mark._asdict())
        for segment in range(before.segment, mark.segment):
            self._path(segment).unlink(missing_ok=True)

    def waiting_bytes(self) -> int:
        """Return how much is still to be sent; files that wait are counted too."""
        waits = -self.mark.offset
        for path in segments(self.folder):
            if int(path.stem) >= self.mark.segment:
                with suppress(FileNotFoundError):
                    waits += path.stat().st_size

        return max(waits, 0)

    def remove(self) -> None:
        """Delete the folder of a writer that is gone and has been heard to its end."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # another writer of the run is still there
            self.folder.parent.rmdir()

    def _sent(self) -> Mark:
        with suppress(FileNotFoundError, ValueError, TypeError):
            return Mark(**json.loads((self.folder / "sent.json").read_text()))
        first = next(segments(self.folder), None)

        return Mark(int(first.stem) if first else 1)

    def _read(self, mark: Mark) -> bytes:
        """Return some whole records from *mark* on, and maybe a part of one."""
        wanted = PORTION_BYTES
        with suppress(FileNotFoundError), self._path(mark.segment).open("rb") as file:
            file.seek(mark.offset)
            body = file.read(wanted)
            while len(body) == wanted and not journal.whole(body):
                wanted *= 4  # a record that is larger than a portion, or garbage
                body += file.read(wanted - len(body))
            return body

        return b""

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:08}{SUFFIX}"


def target(folder: Path) -> Target:
    """Return where a writer's journal goes."""
    return Target(**json.loads((folder / "target.json").read_text()))


def segments(folder: Path) -> Iterator[Path]:
    """Yield the files of a journal, the oldest first."""
    yield from sorted(listed(folder, f"*{SUFFIX}"))


def listed(folder: Path, pattern: str) -> list[Path]:
    """Return what matches; whoever sends a folder may remove it meanwhile."""
    with suppress(FileNotFoundError):
        return list(folder.glob(pattern))

    return []


def folders(spool: Path) -> list[Path]:
    """Return the folder of every writer."""
    return [folder for run in sorted(listed(spool, "*")) for folder in writers(run)]


def writers(run: Path) -> list[Path]:
    """Return the folder of every writer of a run."""
    return sorted(path.parent for path in listed(run, "*/target.json"))


def write_whole(path: Path, content: Mapping[str, object]) -> None:
    """Write a small JSON file so that a reader finds the old or the new."""
    aside = path.with_suffix(f".{uuid.uuid4().hex[:8]}")
    aside.write_text(json.dumps(content))
    aside.replace(path)


def _misfit(step: int, values: Mapping[str, float]) -> errors.InvalidInput:
    """Say which value does not fit."""
    if not -(2**63) <= step < 2**63:
        return errors.InvalidInput(
            f"step is {step}, expected an integer of at most 64 bits"
        )
    for key, value in values.items():
        try:
            struct.pack("<d", value)
        except (struct.error, TypeError, ValueError):
            shape = getattr(value, "shape", None)
            hint = f" of shape {tuple(shape)}" if shape else ""
            return errors.InvalidInput(
                f"metric {key!r} is {type(value).__name__}{hint}, expected one number; "
                "log its mean, or the whole as an artifact"
            )

    return errors.InvalidInput("a value is no number")
