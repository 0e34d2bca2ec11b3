"""A run's files: its folder, what `save` stores and `restore` fetches."""

import glob
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from runstone import errors
from runstone.sdk import options
from runstone.sdk.run import Run as Core
from runstone.sdk.session import session
from runstone.wandb import asking
from runstone.wandb.errors import Missing, UsageError
from runstone.wandb.settings import Settings


CODE_NAMES: Final = ("requirements.txt", "pyproject.toml", "environment.yml")
POLICIES: Final = ("now", "live", "end")


class Files:
    """
    Files of a run.

    Args:
        core: The run of ours.

        settings: Where its folder shall be.

        name: Of its folder.
    """

    def __init__(self, core: Core, settings: Settings, name: str) -> None:
        self._core = core
        self._settings = settings
        self._name = name
        self._folder: Path | None = None
        self._live: dict[Path, tuple[str, tuple[int, int]]] = {}
        self._late: list[tuple[str, Any]] = []

    @property
    def folder(self) -> str:
        """The run's folder, made when somebody asks; what lies there is stored."""
        if self._folder is None:
            root = Path(self._settings.root_dir or ".").absolute()
            day = time.strftime("%Y%m%d_%H%M%S")
            self._folder = root / "wandb" / f"run-{day}-{self._name}" / "files"
            self._folder.mkdir(parents=True, exist_ok=True)

        return str(self._folder)

    def save(
        self, pattern: Any, base_path: Any, policy: str, *, is_pattern: bool
    ) -> list[str]:
        """Store files; see `Run.save`."""
        if pattern is None or policy not in POLICIES:
            raise UsageError(
                f"save takes a path or a pattern and one of the policies {POLICIES}, "
                f"not {pattern!r} and {policy!r}"
            )
        text = os.fspath(pattern)
        if policy == "end":
            self._late.append((text if is_pattern else glob.escape(text), base_path))
            return []
        found = sorted(glob.glob(text, recursive=True)) if is_pattern else [text]  # noqa: PTH207  # the pattern may be absolute

        return [
            self._store(path, _named(path, base_path), is_live=policy == "live")
            for path in map(Path, found)
            if path.is_file()
        ]

    def restore(
        self, name: str, run_path: str | None, *, replace: bool, root: str | None
    ) -> IO[str]:
        """Fetch a file; see `Run.restore`."""
        place = Path(root or self.folder) / name
        if not place.exists() or replace:
            number = asking.number(run_path) if run_path else self._core.id
            try:
                asking.fetch(number, name, place)
            except errors.NotFound as error:
                raise ValueError(f"The run has no file {name!r}") from error

        return place.open()

    def log_code(
        self,
        root: Path,
        include: Callable[..., bool] | None,
        exclude: Callable[..., bool] | None,
    ) -> list[str]:
        """Store code; see `Run.log_code`."""
        stored = []
        for path in sorted(_code(root)):
            fits = _asked(include, path, root) if include else _is_code(path)
            if fits and not (exclude and _asked(exclude, path, root)):
                name = f"code/{path.relative_to(root).as_posix()}"
                stored.append(self._store(path, name))

        return stored

    def log_artifact(self, given: Any, name: str | None) -> list[str]:
        """Store a file or a folder; see `Run.log_artifact`."""
        if not isinstance(given, str | os.PathLike):
            raise Missing(
                "Artifacts with versions are not built yet; run.log_artifact(path) "
                "stores a file or a folder with the run"
            )
        path = Path(given)
        if path.is_file():
            return [self._store(path, f"{name}/{path.name}" if name else path.name)]
        if not path.is_dir():
            raise UsageError(f"There is no file and no folder {path}")
        folder = name or path.name

        return [
            self._store(inner, f"{folder}/{inner.relative_to(path).as_posix()}")
            for inner in sorted(path.rglob("*"))
            if inner.is_file()
        ]

    def finish(self) -> None:
        """Store what waited for the end, what changed, and what lies in the folder."""
        for pattern, base in self._late:
            self.save(pattern, base, "now", is_pattern=True)
        for path, (name, before) in list(self._live.items()):
            if path.is_file() and _state(path) != before:
                self._store(path, name)
        if self._folder is not None:
            for path in sorted(self._folder.rglob("*")):
                if path.is_file():
                    self._store(path, path.relative_to(self._folder).as_posix())

    def _store(self, path: Path, name: str, *, is_live: bool = False) -> str:
        state = _state(path)
        self._core.log_file(path, name)
        if is_live:
            self._live[path.absolute()] = name, state

        return name


def _named(path: Path, base: Any) -> str:
    """Return the path of an artifact for a file: below the base, or the folder here."""
    for root in (base, Path.cwd()):
        if root and path.absolute().is_relative_to(Path(root).absolute()):
            return path.absolute().relative_to(Path(root).absolute()).as_posix()

    return path.name


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()

    return found.st_mtime_ns, found.st_size


def _code(root: Path) -> Iterator[Path]:
    """Yield files, but not of environments, hidden folders and what tools leave."""
    ours = (Path(session.tracking_uri).absolute(), options.spool())
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "__"))
            and name not in ("wandb", "mlruns", "node_modules")
            and not Path(folder, name, "pyvenv.cfg").exists()
            and Path(folder, name).absolute() not in ours
        ]
        yield from (Path(folder, name) for name in names)


def _is_code(path: Path) -> bool:
    return (
        path.suffix in (".py", ".ipynb")
        or path.name in CODE_NAMES
        or path.name.startswith("Dockerfile")
    )


def _asked(function: Callable[..., bool], path: Path, root: Path) -> bool:
    """Ask a function that takes the path, and maybe the root."""
    try:
        return bool(function(str(path), str(root)))
    except TypeError:
        return bool(function(str(path)))
