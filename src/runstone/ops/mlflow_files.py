"""
MLflow's file store (`./mlruns`), read and never written.

Anybody may have put anything there: YAML is read by the safe loader, a link is
not followed, and what cannot be read is named and left out.

Source: `mlflow/store/tracking/file_store.py` and
`mlflow/store/model_registry/file_store.py`, MLflow 3.18.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from runstone.model import (
    Alias,
    Dataset,
    DatasetInput,
    Lifecycle,
    Param,
    RunStatus,
    Stage,
    Tag,
)
from runstone.storage.carrying.old import (
    OldExperiment,
    OldModel,
    OldRun,
    OldVersion,
    known_name,
)
from runstone.storage.metrics import Batch


META: Final = "meta.yaml"
META_BYTES: Final = 1_000_000
RUN_ID: Final = re.compile(r"[a-zA-Z0-9][\w\-]{0,31}")
STATUSES: Final = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
"""In the order of MLflow's numbers, from 1."""

Fault = Callable[[str, str], None]
"""Is told what could not be read, and why."""


class MlflowFiles:
    """
    A folder that MLflow wrote.

    Args:
        root: The folder.

        fault: Is told what could not be read.
    """

    def __init__(self, root: Path, fault: Fault) -> None:
        self.root = root
        self._fault = fault
        self._folders: dict[int, Path] = {}
        self._runs: dict[str, Path] = {}

    def close(self) -> None:
        """Let go of it; there is nothing to do."""

    def experiments(self) -> Iterator[OldExperiment]:
        """Yield every experiment, deleted ones too."""
        for folder in [*_folders(self.root), *_folders(self.root / ".trash")]:
            if not _has_meta(folder):
                continue
            try:
                found = _experiment(folder)
            except (ValueError, OSError) as error:
                self._fault(str(folder), str(error))
                continue
            self._folders[found.id] = folder
            yield found

    def run_ids(self, experiment: OldExperiment) -> list[str]:
        """Return the ids of an experiment's runs, deleted ones too."""
        found = []
        for folder in _folders(self._folders[experiment.id]):
            if _has_meta(folder) and RUN_ID.fullmatch(folder.name):
                self._runs[folder.name] = folder
                found.append(folder.name)

        return sorted(found)

    def run(self, run_id: str) -> OldRun:
        """
        Return a run.

        Raises:
            ValueError: Its files are broken.
        """
        folder = self._runs[run_id]
        meta = _meta(folder)
        told = str(meta.get("run_id") or meta.get("run_uuid") or "")
        if told != run_id:
            raise ValueError(f"its {META} is of another run, {told[:40]!r}")
        tags = self._tags(folder / "tags")

        return OldRun(
            run_id,
            known_name(tags, _text(meta, "run_name")),
            _text(meta, "user_id"),
            _status(meta.get("status")),
            Lifecycle(meta.get("lifecycle_stage") or "active"),
            _number(meta, "start_time") or 0,
            _number(meta, "end_time"),
            _number(meta, "deleted_time"),
            _text(meta, "artifact_uri"),
            tuple(Param(*pair) for pair in self._tags(folder / "params")),
            tags,
            tuple(self._inputs(folder)),
        )

    def artifacts(self, run_id: str) -> Path:
        """Return the folder of a run's artifacts that stands beside its points."""
        return self._runs[run_id] / "artifacts"

    def counts(self, run_id: str) -> dict[str, int]:
        """Return how many different points each series of a run has."""
        counts: dict[str, int] = {}
        for batch in self.points(run_id, None):
            counts[batch.keys[0]] = len(batch.keys)

        return counts

    def points(self, run_id: str, keys: set[str] | None) -> Iterator[Batch]:
        """Yield the points of some series of a run, or of all, one at a time."""
        for key, file in _files(self._runs[run_id] / "metrics"):
            if keys is not None and key not in keys:
                continue
            points = self._series(
                file, f"metric {key!r} of run {run_id}", tells=keys is None
            )
            if points:
                steps, times, values = zip(*points, strict=True)
                yield Batch([key] * len(points), steps, times, values)

    def models(self) -> Iterator[OldModel]:
        """Yield every registered model."""
        for folder in _folders(self.root / "models"):
            if not _has_meta(folder):
                continue
            try:
                yield self._model(folder)
            except (ValueError, OSError) as error:
                self._fault(f"registered model {folder.name!r}", str(error))

    def left(self) -> dict[str, int]:
        """Count what this folder holds and nobody carries yet."""
        found = {"logged models": 0, "traces": 0}
        for folder in self._folders.values():
            found["logged models"] += len(_folders(folder / "models"))
            found["traces"] += len(_folders(folder / "traces"))

        return {kind: count for kind, count in found.items() if count}

    def _series(
        self, file: Path, what: str, *, tells: bool
    ) -> list[tuple[int, int, float]]:
        """Read a series; lines that are broken are counted, and the rest is good."""
        try:
            # Twice is once: NaN is spelled like itself, so texts are compared.
            lines = dict.fromkeys(_read(file).splitlines())
        except (ValueError, OSError) as error:
            if tells:
                self._fault(what, str(error))
            return []
        points, broken = [], []
        for line in filter(str.strip, lines):
            try:
                points.append(_point(line))
            except ValueError:
                broken.append(line)
        if broken and tells:
            self._fault(what, f"{len(broken)} broken lines, such as {broken[0][:60]!r}")

        return points

    def _model(self, folder: Path) -> OldModel:
        meta = _meta(folder)
        aliases = self._tags(folder / "aliases")

        return OldModel(
            _text(meta, "name") or folder.name,
            _text(meta, "description"),
            _number(meta, "creation_timestamp") or 0,
            _number(meta, "last_updated_timestamp") or 0,
            self._tags(folder / "tags"),
            tuple(Alias(alias, int(version)) for alias, version in aliases),
            tuple(self._versions(folder)),
        )

    def _versions(self, model: Path) -> Iterator[OldVersion]:
        for folder in _folders(model):
            if not folder.name.startswith("version-"):
                continue
            meta = _meta(folder)
            if meta.get("current_stage") not in set(Stage):  # one that was deleted
                continue
            source = _text(meta, "source")
            yield OldVersion(
                int(folder.name.removeprefix("version-")),
                Stage(meta["current_stage"]),
                source,
                _text(meta, "storage_location") or source,
                _text(meta, "run_id"),
                _text(meta, "run_link"),
                _text(meta, "description") or None,
                _number(meta, "creation_timestamp") or 0,
                _number(meta, "last_updated_timestamp") or 0,
                self._tags(folder / "tags"),
            )

    def _inputs(self, run: Path) -> Iterator[DatasetInput]:
        for folder in _folders(run / "inputs"):
            meta = _meta(folder)
            number = _text(meta, "source_id")
            if _text(meta, "source_type") != "DATASET" or not number.isalnum():
                continue
            found = _meta(run.parent / "datasets" / number)
            tags = meta.get("tags")
            pairs = tags.items() if isinstance(tags, dict) else ()
            yield DatasetInput(
                Dataset(
                    _text(found, "name"),
                    _text(found, "digest"),
                    _text(found, "source_type"),
                    _text(found, "source"),
                    _text(found, "schema") or None,
                    _text(found, "profile") or None,
                ),
                tuple(Tag(str(key), str(value)) for key, value in pairs),
            )

    def _tags(self, folder: Path) -> tuple[Tag, ...]:
        found = []
        for key, file in _files(folder):
            try:
                found.append(Tag(key, _read(file)))
            except (ValueError, OSError) as error:
                self._fault(str(file), str(error))

        return tuple(found)


def is_mlflow(folder: Path) -> bool:
    """Say whether MLflow keeps experiments in this folder."""
    return any(_has_meta(each) for each in _folders(folder))


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, none that a link leads to."""
    try:
        with os.scandir(folder) as entries:
            names = [
                each.name for each in entries if each.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []

    return [folder / name for name in sorted(names)]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder by their keys; a key may have slashes."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(where, name)
            if not file.is_symlink() and file.is_file():
                yield file.relative_to(folder).as_posix(), file


def _has_meta(folder: Path) -> bool:
    file = folder / META

    return file.is_file() and not file.is_symlink()


def _meta(folder: Path) -> Mapping[str, Any]:
    file = folder / META
    if not _has_meta(folder) or file.stat().st_size > META_BYTES:
        raise ValueError(f"it has no {META} that can be read")
    try:
        found = yaml.safe_load(_read(file))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"its {META} is broken: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"its {META} is broken: expected keys and values")  # noqa: TRY004  # a broken file, not a wrong call

    return found


def _experiment(folder: Path) -> OldExperiment:
    meta = _meta(folder)
    tags = [Tag(key, _read(file)) for key, file in _files(folder / "tags")]
    number = int(meta.get("experiment_id", -1))
    if not _text(meta, "name") or str(number) != folder.name:
        raise ValueError(f"its {META} is of another experiment, {number}")
    created = _number(meta, "creation_time") or 0

    return OldExperiment(
        number,
        _text(meta, "name"),
        Lifecycle(meta.get("lifecycle_stage") or "active"),
        created,
        _number(meta, "last_update_time") or created,
        tuple(tags),
    )


def _read(file: Path) -> str:
    return file.read_bytes().decode()


def _point(line: str) -> tuple[int, int, float]:
    """Return step, time and value; lines of older versions have no step."""
    parts = line.strip().split(" ")
    if len(parts) < 2:
        raise ValueError(f"expected time, value and step, found {line[:60]!r}")

    return int(parts[2]) if len(parts) > 2 else 0, int(parts[0]), float(parts[1])


def _text(meta: Mapping[str, Any], key: str) -> str:
    found = meta.get(key)

    return "" if found is None else str(found)


def _number(meta: Mapping[str, Any], key: str) -> int | None:
    found = meta.get(key)
    if isinstance(found, (list, dict)):
        raise ValueError(f"{key} in its {META} is no number")  # noqa: TRY004  # a broken file, not a wrong call

    return None if found is None else int(found)


def _status(found: object) -> RunStatus:
    if isinstance(found, int) and 1 <= found <= len(STATUSES):
        return RunStatus(STATUSES[found - 1])

    return RunStatus(str(found))
