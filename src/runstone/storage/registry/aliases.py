"""Aliases: names that point at one version of a model, and move."""

from runstone import errors
from runstone.model import Change, ModelVersion
from runstone.storage.registry import naming, rows, transitions
from runstone.storage.registry.rows import VERSION_COLUMNS, VERSIONS, Locked
from runstone.storage.registry.transitions import Expected, Note
from runstone.storage.tx import Tx


LATEST = "latest"
"""Not an alias but a word: the newest version."""


def put(
    tx: Tx,
    name: str,
    *,
    alias: str,
    version: int,
    note: Note,
    expected: Expected | None = None,
) -> None:
    """
    Point an alias at a version.

    Args:
        tx: Transaction.

        name: Of the model.

        alias: Made if it is not there, moved if it is.

        version: What it points at afterwards.

        note: Who and why, for the history.

        expected: The version that it must point at before, as text.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: The model has no such version.
        HolderChanged: It points at another version than expected.
        InvalidInput: The alias cannot be given.
    """
    naming.new_alias(alias)
    model = rows.lock(tx, name)
    rows.version_number(tx, model, version)
    present = _present(tx, model, alias)
    transitions.check(_what(model, alias), expected, present)
    _write(tx, model, alias, note, old=present, new=str(version))
    tx.run(
        """
        INSERT INTO registered_model_alias (model_id, alias, version)
        VALUES (:model, :alias, :version)
        ON CONFLICT (model_id, alias) DO UPDATE SET version = excluded.version
        """,
        model=model.number,
        alias=alias,
        version=version,
    )


def drop(
    tx: Tx, name: str, *, alias: str, note: Note, expected: Expected | None = None
) -> None:
    """
    Take an alias away; one that is not there is gone.

    Raises:
        ModelNotFound: No model has this name.
        HolderChanged: It points at another version than expected.
        InvalidInput: It cannot be an alias.
    """
    naming.alias(alias)
    model = rows.lock(tx, name)
    present = _present(tx, model, alias)
    transitions.check(_what(model, alias), expected, present)
    _write(tx, model, alias, note, old=present, new=None)
    tx.run(
        "DELETE FROM registered_model_alias WHERE model_id = :model AND alias = :alias",
        model=model.number,
        alias=alias,
    )


def version(tx: Tx, name: str, *, alias: str) -> ModelVersion:
    """
    Return the version that an alias points at; `latest` is the newest.

    Raises:
        ModelNotFound: No model has this name.
        AliasNotFound: The model has no such alias.
        NotFound: The latest of a model without versions.
        InvalidInput: It cannot be an alias.
    """
    naming.alias(alias)
    if alias.lower() == LATEST:
        return newest(tx, name)
    found = tx.all(
        f"""
        SELECT {VERSION_COLUMNS} FROM registered_model m
        JOIN registered_model_alias a ON a.model_id = m.id AND a.alias = :alias
        JOIN model_version v ON v.model_id = m.id AND v.version = a.version
        WHERE m.name = :name
        """,  # noqa: S608  # our own column list
        name=name,
        alias=alias,
    )
    if not found:
        _require(tx, name)
        raise errors.AliasNotFound(alias)

    return rows.versions(tx, found)[0]


def newest(tx: Tx, name: str) -> ModelVersion:
    """
    Return the newest version of a model, whatever its stage.

    Raises:
        ModelNotFound: No model has this name.
        NotFound: It has no version.
    """
    found = tx.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSIONS} WHERE m.name = :name "  # noqa: S608  # our own column list
        "ORDER BY v.version DESC LIMIT 1",
        name=name,
    )
    if not found:
        _require(tx, name)
        raise errors.NotFound(f"Latest version not found for model {name}.")

    return rows.versions(tx, found)[0]


def drop_all_of(tx: Tx, model: Locked, version: int, note: Note) -> None:
    """Take away every alias that points at a version."""
    for (alias,) in tx.all(
        """
        SELECT alias FROM registered_model_alias
        WHERE model_id = :model AND version = :version ORDER BY alias
        """,
        model=model.number,
        version=version,
    ):
        _write(tx, model, alias, note, old=str(version), new=None)
    tx.run(
        """
        DELETE FROM registered_model_alias
        WHERE model_id = :model AND version = :version
        """,
        model=model.number,
        version=version,
    )


def _write(
    tx: Tx, model: Locked, alias: str, note: Note, *, old: str | None, new: str | None
) -> None:
    transitions.add(tx, model, note, kind=Change.ALIAS, subject=alias, old=old, new=new)


def _present(tx: Tx, model: Locked, alias: str) -> str | None:
    row = tx.one(
        """
        SELECT version FROM registered_model_alias
        WHERE model_id = :model AND alias = :alias
        """,
        model=model.number,
        alias=alias,
    )

    return None if row is None else str(row[0])


def _require(tx: Tx, name: str) -> None:
    if tx.one("SELECT 1 FROM registered_model WHERE name = :name", name=name) is None:
        raise errors.ModelNotFound(name)


def _what(model: Locked, alias: str) -> str:
    return f"Alias {alias!r} of model {model.name!r}"
