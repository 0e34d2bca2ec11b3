"""
Carry everything from another program's store into ours: `runstone import`.

Each run is one transaction and then its points and files, so a broken attempt
leaves whole runs, and the next one goes on.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias
from urllib.parse import unquote, urlsplit

from runstone import errors, locations
from runstone.artifacts import Store, open_store, paths
from runstone.ops.mlflow_files import MlflowFiles, is_mlflow
from runstone.settings import Settings
from runstone.storage import experiments, migrate
from runstone.storage.carrying import mlflow, old
from runstone.storage.carrying.mlflow import MlflowDatabase
from runstone.storage.carrying.old import OldExperiment, OldModel, OldRun, OldVersion
from runstone.storage.db import Database
from runstone.storage.metrics import Batch
from runstone.storage.registry import carrying as registry


Artifacts: TypeAlias = Literal["copy", "reference", "none"]
Step: TypeAlias = Callable[[int, int], None]
"""Is told how many runs are done, and of how many."""

PIECE_BYTES: Final = 1024 * 1024
BROKEN: Final = (
    errors.RunstoneError,
    ValueError,
    TypeError,
    KeyError,
    OSError,
    OverflowError,
)
"""What one broken run may raise; it is named, and the others go on."""


class Source(Protocol):
    """A store to carry from."""

    def experiments(self) -> Iterator[OldExperiment]:
        """Yield every experiment."""
        ...

    def run_ids(self, experiment: OldExperiment) -> list[str]:
        """Return the ids of its runs."""
        ...

    def run(self, run_id: str) -> OldRun:
        """Return a run."""
        ...

    def counts(self, run_id: str) -> dict[str, int]:
        """Count the points of each series of a run."""
        ...

    def points(self, run_id: str, keys: set[str] | None) -> Iterator[Batch]:
        """Yield the points of some series of a run, or of all."""
        ...

    def models(self) -> Iterator[OldModel]:
        """Yield every registered model."""
        ...

    def left(self) -> dict[str, int]:
        """Count what nobody carries yet."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Fault(NamedTuple):
    """Something that was not carried."""

    what: str
    why: str


class Report:
    """What was carried, and what was not."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(
            (
                "experiments",
                "runs",
                "new_runs",
                "points",
                "artifacts",
                "models",
                "new_versions",
            ),
            0,
        )
        self.faults: list[Fault] = []

    def fault(self, what: str, why: str) -> None:
        """Note what could not be carried."""
        self.faults.append(Fault(what, why))

    def add(self, what: str, count: int = 1) -> None:
        """Count what was carried."""
        self.counts[what] += count


class Plan(NamedTuple):
    """What is to be done."""

    source: str
    settings: Settings
    artifacts: Artifacts = "copy"
    roots: tuple[Path, ...] = ()
    """Folders that artifacts may be copied from, besides the source's own."""

    dry_run: bool = False


def carry(plan: Plan, step: Step = lambda _done, _total: None) -> Report:
    """
    Carry a store of MLflow's into ours.

    Raises:
        Unusable: The source is no store of MLflow's, or ours cannot be opened.
    """
    report = Report()
    source, home = open_source(plan.source, report)
    try:
        if plan.dry_run:
            _count(source, report)
        else:
            plan.settings.store.make_folders()
            migrate.upgrade(plan.settings.database_url)
            database = Database(plan.settings.database_url)
            try:
                carrier = _Carrier(plan, source, home, database, report)
                carrier.everything(step)
            finally:
                database.close()
        for kind, count in source.left().items():
            report.fault(f"{count} {kind}", "this version does not carry them yet")
    finally:
        source.close()

    return report


def open_source(uri: str, report: Report) -> tuple[Source, Path]:
    """
    Open what people write as a source; return it and the folder that it lies in.

    Raises:
        Unusable: No store of MLflow's is there.
    """
    if urlsplit(uri).scheme in {"http", "https"}:
        raise errors.Unusable(
            "a running MLflow server cannot be imported from yet; give its database "
            "or its folder, such as sqlite:///mlflow.db"
        )
    if Path(uri).is_file():
        uri = f"sqlite:///{Path(uri).absolute()}"
    store = locations.locate(uri)
    if store.folder is not None:
        if not is_mlflow(store.folder):
            raise errors.Unusable(
                f"{uri!r} holds no experiments of MLflow's; give the folder with the "
                "numbered folders in it, usually ./mlruns"
            )
        return MlflowFiles(store.folder, report.fault), store.folder
    if store.file is not None and not mlflow.is_mlflow(store.file):
        raise errors.Unusable(f"{uri!r} is no database of MLflow's")
    home = store.file.parent if store.file else Path.cwd()

    return MlflowDatabase(store.database_url, report.fault), home


class _Carrier:
    """One carrying, from its source to our store."""

    def __init__(
        self,
        plan: Plan,
        source: Source,
        home: Path,
        database: Database,
        report: Report,
    ) -> None:
        self._plan = plan
        self._source = source
        self._home = home
        self._database = database
        self._report = report
        self._places: dict[str, tuple[str, str]] = {}
        self._store: Store | None = None

    def everything(self, step: Step) -> None:
        """Carry experiments with their runs, then models."""
        root = self._plan.settings.artifact_root
        self._database.transact(experiments.settle_default, root)
        found = [(each, self._source.run_ids(each)) for each in self._experiments()]
        total = sum(len(run_ids) for _, run_ids in found)
        done = 0
        step(done, total)
        for experiment, run_ids in found:
            number = self._experiment(experiment)
            for run_id in run_ids if number is not None else ():
                self._guard(f"run {run_id}", self._run, number, run_id)
                done += 1
                step(done, total)
        for model in self._source.models():
            self._guard(f"registered model {model.name!r}", self._model, model)

    def _experiments(self) -> Iterator[OldExperiment]:
        try:
            yield from self._source.experiments()
        except BROKEN as error:
            self._report.fault("experiments", str(error))

    def _experiment(self, experiment: OldExperiment) -> int | None:
        root = self._plan.settings.artifact_root
        try:
            number = self._database.transact(
                old.put_experiment, experiment, artifact_root=root
            )
        except BROKEN as error:
            self._report.fault(
                f"experiment {experiment.name!r} with its runs", str(error)
            )
            return None
        self._report.add("experiments")

        return number

    def _guard(self, what: str, fn: Callable[..., None], *args: object) -> None:
        try:
            fn(*args)
        except BROKEN as error:
            self._report.fault(what, str(error) or type(error).__name__)

    def _run(self, experiment: int, run_id: str) -> None:
        run = self._source.run(run_id)
        is_referenced = self._plan.artifacts == "reference"
        put = self._database.transact(
            old.put_run,
            experiment,
            run=run,
            artifact_uri=self._reference(run) if is_referenced else None,
        )
        self._report.add("runs")
        self._report.add("new_runs", int(put.is_new))
        self._points(put.place.run, run_id, is_new=put.is_new)
        if self._plan.artifacts == "copy":
            self._places[run_id] = run.artifact_uri.rstrip("/"), put.artifact_uri
            self._files(run, put.artifact_uri)

    def _points(self, number: int, run_id: str, *, is_new: bool) -> None:
        keys = None
        if not is_new:
            counts = self._source.counts(run_id)
            keys = self._database.look(old.missing_series, number, counts)
            if not keys:
                return
        for batch in self._source.points(run_id, keys):
            self._database.transact(old.put_points, number, batch=batch)
            self._report.add("points", len(batch.keys))

    def _model(self, model: OldModel) -> None:
        """Carry a model; the files of its versions lie where their runs' lie now."""
        versions = tuple(
            each._replace(storage_location=self._moved(each)) for each in model.versions
        )
        new = self._database.transact(registry.put, model._replace(versions=versions))
        self._report.add("models")
        self._report.add("new_versions", new)

    def _moved(self, version: OldVersion) -> str:
        """Say where a version's files lie: with its run's, where those were copied."""
        before, after = self._places.get(version.run_id, ("", ""))
        place = version.storage_location
        if before and f"{place}/".startswith(f"{before}/"):
            return after + place.removeprefix(before)

        return place

    def _files(self, run: OldRun, artifact_uri: str) -> None:
        folder = self._folder(run)
        if folder is None or not folder.is_dir():
            return
        store, prefix = self._target(artifact_uri)
        for path, file in self._each_file(run.id, folder):
            try:
                name = paths.clean(f"{prefix}/{path}" if prefix else path)
                if asyncio.run(_copy(store, name, file)):
                    self._report.add("artifacts")
            except BROKEN as error:
                self._report.fault(f"artifact {path!r} of run {run.id}", str(error))

    def _reference(self, run: OldRun) -> str | None:
        """Return where a run's artifacts may be read from as they lie."""
        if urlsplit(run.artifact_uri).scheme in {"", "file", "mlflow-artifacts"}:
            folder = self._folder(run)
            return str(folder) if folder else None

        return paths.location(run.artifact_uri)

    def _folder(self, run: OldRun) -> Path | None:
        """Return the folder that a run's artifacts may be copied from."""
        if isinstance(self._source, MlflowFiles):
            beside = self._source.artifacts(run.id)
            if beside.is_dir() and not beside.is_symlink():
                return beside.resolve()
        scheme, path = urlsplit(run.artifact_uri).scheme, run.artifact_uri
        if scheme not in {"", "file", "mlflow-artifacts"}:
            self._report.fault(
                f"artifacts of run {run.id}",
                f"they lie at {scheme}:, and are left there; --artifacts=reference "
                "lets Runstone read them from there",
            )
            return None
        roots = [self._home, *self._plan.roots]
        if scheme == "mlflow-artifacts":
            below = unquote(urlsplit(path).path).lstrip("/")
            places = [root / below for root in [self._home / "mlartifacts", *roots]]
        else:
            if scheme == "file":
                path = unquote(urlsplit(path).path)
            places = [self._home / path] if path else []

        return self._allowed(run.id, places, roots)

    def _allowed(
        self, run_id: str, places: Sequence[Path], roots: Sequence[Path]
    ) -> Path | None:
        """Return the place that is there; a record must not lead us anywhere."""
        for place in places:
            folder = place.resolve()
            if not folder.is_dir():
                continue
            if any(folder.is_relative_to(root.resolve()) for root in roots):
                return folder
            self._report.fault(
                f"artifacts of run {run_id}",
                f"they lie at {folder}, outside of the source; allow that with "
                "--artifacts-from",
            )

        return None

    def _each_file(self, run_id: str, folder: Path) -> Iterator[tuple[str, Path]]:
        for where, folders, names in os.walk(folder):
            for name in [*folders, *names]:
                file = Path(where, name)
                path = file.relative_to(folder).as_posix()
                if file.is_symlink():
                    self._report.fault(
                        f"artifact {path!r} of run {run_id}",
                        "it is a link, and links are not followed",
                    )
                elif file.is_file():
                    yield path, file

    def _target(self, artifact_uri: str) -> tuple[Store, str]:
        if not artifact_uri.startswith(f"{paths.PROXY_SCHEME}:"):
            return open_store(artifact_uri), ""
        if self._store is None:
            self._store = open_store(self._plan.settings.artifacts_uri)

        return self._store, urlsplit(artifact_uri).path.strip("/")


async def _copy(store: Store, name: str, file: Path) -> bool:
    """Copy a file unless one of its size is there; say whether it was copied."""
    try:
        if (await store.find(name)).size_bytes == file.stat().st_size:
            return False
    except errors.ArtifactNotFound:
        pass
    await store.put(name, _pieces(file))

    return True


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE_BYTES):
            yield piece


def _count(source: Source, report: Report) -> None:
    """Count what would be carried, and change nothing."""
    for experiment in source.experiments():
        report.add("experiments")
        for run_id in source.run_ids(experiment):
            try:
                source.run(run_id)
                report.add("points", sum(source.counts(run_id).values()))
                report.add("runs")
            except BROKEN as error:
                report.fault(f"run {run_id}", str(error))
    for _ in source.models():
        report.add("models")
