"""
Where a version came from, and where its files therefore lie.

The door has checked that the source is well formed and belongs to the run that
it is said to be of.  What another version says is looked up here, in the
transaction that adds the new one.
"""

from typing import NamedTuple

from runstone import errors
from runstone.model import ModelVersion, Stage
from runstone.storage.registry import aliases, models, rows
from runstone.storage.registry.rows import VERSION_COLUMNS, VERSIONS
from runstone.storage.tx import Tx


class Copied(NamedTuple):
    """Another version, named as `models:/…` names one: by one of these, or latest."""

    model: str
    version: int | None = None
    stage: Stage | None = None
    alias: str | None = None


class Source(NamedTuple):
    """What is told of a new version's origin."""

    source: str
    run_id: str | None = None
    """None where nothing was said."""

    storage_location: str | None = None
    """None where it is the source itself."""

    copied: Copied | None = None
    model_id: str | None = None
    """The logged model that it is a version of; it is told."""


class Place(NamedTuple):
    """What is kept of it."""

    source: str
    storage_location: str
    run_id: str


def settle(tx: Tx, source: Source) -> Place:
    """
    Say what is kept of a source.

    Raises:
        NotFound: It is a version that is not there.
        InvalidInput: It is a prompt, or a version of another run.
    """
    if source.copied is None:
        location = source.storage_location or source.source
        return Place(source.source, location, source.run_id or "")

    origin = find(tx, source.copied)
    if models.is_prompt(models.by_name(tx, origin.model).tags):
        raise errors.InvalidInput(
            f"Invalid model version source: '{source.source}'. Prompt versions cannot "
            "be used as model version sources."
        )
    if source.run_id is not None and source.run_id != origin.run_id:
        raise errors.InvalidInput(
            f"Invalid model version source: '{source.source}'. The run_id request "
            "parameter must match the referenced model version; leave it out"
        )

    return Place(
        f"models:/{origin.model}/{origin.version}",
        origin.storage_location,
        origin.run_id,
    )


def find(tx: Tx, copied: Copied) -> ModelVersion:
    """
    Return the version that a `models:/…` means.

    Raises:
        NotFound: There is none.
    """
    if copied.alias is not None:
        return aliases.version(tx, copied.model, alias=copied.alias)
    if copied.version is None and copied.stage is None:
        return aliases.newest(tx, copied.model)

    condition, value = (
        ("v.version = :value", copied.version)
        if copied.stage is None
        else ("v.stage = :value", copied.stage)
    )
    found = tx.all(
        f"SELECT {VERSION_COLUMNS} FROM {VERSIONS} "  # noqa: S608  # one of two conditions
        f"WHERE m.name = :name AND {condition} ORDER BY v.version DESC LIMIT 1",
        name=copied.model,
        value=value,
    )
    if found:
        return rows.versions(tx, found)[0]
    if copied.version is not None:
        raise errors.VersionNotFound(copied.model, copied.version)

    raise errors.NotFound(
        f"No versions of model with name '{copied.model}' and stage "
        f"'{copied.stage}' found"
    )
