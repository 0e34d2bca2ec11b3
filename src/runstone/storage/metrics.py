"""
Points on their way in: blocks, and the latest value of each series.

Points wait in `blocks` until `compaction` makes sorted, compressed `chunks` of
them; `series` reads both.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runstone import errors, limits
from runstone.storage import groups, runs, words
from runstone.storage.blocks import POINT, RECORD
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


class Batch(NamedTuple):
    """Points of one run as columns of equal length."""

    keys: Sequence[str]
    steps: Sequence[int]
    times_ms: Sequence[int]
    values: Sequence[float]


class Latest(NamedTuple):
    """What is known of a series without reading it."""

    key: str
    step: int
    time_ms: int
    value: float
    low: float | None
    high: float | None
    points: int


def append(tx: Tx, run_id: str, batch: Batch) -> None:
    """
    Add points to a live run; a point that is already there is left alone.

    So a batch may be sent twice: a client resends one whose answer it never
    saw.

    Raises:
        RunNotFound: No run has this id.
        RunDeleted: The run is in the bin.
        InvalidInput: A step or a time is beyond 64 bits.
    """
    require_keys(tx, batch)
    if batch.keys:
        put(tx, {runs.touch(tx, run_id): batch})


def append_all(
    tx: Tx, calls: Sequence[tuple[str, Batch]]
) -> list[errors.RunstoneError | None]:
    """Do many calls of `append` as one set; what one raises is its answer."""
    answers = [_key_fault(tx, batch) for _, batch in calls]
    writing = [
        number
        for number, (_, batch) in enumerate(calls)
        if batch.keys and not answers[number]
    ]
    places = runs.touch_all(tx, [calls[number][0] for number in writing])
    batches: dict[Place, list[Batch]] = {}
    for number in writing:
        run_id, batch = calls[number]
        place = places[run_id]
        if not isinstance(place, Place):
            answers[number] = place
        elif _is_wide(batch):
            answers[number] = _too_wide()
        else:
            batches.setdefault(place, []).append(batch)
    put(tx, {place: _joined(parts) for place, parts in batches.items()})

    return answers


groups.together(append, append_all)


def put(tx: Tx, batches: Mapping[Place, Batch]) -> None:
    """
    Add points, at least one each, to runs that were just touched.

    Raises:
        InvalidInput: A step or a time is beyond 64 bits.
    """
    distinct = {place: set(batch.keys) for place, batch in batches.items()}
    numbers = words.intern(tx, set().union(*distinct.values()))
    blocks: list[dict[str, Any]] = []
    latest: list[dict[str, Any]] = []
    for place, batch in batches.items():
        count = len(batch.keys)
        encode = _each if len(distinct[place]) == count else _many
        try:
            body, tops = encode(batch, numbers)
        except (struct.error, OverflowError):
            raise _too_wide() from None
        blocks.append(
            {"run": place.run, "version": place.version, "points": count, "body": body}
        )
        for top in tops:
            top["run"] = place.run
            top["experiment"] = place.experiment
            latest.append(top)

    tx.run_many(INSERT_BLOCK, blocks)
    tx.run_many(UPSERT_LATEST, latest)


def require_keys(tx: Tx, batch: Batch) -> None:
    """
    Make sure that every database can keep these keys as they are.

    Raises:
        InvalidInput: One is no text, too long or empty.
    """
    for key in set(batch.keys):
        words.clean_key(tx, "Metric key", key)
        if not key:
            raise errors.InvalidInput("A metric key is empty; give the metric a name")


def _key_fault(tx: Tx, batch: Batch) -> errors.RunstoneError | None:
    try:
        require_keys(tx, batch)
    except errors.RunstoneError as error:
        return error

    return None


def _is_wide(batch: Batch) -> bool:
    """Say whether a step or a time does not fit into 64 bits."""
    return any(
        min(numbers) < limits.INT64_MIN or max(numbers) > limits.INT64_MAX
        for numbers in (batch.steps, batch.times_ms)
    )


def _too_wide() -> errors.InvalidInput:
    return errors.InvalidInput(
        "A step or a time does not fit into 64 bits; steps count up, times are "
        "milliseconds since 1970"
    )


def _joined(batches: Sequence[Batch]) -> Batch:
    """Return the points of several batches as one."""
    if len(batches) == 1:
        return batches[0]

    return Batch(*(list(chain(*columns)) for columns in zip(*batches, strict=True)))


INSERT_BLOCK: Final = """
    INSERT INTO block (run_id, version, points, body)
    VALUES (:run, :version, :points, :body)
"""

# MLflow's rule for the latest value: the greatest step, then time, then value,
# where a NaN counts as 0; of a NaN and a 0, we take the NaN, whichever came first.
# `>=`, not `>`: MySQL assigns one column after the other, and with `>=` the
# comparison stays true while it does.
_NEWER: Final = """
    (excluded.step, excluded.time_ms, excluded.value, excluded.is_nan)
    >= (latest.step, latest.time_ms, latest.value, latest.is_nan)
"""
UPSERT_LATEST: Final = f"""
    INSERT INTO latest (run_id, key_id, experiment_id, step, time_ms, value, is_nan,
        low, high, points)
    VALUES (:run, :key, :experiment, :step, :time_ms, :value, :is_nan,
        :low, :high, :points)
    ON CONFLICT (run_id, key_id) DO UPDATE SET
        points = latest.points + excluded.points,
        low = CASE WHEN latest.low IS NULL OR excluded.low < latest.low
            THEN excluded.low ELSE latest.low END,
        high = CASE WHEN latest.high IS NULL OR excluded.high > latest.high
            THEN excluded.high ELSE latest.high END,
        is_nan = CASE WHEN {_NEWER} THEN excluded.is_nan ELSE latest.is_nan END,
        value = CASE WHEN {_NEWER} THEN excluded.value ELSE latest.value END,
        time_ms = CASE WHEN {_NEWER} THEN excluded.time_ms ELSE latest.time_ms END,
        step = CASE WHEN {_NEWER} THEN excluded.step ELSE latest.step END
"""  # noqa: S608  # put together from our own text


def _each(batch: Batch, numbers: dict[str, int]) -> tuple[bytes, list[dict[str, Any]]]:
    """Make the block of points of different series, without the cost of arrays."""
    keys = [numbers[key] for key in batch.keys]
    values = list(map(float, batch.values))
    body = b"".join(map(RECORD.pack, keys, batch.steps, batch.times_ms, values))

    return body, list(
        map(_top, keys, batch.steps, batch.times_ms, values, values, values, repeat(1))
    )


def _many(batch: Batch, numbers: dict[str, int]) -> tuple[bytes, list[dict[str, Any]]]:
    """Make the block of many points, and what each series' latest value becomes."""
    points = np.empty(len(batch.keys), POINT)
    if len(numbers) == 1:
        points["key"] = numbers[batch.keys[0]]
    else:
        points["key"] = [numbers[key] for key in batch.keys]
    points["step"] = batch.steps
    points["time_ms"] = batch.times_ms
    points["value"] = batch.values

    return points.tobytes(), _tops(points)


def _tops(points: NDArray[Any]) -> list[dict[str, Any]]:
    """Return the greatest point, the bounds and the count of each key, by key."""
    key, step, time_ms, value = (np.ascontiguousarray(points[n]) for n in POINT.names)  # type: ignore[union-attr]  # a structured type has names
    is_nan = np.isnan(value)
    if np.all((key[1:] == key[:-1]) & (step[1:] > step[:-1])):
        order = np.arange(len(key))  # one series in order, as most come
    else:
        order = np.lexsort((is_nan, np.where(is_nan, 0.0, value), time_ms, step, key))
    key, value = key[order], value[order]
    starts = np.concatenate(([0], np.flatnonzero(key[1:] != key[:-1]) + 1))
    ends = np.append(starts[1:], len(key)) - 1
    last = order[ends]
    columns = (
        key[starts].tolist(),
        step[last].tolist(),
        time_ms[last].tolist(),
        points["value"][last].tolist(),
        np.fmin.reduceat(value, starts).tolist(),
        np.fmax.reduceat(value, starts).tolist(),
        (ends - starts + 1).tolist(),
    )

    return list(map(_top, *columns))


def _top(
    key: int,
    step: int,
    time_ms: int,
    value: float,
    low: float,
    high: float,
    points: int,
) -> dict[str, Any]:
    """Say what a batch knows of a series; only NaN differs from itself."""
    is_nan = value != value  # noqa: PLR0124

    return {
        "key": key,
        "step": step,
        "time_ms": time_ms,
        "value": 0.0 if is_nan else value,
        "is_nan": int(is_nan),
        "low": None if low != low else low,  # noqa: PLR0124
        "high": None if high != high else high,  # noqa: PLR0124
        "points": points,
    }
