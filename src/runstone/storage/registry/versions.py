"""Versions of registered models: create, read, describe, delete, and their tags."""

from collections.abc import Iterable

from runstone import errors, limits
from runstone.model import Change, ModelVersion, Stage, Tag
from runstone.storage import logged_models, words
from runstone.storage.registry import aliases, news, rows, sources, transitions
from runstone.storage.registry.rows import VERSION_COLUMNS, VERSIONS, Locked
from runstone.storage.registry.sources import Source
from runstone.storage.registry.transitions import Note
from runstone.storage.tx import Tx


def create(
    tx: Tx,
    name: str,
    *,
    source: Source,
    run_link: str = "",
    description: str | None = None,
    tags: Iterable[Tag] = (),
    now_ms: int,
) -> ModelVersion:
    """
    Add a version to a model; its number is one more than any before.

    Raises:
        ModelNotFound: No model has this name.
        InvalidInput: The source, the description or a tag cannot be kept.
        NotFound: The source is a version that is not there.
        LoggedModelNotFound: It is said to be of a logged model that is not there.
    """
    words.clean("Description", description or "", limits.MODEL_TEXT_CHARS)
    words.clean("Run link", run_link, limits.URI_CHARS)
    model = rows.lock(tx, name)
    place = sources.settle(tx, source)
    version = _count_on(tx, model, now_ms)
    number = tx.insert(
        """
        INSERT INTO model_version (model_id, version, stage, run_id, created_ms,
            updated_ms, source, storage_location, run_link, description)
        VALUES (:model, :version, 'None', :run_id, :now_ms,
            :now_ms, :source, :location, :run_link, :description)
        """,
        model=model.number,
        version=version,
        run_id=place.run_id,
        now_ms=now_ms,
        source=place.source,
        location=place.storage_location,
        run_link=run_link,
        description=description,
    )
    given = list(tags)
    rows.put_tags(tx, "model_version_tag", number, given)
    news.version_created(
        tx,
        name,
        version=version,
        source=place.source,
        run_id=place.run_id,
        tags=given,
        description=description,
        now_ms=now_ms,
    )
    if source.model_id:
        logged_models.note_version(
            tx, model_id=source.model_id, name=model.name, version=version
        )

    return by_version(tx, name, version)


def _count_on(tx: Tx, model: Locked, now_ms: int) -> int:
    """Give out the next number of a model's versions."""
    version = model.last_version + 1
    tx.run(
        """
        UPDATE registered_model SET last_version = :version, updated_ms = :now_ms
        WHERE id = :id
        """,
        version=version,
        now_ms=now_ms,
        id=model.number,
    )

    return version


def by_version(tx: Tx, name: str, version: int) -> ModelVersion:
    """
    Return a version of a model.

    Raises:
        VersionNotFound: There is no such model, or it has no such version.
    """
    found = tx.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSIONS} "  # noqa: S608  # our own column list
        "WHERE m.name = :name AND v.version = :version",
        name=name,
        version=version,
    )
    if not found:
        raise errors.VersionNotFound(name, version)

    return rows.versions(tx, found)[0]


def describe(
    tx: Tx, name: str, *, version: int, description: str | None, now_ms: int
) -> ModelVersion:
    """
    Give a version another description, or none.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: It has no such version.
    """
    words.clean("Description", description or "", limits.MODEL_TEXT_CHARS)
    model = rows.lock(tx, name)
    tx.run(
        "UPDATE model_version SET description = :text, updated_ms = :now_ms "
        "WHERE id = :id",
        text=description,
        now_ms=now_ms,
        id=rows.version_number(tx, model, version),
    )

    return by_version(tx, name, version)


def delete(tx: Tx, name: str, *, version: int, note: Note) -> None:
    """
    Delete a version with its tags and aliases; its number never comes again.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: It has no such version.
    """
    model = rows.lock(tx, name)
    gone = by_version(tx, name, version)
    aliases.drop_all_of(tx, model, version, note)
    if gone.stage is not Stage.NONE:
        transitions.add(
            tx,
            model,
            note,
            kind=Change.STAGE,
            subject=str(version),
            old=gone.stage,
            new=None,
        )
    tx.run("DELETE FROM model_version_tag WHERE version_id = :id", id=gone.number)
    tx.run("DELETE FROM model_version WHERE id = :id", id=gone.number)
    rows.touch(tx, model, note.now_ms)


def set_tag(tx: Tx, name: str, *, version: int, tag: Tag, now_ms: int) -> None:
    """
    Set a tag of a version.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: It has no such version.
    """
    model = rows.lock(tx, name)
    number = rows.version_number(tx, model, version)
    rows.put_tags(tx, "model_version_tag", number, [tag])
    news.tell(
        tx,
        model,
        "model_version_tag.set",
        now_ms=now_ms,
        version=str(version),
        key=tag.key,
        value=tag.value,
    )


def delete_tag(tx: Tx, name: str, *, version: int, key: str, now_ms: int) -> None:
    """
    Remove a tag of a version; one that is not there is gone.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: It has no such version.
    """
    model = rows.lock(tx, name)
    number = rows.version_number(tx, model, version)
    rows.delete_tag(tx, "model_version_tag", number, key)
    event = "model_version_tag.deleted"
    news.tell(tx, model, event, now_ms=now_ms, version=str(version), key=key)
