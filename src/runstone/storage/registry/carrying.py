"""Registered models that another program recorded, put into this registry."""

from runstone import limits
from runstone.model import Change, Stage
from runstone.storage import words
from runstone.storage.carrying.old import OldModel, OldVersion
from runstone.storage.registry import naming, rows, transitions
from runstone.storage.registry.rows import Locked
from runstone.storage.registry.transitions import Note
from runstone.storage.tx import Tx


WHY = "imported"


def put(tx: Tx, old: OldModel) -> int:
    """
    Put a model, its versions, stages and aliases; say how many versions were new.

    What is there already stays as it is.  No webhook hears of it: it is no news.

    Raises:
        InvalidInput: Something of it cannot be kept.
    """
    name = naming.model(old.name)
    words.clean("Description", old.description, limits.MODEL_TEXT_CHARS)
    known = tx.one("SELECT id FROM registered_model WHERE name = :name", name=name)
    if known is None:
        number = tx.insert(
            """
            INSERT INTO registered_model
                (name, description, created_ms, updated_ms, last_version)
            VALUES (:name, :description, :created, :updated, 0)
            """,
            name=name,
            description=old.description,
            created=old.created_ms,
            updated=old.updated_ms,
        )
        rows.put_tags(tx, "registered_model_tag", number, old.tags)
    model = rows.lock(tx, name)
    new = sum(_put_version(tx, model, version) for version in old.versions)
    last = max([model.last_version, *(each.version for each in old.versions)])
    tx.run(
        "UPDATE registered_model SET last_version = :last WHERE id = :id",
        last=last,
        id=model.number,
    )
    _put_aliases(tx, model, old)

    return new


def _put_version(tx: Tx, model: Locked, old: OldVersion) -> bool:
    words.clean("Description", old.description or "", limits.MODEL_TEXT_CHARS)
    found = tx.one(
        "SELECT id FROM model_version WHERE model_id = :model AND version = :version",
        model=model.number,
        version=old.version,
    )
    if found is not None:
        return False
    number = tx.insert(
        """
        INSERT INTO model_version (model_id, version, stage, run_id, created_ms,
            updated_ms, source, storage_location, run_link, description)
        VALUES (:model, :version, :stage, :run_id, :created,
            :updated, :source, :location, :run_link, :description)
        """,
        model=model.number,
        version=old.version,
        stage=old.stage,
        run_id=words.clean("Run id", old.run_id, limits.KEY_CHARS),
        created=old.created_ms,
        updated=old.updated_ms,
        source=words.clean("Source", old.source, limits.URI_CHARS),
        location=words.clean("Source", old.storage_location, limits.URI_CHARS),
        run_link=words.clean("Run link", old.run_link, limits.URI_CHARS),
        description=old.description,
    )
    rows.put_tags(tx, "model_version_tag", number, old.tags)
    transitions.add(
        tx,
        model,
        Note(old.updated_ms, why=WHY),
        kind=Change.STAGE,
        subject=str(old.version),
        old=Stage.NONE,
        new=old.stage,
    )

    return True


def _put_aliases(tx: Tx, model: Locked, old: OldModel) -> None:
    """Give aliases that nobody has yet to versions that are there."""
    for alias, version in old.aliases:
        naming.alias(alias)
        rows.version_number(tx, model, version)
        row = tx.one(
            "SELECT 1 FROM registered_model_alias "
            "WHERE model_id = :model AND alias = :alias",
            model=model.number,
            alias=alias,
        )
        if row is not None:
            continue
        tx.run(
            """
            INSERT INTO registered_model_alias (model_id, alias, version)
            VALUES (:model, :alias, :version)
            """,
            model=model.number,
            alias=alias,
            version=version,
        )
        transitions.add(
            tx,
            model,
            Note(old.updated_ms, why=WHY),
            kind=Change.ALIAS,
            subject=alias,
            old=None,
            new=str(version),
        )
