"""Logged models: what MLflow 3 keeps of a model beside its run."""

import json
import uuid

import pytest

from runstone import errors, limits
from runstone.model import (
    Lifecycle,
    LoggedModel,
    ModelPoint,
    ModelStatus,
    Param,
    Point,
    Tag,
)
from runstone.storage import (
    documents,
    experiments,
    logged_models,
    model_points,
    runs,
    series,
)
from runstone.storage.db import Database
from tests.factories import batch, new_experiment, new_model, new_run


def of(
    model: LoggedModel, *points: Point, data: tuple[str, str] = ("", "")
) -> list[ModelPoint]:
    """Say that points are about a model."""
    return [ModelPoint(model.id, point, *data) for point in points]


def measure(db: Database, run_id: str, measured: list[ModelPoint]) -> None:
    """Log points that are all about models."""
    points = batch(item.point for item in measured)
    db.transact(model_points.log, run_id, measured, points=points)


def test_a_model_comes_back_as_it_was_made(db: Database) -> None:
    """Whatever script its texts are in."""
    experiment = new_experiment(db)
    run_id = new_run(db, experiment)

    made = new_model(
        db,
        experiment,
        name="모델 1",
        source_run_id=run_id,
        type="agent",
        params=[Param("lr", "0.1"), Param("é", "")],
        tags=[Tag("team", "a"), Tag("team", "b"), Tag("Team", "c")],
    )

    found = db.look(logged_models.by_id, made.id)
    assert found == made
    assert found.status is ModelStatus.PENDING
    assert found.artifact_uri.endswith(f"/{experiment}/models/{made.id}/artifacts")
    assert dict(found.params) == {"lr": "0.1", "é": ""}
    assert dict(found.tags) == {"team": "b", "Team": "c"}


@pytest.mark.parametrize(
    "name", ["", "a/b", "a:b", "..", "a%b", 'a"b', "a'b", "n" * 501, "a\0b"]
)
def test_a_name_that_would_not_fit_a_uri_is_refused(db: Database, name: str) -> None:
    """It stands behind `runs:/<id>/`."""
    with pytest.raises(errors.InvalidInput):
        new_model(db, name=name)


def test_a_deleted_experiment_takes_no_models(db: Database) -> None:
    """The error says what would help."""
    experiment = new_experiment(db)
    db.transact(experiments.delete, experiment, now_ms=1)

    with pytest.raises(errors.ExperimentDeleted, match="restore it"):
        new_model(db, experiment)


def test_the_end_of_an_upload_is_kept_with_its_time(db: Database) -> None:
    """A reader knows a whole model from one whose upload was cut off."""
    made = new_model(db)

    db.transact(
        logged_models.finalize, model_id=made.id, status=ModelStatus.READY, now_ms=9
    )

    found = db.look(logged_models.by_id, made.id)
    assert (found.status, found.created_ms, found.updated_ms) == (
        ModelStatus.READY,
        made.created_ms,
        9,
    )


def test_params_are_written_once_and_tags_again_and_again(db: Database) -> None:
    """As with runs: a param that changes would be another model."""
    made = new_model(db, params=[Param("a", "1")])

    for _ in range(2):
        db.transact(
            logged_models.log_params,
            model_id=made.id,
            params=[Param("a", "1"), Param("b", "2")],
        )
    with pytest.raises(errors.ParamChanged):
        db.transact(
            logged_models.log_params,
            model_id=made.id,
            params=[Param("c", "3"), Param("a", "9")],
        )
    for value in ("x", "y"):
        db.transact(logged_models.set_tags, model_id=made.id, tags=[Tag("t", value)])

    found = db.look(logged_models.by_id, made.id)
    assert dict(found.params) == {"a": "1", "b": "2"}
    assert dict(found.tags) == {"t": "y"}
    db.transact(logged_models.delete_tag, model_id=made.id, key="t")
    assert db.look(logged_models.by_id, made.id).tags == ()
    with pytest.raises(errors.NotFound, match="No tag with key 't'"):
        db.transact(logged_models.delete_tag, model_id=made.id, key="t")


def test_a_deleted_model_is_found_only_by_who_asks_for_it(db: Database) -> None:
    """So it can be looked at before its files go."""
    made = new_model(db)

    db.transact(logged_models.delete, model_id=made.id, now_ms=5)

    with pytest.raises(errors.LoggedModelNotFound):
        db.look(logged_models.by_id, made.id)
    found = db.look(logged_models.by_id, made.id, allow_deleted=True)
    assert (found.lifecycle, found.updated_ms) == (Lifecycle.DELETED, 5)


def test_what_is_not_there_cannot_be_changed(db: Database) -> None:
    """Each way in says so."""
    nobody = f"m-{uuid.uuid4().hex}"

    for change in (
        lambda: db.transact(logged_models.set_tags, model_id=nobody, tags=[]),
        lambda: db.transact(logged_models.log_params, model_id=nobody, params=[]),
        lambda: db.transact(logged_models.delete, model_id=nobody, now_ms=1),
        lambda: db.transact(logged_models.delete_tag, model_id=nobody, key="x"),
        lambda: db.transact(
            logged_models.finalize,
            model_id=nobody,
            status=ModelStatus.READY,
            now_ms=1,
        ),
        lambda: db.look(logged_models.by_id, nobody),
    ):
        with pytest.raises(errors.LoggedModelNotFound, match="search"):
            change()


def test_a_point_of_a_model_is_the_runs_too(db: Database) -> None:
    """It is drawn with the run, and found with the model and its dataset."""
    run_id = new_run(db)
    made = new_model(db, source_run_id=run_id)
    first = of(made, Point("acc", 0, 1, 0.5))
    second = of(made, Point("acc", 1, 2, 0.75), data=("iris", "d1"))

    measure(db, run_id, first + second)

    found = db.look(logged_models.by_id, made.id).points
    assert list(found) == [item._replace(run_id=run_id) for item in (*first, *second)]
    page = db.look(series.page, run_id, "acc", offset=0, limit=10)
    assert page.columns.value.tolist() == [0.5, 0.75]


def test_a_point_of_a_model_that_is_sent_twice_is_one(db: Database) -> None:
    """On two datasets it is two; a NaN and the infinities are kept as they are."""
    run_id = new_run(db)
    made = new_model(db)
    values = [1.0, float("nan"), 0.0, float("inf"), float("-inf")]
    points = of(made, *(Point("m", 0, 0, value) for value in values))
    elsewhere = of(made, Point("m", 0, 0, 1.0), data=("iris", "d"))

    for _ in range(2):
        measure(db, run_id, points + elsewhere + points)

    found = db.look(logged_models.by_id, made.id).points
    kept = sorted(repr(item.point.value) for item in found)
    if db.dialect == "mysql":  # it has no infinities
        assert len(kept) == 6
    else:
        assert kept == ["-inf", "0.0", "1.0", "1.0", "inf", "nan"]


def test_a_batch_for_a_model_that_is_not_there_writes_nothing(db: Database) -> None:
    """Neither its run's half nor that of another model."""
    run_id = new_run(db)
    made = new_model(db)
    nobody = made._replace(id=f"m-{uuid.uuid4().hex}")
    point = Point("acc", 0, 1, 0.5)

    with pytest.raises(errors.LoggedModelNotFound):
        measure(db, run_id, of(made, point) + of(nobody, point))

    assert db.look(documents.by_id, run_id).metrics == []
    assert db.look(logged_models.by_id, made.id).points == ()


def test_a_deleted_run_measures_nothing(db: Database) -> None:
    """The model is left as it was."""
    run_id = new_run(db)
    made = new_model(db)
    db.transact(runs.delete, run_id, now_ms=1)

    with pytest.raises(errors.RunDeleted):
        measure(db, run_id, of(made, Point("acc", 0, 1, 0.5)))

    assert db.look(logged_models.by_id, made.id).points == ()


def test_a_run_shows_its_models_with_files(db: Database) -> None:
    """Of its own experiment: nobody puts a folder below the run of others."""
    here, there = new_experiment(db), new_experiment(db)
    run_id = new_run(db, here)
    for name in ("b", "a", "a"):
        new_model(db, here, name=name, source_run_id=run_id)
    external = [Tag(logged_models.EXTERNAL_TAG, "true")]
    new_model(db, here, name="external", source_run_id=run_id, tags=external)
    new_model(db, there, name="foreign", source_run_id=run_id)
    new_model(db, here, name="of nobody")
    gone = new_model(db, here, name="gone", source_run_id=run_id)
    db.transact(logged_models.delete, model_id=gone.id, now_ms=1)

    assert db.look(logged_models.names_of_run, run_id) == ["a", "b"]
    assert db.look(logged_models.place_in_run, run_id, "foreign") is None
    assert db.look(logged_models.place_in_run, run_id, "gone") is None


def test_of_several_models_with_one_name_the_newest_is_shown(db: Database) -> None:
    """As MLflow's clients choose; when it is deleted, the one before."""
    run_id = new_run(db)
    made = [
        new_model(db, name="model", source_run_id=run_id, now_ms=time_ms)
        for time_ms in (5, 9, 7)
    ]

    place = db.look(logged_models.place_in_run, run_id, "model")

    assert place == made[1].artifact_uri
    db.transact(logged_models.delete, model_id=made[1].id, now_ms=10)
    place = db.look(logged_models.place_in_run, run_id, "model")
    assert place == made[2].artifact_uri


def test_a_model_lists_its_registered_versions_once(db: Database) -> None:
    """Also when the list has grown over what a tag holds: the newest stay."""
    model = new_model(db)
    long = "n" * (limits.TAG_VALUE_CHARS - 70)
    for name, version in (("iris", 1), ("iris", 1), (long, 2), ("iris", 3)):
        db.transact(
            logged_models.note_version, model_id=model.id, name=name, version=version
        )

    tags = dict(db.look(logged_models.by_id, model.id).tags)

    assert [
        (len(each["name"]), each["version"])
        for each in json.loads(tags[logged_models.VERSIONS_TAG])
    ] == [(len(long), 2), (4, 3)]
    with pytest.raises(errors.LoggedModelNotFound):
        db.transact(logged_models.note_version, model_id="m-x", name="a", version=1)


def test_models_that_old_clients_note_form_a_list(db: Database) -> None:
    """In the tag where those clients look for them."""
    run_id = new_run(db)

    for path in ("a", "b"):
        db.transact(logged_models.note, run_id, {"artifact_path": path})

    tags = dict(db.look(documents.by_id, run_id).tags)
    noted = json.loads(tags[logged_models.HISTORY_TAG])
    assert noted == [{"artifact_path": "a"}, {"artifact_path": "b"}]


@pytest.mark.parametrize("value", ["", "{", "{}", "5"])
def test_a_broken_list_of_models_is_left_alone(db: Database, value: str) -> None:
    """Somebody wrote it; the error says what would help."""
    run_id = new_run(db, tags=[Tag(logged_models.HISTORY_TAG, value)])

    with pytest.raises(errors.InvalidInput, match="delete it first"):
        db.transact(logged_models.note, run_id, {})

    tags = dict(db.look(documents.by_id, run_id).tags)
    assert tags[logged_models.HISTORY_TAG] == value
