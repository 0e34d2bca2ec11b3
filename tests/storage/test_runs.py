"""Runs: every rule of states, names, params, tags and the bin."""

import math

import pytest

from runstone import errors, limits
from runstone.model import Lifecycle, Param, Point, RunStatus, Tag
from runstone.storage import datasets, documents, experiments, runs
from runstone.storage.datasets import ModelOutput
from runstone.storage.db import Database
from tests.factories import log, new_experiment, new_run


BAD_TEXTS = ["a\0b", "\ud800"]


def params(db: Database, run_id: str) -> dict[str, str]:
    """Return a run's params."""
    return dict(db.look(documents.by_id, run_id).params)


def tags(db: Database, run_id: str) -> dict[str, str]:
    """Return a run's tags."""
    return dict(db.look(documents.by_id, run_id).tags)


def test_a_new_run_is_running(db: Database) -> None:
    """With a place for artifacts below its experiment's, and its name as a tag."""
    experiment = db.transact(
        experiments.create, "a", artifact_location="s3://b/e/", now_ms=1
    )

    run = db.transact(
        runs.create, "f" * 32, experiment, name="이름", user="ann", start_ms=7
    )

    assert run == db.look(runs.by_id, "f" * 32)
    assert run[1:] == (
        "f" * 32,
        experiment,
        "이름",
        "ann",
        RunStatus.RUNNING,
        Lifecycle.ACTIVE,
        7,
        None,
        f"s3://b/e/{'f' * 32}/artifacts",
    )
    assert tags(db, run.id) == {runs.NAME_TAG: "이름"}


def test_a_run_has_its_id_for_itself(db: Database) -> None:
    """A second one of the same id is refused in our words."""
    run_id = new_run(db)

    with pytest.raises(errors.Conflict):
        db.transact(runs.create, run_id, 0, name="x", start_ms=0)


def test_a_run_that_is_not_there(db: Database) -> None:
    """Every function says so."""
    for call in (
        lambda tx: runs.by_id(tx, "x"),
        lambda tx: runs.require(tx, "x"),
        lambda tx: runs.touch(tx, "x"),
        lambda tx: runs.update(tx, "x", end_ms=1),
        lambda tx: runs.set_tags(tx, "x", []),
        lambda tx: runs.delete_tag(tx, "x", "a"),
        lambda tx: runs.log_params(tx, "x", []),
        lambda tx: runs.delete(tx, "x", now_ms=1),
        lambda tx: runs.restore(tx, "x"),
        lambda tx: datasets.log_inputs(tx, "x", []),
        lambda tx: datasets.log_outputs(tx, "x", []),
        lambda tx: documents.by_id(tx, "x"),
    ):
        with pytest.raises(errors.RunNotFound):
            db.transact(call)


def test_a_deleted_run_takes_nothing(db: Database) -> None:
    """And is as it was when it is taken out of the bin."""
    run_id = new_run(db)
    db.transact(runs.log_params, run_id, [Param("a", "1")])
    before = db.look(documents.by_id, run_id)
    db.transact(runs.delete, run_id, now_ms=5)
    db.transact(runs.delete, run_id, now_ms=6)

    for call in (
        lambda tx: runs.update(tx, run_id, status=RunStatus.FAILED),
        lambda tx: runs.set_tags(tx, run_id, [Tag("a", "b")]),
        lambda tx: runs.delete_tag(tx, run_id, runs.NAME_TAG),
        lambda tx: runs.log_params(tx, run_id, [Param("b", "1")]),
        lambda tx: datasets.log_inputs(tx, run_id, []),
        lambda tx: datasets.log_outputs(tx, run_id, [ModelOutput("m", 0)]),
    ):
        with pytest.raises(errors.RunDeleted, match="restore it"):
            db.transact(call)

    db.transact(runs.restore, run_id)
    db.transact(runs.restore, run_id)
    assert db.look(documents.by_id, run_id)._replace(version=0) == before._replace(
        version=0
    )


def test_a_run_changes_only_in_what_is_given(db: Database) -> None:
    """State, end and name, each by itself."""
    run_id = new_run(db, name="old")

    db.transact(runs.update, run_id, status=RunStatus.KILLED)
    ended = db.transact(runs.update, run_id, end_ms=9)
    named = db.transact(runs.update, run_id, name="new")
    same = db.transact(runs.update, run_id)

    assert (ended.status, ended.end_ms, ended.name) == (RunStatus.KILLED, 9, "old")
    assert named == same == ended._replace(name="new")
    assert tags(db, run_id)[runs.NAME_TAG] == "new"


def test_the_name_and_its_tag_are_one(db: Database) -> None:
    """MLflow's clients rename a run by its tag; the name given wins over a tag."""
    run_id = new_run(db, name="old", tags=[Tag(runs.NAME_TAG, "ignored")])
    assert tags(db, run_id)[runs.NAME_TAG] == "old"

    db.transact(runs.set_tags, run_id, [Tag(runs.NAME_TAG, "new"), Tag("a", "b")])

    assert db.look(runs.by_id, run_id).name == "new"
    assert tags(db, run_id) == {runs.NAME_TAG: "new", "a": "b"}


@pytest.mark.parametrize("name", [*BAD_TEXTS, "n" * (limits.RUN_NAME_CHARS + 1)])
def test_a_name_that_cannot_be_kept_is_refused(db: Database, name: str) -> None:
    """However it comes."""
    run_id = new_run(db, name="fine")

    with pytest.raises(errors.InvalidInput):
        new_run(db, name=name)
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.update, run_id, name=name)
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.set_tags, run_id, [Tag(runs.NAME_TAG, name)])
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.create, "1" * 32, 0, name="x", user=name, start_ms=0)

    assert db.look(runs.by_id, run_id).name == "fine"


def test_a_param_is_written_once(db: Database) -> None:
    """The same value may come again; another is refused with all that came along."""
    run_id = new_run(db)
    db.transact(runs.log_params, run_id, [Param("lr", "0.1"), Param("lr", "0.1")])
    db.transact(runs.log_params, run_id, [Param("lr", "0.1"), Param("opt", "Adam")])

    with pytest.raises(errors.ParamChanged, match=r"'0\.1'.*'0\.2'"):
        db.transact(runs.log_params, run_id, [Param("new", "1"), Param("lr", "0.2")])
    with pytest.raises(errors.ParamChanged, match=r"'1'.*'2'"):
        db.transact(runs.log_params, run_id, [Param("new", "1"), Param("new", "2")])

    assert params(db, run_id) == {"lr": "0.1", "opt": "Adam"}


def test_a_value_is_compared_as_it_is(db: Database) -> None:
    """No database folds case or cuts blanks where a param is compared."""
    run_id = new_run(db)
    db.transact(runs.log_params, run_id, [Param("a", "x")])

    for value in ("X", "x ", "x\n", ""):
        with pytest.raises(errors.ParamChanged):
            db.transact(runs.log_params, run_id, [Param("a", value)])


def test_a_tag_is_the_last_that_was_set(db: Database) -> None:
    """Within a batch too."""
    run_id = new_run(db, tags=[Tag("a", "0")])

    db.transact(runs.set_tags, run_id, [Tag("a", "1"), Tag("b", ""), Tag("a", "2")])
    db.transact(runs.set_tags, run_id, [])

    assert tags(db, run_id) == {"a": "2", "b": "", runs.NAME_TAG: "run"}


def test_a_tag_is_removed_once(db: Database) -> None:
    """The second time it is told that there is none; so is a key never met."""
    run_id = new_run(db, tags=[Tag("a", "0")])

    db.transact(runs.delete_tag, run_id, "a")

    assert "a" not in tags(db, run_id)
    for key in ("a", "never"):
        with pytest.raises(errors.NotFound, match=f"No tag with name: {key}"):
            db.transact(runs.delete_tag, run_id, key)


@pytest.mark.parametrize("key", [*BAD_TEXTS, "k" * 251])
def test_a_key_that_cannot_be_kept_is_refused(db: Database, key: str) -> None:
    """A param's like a tag's."""
    run_id = new_run(db)

    with pytest.raises(errors.InvalidInput):
        db.transact(runs.log_params, run_id, [Param("fine", "1"), Param(key, "1")])
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.set_tags, run_id, [Tag("fine", "1"), Tag(key, "1")])

    assert params(db, run_id) == {}
    assert tags(db, run_id) == {runs.NAME_TAG: "run"}


def test_the_longest_values_are_kept(db: Database) -> None:
    """Whole, not cut; one character more is refused."""
    run_id = new_run(db)
    param = Param("p", "한" * limits.PARAM_VALUE_CHARS)
    tag = Tag("t", "😀" * limits.TAG_VALUE_CHARS)

    db.transact(runs.log_params, run_id, [param])
    db.transact(runs.set_tags, run_id, [tag])

    assert params(db, run_id) == {"p": param.value}
    assert tags(db, run_id)["t"] == tag.value
    with pytest.raises(errors.TooLarge):
        db.transact(runs.log_params, run_id, [Param("q", param.value + "x")])
    with pytest.raises(errors.TooLarge):
        db.transact(runs.set_tags, run_id, [Tag("t", tag.value + "x")])


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_a_value_that_cannot_be_kept_is_refused(db: Database, text: str) -> None:
    """On every database alike."""
    run_id = new_run(db)

    with pytest.raises(errors.InvalidInput):
        db.transact(runs.log_params, run_id, [Param("p", text)])
    with pytest.raises(errors.InvalidInput):
        db.transact(runs.set_tags, run_id, [Tag("t", text)])


def test_runs_do_not_mix(db: Database) -> None:
    """Many are read at once, each with what is its own, in the order asked for."""
    experiment = new_experiment(db)
    names = [new_run(db, experiment, name=f"r{n}") for n in range(3)]
    for n, run_id in enumerate(names):
        db.transact(runs.log_params, run_id, [Param("n", str(n))])
        log(db, run_id, [Point("m", 0, 0, float(n)), Point("x", 0, 0, math.inf)])
    numbers = [db.look(runs.require, run_id).run for run_id in names]

    found = db.look(documents.whole, numbers[::-1])

    assert [dict(each.params)["n"] for each in found] == ["2", "1", "0"]
    assert [each.metrics[0].value for each in found] == [2.0, 1.0, 0.0]
