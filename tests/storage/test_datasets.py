"""What runs read and made."""

import pytest

from runstone import errors
from runstone.model import Dataset, DatasetInput, Tag
from runstone.storage import datasets, documents, runs
from runstone.storage.datasets import ModelOutput, Summary
from runstone.storage.db import Database
from tests.factories import new_experiment, new_run


def used(name: str, context: str | None = None, digest: str = "d") -> DatasetInput:
    """Make an input."""
    tags = () if context is None else (Tag(datasets.CONTEXT_TAG, context),)

    return DatasetInput(Dataset(name, digest, "local", "{}", "s", "p"), tags)


def test_an_input_comes_back_as_it_was(db: Database) -> None:
    """Also one without schema and profile, and texts of every script."""
    run_id = new_run(db)
    bare = DatasetInput(Dataset("자료", "d", "http", "https://x"), (Tag("é", '"\\'),))

    db.transact(datasets.log_inputs, run_id, [used("a", "train"), bare])

    assert db.look(documents.by_id, run_id).inputs == [used("a", "train"), bare]


def test_the_same_dataset_is_one_input(db: Database) -> None:
    """A batch may be sent twice; two runs share the dataset, not its use."""
    experiment = new_experiment(db)
    first, second = new_run(db, experiment), new_run(db, experiment)
    for run_id, context in ((first, "train"), (first, "eval"), (second, "test")):
        db.transact(datasets.log_inputs, run_id, [used("a", context)] * 2)

    assert db.look(documents.by_id, first).inputs == [used("a", "train")]
    assert db.look(documents.by_id, second).inputs == [used("a", "test")]


def test_models_are_noted_once(db: Database) -> None:
    """By step, then by id."""
    run_id = new_run(db)
    made = [ModelOutput("m-b", 2), ModelOutput("m-a", 2), ModelOutput("m-c", -1)]

    db.transact(datasets.log_outputs, run_id, made)
    db.transact(datasets.log_outputs, run_id, made[:1])

    found = db.look(documents.by_id, run_id).outputs
    assert [output.model_id for output in found] == ["m-c", "m-a", "m-b"]


def test_models_that_went_in_are_noted_once(db: Database) -> None:
    """Beside those that came out: a run may read one and make it better."""
    run_id = new_run(db)

    for _ in range(2):
        db.transact(datasets.log_inputs, run_id, [used("a")], ["m-b", "m-a", "m-b"])
    db.transact(datasets.log_outputs, run_id, [ModelOutput("m-b", 0)])

    found = db.look(documents.by_id, run_id)
    assert found.model_inputs == ["m-a", "m-b"]
    assert found.outputs == [ModelOutput("m-b", 0)]
    assert found.inputs == [used("a")]


def test_datasets_are_listed_with_their_contexts(db: Database) -> None:
    """Of live runs in these experiments, in an order that does not change."""
    here, there = new_experiment(db), new_experiment(db)
    names = [new_run(db, here) for _ in range(4)]
    for run_id, context in zip(names, ("train", None, "eval", "train"), strict=True):
        db.transact(datasets.log_inputs, run_id, [used("a", context)])
    db.transact(datasets.log_inputs, names[0], [used("b")])
    db.transact(datasets.log_inputs, new_run(db, there), [used("c")])
    gone = new_run(db, here)
    db.transact(datasets.log_inputs, gone, [used("gone")])
    db.transact(runs.delete, gone, now_ms=1)

    found = db.look(datasets.search, [here], most=10)

    assert found == [
        Summary(here, "a", "d", None),
        Summary(here, "a", "d", "eval"),
        Summary(here, "a", "d", "train"),
        Summary(here, "b", "d", None),
    ]
    assert db.look(datasets.search, [here], most=2) == found[:2]
    assert len(db.look(datasets.search, [here, there], most=10)) == 5
    assert db.look(datasets.search, [], most=10) == []


@pytest.mark.parametrize(
    "dataset",
    [
        Dataset("n" * 501, "d", "t", "s"),
        Dataset("n", "d" * 65, "t", "s"),
        Dataset("a\0b", "d", "t", "s"),
        Dataset("n", "d", "t\0", "s"),
        Dataset("n", "d", "t", "\ud800"),
        Dataset("n", "d", "t", "s", schema="\0"),
        Dataset("n", "d", "t", "s", profile="\0"),
    ],
)
def test_a_dataset_that_cannot_be_kept_is_refused(
    db: Database, dataset: Dataset
) -> None:
    """And the others of its batch with it."""
    run_id = new_run(db)

    with pytest.raises(errors.InvalidInput):
        db.transact(datasets.log_inputs, run_id, [used("a"), DatasetInput(dataset)])

    assert db.look(documents.by_id, run_id).inputs == []


@pytest.mark.parametrize(
    "tag", [Tag("k" * 256, "v"), Tag("k", "v" * 501), Tag("\0", "v"), Tag("k", "\0")]
)
def test_an_input_tag_that_cannot_be_kept_is_refused(db: Database, tag: Tag) -> None:
    """JSON would keep it, a client would not."""
    with pytest.raises(errors.InvalidInput):
        db.transact(
            datasets.log_inputs,
            new_run(db),
            [DatasetInput(Dataset("a", "d", "t", "s"), (tag,))],
        )
