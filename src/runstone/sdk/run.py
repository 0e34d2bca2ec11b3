"""A run, as the process that speaks for it sees it."""

import shutil
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from runstone import journal
from runstone.journal import Change
from runstone.model import RunStatus
from runstone.sdk.spool import Writer, write_whole


SUMMARY_KEYS: Final = 100_000
"""Most metrics whose last value is remembered here."""

HEARD_VALUES: Final = 100_000
"""Most values that are remembered so that a second saying of them is known."""


class Run:
    """
    What a process says of one run; any of its threads may.

    Nothing here waits for a server and nothing raises for its sake: what is said
    is appended to a file of this machine and sent from there.

    Args:
        run_id: 32 hex digits.

        open_writer: Makes the writer, at the first word; None says nothing at all.
    """

    def __init__(self, run_id: str, open_writer: Callable[[], Writer] | None) -> None:
        self.id = run_id
        self.name = ""
        self.params: dict[str, str] = {}
        """What this process wrote."""

        self.tags: dict[str, str] = {}
        self.last: dict[str, float] = {}
        """The value of each metric that was logged last, by this process."""

        self.ended: RunStatus | None = None
        self.tracking_uri = ""
        """Where it goes."""

        self.at_end: list[Callable[[], None]] = []
        """Called before it ends: what follows the run ends with it."""

        self.is_guest = False
        """Whether another process begins and ends the run."""

        self.is_new = False
        """Whether nothing was in it before this process began it."""

        self._open_writer = open_writer
        self._writer: Writer | None = None
        self._opening = threading.RLock()
        self._heard: dict[tuple[str, int], object] | None = None

    def log(
        self, values: Mapping[str, float], *, step: int, time_ms: int | None = None
    ) -> None:
        """
        Log metrics at a step.

        Args:
            values: Numbers, or what `float()` makes one of, by name.

            step: Any integer of 64 bits, in any order; a step may come again.

            time_ms: Milliseconds since the Unix epoch, UTC; now by default.

        Raises:
            InvalidInput: A value is no number, or a name cannot be kept.
        """
        if self._heard is not None:
            values = self._unheard(values, step)
        if not values or self._open_writer is None:
            return
        writer = self._writer or self._opened()
        at_ms = time.time_ns() // 1_000_000 if time_ms is None else time_ms
        writer.log(step, at_ms, values)
        self.last.update(values)

    def count_once(self) -> None:
        """
        Take the same value of a metric at the same step as one from now on.

        Scripts that use MLflow's names beside W&B's say everything twice.
        """
        if self._heard is None:
            self._heard = {}

    def say(self, said: Change) -> None:
        """Append a change."""
        if self._open_writer is not None:
            (self._writer or self._opened()).change(said)

    def log_params(self, values: Mapping[str, str], *, anew: bool = False) -> None:
        """Write params; *anew* lets them take the place of other values."""
        if values:
            self.params.update(values)
            self.say(journal.Params(dict(values), anew))

    def set_tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        if values:
            self.tags.update(values)
            self.say(journal.Tags(dict(values)))

    def delete_tag(self, key: str) -> None:
        """Remove a tag."""
        self.tags.pop(key, None)
        self.say(journal.Untag(key))

    def log_media(self, key: str, body: Mapping[str, object], *, step: int) -> None:
        """
        Log something richer than a number.

        Args:
            key: Name, as of a metric.

            body: What it is: "type" names it (images, audio, video, table,
                histogram, html, text …), and files stand in it by their paths among
                the run's artifacts (`log_file`, `log_bytes`).

            step: As of a metric.
        """
        time_ms = time.time_ns() // 1_000_000
        raw = msgspec.Raw(msgspec.json.encode(body))
        self.say(journal.Media(key, step, time_ms, raw))

    def log_file(self, source: Path, path: str) -> None:
        """
        Keep a copy of a file, and have it stored as an artifact.

        Args:
            source: A file; it may change or go as soon as this returns.

            path: Of the artifact, with `/`.

        Raises:
            OSError: It cannot be read, or there is no room for the copy.
        """
        self._stage(path, lambda content: _copy(source, content))

    def log_bytes(self, content: bytes, path: str) -> None:
        """Store bytes as an artifact."""
        self._stage(path, lambda place: _write(content, place))

    def finish(self, status: RunStatus = RunStatus.FINISHED) -> None:
        """Say that the run has ended; more may be said, and counts."""
        self.ended = status
        while self.at_end:
            self.at_end.pop()()
        if not self.is_guest:
            self.say(journal.Status(status, time.time_ns() // 1_000_000))

    def close(self) -> None:
        """Let the writer go; one more word makes another."""
        with self._opening:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def begin_again(self) -> None:
        """Forget the writer: in a forked child it belongs to the parent."""
        if self._writer is not None:
            self._writer.release()
        self._writer = None
        self.at_end.clear()
        self._opening = threading.RLock()

    def _unheard(self, values: Mapping[str, float], step: int) -> Mapping[str, float]:
        """Return what was not said at this step a while ago."""
        assert self._heard is not None
        fresh = {}
        for key, value in values.items():
            spelled = repr(float(value)) if hasattr(value, "__float__") else None
            if spelled is None or self._heard.get((key, step)) != spelled:
                fresh[key] = value
            self._heard[key, step] = spelled
        while len(self._heard) > HEARD_VALUES:
            self._heard.pop(next(iter(self._heard)), None)

        return fresh

    def _opened(self) -> Writer:
        assert self._open_writer
        with self._opening:
            if self._writer is None:
                self._writer = self._open_writer()

            return self._writer

    def _stage(self, path: str, put: Callable[[Path], None]) -> None:
        if self._open_writer is None:
            return
        folder = (self._writer or self._opened()).folder / "files"
        folder.mkdir(exist_ok=True)
        # Names that sort by time; the note comes last, and makes the file count.
        note = folder / f"{time.time_ns():020}-{uuid.uuid4().hex[:8]}.json"
        content = note.with_suffix(".content")
        try:
            put(content)
            write_whole(note, {"path": path})
        except OSError:
            with suppress(OSError):
                content.unlink(missing_ok=True)
            raise


def _copy(source: Path, place: Path) -> None:
    """Copy a file, by sharing its blocks where the file system can."""
    with source.open("rb") as read, place.open("xb") as write:
        if not _share(read.fileno(), write.fileno()):
            shutil.copyfileobj(read, write, 1024 * 1024)


def _share(read: int, write: int) -> bool:
    """Clone a file (FICLONE of Linux: Btrfs, XFS); False where that is not had."""
    try:
        import fcntl

        fcntl.ioctl(write, 0x40049409, read)
    except (ImportError, OSError):
        return False

    return True


def _write(content: bytes, place: Path) -> None:
    with place.open("xb") as file:
        file.write(content)
