"""Runs: create, read, update, delete, restore."""

from collections.abc import Iterable
from typing import NamedTuple

from runstone import errors, limits
from runstone.model import Lifecycle, Param, Run, RunStatus, Tag
from runstone.storage import experiments, labels, words
from runstone.storage.tx import Row, Tx


COLUMNS = (
    "run.id, run.uuid, run.experiment_id, run.name, run.user_name, run.status, "
    "run.lifecycle, run.start_ms, run.end_ms, run.artifact_uri"
)
NAME_TAG = "mlflow.runName"
"""MLflow's clients read and write a run's name as this tag too."""


class Place(NamedTuple):
    """Where the rows of a run lie."""

    run: int
    experiment: int
    version: int = 0
    """The run's version, once this transaction commits."""


def create(
    tx: Tx,
    run_id: str,
    experiment_id: int,
    *,
    name: str,
    user: str = "",
    start_ms: int,
    tags: Iterable[Tag] = (),
) -> Run:
    """
    Create a run in state RUNNING.

    Raises:
        ExperimentNotFound: No experiment has this id.
        ExperimentDeleted: It is in the bin.
    """
    experiment = experiments.require_live(tx, experiment_id)
    words.clean("Run name", name, limits.RUN_NAME_CHARS)
    words.clean("User", user, limits.KEY_CHARS)
    place = f"{experiment.artifact_location.rstrip('/')}/{run_id}/artifacts"
    number = tx.insert(
        """
        INSERT INTO run (uuid, experiment_id, lifecycle, start_ms, status, version,
            name, user_name, artifact_uri)
        VALUES (:uuid, :experiment, 'active', :start_ms, 'RUNNING', 0,
            :name, :user, :place)
        """,
        uuid=run_id,
        experiment=experiment_id,
        start_ms=start_ms,
        name=name,
        user=user,
        place=place,
    )
    named = [tag for tag in tags if tag.key != NAME_TAG]
    labels.set_tags(tx, number, experiment_id, [*named, Tag(NAME_TAG, name)])

    return Run(
        number,
        run_id,
        experiment_id,
        name,
        user,
        RunStatus.RUNNING,
        Lifecycle.ACTIVE,
        start_ms,
        None,
        place,
    )


def by_id(tx: Tx, run_id: str) -> Run:
    """
    Return a run, deleted or not.

    Raises:
        RunNotFound: No run has this id.
    """
    row = tx.one(f"SELECT {COLUMNS} FROM run WHERE uuid = :uuid", uuid=run_id)  # noqa: S608  # our own column list
    if row is None:
        raise errors.RunNotFound(run_id)

    return record(row)


def record(row: Row) -> Run:
    """Make a run of a row of `COLUMNS`."""
    number, uuid, experiment, name, user, status, lifecycle, *rest = row

    return Run(
        number,
        uuid,
        experiment,
        name,
        user,
        RunStatus(status),
        Lifecycle(lifecycle),
        *rest,
    )


def require(tx: Tx, run_id: str) -> Place:
    """
    Return where a run's rows lie, deleted or not.

    Raises:
        RunNotFound: No run has this id.
    """
    row = tx.one("SELECT id, experiment_id FROM run WHERE uuid = :uuid", uuid=run_id)
    if row is None:
        raise errors.RunNotFound(run_id)

    return Place(*row)


def touch(tx: Tx, run_id: str) -> Place:
    """
    Lock a live run that is about to change, and say where its rows lie.

    Every write to a run begins here: its version grows, so no document made
    before is taken for fresh.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
    """
    row = tx.one(
        "SELECT id, experiment_id, version + 1, lifecycle FROM run "  # noqa: S608  # our own text
        "WHERE uuid = :uuid" + tx.for_update,
        uuid=run_id,
    )
    if row is None:
        raise errors.RunNotFound(run_id)
    *place, lifecycle = row
    if lifecycle != Lifecycle.ACTIVE:
        raise errors.RunDeleted(run_id)
    tx.do("UPDATE run SET version = :v WHERE id = :id", v=place[2], id=place[0])

    return Place(*place)


def touch_all(
    tx: Tx, run_ids: Iterable[str]
) -> dict[str, Place | errors.RunstoneError]:
    """Touch several runs at once, each once; the error of one is its answer."""
    wanted = sorted(set(run_ids))
    rows = tx.all(
        "SELECT uuid, lifecycle, id, experiment_id, version + 1 FROM run "  # noqa: S608  # our own text
        "WHERE uuid IN (:ids) ORDER BY uuid" + tx.for_update,
        ids=wanted,
    )
    found: dict[str, Place | errors.RunstoneError] = {
        uuid: Place(*place)
        if lifecycle == Lifecycle.ACTIVE
        else errors.RunDeleted(uuid)
        for uuid, lifecycle, *place in rows
    }
    tx.run_many(
        "UPDATE run SET version = :version WHERE id = :run",
        [
            {"run": place.run, "version": place.version}
            for place in found.values()
            if isinstance(place, Place)
        ],
    )

    return {
        run_id: found.get(run_id) or errors.RunNotFound(run_id) for run_id in wanted
    }


def update(
    tx: Tx,
    run_id: str,
    *,
    status: RunStatus | None = None,
    end_ms: int | None = None,
    name: str | None = None,
) -> Run:
    """
    Change what is given of a live run's state, end and name.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
    """
    place = touch(tx, run_id)
    tx.run(
        """
        UPDATE run SET status = COALESCE(:status, status),
            end_ms = COALESCE(:end_ms, end_ms)
        WHERE id = :id
        """,
        status=status,
        end_ms=end_ms,
        id=place.run,
    )
    if name:
        put_tags(tx, place, [Tag(NAME_TAG, name)])

    return by_id(tx, run_id)


def set_status(tx: Tx, place: Place, status: RunStatus, end_ms: int | None) -> None:
    """Say how far a run that was just touched has come."""
    tx.run(
        "UPDATE run SET status = :status, end_ms = :end_ms WHERE id = :id",
        status=status,
        end_ms=end_ms,
        id=place.run,
    )


def set_tags(tx: Tx, run_id: str, tags: Iterable[Tag]) -> None:
    """
    Set tags of a live run; the tag of its name renames it.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
    """
    put_tags(tx, touch(tx, run_id), tags)


def put_tags(tx: Tx, place: Place, tags: Iterable[Tag]) -> None:
    """Set tags of a run that was just touched."""
    last = {tag.key: tag for tag in tags}
    name = last.get(NAME_TAG)
    if name is not None:
        words.clean("Run name", name.value, limits.RUN_NAME_CHARS)
        tx.run("UPDATE run SET name = :n WHERE id = :id", n=name.value, id=place.run)
    labels.set_tags(tx, place.run, place.experiment, last.values())


def delete_tag(tx: Tx, run_id: str, key: str) -> None:
    """
    Remove a tag of a live run.

    Raises:
        NotFound: It has no such tag.
    """
    place = touch(tx, run_id)
    if not labels.delete_tag(tx, place.run, key):
        raise errors.NotFound(f"No tag with name: {key} in run with id {run_id}")


def log_params(tx: Tx, run_id: str, params: Iterable[Param]) -> None:
    """
    Write params of a live run; the same value may come again.

    Raises:
        ParamChanged: One already has another value; nothing was written.
    """
    place = touch(tx, run_id)
    labels.add_params(tx, place.run, place.experiment, list(params))


def delete(tx: Tx, run_id: str, *, now_ms: int) -> None:
    """Put a run into the bin; one that is there stays as it is."""
    _move(tx, run_id, Lifecycle.DELETED, now_ms)


def restore(tx: Tx, run_id: str) -> None:
    """Take a run out of the bin; one that is not there stays as it is."""
    _move(tx, run_id, Lifecycle.ACTIVE, None)


def _move(tx: Tx, run_id: str, after: Lifecycle, deleted_ms: int | None) -> None:
    place = require(tx, run_id)
    tx.run(
        """
        UPDATE run SET lifecycle = :after, deleted_ms = :deleted_ms,
            version = version + 1
        WHERE id = :id AND lifecycle <> :after
        """,
        id=place.run,
        after=after,
        deleted_ms=deleted_ms,
    )
