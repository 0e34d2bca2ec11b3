"""Experiments: every rule of names, bins and tags."""

import pytest

from runstone import errors, limits
from runstone.model import Lifecycle, RunStatus, Tag
from runstone.storage import experiments, runs
from runstone.storage.db import Database
from tests.factories import new_experiment, new_run


BAD_TEXTS = ["a\0b", "\ud800", "\udfff"]


def test_experiment_0_is_always_there(db: Database) -> None:
    """MLflow's clients take it for granted; its place is filled in once."""
    db.transact(experiments.settle_default, "s3://bucket/root/")
    db.transact(experiments.settle_default, "file:///elsewhere")

    default = db.look(experiments.by_id, 0)

    assert default.name == "Default"
    assert default.artifact_location == "s3://bucket/root/0"


def test_a_new_experiment_is_found_by_id_and_by_name(db: Database) -> None:
    """With its tags, and a folder of its own below the root."""
    tags = [Tag("a", "1"), Tag("b", "é")]

    number = db.transact(
        experiments.create, "실험 1", artifact_root="s3://b/", tags=tags, now_ms=5
    )

    found = db.look(experiments.by_id, number)
    assert found == db.look(experiments.by_name, "실험 1")
    assert found == (
        number,
        "실험 1",
        f"s3://b/{number}",
        Lifecycle.ACTIVE,
        5,
        5,
        tuple(tags),
    )


def test_a_place_that_is_given_is_kept(db: Database) -> None:
    """Nothing is appended to it."""
    number = db.transact(
        experiments.create, "a", artifact_location="s3://b/here", now_ms=5
    )

    assert db.look(experiments.by_id, number).artifact_location == "s3://b/here"


def test_a_name_is_given_once(db: Database) -> None:
    """The deleted keep theirs, and the error says how to get it back."""
    number = new_experiment(db, "taken")
    with pytest.raises(errors.ExperimentExists, match="already exists; use it"):
        new_experiment(db, "taken")

    db.transact(experiments.delete, number, now_ms=2)

    with pytest.raises(errors.ExperimentExists, match="restore it"):
        new_experiment(db, "taken")
    assert new_experiment(db, "Taken") != number


@pytest.mark.parametrize("text", [*BAD_TEXTS, "n" * 501])
def test_a_name_that_cannot_be_kept_is_refused(db: Database, text: str) -> None:
    """When it is created and when it is renamed."""
    number = new_experiment(db, "fine")

    with pytest.raises(errors.InvalidInput):
        new_experiment(db, text)
    with pytest.raises(errors.InvalidInput):
        db.transact(experiments.rename, number, text, now_ms=2)

    assert db.look(experiments.by_id, number).name == "fine"


@pytest.mark.parametrize("place", [*BAD_TEXTS, "s3://" + "b" * limits.URI_CHARS])
def test_a_place_that_cannot_be_kept_is_refused(db: Database, place: str) -> None:
    """On every database alike."""
    with pytest.raises(errors.InvalidInput):
        db.transact(experiments.create, "a", artifact_location=place, now_ms=1)


def test_the_longest_name_is_kept(db: Database) -> None:
    """In characters, not in bytes."""
    name = "한" * limits.EXPERIMENT_NAME_CHARS

    number = new_experiment(db, name)

    assert db.look(experiments.by_name, name).id == number


def test_renaming(db: Database) -> None:
    """To a free name, or to its own; never to another's."""
    number, other = new_experiment(db, "a"), new_experiment(db, "b")

    db.transact(experiments.rename, number, "c", now_ms=7)
    db.transact(experiments.rename, number, "c", now_ms=8)

    found = db.look(experiments.by_name, "c")
    assert (found.id, found.updated_ms) == (number, 7)
    with pytest.raises(errors.ExperimentExists):
        db.transact(experiments.rename, other, "c", now_ms=9)
    with pytest.raises(errors.ExperimentNotFound):
        db.look(experiments.by_name, "a")


def test_the_bin_takes_the_runs_too(db: Database) -> None:
    """And gives them back."""
    number = new_experiment(db)
    run_id = new_run(db, number)
    elsewhere = new_run(db)

    db.transact(experiments.delete, number, now_ms=9)

    assert db.look(experiments.by_id, number).lifecycle is Lifecycle.DELETED
    assert db.look(runs.by_id, run_id).lifecycle is Lifecycle.DELETED
    assert db.look(runs.by_id, elsewhere).lifecycle is Lifecycle.ACTIVE

    db.transact(experiments.restore, number, now_ms=10)

    assert db.look(experiments.by_id, number).updated_ms == 10
    assert db.look(runs.by_id, run_id).lifecycle is Lifecycle.ACTIVE


def test_what_is_in_the_bin_cannot_go_there_again(db: Database) -> None:
    """MLflow's clients expect 'not found' in both directions."""
    number = new_experiment(db)
    with pytest.raises(errors.ExperimentNotFound):
        db.transact(experiments.restore, number, now_ms=2)
    db.transact(experiments.delete, number, now_ms=2)

    with pytest.raises(errors.ExperimentNotFound):
        db.transact(experiments.delete, number, now_ms=3)


def test_a_deleted_experiment_takes_nothing(db: Database) -> None:
    """No run, no tag, no name."""
    number = new_experiment(db)
    db.transact(experiments.delete, number, now_ms=2)

    with pytest.raises(errors.ExperimentDeleted, match="restore it"):
        new_run(db, number)
    with pytest.raises(errors.ExperimentDeleted):
        db.transact(experiments.set_tag, number, Tag("a", "b"), now_ms=3)
    with pytest.raises(errors.ExperimentDeleted):
        db.transact(experiments.delete_tag, number, "a", now_ms=3)
    with pytest.raises(errors.ExperimentDeleted):
        db.transact(experiments.rename, number, "x", now_ms=3)


@pytest.mark.parametrize("number", [-1, 12345, 2**63 - 1])
def test_an_experiment_that_is_not_there(db: Database, number: int) -> None:
    """Every function says so."""
    with pytest.raises(errors.ExperimentNotFound):
        db.look(experiments.by_id, number)
    with pytest.raises(errors.ExperimentNotFound):
        db.transact(experiments.set_tag, number, Tag("a", "b"), now_ms=1)
    with pytest.raises(errors.ExperimentNotFound):
        db.transact(experiments.delete, number, now_ms=1)
    with pytest.raises(errors.ExperimentNotFound):
        new_run(db, number)


def test_tags_of_an_experiment(db: Database) -> None:
    """The later value counts; to remove one that is not there is told."""
    number = new_experiment(db)
    for value in ("1", "2", "2"):
        db.transact(experiments.set_tag, number, Tag("a", value), now_ms=4)
    db.transact(experiments.set_tag, number, Tag("A", ""), now_ms=5)

    assert db.look(experiments.by_id, number).tags == (Tag("A", ""), Tag("a", "2"))
    assert db.look(experiments.by_id, number).updated_ms == 5

    db.transact(experiments.delete_tag, number, "a", now_ms=6)

    assert db.look(experiments.by_id, number).tags == (Tag("A", ""),)
    with pytest.raises(errors.NotFound, match="No tag 'a'"):
        db.transact(experiments.delete_tag, number, "a", now_ms=6)


@pytest.mark.parametrize(
    "tag",
    [
        *(Tag(text, "v") for text in [*BAD_TEXTS, "k" * 251]),
        *(Tag("k", text) for text in [*BAD_TEXTS, "v" * 20_001]),
    ],
)
def test_a_tag_that_cannot_be_kept_is_refused(db: Database, tag: Tag) -> None:
    """And the experiment that it came with is not made."""
    with pytest.raises(errors.InvalidInput):
        db.transact(experiments.create, "a", tags=[tag], now_ms=1)

    with pytest.raises(errors.ExperimentNotFound):
        db.look(experiments.by_name, "a")


def test_experiments_are_counted_with_their_live_runs(db: Database) -> None:
    """Newest first; the deleted do not count."""
    first, second = new_experiment(db), new_experiment(db)
    done = new_run(db, first, start_ms=3)
    db.transact(runs.update, done, status=RunStatus.FINISHED)
    new_run(db, first, start_ms=5)
    gone = new_run(db, first, start_ms=9)
    db.transact(runs.delete, gone, now_ms=1)

    found = {each.experiment.id: each[1:] for each in db.look(experiments.counted)}

    assert list(found) == [second, first, 0]
    assert found == {second: (0, 0, None), first: (2, 1, 5), 0: (0, 0, None)}


def test_experiments_by_ids_come_in_the_order_asked_for(db: Database) -> None:
    """Those that are not there are left out."""
    numbers = [new_experiment(db) for _ in range(3)][::-1]

    found = db.look(experiments.by_ids, [*numbers, 999])

    assert [each.id for each in found] == numbers
    assert db.look(experiments.by_ids, []) == []
