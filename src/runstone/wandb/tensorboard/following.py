"""Follows what a script writes for TensorBoard, and logs it too."""

import importlib.abc
import importlib.util
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from runstone.wandb.data_types.media import Keeper, text_body
from runstone.wandb.live import Run
from runstone.wandb.tensorboard.events import Event, Reader, Value


POLL_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 5.0
"""How long the end waits for a writer whose queue is slow."""

TICK_SECONDS: Final = 0.05
"""How far the clock of a file system may be behind."""

PATTERN: Final = "*tfevents*"

WRITERS: Final = (
    "tensorboardX.event_file_writer",
    "tensorboard.summary.writer.event_file_writer",
)
"""Modules whose class `EventFileWriter` writes the files; PyTorch uses the second."""

TENSORFLOW: Final = "tensorflow.python.ops.gen_summary_ops"
"""Where TensorFlow 2 begins a file: `create_summary_file_writer(writer, logdir, …)`."""


class Follower:
    """
    Follows folders of event files for one run.

    Args:
        run: Where what they hold is logged.

        root: Names of runs below it stand before the tags; "" is the first folder.
    """

    def __init__(self, run: Run, root: str = "") -> None:
        self._run = run
        self._root = Path(root).absolute() if root else None
        self._readers: dict[Path, Reader] = {}
        self._folders: list[Path] = []
        self._since = time.time() - TICK_SECONDS
        self._writers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._given = 0
        self._seen = 0
        self._stopped = threading.Event()
        self._reading = threading.Lock()
        self._thread = threading.Thread(
            target=self._live, name="runstone-tensorboard", daemon=True
        )

    def start(self) -> None:
        """Begin; the run's end ends it."""
        self._run.at_end(self.stop)
        self._thread.start()

    def add_file(self, path: Path) -> None:
        """Follow a file that is being written already."""
        self.add(path.parent)
        self._readers.setdefault(path.absolute(), Reader(path))

    def add(self, folder: Path) -> None:
        """Follow a folder's new files."""
        place = folder.absolute()
        self._root = self._root or place
        if place not in self._folders:
            self._folders.append(place)

    def expect(self, writer: Any) -> None:
        """Note that a writer was given an event, which its file will hold."""
        self._given += 1
        self._writers.add(writer)

    def stop(self) -> None:
        """Read what is left, and end; twice does it once."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        deadline = time.monotonic() + DRAIN_SECONDS
        self.read()
        while self._seen < self._given and time.monotonic() < deadline:
            time.sleep(TICK_SECONDS)
            self.read()
        unpatch(self)

    def read(self) -> None:
        """Log what was written since the last time."""
        with self._reading:
            for writer in list(self._writers):
                with suppress(Exception):  # whatever it cannot, the file says
                    writer.flush()
            for folder in list(self._folders):
                for path in sorted(folder.glob(PATTERN)):
                    if path in self._readers or self._is_new(path):
                        self._read(path)

    def _live(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            self.read()

    def _read(self, path: Path) -> None:
        reader = self._readers.setdefault(path, Reader(path))
        prefix = self._prefix(path.parent)
        with suppress(OSError):  # a file that is gone says no more
            for event in reader.events():
                self._seen += event.is_summary
                self._log(event, prefix)

    def _is_new(self, path: Path) -> bool:
        """Say whether a file was written since; old ones are of other runs."""
        with suppress(OSError):
            return path.stat().st_mtime >= self._since

        return False

    def _prefix(self, folder: Path) -> str:
        """Return what stands before the tags of a folder's files."""
        assert self._root
        if folder == self._root:
            return ""
        if folder.is_relative_to(self._root):
            return folder.relative_to(self._root).as_posix() + "/"

        return f"{folder.name}/"

    def _log(self, event: Event, prefix: str) -> None:
        numbers = {
            prefix + value.tag: value.number
            for value in event.values
            if value.number is not None and value.tag
        }
        self._run.log_points(numbers, step=event.step, time_ms=event.time_ms)
        for value in event.values:
            if value.number is None and value.tag:
                body = _body(value, self._run.keeper)
                self._run.log_body(prefix + value.tag, body, step=event.step)


def _body(value: Value, keeper: Keeper) -> dict[str, Any]:
    if value.image is not None:
        suffix = ".png" if value.image.startswith(b"\x89PNG") else ".jpg"
        path = keeper.keep(value.image, "images", suffix)
        return {"type": "images", "items": [{"path": path}]}
    if value.histogram is not None:
        counts, edges = value.histogram
        return {"type": "histogram", "items": [{"counts": counts, "edges": edges}]}

    return text_body(value.text or "")


_followers: list[Follower] = []


class _Finder(importlib.abc.MetaPathFinder):
    """Has modules of writers changed as soon as they are loaded."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the true way to a module, with a look at it afterwards."""
        if fullname not in (*WRITERS, TENSORFLOW):
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            _change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]

        return spec


_finder = _Finder()


def patch(follower: Follower) -> None:
    """Have a follower told of each file that is begun from now on, or is open."""
    _followers.append(follower)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for name in (*WRITERS, TENSORFLOW):
        if name in sys.modules:
            _change(sys.modules[name])
    for path in _open_files():
        follower.add_file(path)


def unpatch(follower: Follower) -> None:
    """Tell a follower no more."""
    if follower in _followers:
        _followers.remove(follower)


def _tell(folder: Any) -> None:
    if hasattr(folder, "numpy"):  # a text of TensorFlow
        folder = folder.numpy().decode()
    for follower in _followers:
        follower.add(Path(str(folder)))


def _change(module: ModuleType) -> None:
    """Change a module so that it tells of each file that it begins."""
    if getattr(module, "_runstone_follows", False):
        return
    module._runstone_follows = True  # type: ignore[attr-defined]  # noqa: SLF001  # ours
    if module.__name__ == TENSORFLOW:
        made = module.create_summary_file_writer

        def create(*args: Any, **kwargs: Any) -> Any:
            _tell(kwargs.get("logdir") or args[1])
            return made(*args, **kwargs)

        module.create_summary_file_writer = create  # type: ignore[attr-defined]
        return
    _watch(module.EventFileWriter)


def _watch(kind: Any) -> None:
    begin: Callable[..., None] = kind.__init__

    def init(self: Any, logdir: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, logdir, *args, **kwargs)
        _tell(logdir)

    kind.__init__ = init
    add: Callable[..., None] = kind.add_event

    def add_event(self: Any, event: Any) -> None:
        add(self, event)
        if event.HasField("summary"):
            for follower in _followers:
                follower.expect(self)

    kind.add_event = add_event


def _open_files() -> list[Path]:
    """Return the event files that this process has open already."""
    import psutil

    try:
        opened = psutil.Process().open_files()
    except (psutil.Error, OSError):
        return []

    return [Path(file.path) for file in opened if "tfevents" in file.path]
