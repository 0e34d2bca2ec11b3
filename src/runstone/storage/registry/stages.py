"""Stages: where a version stands, and how it moves on."""

from typing import Final, NamedTuple

from runstone import errors
from runstone.model import Change, ModelVersion, Stage
from runstone.storage.registry import models, rows, transitions, versions
from runstone.storage.registry.rows import Locked
from runstone.storage.registry.transitions import Expected, Note
from runstone.storage.tx import Tx


ACTIVE: Final = (Stage.STAGING, Stage.PRODUCTION)
"""Stages that a version can take over from the others."""


class Premise(NamedTuple):
    """What must be true before a version moves."""

    stage: Expected | None = None
    """The stage of the version itself."""

    holder: Expected | None = None
    """The newest version in the stage that it moves to, as text."""


ANYTHING: Final = Premise()


def read(text: str) -> Stage:
    """
    Read a stage, in any case.

    Raises:
        InvalidInput: There is no such stage.
    """
    for stage in Stage:
        if stage.value.lower() == text.lower():
            return stage

    raise errors.InvalidInput(
        f"Invalid Model Version stage: {text[:100]}. Value must be one of "
        f"{', '.join(Stage)}."
    )


def move(
    tx: Tx,
    name: str,
    *,
    version: int,
    stage: Stage,
    note: Note,
    archive_existing: bool = False,
    premise: Premise = ANYTHING,
) -> ModelVersion:
    """
    Move a version to a stage.

    Args:
        tx: Transaction.

        name: Of the model.

        version: What moves.

        stage: Where to.

        note: Who and why, for the history.

        archive_existing: Whether all others in that stage are archived; only
            for stages that are in use.

        premise: What must be true before.

    Raises:
        ModelNotFound: No model has this name.
        VersionNotFound: The model has no such version.
        HolderChanged: The premise is not true, or not any more.
        InvalidInput: There is nothing to archive from this stage.
    """
    if archive_existing and stage not in ACTIVE:
        raise errors.InvalidInput(
            "Model version transition cannot archive existing model versions because "
            f"'{stage}' is not an Active stage. Valid stages are "
            f"{', '.join(ACTIVE)}"
        )
    model = rows.lock(tx, name)
    present = _stage(tx, model, version)
    holders = _holders(tx, model, stage)
    _check(model, version, stage, premise, present=present, holders=holders)
    if archive_existing:
        for other in holders:
            if other != version:
                _put(tx, model, other, note, old=stage, new=Stage.ARCHIVED)
    _put(tx, model, version, note, old=present, new=stage)
    rows.touch(tx, model, note.now_ms)

    return versions.by_version(tx, name, version)


def latest(tx: Tx, name: str, *, stages: tuple[Stage, ...] = ()) -> list[ModelVersion]:
    """
    Return the newest version of each of these stages, of all where none is named.

    Raises:
        ModelNotFound: No model has this name.
    """
    found = models.by_name(tx, name).latest

    return [each for each in found if not stages or each.stage in stages]


def _check(
    model: Locked,
    version: int,
    stage: Stage,
    premise: Premise,
    *,
    present: Stage,
    holders: list[int],
) -> None:
    transitions.check(
        f"Version {version} of model {model.name!r}", premise.stage, present
    )
    holder = str(holders[-1]) if holders else None
    transitions.check(f"Stage {stage} of model {model.name!r}", premise.holder, holder)


def _put(
    tx: Tx, model: Locked, version: int, note: Note, *, old: Stage, new: Stage
) -> None:
    tx.run(
        """
        UPDATE model_version SET stage = :stage, updated_ms = :now_ms
        WHERE model_id = :model AND version = :version
        """,
        stage=new,
        now_ms=note.now_ms,
        model=model.number,
        version=version,
    )
    transitions.add(
        tx, model, note, kind=Change.STAGE, subject=str(version), old=old, new=new
    )


def _stage(tx: Tx, model: Locked, version: int) -> Stage:
    row = tx.one(
        """
        SELECT stage FROM model_version
        WHERE model_id = :model AND version = :version
        """,
        model=model.number,
        version=version,
    )
    if row is None:
        raise errors.VersionNotFound(model.name, version)

    return Stage(row[0])


def _holders(tx: Tx, model: Locked, stage: Stage) -> list[int]:
    found = tx.all(
        """
        SELECT version FROM model_version
        WHERE model_id = :model AND stage = :stage ORDER BY version
        """,
        model=model.number,
        stage=stage,
    )

    return [int(row[0]) for row in found]
