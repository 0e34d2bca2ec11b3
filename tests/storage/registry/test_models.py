"""Registered models: made, found by nothing but their name, renamed, deleted."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import errors
from runstone.model import Alias, Stage, Tag
from runstone.storage.db import Database
from runstone.storage.registry import aliases, models, naming, versions
from runstone.storage.tx import Tx
from tests.storage.registry import making
from tests.storage.registry.making import NOTE


def test_a_model_is_what_was_told(db: Database) -> None:
    """And comes back so, with the newest version of each stage."""
    tags = [Tag("team", "vision"), Tag("team", "speech"), Tag("é", "값")]
    db.transact(models.create, "꽃 분류", description="*", tags=tags, now_ms=5)
    for _ in range(3):
        db.transact(making.version, "꽃 분류")
    db.transact(making.move, "꽃 분류", 1, Stage.PRODUCTION)
    db.transact(aliases.put, "꽃 분류", alias="best", version=2, note=NOTE)

    found = db.look(models.by_name, "꽃 분류")

    assert found.description == "*"
    assert found.created_ms == 5
    assert found.updated_ms == 9
    assert found.tags == (Tag("team", "speech"), Tag("é", "값"))
    assert found.aliases == (Alias("best", 2),)
    newest = {(each.version, each.stage) for each in found.latest}
    assert newest == {(1, Stage.PRODUCTION), (3, Stage.NONE)}


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "A"), ("a", "a "), ("a", "a."), ("é", "e"), ("a", "\u0430")],
)
def test_no_name_shadows_another(db: Database, first: str, second: str) -> None:
    """Case, blanks, dots, accents and look-alikes: each name is its own model."""
    db.transact(making.model, first, 1)
    with pytest.raises(errors.ModelNotFound):
        db.look(models.by_name, second)

    db.transact(making.model, second)

    assert db.look(models.by_name, first).latest
    assert not db.look(models.by_name, second).latest


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", "../x", "..x", "a/b", "/a", "a:b", "a%2Fb", "a%252Fb"),
        *("a%00b", "a\0b", "a\nb", "a\x7fb", "a\u200bb", "a\u202eb", "a\u00a0b"),
        *("a\ud800b", "n" * 501),
    ],
)
def test_a_name_that_passes_for_another_is_refused(db: Database, name: str) -> None:
    """CVE-2024-3099 and its kin: at creation and as a new name, nothing written."""
    db.transact(making.model, "honest")

    with pytest.raises(errors.InvalidInput):
        db.transact(models.create, name, now_ms=1)
    with pytest.raises(errors.InvalidInput):
        db.transact(models.rename, name="honest", new_name=name, note=NOTE)

    assert db.look(lambda tx: tx.all("SELECT name FROM registered_model")) == [
        ("honest",)
    ]


@given(st.text(max_size=20))
def test_a_name_is_kept_in_one_spelling(name: str) -> None:
    """What is kept is kept as it is when it comes again."""
    try:
        kept = naming.model(name)
    except errors.InvalidInput:
        return

    assert naming.model(kept) == kept
    assert naming.model(unicodedata.normalize("NFD", name)) == kept


def test_the_same_text_in_two_spellings_is_one_model(db: Database) -> None:
    """Some systems decompose what people type, others do not."""
    db.transact(models.create, unicodedata.normalize("NFD", "모델 é"), now_ms=1)

    assert db.look(models.by_name, unicodedata.normalize("NFC", "모델 é"))
    with pytest.raises(errors.ModelExists):
        db.transact(models.create, unicodedata.normalize("NFC", "모델 é"), now_ms=1)


def test_a_taken_name_is_told_by_what_has_it(db: Database) -> None:
    """MLflow keeps prompts beside models; nobody can see why a name is taken."""
    prompt = [Tag(models.PROMPT_TAG, "true")]
    db.transact(models.create, "greeting", tags=prompt, now_ms=1)

    with pytest.raises(errors.ModelExists, match="taken by a prompt"):
        db.transact(models.create, "greeting", now_ms=2)
    with pytest.raises(errors.ModelExists, match=r"Prompt .* already exists"):
        db.transact(models.create, "greeting", tags=prompt, now_ms=2)


def test_a_rename_takes_everything_along(db: Database) -> None:
    """Versions, aliases, tags and history are the model's, not the name's."""
    db.transact(making.model, "old", 2, team="vision")
    db.transact(aliases.put, "old", alias="best", version=2, note=NOTE)

    db.transact(models.rename, name="old", new_name="new", note=NOTE)

    found = db.look(models.by_name, "new")
    assert found.aliases == (Alias("best", 2),)
    assert found.tags == (Tag("team", "vision"),)
    assert db.look(aliases.version, "new", alias="best").model == "new"
    assert [each.subject for each in db.look(making.history, "new")] == ["best", ""]
    with pytest.raises(errors.VersionNotFound):
        db.look(versions.by_version, "old", 1)


def test_a_name_that_is_taken_is_not_given(db: Database) -> None:
    """And nothing of the attempt is left."""
    db.transact(making.model, "a", 1)
    db.transact(making.model, "b")

    with pytest.raises(errors.ModelExists):
        db.transact(models.rename, name="a", new_name="b", note=NOTE)

    assert db.look(models.by_name, "a").latest
    assert db.transact(models.rename, name="a", new_name="a", note=NOTE).name == "a"


def test_a_deleted_model_leaves_only_its_history(db: Database) -> None:
    """And another one of its name begins at version 1."""
    db.transact(making.model, "iris", 2, team="vision")
    db.transact(aliases.put, "iris", alias="best", version=2, note=NOTE)
    db.transact(making.move, "iris", 1, Stage.PRODUCTION)

    db.transact(models.delete, "iris", note=NOTE)

    with pytest.raises(errors.ModelNotFound):
        db.look(models.by_name, "iris")
    for table in (
        *("registered_model", "registered_model_tag", "registered_model_alias"),
        *("model_version", "model_version_tag"),
    ):
        assert db.look(making.every, table) == []
    assert making.replay(db.look(making.history, "iris")) == ({}, {})
    db.transact(making.model, "iris")
    assert db.transact(making.version, "iris") == 1


def test_what_a_missing_model_is_asked_is_said_to_be_missing(db: Database) -> None:
    """Nothing is made on the way."""
    asked: list[Callable[[Tx], Any]] = [
        lambda tx: models.describe(tx, "none", "x", now_ms=1),
        lambda tx: models.rename(tx, name="none", new_name="x", note=NOTE),
        lambda tx: models.delete(tx, "none", note=NOTE),
        lambda tx: models.set_tag(tx, "none", Tag("a", "1")),
        lambda tx: models.delete_tag(tx, "none", "a"),
        lambda tx: aliases.put(tx, "none", alias="a", version=1, note=NOTE),
        lambda tx: aliases.drop(tx, "none", alias="a", note=NOTE),
        lambda tx: aliases.version(tx, "none", alias="latest"),
        lambda tx: making.version(tx, "none"),
        lambda tx: making.move(tx, "none", 1, Stage.STAGING),
        lambda tx: making.history(tx, "none"),
    ]
    for ask in asked:
        with pytest.raises(errors.ModelNotFound, match="none"):
            db.transact(ask)


def test_tags_are_set_changed_and_removed(db: Database) -> None:
    """Removing one that is not there is no mistake, as in MLflow."""
    db.transact(making.model, "iris", a="1")

    db.transact(models.set_tag, "iris", Tag("a", "2"))
    db.transact(models.set_tag, "iris", Tag("b", ""))
    db.transact(models.delete_tag, "iris", "none")
    assert dict(db.look(models.by_name, "iris").tags) == {"a": "2", "b": ""}
    db.transact(models.delete_tag, "iris", "a")
    assert dict(db.look(models.by_name, "iris").tags) == {"b": ""}
    with pytest.raises(errors.TooLarge):
        db.transact(models.set_tag, "iris", Tag("c", "v" * 100_001))


def test_many_models_come_with_a_fixed_number_of_queries(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of a thousand asks no more often than a page of one."""
    numbers = []
    for place in range(20):
        db.transact(making.model, f"m{place}", 2)
        numbers.append(db.look(models.by_name, f"m{place}").number)
    asked = 0
    execute = Tx._execute

    def counting(tx: Tx, sql: str, params: dict[str, Any]) -> None:
        nonlocal asked
        asked += 1
        execute(tx, sql, params)

    monkeypatch.setattr(Tx, "_execute", counting)

    assert len(db.look(models.by_numbers, numbers[:1])) == 1
    of_one, asked = asked, 0
    assert len(db.look(models.by_numbers, numbers)) == 20
    assert asked == of_one == 5
