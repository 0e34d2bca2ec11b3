"""Datasets that runs read, and models that they made."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from runstone import limits
from runstone.model import Dataset, DatasetInput, Tag
from runstone.storage import runs, words
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


class Summary(NamedTuple):
    """A dataset as a search of datasets shows it."""

    experiment_id: int
    name: str
    digest: str
    context: str | None


class ModelOutput(NamedTuple):
    """A model that a run made, and at which step."""

    model_id: str
    step: int


class Models(NamedTuple):
    """Models that went into a run, by their ids, and those that it made."""

    inputs: list[str]
    outputs: list[ModelOutput]


CONTEXT_TAG = "mlflow.data.context"
"""The input tag that says what a dataset was used for."""


def log_inputs(
    tx: Tx, run_id: str, inputs: Iterable[DatasetInput], models: Iterable[str] = ()
) -> None:
    """
    Note what a live run read, and the ids of models that went in.

    The same dataset, or model, twice is one input.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
    """
    place = runs.touch(tx, run_id)
    put_inputs(tx, place, inputs)
    for model in models:
        tx.run(
            """
            INSERT INTO model_input (run_id, model_id) VALUES (:run, :model)
            ON CONFLICT (run_id, model_id) DO NOTHING
            """,
            run=place.run,
            model=words.clean("Model id", model, 64),
        )


def put_inputs(tx: Tx, place: Place, inputs: Iterable[DatasetInput]) -> None:
    """Note what a run read that was just touched."""
    for item in inputs:
        number = _put(tx, place.experiment, item.dataset)
        tx.run(
            """
            INSERT INTO input (run_id, dataset_id, context, tags)
            VALUES (:run, :dataset, :context, :tags)
            ON CONFLICT (run_id, dataset_id) DO NOTHING
            """,
            run=place.run,
            dataset=number,
            context=dict(item.tags).get(CONTEXT_TAG),
            tags=json.dumps(
                {
                    words.clean("Tag key", tag.key, 255): words.clean(
                        f"Value of tag {tag.key!r}", tag.value, 500
                    )
                    for tag in item.tags
                },
                ensure_ascii=False,
            ),
        )


def log_outputs(tx: Tx, run_id: str, outputs: Iterable[ModelOutput]) -> None:
    """
    Note which models a live run made.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
    """
    place = runs.touch(tx, run_id)
    for output in outputs:
        tx.run(
            """
            INSERT INTO output (run_id, model_id, step)
            VALUES (:run, :model, :step)
            ON CONFLICT (run_id, model_id, step) DO NOTHING
            """,
            run=place.run,
            model=words.clean("Model id", output.model_id, 64),
            step=output.step,
        )


def inputs(tx: Tx, numbers: Sequence[int]) -> dict[int, list[DatasetInput]]:
    """Return what each run read, the dataset that was first noted first."""
    found: dict[int, list[DatasetInput]] = {}
    rows = tx.all(
        """
        SELECT input.run_id, input.tags, dataset.name, dataset.digest,
            dataset.source_type, dataset.source, dataset.dataset_schema,
            dataset.profile
        FROM input JOIN dataset ON dataset.id = input.dataset_id
        WHERE input.run_id IN (:runs) ORDER BY input.run_id, dataset.id
        """,
        runs=list(numbers),
    )
    for run, tags, *fields in rows:
        pairs = tuple(Tag(key, value) for key, value in json.loads(tags).items())
        found.setdefault(run, []).append(DatasetInput(Dataset(*fields), pairs))

    return found


def models(tx: Tx, numbers: Sequence[int]) -> dict[int, Models]:
    """Return which models went into each run and which it made, in one question."""
    found: dict[int, Models] = {}
    rows = tx.all(
        """
        SELECT run_id, 1, model_id, 0 FROM model_input WHERE run_id IN (:runs)
        UNION ALL
        SELECT run_id, 0, model_id, step FROM output WHERE run_id IN (:runs)
        ORDER BY 1, 2, 4, 3
        """,
        runs=list(numbers),
    )
    for run, is_input, model, step in rows:
        used = found.setdefault(run, Models([], []))
        if is_input:
            used.inputs.append(model)
        else:
            used.outputs.append(ModelOutput(model, step))

    return found


def search(tx: Tx, experiment_ids: Sequence[int], *, most: int) -> list[Summary]:
    """Return datasets with each context of use, the first noted first."""
    rows = tx.all(
        """
        SELECT dataset.experiment_id, dataset.name, dataset.digest, input.context
        FROM dataset
        JOIN input ON input.dataset_id = dataset.id
        JOIN run ON run.id = input.run_id AND run.lifecycle = 'active'
        WHERE dataset.experiment_id IN (:ids)
        GROUP BY dataset.id, dataset.experiment_id, dataset.name, dataset.digest,
            input.context
        ORDER BY dataset.id, COALESCE(input.context, '') LIMIT :most
        """,
        ids=list(experiment_ids),
        most=most,
    )

    return [Summary(*row) for row in rows]


def _put(tx: Tx, experiment: int, dataset: Dataset) -> int:
    """Return the number of a dataset, which is made where it is new."""
    big = limits.DATASET_TEXT_CHARS
    name = words.clean("Dataset name", dataset.name, limits.DATASET_NAME_CHARS)
    digest = words.clean("Dataset digest", dataset.digest, limits.DATASET_DIGEST_CHARS)
    optional = {
        "schema": dataset.schema,
        "profile": dataset.profile,
    }
    for what, value in optional.items():
        if value is not None:
            words.clean(f"Dataset {what}", value, big)
    tx.run(
        """
        INSERT INTO dataset (experiment_id, name, digest, source_type, source,
            dataset_schema, profile)
        VALUES (:experiment, :name, :digest, :source_type, :source,
            :schema, :profile)
        ON CONFLICT (experiment_id, name, digest) DO NOTHING
        """,
        experiment=experiment,
        name=name,
        digest=digest,
        source_type=words.clean("Dataset source type", dataset.source_type, 64),
        source=words.clean("Dataset source", dataset.source, big),
        **optional,
    )
    row = tx.one(
        """
        SELECT id FROM dataset
        WHERE experiment_id = :experiment AND name = :name AND digest = :digest
        """,
        experiment=experiment,
        name=name,
        digest=digest,
    )
    assert row is not None

    return int(row[0])
