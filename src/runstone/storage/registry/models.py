"""Registered models: create, read, describe, rename, delete, and their tags."""

from collections.abc import Iterable, Sequence

from runstone import errors, limits
from runstone.model import Change, RegisteredModel, Tag
from runstone.storage import words
from runstone.storage.registry import naming, rows, transitions
from runstone.storage.registry.rows import MODEL_COLUMNS, Locked
from runstone.storage.registry.transitions import Note
from runstone.storage.tx import Tx


PROMPT_TAG = "mlflow.prompt.is_prompt"
"""MLflow keeps prompts in the registry, told apart by this tag."""


def create(
    tx: Tx,
    name: str,
    *,
    description: str = "",
    tags: Iterable[Tag] = (),
    now_ms: int,
) -> RegisteredModel:
    """
    Create a registered model without versions.

    Raises:
        ModelExists: A model or a prompt has this name.
        InvalidInput: The name, the description or a tag cannot be kept.
    """
    name = naming.model(name)
    words.clean("Description", description, limits.MODEL_TEXT_CHARS)
    given = list(tags)
    _require_free(tx, name, _kind(given))
    number = tx.insert(
        """
        INSERT INTO registered_model
            (name, description, created_ms, updated_ms, last_version)
        VALUES (:name, :description, :now_ms, :now_ms, 0)
        """,
        name=name,
        description=description,
        now_ms=now_ms,
    )
    rows.put_tags(tx, "registered_model_tag", number, given)

    return by_name(tx, name)


def by_name(tx: Tx, name: str) -> RegisteredModel:
    """
    Return the model of this name, with the newest version of each stage.

    Raises:
        ModelNotFound: No model has this name.
    """
    found = tx.all(
        f"SELECT {MODEL_COLUMNS} FROM registered_model m WHERE m.name = :name",  # noqa: S608  # our own column list
        name=name,
    )
    if not found:
        raise errors.ModelNotFound(name)

    return rows.models(tx, found)[0]


def by_numbers(tx: Tx, numbers: Sequence[int]) -> list[RegisteredModel]:
    """Return models by their numbers, in the order asked for."""
    found = tx.all(
        f"SELECT {MODEL_COLUMNS} FROM registered_model m WHERE m.id IN (:ids)",  # noqa: S608  # our own column list
        ids=list(numbers),
    )
    place = {number: index for index, number in enumerate(numbers)}
    found.sort(key=lambda row: place[row[0]])

    return rows.models(tx, found)


def count_versions(tx: Tx, numbers: Sequence[int]) -> dict[int, int]:
    """Return how many versions models have, by their numbers; none is left out."""
    found = tx.all(
        """
        SELECT model_id, COUNT(*) FROM model_version
        WHERE model_id IN (:ids) GROUP BY model_id
        """,
        ids=list(numbers),
    )

    return {number: int(count) for number, count in found}


def describe(tx: Tx, name: str, description: str, *, now_ms: int) -> RegisteredModel:
    """
    Give a model another description.

    Raises:
        ModelNotFound: No model has this name.
    """
    words.clean("Description", description, limits.MODEL_TEXT_CHARS)
    model = rows.lock(tx, name)
    tx.run(
        """
        UPDATE registered_model SET description = :text, updated_ms = :now_ms
        WHERE id = :id
        """,
        text=description,
        now_ms=now_ms,
        id=model.number,
    )

    return by_name(tx, name)


def rename(tx: Tx, *, name: str, new_name: str, note: Note) -> RegisteredModel:
    """
    Give a model another name; its versions, aliases and history come along.

    Raises:
        ModelNotFound: No model has this name.
        ModelExists: Another one has the new name.
        InvalidInput: The new name cannot be kept.
    """
    new_name = naming.model(new_name)
    model = rows.lock(tx, name)
    if new_name != name:
        kind = _kind(by_name(tx, name).tags)
        _require_free(tx, new_name, kind)
    tx.run(
        """
        UPDATE registered_model SET name = :new_name, updated_ms = :now_ms
        WHERE id = :id
        """,
        new_name=new_name,
        now_ms=note.now_ms,
        id=model.number,
    )
    tx.run(
        "UPDATE model_version SET updated_ms = :now_ms WHERE model_id = :id",
        now_ms=note.now_ms,
        id=model.number,
    )
    transitions.add(
        tx, model, note, kind=Change.NAME, subject="", old=name, new=new_name
    )

    return by_name(tx, new_name)


def delete(tx: Tx, name: str, *, note: Note) -> None:
    """
    Delete a model with its versions, aliases and tags; its history stays.

    Raises:
        ModelNotFound: No model has this name.
    """
    model = rows.lock(tx, name)
    _write_the_end(tx, model, note)
    tx.run(
        """
        DELETE FROM model_version_tag WHERE version_id IN
            (SELECT id FROM model_version WHERE model_id = :id)
        """,
        id=model.number,
    )
    for table in ("model_version", "registered_model_alias", "registered_model_tag"):
        tx.run(f"DELETE FROM {table} WHERE model_id = :id", id=model.number)  # noqa: S608  # our own names
    tx.run("DELETE FROM registered_model WHERE id = :id", id=model.number)


def set_tag(tx: Tx, name: str, tag: Tag) -> None:
    """
    Set a tag of a model.

    Raises:
        ModelNotFound: No model has this name.
    """
    rows.put_tags(tx, "registered_model_tag", rows.lock(tx, name).number, [tag])


def delete_tag(tx: Tx, name: str, key: str) -> None:
    """
    Remove a tag of a model; one that is not there is gone.

    Raises:
        ModelNotFound: No model has this name.
    """
    rows.delete_tag(tx, "registered_model_tag", rows.lock(tx, name).number, key)


def is_prompt(tags: Iterable[Tag]) -> bool:
    """Say whether tags are those of a prompt; the last value of a key counts."""
    return dict(tags).get(PROMPT_TAG, "").lower() == "true"


def _require_free(tx: Tx, name: str, kind: str) -> None:
    row = tx.one("SELECT id FROM registered_model WHERE name = :name", name=name)
    if row is None:
        return
    found = tx.all(
        "SELECT name, value FROM registered_model_tag WHERE model_id = :id", id=row[0]
    )
    raise errors.ModelExists(name, _kind(Tag(*pair) for pair in found), kind)


def _kind(tags: Iterable[Tag]) -> str:
    return "Prompt" if is_prompt(tags) else "Registered Model"


def _write_the_end(tx: Tx, model: Locked, note: Note) -> None:
    """Let the history end where nothing has an alias, a stage or a name."""
    for alias, version in tx.all(
        "SELECT alias, version FROM registered_model_alias WHERE model_id = :id",
        id=model.number,
    ):
        transitions.add(
            tx,
            model,
            note,
            kind=Change.ALIAS,
            subject=alias,
            old=str(version),
            new=None,
        )
    for version, stage in tx.all(
        "SELECT version, stage FROM model_version WHERE model_id = :id "
        "AND stage <> 'None' ORDER BY version",
        id=model.number,
    ):
        transitions.add(
            tx,
            model,
            note,
            kind=Change.STAGE,
            subject=str(version),
            old=stage,
            new=None,
        )
    transitions.add(
        tx, model, note, kind=Change.NAME, subject="", old=model.name, new=None
    )
