"""
What another program recorded, put into this store as it was.

Nothing that is here already is changed, but that a run which was still going on
is finished; so everything may be carried twice, or again after a broken attempt.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from runstone import limits
from runstone.model import (
    Alias,
    DatasetInput,
    Lifecycle,
    Param,
    RunStatus,
    Stage,
    Tag,
)
from runstone.storage import datasets, experiments, labels, metrics, runs, words
from runstone.storage.metrics import Batch
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


LARGEST_KEPT_NUMBER: Final = 2**31 - 1
"""MLflow's folders number experiments with 18 digits, more than a page can count."""


class OldExperiment(NamedTuple):
    """An experiment as it was recorded."""

    id: int
    name: str
    lifecycle: Lifecycle
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()


class OldRun(NamedTuple):
    """A run as it was recorded, without its points."""

    id: str
    name: str
    user: str
    status: RunStatus
    lifecycle: Lifecycle
    start_ms: int
    end_ms: int | None
    deleted_ms: int | None
    artifact_uri: str
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()
    inputs: tuple[DatasetInput, ...] = ()


class OldVersion(NamedTuple):
    """A version of a registered model as it was recorded."""

    version: int
    stage: Stage
    source: str
    storage_location: str
    run_id: str
    run_link: str
    description: str | None
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()


class OldModel(NamedTuple):
    """A registered model as it was recorded."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: tuple[Tag, ...] = ()
    aliases: tuple[Alias, ...] = ()
    versions: tuple[OldVersion, ...] = ()


class Put(NamedTuple):
    """Where a run is now."""

    place: Place
    is_new: bool
    artifact_uri: str


def put_experiment(tx: Tx, old: OldExperiment, *, artifact_root: str) -> int:
    """
    Return the number of the experiment of this name, which is made where it is new.

    Its own number is kept where it is free and small.

    Raises:
        InvalidInput: The name or a tag cannot be kept.
    """
    words.clean("Experiment name", old.name, limits.EXPERIMENT_NAME_CHARS)
    row = tx.one("SELECT id FROM experiment WHERE name = :name", name=old.name)
    number = int(row[0]) if row else _insert_experiment(tx, old, artifact_root)
    known = {tag.key for tag in experiments.by_id(tx, number).tags}
    for tag in old.tags:
        if tag.key not in known:
            experiments.put_tag(tx, number, tag)

    return number


def _insert_experiment(tx: Tx, old: OldExperiment, artifact_root: str) -> int:
    row: dict[str, str | int] = {
        "name": old.name,
        "lifecycle": old.lifecycle,
        "created": old.created_ms,
        "updated": old.updated_ms,
    }
    taken = tx.one("SELECT 1 FROM experiment WHERE id = :id", id=old.id)
    if taken or not 0 < old.id <= LARGEST_KEPT_NUMBER:
        number = tx.insert(
            """
            INSERT INTO experiment
                (name, artifact_location, lifecycle, created_ms, updated_ms)
            VALUES (:name, '', :lifecycle, :created, :updated)
            """,
            **row,
        )
    else:
        number = old.id
        tx.run(
            """
            INSERT INTO experiment
                (id, name, artifact_location, lifecycle, created_ms, updated_ms)
            VALUES (:id, :name, '', :lifecycle, :created, :updated)
            """,
            id=number,
            **row,
        )
        if tx.dialect == "postgresql":  # the others count on by themselves
            tx.one(
                "SELECT setval(pg_get_serial_sequence('experiment', 'id'), "
                "(SELECT MAX(id) FROM experiment))"
            )
    experiments.place(tx, number, artifact_root)

    return number


def put_run(
    tx: Tx, experiment: int, *, run: OldRun, artifact_uri: str | None = None
) -> Put:
    """
    Put a run with its params, tags and inputs; what it has already stays.

    Args:
        tx: Transaction.

        experiment: Number of its experiment here.

        run: What was recorded.

        artifact_uri: Where its artifacts lie; None for its place below the
            experiment's.

    Raises:
        InvalidInput: Something of it cannot be kept.
    """
    found = tx.one(
        "SELECT id, experiment_id, version + 1, artifact_uri FROM run "  # noqa: S608  # our own text
        "WHERE uuid = :uuid" + tx.for_update,
        uuid=run.id,
    )
    if found:
        place, uri = Place(*found[:3]), str(found[3])
        _complete(tx, place, run)
    else:
        place, uri = _insert_run(tx, experiment, run, artifact_uri)
    _put_labels(tx, place, run)
    datasets.put_inputs(tx, place, run.inputs)

    return Put(place, found is None, uri)


def _insert_run(
    tx: Tx, experiment: int, run: OldRun, artifact_uri: str | None
) -> tuple[Place, str]:
    words.clean("Run name", run.name, limits.RUN_NAME_CHARS)
    words.clean("User", run.user, limits.KEY_CHARS)
    home = experiments.by_id(tx, experiment).artifact_location
    uri = artifact_uri or f"{home.rstrip('/')}/{run.id}/artifacts"
    number = tx.insert(
        """
        INSERT INTO run (uuid, experiment_id, lifecycle, start_ms, end_ms, deleted_ms,
            status, version, name, user_name, artifact_uri)
        VALUES (:uuid, :experiment, :lifecycle, :start_ms, :end_ms, :deleted_ms,
            :status, 0, :name, :user, :uri)
        """,
        uuid=run.id,
        experiment=experiment,
        lifecycle=run.lifecycle,
        start_ms=run.start_ms,
        end_ms=run.end_ms,
        deleted_ms=run.deleted_ms,
        status=run.status,
        name=run.name,
        user=run.user,
        uri=words.clean("Artifact location", uri, limits.URI_CHARS),
    )

    return Place(number, experiment, 0), uri


def _complete(tx: Tx, place: Place, run: OldRun) -> None:
    """Finish a run that was going on when it was carried before."""
    tx.run(
        "UPDATE run SET version = :version WHERE id = :id",
        version=place.version,
        id=place.run,
    )
    tx.run(
        """
        UPDATE run SET status = :status, end_ms = :end_ms
        WHERE id = :id AND end_ms IS NULL
        """,
        status=run.status,
        end_ms=run.end_ms,
        id=place.run,
    )


def _put_labels(tx: Tx, place: Place, run: OldRun) -> None:
    params, tags = (
        {
            str(row[0])
            for row in tx.all(
                f"SELECT word.name FROM {table} JOIN word ON word.id = {table}.key_id "  # noqa: S608  # our own names
                f"WHERE {table}.run_id = :run",
                run=place.run,
            )
        }
        for table in ("param", "tag")
    )
    new_params = [param for param in run.params if param.key not in params]
    new_tags = [tag for tag in run.tags if tag.key not in tags]
    labels.add_params(tx, place.run, place.experiment, new_params)
    labels.set_tags(tx, place.run, place.experiment, new_tags)


def missing_series(tx: Tx, run: int, counts: Mapping[str, int]) -> set[str]:
    """Say of which series not so many points are here as were recorded."""
    found = tx.all(
        """
        SELECT word.name, latest.points FROM latest
        JOIN word ON word.id = latest.key_id WHERE latest.run_id = :run
        """,
        run=run,
    )
    here = {str(name): int(points) for name, points in found}

    return {key for key, count in counts.items() if here.get(key) != count}


def put_points(tx: Tx, run: int, *, batch: Batch) -> None:
    """
    Add points to a run, deleted or not; a point that is there is left alone.

    Raises:
        InvalidInput: A key, a step or a time cannot be kept.
    """
    metrics.require_keys(tx, batch)
    row = tx.one(
        "SELECT id, experiment_id, version + 1 FROM run "  # noqa: S608  # our own text
        "WHERE id = :id" + tx.for_update,
        id=run,
    )
    if row is None or not batch.keys:
        return
    place = Place(*row)
    tx.run(
        "UPDATE run SET version = :version WHERE id = :id",
        version=place.version,
        id=run,
    )
    metrics.put(tx, {place: batch})


def known_name(tags: tuple[Tag, ...], name: str) -> str:
    """Return a run's name: MLflow before 2.0 kept it as a tag only."""
    return name or next((tag.value for tag in tags if tag.key == runs.NAME_TAG), "")
