"""Points that runs measured of models: the run's series has them too."""

import math
from collections.abc import Sequence
from typing import Any

from runstone import errors, limits
from runstone.model import ModelPoint, Param, Point, Tag
from runstone.storage import batches, runs, words
from runstone.storage.metrics import Batch
from runstone.storage.tx import Tx


def log(
    tx: Tx,
    run_id: str,
    measured: Sequence[ModelPoint],
    *,
    points: Batch,
    params: Sequence[Param] = (),
    tags: Sequence[Tag] = (),
) -> None:
    """
    Write a batch of a live run of which some points were measured of models.

    Args:
        tx: Transaction.

        run_id: The run.

        measured: The points that are about models; the same point twice is one.

        points: All points of the batch, *measured* among them.

        params: Params of the run.

        tags: Tags of the run.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
        LoggedModelNotFound: No model has an id of *measured*.
        ParamChanged: A param already has another value.
    """
    numbers = _numbers(tx, {item.model_id for item in measured})
    batches.log(tx, run_id, points=points, params=params, tags=tags)
    run = runs.require(tx, run_id).run
    tx.run_many(
        """
        INSERT INTO logged_model_point (model_id, key_id, step, time_ms, value,
            is_nan, run_id, dataset_id, digest_id)
        VALUES (:model, :key, :step, :time_ms, :value,
            :is_nan, :run, :dataset, :digest)
        ON CONFLICT (model_id, key_id, step, time_ms, value,
            is_nan, run_id, dataset_id, digest_id) DO NOTHING
        """,
        [row | {"run": run} for row in _rows(tx, measured, numbers)],
    )


def of_models(tx: Tx, models: list[int]) -> dict[int, list[ModelPoint]]:
    """Return the points of each model, by key and then from the first step on."""
    found: dict[int, list[ModelPoint]] = {}
    rows = tx.all(
        """
        SELECT p.model_id, l.uuid, word.name, p.step, p.time_ms, p.value, p.is_nan,
            COALESCE(dataset.name, ''), COALESCE(digest.name, ''), run.uuid
        FROM logged_model_point p
        JOIN logged_model l ON l.id = p.model_id
        JOIN word ON word.id = p.key_id
        JOIN run ON run.id = p.run_id
        LEFT JOIN word dataset ON dataset.id = p.dataset_id
        LEFT JOIN word digest ON digest.id = p.digest_id
        WHERE p.model_id IN (:models)
        ORDER BY p.model_id, word.name, p.step, p.time_ms, p.value, p.is_nan,
            p.run_id, p.dataset_id, p.digest_id
        """,
        models=models,
    )
    for model, uuid, key, step, time_ms, value, is_nan, *rest in rows:
        point = Point(key, step, time_ms, float("nan") if is_nan else value)
        found.setdefault(model, []).append(ModelPoint(uuid, point, *rest))

    return found


def _numbers(tx: Tx, model_ids: set[str]) -> dict[str, int]:
    """Return the number of each model."""
    ids = sorted(model_ids)
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        rows = tx.all(
            "SELECT uuid, id FROM logged_model WHERE uuid IN (:ids)",
            ids=ids[start : start + 500],
        )
        found.update((row[0], row[1]) for row in rows)
    for model_id in ids:
        if model_id not in found:
            raise errors.LoggedModelNotFound(model_id)

    return found


def _rows(
    tx: Tx, measured: Sequence[ModelPoint], models: dict[str, int]
) -> list[dict[str, Any]]:
    texts: set[str] = set()
    for item in measured:
        words.clean("Dataset name", item.dataset_name, limits.DATASET_NAME_CHARS)
        words.clean("Dataset digest", item.dataset_digest, limits.DATASET_DIGEST_CHARS)
        texts |= {item.point.key, item.dataset_name, item.dataset_digest}
    numbers = words.intern(tx, sorted(texts - {""})) | {"": 0}

    return [
        {
            "model": models[item.model_id],
            "key": numbers[item.point.key],
            "step": item.point.step,
            "time_ms": item.point.time_ms,
            "value": 0.0 if math.isnan(item.point.value) else item.point.value,
            "is_nan": int(math.isnan(item.point.value)),
            "dataset": numbers[item.dataset_name],
            "digest": numbers[item.dataset_digest],
        }
        for item in measured
    ]
