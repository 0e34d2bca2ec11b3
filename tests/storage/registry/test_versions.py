"""Versions: numbered once, moved, pointed at, and every move remembered."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors
from runstone.model import Change, Stage, Tag
from runstone.storage.db import Database
from runstone.storage.registry import (
    aliases,
    models,
    naming,
    rows,
    sources,
    stages,
    transitions,
    versions,
)
from runstone.storage.registry.sources import Copied, Source
from runstone.storage.registry.transitions import Expected, Note
from runstone.storage.tx import Tx
from tests.storage.registry import making
from tests.storage.registry.making import NOTE


def test_a_version_is_what_was_told(db: Database) -> None:
    """And nothing is made up."""
    db.transact(models.create, "iris", now_ms=1)

    made = db.transact(
        versions.create,
        "iris",
        source=Source("runs:/r/model", "r"),
        run_link="https://elsewhere",
        description="첫째",
        tags=[Tag("a", "1"), Tag("a", "2")],
        now_ms=7,
    )

    assert made == db.look(versions.by_version, "iris", 1)
    assert made.source == made.storage_location == "runs:/r/model"
    assert (made.run_id, made.run_link) == ("r", "https://elsewhere")
    assert made.description == "첫째"
    assert made.tags == (Tag("a", "2"),)
    assert (made.created_ms, made.updated_ms) == (7, 7)
    assert db.look(models.by_name, "iris").updated_ms == 7


def test_a_number_is_never_given_twice(db: Database) -> None:
    """Whoever wrote "version 2" down must not find another model there."""
    db.transact(making.model, "iris", 2)

    db.transact(versions.delete, "iris", version=2, note=NOTE)

    assert db.transact(making.version, "iris") == 3
    with pytest.raises(errors.VersionNotFound):
        db.look(versions.by_version, "iris", 2)


def test_a_deleted_version_takes_its_aliases_along(db: Database) -> None:
    """An alias never points at nothing."""
    db.transact(making.model, "iris", 2)
    for alias in ("a", "b"):
        db.transact(aliases.put, "iris", alias=alias, version=2, note=NOTE)
    db.transact(aliases.put, "iris", alias="c", version=1, note=NOTE)
    db.transact(versions.set_tag, "iris", version=2, tag=Tag("k", "v"))

    db.transact(versions.delete, "iris", version=2, note=NOTE)

    assert dict(db.look(models.by_name, "iris").aliases) == {"c": 1}
    assert db.look(lambda tx: tx.all("SELECT * FROM model_version_tag")) == []
    with pytest.raises(errors.AliasNotFound):
        db.look(aliases.version, "iris", alias="a")


def test_what_a_missing_version_is_asked_is_said_to_be_missing(db: Database) -> None:
    """Nothing of it is written."""
    db.transact(making.model, "iris", 1)
    asked: list[Callable[[Tx], Any]] = [
        lambda tx: versions.by_version(tx, "iris", 9),
        lambda tx: versions.describe(tx, "iris", version=9, description="x", now_ms=1),
        lambda tx: versions.delete(tx, "iris", version=9, note=NOTE),
        lambda tx: versions.set_tag(tx, "iris", version=9, tag=Tag("a", "1")),
        lambda tx: versions.delete_tag(tx, "iris", version=9, key="a"),
        lambda tx: aliases.put(tx, "iris", alias="a", version=9, note=NOTE),
        lambda tx: making.move(tx, "iris", 9, Stage.STAGING),
        lambda tx: sources.find(tx, Copied("iris", version=9)),
    ]
    for ask in asked:
        with pytest.raises(errors.VersionNotFound, match="9"):
            db.transact(ask)
    with pytest.raises(errors.ModelNotFound):
        db.look(transitions.page, "none", limit=1)
    assert db.look(making.history, "iris") == []


def test_archiving_leaves_one_version_in_the_stage(db: Database) -> None:
    """All that were there are archived, and each move is remembered."""
    db.transact(making.model, "iris", 4)
    for version in (1, 2):
        db.transact(making.move, "iris", version, Stage.PRODUCTION)

    moved = db.transact(
        stages.move,
        "iris",
        version=3,
        stage=Stage.PRODUCTION,
        note=Note(50, "bob", "better"),
        archive_existing=True,
    )

    assert (moved.stage, moved.updated_ms) == (Stage.PRODUCTION, 50)
    held = [
        db.look(versions.by_version, "iris", number).stage for number in (1, 2, 3, 4)
    ]
    assert held == [Stage.ARCHIVED, Stage.ARCHIVED, Stage.PRODUCTION, Stage.NONE]
    last = db.look(making.history, "iris")[-1]
    assert last._replace(number=0) == (
        *(0, "iris", 50, Change.STAGE, "3", "None", "Production", "bob", "better"),
    )


@pytest.mark.parametrize("stage", [Stage.NONE, Stage.ARCHIVED])
def test_only_a_stage_in_use_is_taken_over(db: Database, stage: Stage) -> None:
    """To archive what is archived would mean nothing."""
    db.transact(making.model, "iris", 2)

    with pytest.raises(errors.InvalidInput, match="not an Active stage"):
        db.transact(
            stages.move,
            "iris",
            version=1,
            stage=stage,
            note=NOTE,
            archive_existing=True,
        )


@pytest.mark.parametrize("text", ["Production", "production", "PRODUCTION"])
def test_a_stage_is_read_in_any_case(text: str) -> None:
    """As MLflow reads it."""
    assert stages.read(text) is Stage.PRODUCTION


@pytest.mark.parametrize("text", ["", "Live", "Deleted_Internal", "prod"])
def test_there_are_four_stages(text: str) -> None:
    """And the error names them."""
    with pytest.raises(errors.InvalidInput, match="None, Staging, Production"):
        stages.read(text)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22"])
def test_a_word_with_a_meaning_is_no_alias(db: Database, alias: str) -> None:
    """`models:/iris@latest` has one already."""
    db.transact(making.model, "iris", 1)

    with pytest.raises(errors.InvalidInput, match="reserved"):
        db.transact(aliases.put, "iris", alias=alias, version=1, note=NOTE)


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "a\n", "a@b", "é!", "a" * 256])
def test_an_alias_is_one_word(alias: str) -> None:
    """It stands in a URI behind an @."""
    with pytest.raises(errors.InvalidInput):
        naming.alias(alias)


def test_an_alias_moves_only_from_where_it_is_expected(db: Database) -> None:
    """Who comes late learns who was first, and changes nothing."""
    db.transact(making.model, "iris", 3)

    def put(version: int, expected: str | None) -> None:
        db.transact(
            aliases.put,
            "iris",
            alias="champion",
            version=version,
            note=NOTE,
            expected=Expected(expected),
        )

    put(1, None)
    put(2, "1")
    for wrong in (None, "1", "3"):
        with pytest.raises(errors.HolderChanged) as caught:
            put(3, wrong)
        assert caught.value.present == "2"
    with pytest.raises(errors.HolderChanged):
        db.transact(
            aliases.drop, "iris", alias="champion", note=NOTE, expected=Expected("1")
        )

    assert db.look(aliases.version, "iris", alias="champion").version == 2
    assert len(db.look(making.history, "iris")) == 2
    db.transact(
        aliases.drop, "iris", alias="champion", note=NOTE, expected=Expected("2")
    )
    with pytest.raises(errors.AliasNotFound):
        db.look(aliases.version, "iris", alias="champion")


def test_a_version_moves_only_if_the_premise_is_true(db: Database) -> None:
    """Its own stage, and who holds the new one."""
    db.transact(making.model, "iris", 3)
    db.transact(making.move, "iris", 1, Stage.PRODUCTION)

    def move(version: int, premise: stages.Premise) -> None:
        db.transact(
            stages.move,
            "iris",
            version=version,
            stage=Stage.PRODUCTION,
            note=NOTE,
            archive_existing=True,
            premise=premise,
        )

    with pytest.raises(errors.HolderChanged, match="Version 2 of model 'iris'"):
        move(2, stages.Premise(stage=Expected("Staging")))
    with pytest.raises(errors.HolderChanged, match="is at 1 by now, expected nothing"):
        move(2, stages.Premise(holder=Expected(None)))
    assert db.look(versions.by_version, "iris", 1).stage is Stage.PRODUCTION
    move(2, stages.Premise(stage=Expected("None"), holder=Expected("1")))
    assert db.look(versions.by_version, "iris", 1).stage is Stage.ARCHIVED


def test_a_copy_keeps_the_place_of_the_original(db: Database) -> None:
    """Even once the original is gone: no bytes were moved."""
    db.transact(making.model, "iris")
    db.transact(versions.create, "iris", source=Source("runs:/r/model", "r"), now_ms=1)
    db.transact(making.model, "prod")
    db.transact(aliases.put, "iris", alias="champion", version=1, note=NOTE)
    db.transact(making.move, "iris", 1, Stage.STAGING)

    for copied in (
        Copied("iris", version=1),
        Copied("iris", stage=Stage.STAGING),
        Copied("iris", alias="champion"),
        Copied("iris"),
    ):
        source = Source("models:/iris/whatever", copied=copied)
        made = db.transact(versions.create, "prod", source=source, now_ms=2)
        assert made.source == "models:/iris/1"
        assert made.storage_location == "runs:/r/model"
        assert made.run_id == "r"
    db.transact(models.delete, "iris", note=NOTE)

    assert db.look(versions.by_version, "prod", 1).storage_location == "runs:/r/model"


def test_a_copy_is_of_what_it_says(db: Database) -> None:
    """Not of a prompt, of another run, or of nothing."""
    db.transact(making.model, "iris", 1)
    db.transact(making.model, "prompt", 1, **{models.PROMPT_TAG: "true"})

    def copy(copied: Copied, run_id: str | None = None) -> None:
        source = Source("models:/x/1", run_id, copied=copied)
        db.transact(versions.create, "iris", source=source, now_ms=2)

    with pytest.raises(errors.InvalidInput, match="Prompt versions cannot"):
        copy(Copied("prompt", version=1))
    with pytest.raises(errors.InvalidInput, match="must match"):
        copy(Copied("iris", version=1), "another")
    with pytest.raises(errors.NotFound, match="stage 'Production'"):
        copy(Copied("iris", stage=Stage.PRODUCTION))
    with pytest.raises(errors.AliasNotFound):
        copy(Copied("iris", alias="none"))
    assert db.transact(making.version, "iris") == 2


NAMES = st.sampled_from(["a", "b"])
NUMBERS = st.integers(1, 3)
STEPS = st.one_of(
    st.builds(
        lambda alias, number: lambda tx: aliases.put(
            tx, "iris", alias=alias, version=number, note=NOTE
        ),
        NAMES,
        NUMBERS,
    ),
    st.builds(
        lambda alias: lambda tx: aliases.drop(tx, "iris", alias=alias, note=NOTE),
        NAMES,
    ),
    st.builds(
        lambda number, stage, archive: lambda tx: stages.move(
            tx,
            "iris",
            version=number,
            stage=stage,
            note=NOTE,
            archive_existing=archive and stage in stages.ACTIVE,
        ),
        NUMBERS,
        st.sampled_from(Stage),
        st.booleans(),
    ),
    st.builds(
        lambda number: lambda tx: versions.delete(
            tx, "iris", version=number, note=NOTE
        ),
        NUMBERS,
    ),
)


@settings(max_examples=50)
@given(steps=st.lists(STEPS, max_size=12))
def test_the_history_ends_at_what_is_true(
    db: Database, steps: list[Callable[[Tx], Any]]
) -> None:
    """Whatever was done, and refused: read from the beginning, it is all there."""
    db.transact(forget)
    db.transact(making.model, "iris", 3)

    for step in steps:
        with suppress(errors.VersionNotFound):
            db.transact(step)

    assert making.replay(db.look(making.history, "iris")) == db.look(truth)


def forget(tx: Tx) -> None:
    """Leave no model, and no history, for the next example."""
    for table in ("registered_model", "registered_model_alias", "model_version"):
        tx.run(f"DELETE FROM {table}")
    tx.run("DELETE FROM transition")


def truth(tx: Tx) -> tuple[dict[str, str], dict[str, str]]:
    """Return where aliases and stages are."""
    model = models.by_name(tx, "iris")
    found = tx.all(f"SELECT {rows.VERSION_COLUMNS} FROM {rows.VERSIONS}")
    stood = {
        str(each.version): each.stage.value
        for each in rows.versions(tx, found)
        if each.stage is not Stage.NONE
    }

    return {pair.alias: str(pair.version) for pair in model.aliases}, stood


def test_a_version_has_a_history_of_its_own(db: Database) -> None:
    """What stood at it, and its own stages; not what befell others."""
    db.transact(making.model, "iris", 2)
    db.transact(aliases.put, "iris", alias="a", version=1, note=NOTE)
    db.transact(aliases.put, "iris", alias="a", version=2, note=NOTE)
    db.transact(making.move, "iris", 2, Stage.STAGING)

    first = db.look(transitions.of_version, "iris", 1, limit=10)
    second = db.look(transitions.of_version, "iris", 2, limit=10)

    assert [(each.kind, each.old, each.new) for each in first] == [
        ("alias", "1", "2"),
        ("alias", None, "1"),
    ]
    assert [(each.kind, each.new) for each in second] == [
        ("stage", "Staging"),
        ("alias", "2"),
    ]


def test_a_reason_is_kept_as_it_was_given(db: Database) -> None:
    """Up to its limit; a move with a reason too long is not made."""
    db.transact(making.model, "iris", 1)
    note = Note(3, "김", "정확도 0.95\n<b>")
    db.transact(aliases.put, "iris", alias="a", version=1, note=note)

    with pytest.raises(errors.TooLarge, match="why"):
        db.transact(
            aliases.put, "iris", alias="b", version=1, note=Note(4, "", "w" * 10_001)
        )

    (only,) = db.look(making.history, "iris")
    assert (only.time_ms, only.author, only.why) == note
