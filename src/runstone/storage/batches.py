"""A batch of everything that a run logs: all of it or nothing, as one version."""

from collections.abc import Sequence

from runstone.model import Param, Tag
from runstone.storage import labels, metrics, runs
from runstone.storage.metrics import Batch
from runstone.storage.tx import Tx


def log(
    tx: Tx, run_id: str, *, points: Batch, params: Sequence[Param], tags: Sequence[Tag]
) -> None:
    """
    Write points, params and tags of a live run.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: It is in the bin.
        InvalidInput: A key, a value, a step or a time cannot be kept.
        ParamChanged: A param already has another value; nothing was written.
    """
    metrics.require_keys(tx, points)
    place = runs.touch(tx, run_id)
    labels.add_params(tx, place.run, place.experiment, params)
    if points.keys:
        metrics.put(tx, {place: points})
    runs.put_tags(tx, place, tags)
