"""
MLflow's own database, read and never written.

Its tables have grown over the years: a column or a table that an older schema
lacks is read as if it were empty.

Source: `mlflow/store/tracking/dbmodels/models.py` and
`mlflow/store/model_registry/dbmodels/models.py`, MLflow 3.18, and the revisions
in `mlflow/store/db_migrations`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from runstone import errors
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


BATCH_POINTS: Final = 200_000
"""Points in memory at a time."""

CLIPPED: Final = 1.7976931348623157e308
"""What MLflow writes for an infinity."""

INFINITY: Final = float("inf")
NAN: Final = float("nan")


class MlflowDatabase:
    """
    An open database of MLflow's.

    Args:
        url: SQLAlchemy URL.

        fault: Is told what could not be read, and why.

    Raises:
        Unusable: It cannot be opened, or is none of MLflow's.
    """

    def __init__(self, url: str, fault: Callable[[str, str], None]) -> None:
        self._fault = fault
        self._engine = _engine(url)
        try:
            self._connection = self._engine.connect()
            found = sa.inspect(self._connection)
            names = found.get_table_names()
            self._columns = {
                name: {str(column["name"]) for column in found.get_columns(name)}
                for name in names
            }
        except SQLAlchemyError as error:
            shown = make_url(url).render_as_string(hide_password=True)
            raise errors.Unusable(f"cannot read {shown}: {error}") from error
        if not {"experiments", "runs", "metrics"} <= self._columns.keys():
            self.close()
            raise errors.Unusable(
                "this database has no runs of MLflow's; give the file or URL that "
                "`mlflow server --backend-store-uri` was started with"
            )

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
        self._engine.dispose()

    def experiments(self) -> Iterator[OldExperiment]:
        """Yield every experiment, deleted ones too."""
        rows = self._select(
            "experiments",
            "experiment_id",
            "name",
            "lifecycle_stage",
            "creation_time",
            "last_update_time",
        )
        for row in rows:
            try:
                yield self._experiment(*row)
            except (ValueError, TypeError, errors.Unusable) as error:
                self._fault(f"experiment {row[1]!r} with its runs", str(error))

    def run_ids(self, experiment: OldExperiment) -> list[str]:
        """Return the ids of an experiment's runs, deleted ones too."""
        rows = self._select("runs", "run_uuid", experiment_id=experiment.id)

        return sorted(str(row[0]) for row in rows)

    def run(self, run_id: str) -> OldRun:
        """
        Return a run.

        Raises:
            ValueError: Something of it is of the wrong kind.
        """
        name, user, status, stage, start, end, deleted, uri = self._select(
            "runs",
            "name",
            "user_id",
            "status",
            "lifecycle_stage",
            "start_time",
            "end_time",
            "deleted_time",
            "artifact_uri",
            run_uuid=run_id,
        )[0]
        tags = self._tags("tags", run_uuid=run_id)
        params = self._select("params", "key", "value", run_uuid=run_id)

        return OldRun(
            run_id,
            known_name(tags, str(name or "")),
            str(user or ""),
            RunStatus(status or "RUNNING"),
            Lifecycle(stage or "active"),
            int(start or 0),
            None if end is None else int(end),
            None if deleted is None else int(deleted),
            str(uri or ""),
            tuple(Param(str(key), str(value)) for key, value in params),
            tags,
            tuple(self._inputs(run_id)),
        )

    def counts(self, run_id: str) -> dict[str, int]:
        """Return how many points each series of a run has."""
        key: sa.ColumnClause[Any] = sa.column("key")
        question = (
            sa.select(key, sa.func.count())
            .select_from(sa.table("metrics"))
            .where(sa.column("run_uuid") == run_id)
            .group_by(key)
        )

        return {str(key): int(count) for key, count in self._ask(question)}

    def points(self, run_id: str, keys: set[str] | None) -> Iterator[Batch]:
        """
        Yield the points of some series of a run, or of all, in batches.

        Raises:
            ValueError: A value is of the wrong kind.
        """
        question = self._question(
            "metrics",
            ("key", "step", "timestamp", "value", "is_nan"),
            {"run_uuid": run_id},
        )
        for rows in self._pages(question):
            wanted = rows if keys is None else [row for row in rows if row[0] in keys]
            if wanted:
                names, steps, times, values, nans = zip(*wanted, strict=True)
                yield Batch(
                    names,
                    [int(step or 0) for step in steps],
                    times,
                    list(map(_value, values, nans)),
                )

    def models(self) -> Iterator[OldModel]:
        """Yield every registered model."""
        if "registered_models" not in self._columns:
            return
        for row in self._select(
            "registered_models",
            "name",
            "description",
            "creation_time",
            "last_updated_time",
        ):
            try:
                yield self._model(*row)
            except (ValueError, TypeError, errors.Unusable) as error:
                self._fault(f"registered model {row[0]!r}", str(error))

    def left(self) -> dict[str, int]:
        """Count what this database holds and nobody carries yet."""
        kinds = {"logged models": "logged_models", "traces": "trace_info"}
        found = {}
        for kind, table in kinds.items():
            if table in self._columns:
                question = sa.select(sa.func.count()).select_from(sa.table(table))
                found[kind] = int(self._ask(question)[0][0])

        return {kind: count for kind, count in found.items() if count}

    def _experiment(
        self, number: int, name: str, stage: str, created: int, updated: int
    ) -> OldExperiment:
        return OldExperiment(
            int(number),
            str(name),
            Lifecycle(stage or "active"),
            int(created or 0),
            int(updated or created or 0),
            self._tags("experiment_tags", experiment_id=number),
        )

    def _model(self, name: str, text: str, created: int, updated: int) -> OldModel:
        aliases = self._select(
            "registered_model_aliases", "alias", "version", name=name
        )

        return OldModel(
            str(name),
            str(text or ""),
            int(created or 0),
            int(updated or created or 0),
            self._tags("registered_model_tags", name=name),
            tuple(Alias(str(alias), int(number)) for alias, number in aliases),
            tuple(self._versions(str(name))),
        )

    def _versions(self, name: str) -> Iterator[OldVersion]:
        for row in self._select(
            "model_versions",
            "version",
            "current_stage",
            "source",
            "storage_location",
            "run_id",
            "run_link",
            "description",
            "creation_time",
            "last_updated_time",
            name=name,
        ):
            number, stage, source, place, run_id, link, text, created, updated = row
            if stage not in set(Stage):  # MLflow's mark of one that was deleted
                continue
            yield OldVersion(
                int(number),
                Stage(stage),
                str(source or ""),
                str(place or source or ""),
                str(run_id or ""),
                str(link or ""),
                text,
                int(created or 0),
                int(updated or created or 0),
                self._tags("model_version_tags", name=name, version=number),
            )

    def _inputs(self, run_id: str) -> Iterator[DatasetInput]:
        for number, dataset in self._select(
            "inputs",
            "input_uuid",
            "source_id",
            destination_id=run_id,
            source_type="DATASET",
        ):
            tags = self._tags("input_tags", column="name", input_uuid=number)
            for row in self._select(
                "datasets",
                "name",
                "digest",
                "dataset_source_type",
                "dataset_source",
                "dataset_schema",
                "dataset_profile",
                dataset_uuid=dataset,
            ):
                yield DatasetInput(Dataset(*row), tags)

    def _tags(
        self, table: str, *, column: str = "key", **where: str | int
    ) -> tuple[Tag, ...]:
        rows = self._select(table, column, "value", **where)

        return tuple(Tag(str(key), str(value or "")) for key, value in rows)

    def _select(self, table: str, *columns: str, **where: str | int) -> Sequence[Any]:
        """Return columns of the rows that fit; none of a table that is not there."""
        if table not in self._columns:
            return []

        return self._ask(self._question(table, columns, where))

    def _ask(self, question: sa.Select[*tuple[Any, ...]]) -> Sequence[Any]:
        return [row for rows in self._pages(question) for row in rows]

    def _pages(self, question: sa.Select[*tuple[Any, ...]]) -> Iterator[Sequence[Any]]:
        """Yield the answer in pages; a broken database says so in our words."""
        try:
            answer = self._connection.execute(question)
            while rows := answer.fetchmany(BATCH_POINTS):
                yield rows
        except SQLAlchemyError as error:
            raise errors.Unusable(
                f"MLflow's database cannot be read: {error}"
            ) from error

    def _question(
        self, table: str, columns: Sequence[str], where: dict[str, Any]
    ) -> sa.Select[*tuple[Any, ...]]:
        there = self._columns[table]
        chosen = [
            sa.column(name) if name in there else sa.null().label(name)
            for name in columns
        ]
        question: sa.Select[*tuple[Any, ...]] = sa.select(*chosen).select_from(
            sa.table(table)
        )
        for name, value in where.items():
            question = question.where(sa.column(name) == value)

        return question


def is_mlflow(file: Path) -> bool:
    """Say whether a file is a database that MLflow made, and we have not."""
    if not file.is_file():
        return False
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        try:
            found = {
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            }
        finally:
            connection.close()
        return {"experiments", "runs"} <= found and "runstone_version" not in found

    return False


def _engine(url: str) -> sa.Engine:
    made = make_url(url)
    if made.get_backend_name() != "sqlite":
        return sa.create_engine(made)

    place = f"file:{quote(str(made.database))}?mode=ro"

    return sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(place, uri=True),
        poolclass=sa.StaticPool,
    )


def _value(value: float, is_nan: object) -> float:
    if is_nan:
        return NAN
    number = float(value)
    if number >= CLIPPED:
        return INFINITY

    return -INFINITY if number <= -CLIPPED else number
