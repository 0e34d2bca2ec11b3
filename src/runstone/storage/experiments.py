"""Experiments: create, rename, delete, restore, and their tags."""

from collections.abc import Iterable
from typing import NamedTuple

from runstone import errors, limits
from runstone.model import Experiment, Lifecycle, Tag
from runstone.storage import words
from runstone.storage.tx import Row, Tx


COLUMNS = "id, name, artifact_location, lifecycle, created_ms, updated_ms"


class Counted(NamedTuple):
    """An experiment and its live runs."""

    experiment: Experiment
    runs: int
    running: int
    last_start_ms: int | None


def create(
    tx: Tx,
    name: str,
    *,
    artifact_location: str | None = None,
    artifact_root: str = "",
    tags: Iterable[Tag] = (),
    now_ms: int,
) -> int:
    """
    Create an experiment and return its id.

    Args:
        tx: Transaction.

        name: Unique among all experiments, the deleted ones too.

        artifact_location: Where its artifacts go; None puts them into a
            folder of their own below *artifact_root*.

        artifact_root: The server's default root.

        tags: First tags.

        now_ms: Creation time.

    Raises:
        ExperimentExists: The name is taken.
        InvalidInput: The name, the location or a tag cannot be kept.
    """
    words.clean("Experiment name", name, limits.EXPERIMENT_NAME_CHARS)
    location = artifact_location or ""
    words.clean("Artifact location", location, limits.URI_CHARS)
    require_free(tx, name)
    number = tx.insert(
        """
        INSERT INTO experiment
            (name, artifact_location, lifecycle, created_ms, updated_ms)
        VALUES (:name, :location, 'active', :now_ms, :now_ms)
        """,
        name=name,
        location=location,
        now_ms=now_ms,
    )
    if not artifact_location:
        place(tx, number, artifact_root)
    for tag in tags:
        put_tag(tx, number, tag)

    return number


def settle_default(tx: Tx, artifact_root: str, *, now_ms: int = 0) -> None:
    """Give experiment 0, which the schema made, its place for artifacts and a time."""
    row = tx.one("SELECT artifact_location FROM experiment WHERE id = 0")
    if row != ("",):
        return
    place(tx, 0, artifact_root)
    tx.run(
        "UPDATE experiment SET created_ms = :now, updated_ms = :now WHERE id = 0",
        now=now_ms,
    )


def by_id(tx: Tx, experiment_id: int) -> Experiment:
    """
    Return an experiment, deleted or not.

    Raises:
        ExperimentNotFound: No experiment has this id.
    """
    row = tx.one(f"SELECT {COLUMNS} FROM experiment WHERE id = :id", id=experiment_id)  # noqa: S608  # our own column list
    if row is None:
        raise errors.ExperimentNotFound(str(experiment_id))

    return _with_tags(tx, [row])[0]


def by_name(tx: Tx, name: str) -> Experiment:
    """
    Return the experiment of this name, deleted or not.

    Raises:
        ExperimentNotFound: No experiment has this name.
    """
    row = tx.one(f"SELECT {COLUMNS} FROM experiment WHERE name = :name", name=name)  # noqa: S608  # our own column list
    if row is None:
        raise errors.ExperimentNotFound(name)

    return _with_tags(tx, [row])[0]


def by_ids(tx: Tx, experiment_ids: Iterable[int]) -> list[Experiment]:
    """Return the experiments that exist, in the order asked for."""
    wanted = list(experiment_ids)
    rows = tx.all(
        f"SELECT {COLUMNS} FROM experiment WHERE id IN (:ids)",  # noqa: S608  # our own column list
        ids=wanted,
    )
    found = {experiment.id: experiment for experiment in _with_tags(tx, rows)}

    return [found[number] for number in wanted if number in found]


def require_live(tx: Tx, experiment_id: int) -> Experiment:
    """
    Return an experiment that is not deleted, without its tags.

    Raises:
        ExperimentNotFound: No experiment has this id.
        ExperimentDeleted: It is in the bin.
    """
    row = tx.one(f"SELECT {COLUMNS} FROM experiment WHERE id = :id", id=experiment_id)  # noqa: S608  # our own column list
    if row is None:
        raise errors.ExperimentNotFound(str(experiment_id))
    experiment = _record(row)
    if experiment.lifecycle is not Lifecycle.ACTIVE:
        raise errors.ExperimentDeleted(experiment_id)

    return experiment


def require_free(tx: Tx, name: str) -> None:
    """
    Make sure that no experiment has this name.

    Raises:
        ExperimentExists: One has it, perhaps in the bin.
    """
    row = tx.one("SELECT lifecycle FROM experiment WHERE name = :name", name=name)
    if row is not None:
        raise errors.ExperimentExists(name, deleted=row[0] == Lifecycle.DELETED)


def rename(tx: Tx, experiment_id: int, name: str, *, now_ms: int) -> None:
    """
    Give an experiment another name.

    Raises:
        ExperimentExists: Another experiment has that name.
        ExperimentDeleted: It is in the bin.
        InvalidInput: The name cannot be kept.
    """
    words.clean("Experiment name", name, limits.EXPERIMENT_NAME_CHARS)
    if require_live(tx, experiment_id).name == name:
        return
    require_free(tx, name)
    tx.run(
        "UPDATE experiment SET name = :name, updated_ms = :now_ms WHERE id = :id",
        name=name,
        now_ms=now_ms,
        id=experiment_id,
    )


def delete(tx: Tx, experiment_id: int, *, now_ms: int) -> None:
    """
    Put an experiment and its runs into the bin.

    Raises:
        ExperimentNotFound: No live experiment has this id.
    """
    _move(tx, experiment_id, Lifecycle.ACTIVE, Lifecycle.DELETED, now_ms)


def restore(tx: Tx, experiment_id: int, *, now_ms: int) -> None:
    """
    Take an experiment and its runs out of the bin.

    Raises:
        ExperimentNotFound: No deleted experiment has this id.
    """
    _move(tx, experiment_id, Lifecycle.DELETED, Lifecycle.ACTIVE, now_ms)


def set_tag(tx: Tx, experiment_id: int, tag: Tag, *, now_ms: int) -> None:
    """
    Set a tag of a live experiment.

    Raises:
        ExperimentDeleted: It is in the bin.
    """
    require_live(tx, experiment_id)
    put_tag(tx, experiment_id, tag)
    _touch(tx, experiment_id, now_ms)


def delete_tag(tx: Tx, experiment_id: int, key: str, *, now_ms: int) -> None:
    """
    Remove a tag of a live experiment.

    Raises:
        NotFound: It has no such tag.
    """
    require_live(tx, experiment_id)
    gone = tx.run(
        "DELETE FROM experiment_tag WHERE experiment_id = :id AND name = :name",
        id=experiment_id,
        name=key,
    )
    if not gone:
        raise errors.NotFound(f"No tag {key!r} on experiment {experiment_id}")
    _touch(tx, experiment_id, now_ms)


def counted(tx: Tx) -> list[Counted]:
    """Return the live experiments with counts of their live runs, newest first."""
    rows = tx.all(
        """
        SELECT experiment_id, COUNT(*), MAX(start_ms),
            SUM(CASE WHEN status = 'RUNNING' THEN 1 ELSE 0 END)
        FROM run WHERE lifecycle = 'active' GROUP BY experiment_id
        """
    )
    counts = {number: (int(runs), last, int(busy)) for number, runs, last, busy in rows}
    live = tx.all(
        f"""
        SELECT {COLUMNS} FROM experiment WHERE lifecycle = 'active'
        ORDER BY created_ms DESC, id DESC
        """  # noqa: S608  # our own column list
    )
    found = []
    for experiment in _with_tags(tx, live):
        runs, last, busy = counts.get(experiment.id, (0, None, 0))
        found.append(Counted(experiment, runs, busy, last))

    return found


def place(tx: Tx, number: int, artifact_root: str) -> None:
    """Give an experiment its own folder below a root."""
    tx.run(
        "UPDATE experiment SET artifact_location = :place WHERE id = :id",
        place=f"{artifact_root.rstrip('/')}/{number}",
        id=number,
    )


def _touch(tx: Tx, experiment_id: int, now_ms: int) -> None:
    tx.run(
        "UPDATE experiment SET updated_ms = :now_ms WHERE id = :id",
        now_ms=now_ms,
        id=experiment_id,
    )


def _move(
    tx: Tx, experiment_id: int, before: Lifecycle, after: Lifecycle, now_ms: int
) -> None:
    moved = tx.run(
        """
        UPDATE experiment SET lifecycle = :after, updated_ms = :now_ms
        WHERE id = :id AND lifecycle = :before
        """,
        id=experiment_id,
        before=before,
        after=after,
        now_ms=now_ms,
    )
    if not moved:
        raise errors.ExperimentNotFound(str(experiment_id))
    tx.run(
        """
        UPDATE run SET lifecycle = :after, deleted_ms = :deleted_ms,
            version = version + 1
        WHERE experiment_id = :id AND lifecycle = :before
        """,
        id=experiment_id,
        before=before,
        after=after,
        deleted_ms=now_ms if after is Lifecycle.DELETED else None,
    )


def put_tag(tx: Tx, experiment_id: int, tag: Tag) -> None:
    """Write a tag of an experiment, deleted or not."""
    limit = limits.EXPERIMENT_TAG_VALUE_CHARS
    tx.run(
        """
        INSERT INTO experiment_tag (experiment_id, name, value)
        VALUES (:id, :name, :value)
        ON CONFLICT (experiment_id, name) DO UPDATE SET value = excluded.value
        """,
        id=experiment_id,
        name=words.clean("Tag key", tag.key, limits.KEY_CHARS),
        value=words.clean(f"Value of tag {tag.key!r}", tag.value, limit),
    )


def _with_tags(tx: Tx, rows: list[Row]) -> list[Experiment]:
    tags: dict[int, list[Tag]] = {row[0]: [] for row in rows}
    found = tx.all(
        """
        SELECT experiment_id, name, value FROM experiment_tag
        WHERE experiment_id IN (:ids) ORDER BY name
        """,
        ids=list(tags),
    )
    for number, name, value in found:
        tags[number].append(Tag(name, value))

    return [_record(row)._replace(tags=tuple(tags[row[0]])) for row in rows]


def _record(row: Row) -> Experiment:
    number, name, place, cycle, created, updated = row

    return Experiment(number, name, place, Lifecycle(cycle), created, updated)
