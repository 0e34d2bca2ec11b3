"""
Journals: what a writer of a run says, taken in once and in order.

Each writer numbers the bytes that it sends, and the record remembers how far it
has been heard, in the same transaction as what it said.  So a writer may send
anything again, and whoever died between the commit and the answer loses nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from runstone import errors, limits, names
from runstone.journal import (
    Begin,
    Call,
    Change,
    Inputs,
    Lines,
    Media,
    Params,
    Read,
    Record,
    Status,
    Tags,
    Untag,
)
from runstone.model import Dataset, DatasetInput, Param, RunStatus, Tag
from runstone.storage import (
    datasets,
    experiments,
    labels,
    media,
    metrics,
    runs,
    words,
)
from runstone.storage.media import Medium
from runstone.storage.metrics import Batch
from runstone.storage.running import console, lapses
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


class Portion(NamedTuple):
    """A stretch of a writer's journal."""

    writer: str
    """32 hex digits."""

    position: int
    """Bytes of the journal before it."""

    size: int
    records: Sequence[Record]
    alive: bool = True
    """Whether the writer lives; what a dead one left is sent by others."""


class Refusal(NamedTuple):
    """Something that was said and cannot be kept; the rest is."""

    what: str
    error: errors.RunstoneError


class Heard(NamedTuple):
    """What became of a portion."""

    position: int
    """How far the writer has been heard now."""

    refused: list[Refusal]


def append(
    tx: Tx, run_id: str, portion: Portion, *, artifact_root: str, now_ms: int
) -> Heard:
    """
    Take in what is new in a portion.

    A portion without records is a sign of life.  What cannot be kept, such as
    another value of a param, is named in the answer and not sent again.

    Raises:
        RunNotFound: The run is not there, and the portion does not begin it.
        RunDeleted: The run is in the bin.
        ExperimentDeleted: The experiment that it begins in is in the bin.
    """
    known, status = _known(tx, run_id, portion.writer)
    ends = [record.end for record in portion.records]
    first = bisect_right(ends, known - portion.position)
    fresh = [record.said for record in portion.records[first:]]
    position = max(known, portion.position + portion.size)
    heard_ms = now_ms if portion.alive else _said_ms(fresh, now_ms)
    if portion.alive and status == RunStatus.KILLED:
        lapses.revive(tx, run_id, portion.writer)
    if not fresh:
        place = runs.require(tx, run_id)
        _note(tx, place, portion.writer, position, done=None, heard_ms=heard_ms)
        return Heard(position, [])

    for said in fresh:
        if isinstance(said, Begin):
            _begin(tx, run_id, said, artifact_root=artifact_root, now_ms=now_ms)
    place = runs.touch(tx, run_id)
    refused = _change(tx, place, [s for s in fresh if not isinstance(s, Call)])
    refused += _lines(tx, place, [s for s in fresh if isinstance(s, Lines)])
    batch, misnamed = _batch([s for s in fresh if isinstance(s, Call)])
    if batch.keys:
        metrics.put(tx, {place: batch})
    _note(tx, place, portion.writer, position, done=_ends(fresh), heard_ms=heard_ms)

    return Heard(position, refused + misnamed)


def _known(tx: Tx, run_id: str, writer: str) -> tuple[int, str]:
    """Return how far a writer has been heard, and how far the run has come."""
    row = tx.one(
        """
        SELECT writer.position, run.status FROM writer
        JOIN run ON run.id = writer.run_id
        WHERE run.uuid = :run_id AND writer.uuid = :writer
        """,
        run_id=run_id,
        writer=writer,
    )

    return (row[0], row[1]) if row else (0, "")


def _said_ms(fresh: Sequence[Call | Change], now_ms: int) -> int:
    """Return when a writer that is dead by now said the last of this."""
    times = [
        said.start_ms if isinstance(said, Begin) else said.time_ms
        for said in fresh
        if isinstance(said, Begin | Call | Media | Lines)
    ]

    return min(max(times, default=0), now_ms)


def _note(
    tx: Tx,
    place: Place,
    writer: str,
    position: int,
    *,
    done: bool | None,
    heard_ms: int,
) -> None:
    """
    Note how far a writer has been heard.

    One that has not begun the run, such as a script that adds a tag later, is done
    from the start: the run does not end with it.
    """
    tx.run(
        """
        INSERT INTO writer (run_id, uuid, position, heard_ms, is_done)
        VALUES (:run, :writer, :position, :heard_ms, :done)
        ON CONFLICT (run_id, uuid) DO UPDATE SET
            position = excluded.position,
            heard_ms = CASE WHEN excluded.heard_ms > writer.heard_ms
                THEN excluded.heard_ms ELSE writer.heard_ms END,
            is_done = CASE WHEN :told = 1 THEN excluded.is_done ELSE writer.is_done END
        """,
        run=place.run,
        writer=writer,
        position=position,
        done=int(done is not False),
        told=int(done is not None),
        heard_ms=heard_ms,
    )


def _ends(fresh: Sequence[Call | Change]) -> bool | None:
    """Say whether the writer ends the run, or begins it, or neither."""
    last = fresh[-1]
    if isinstance(last, Status) and last.status != RunStatus.RUNNING:
        return True

    return False if any(isinstance(said, Begin) for said in fresh) else None


def _begin(
    tx: Tx, run_id: str, said: Begin, *, artifact_root: str, now_ms: int
) -> None:
    """Create the run, or let the one that is there go on."""
    tags = [Tag(key, value) for key, value in said.tags.items()]
    if tx.one("SELECT id FROM run WHERE uuid = :uuid", uuid=run_id) is None:
        runs.create(
            tx,
            run_id,
            _experiment(tx, said, artifact_root, now_ms),
            name=said.name or names.new(),
            user=said.user,
            start_ms=said.start_ms,
            tags=tags,
        )
        return

    place = runs.touch(tx, run_id)
    runs.set_status(tx, place, RunStatus.RUNNING, None)
    lapses.forget(tx, place)
    if said.name:
        tags.append(Tag(runs.NAME_TAG, said.name))
    runs.put_tags(tx, place, tags)


def _experiment(tx: Tx, said: Begin, artifact_root: str, now_ms: int) -> int:
    """Return the experiment that a run begins in; a new name makes one."""
    if not said.experiment:
        if not said.experiment_id.isdecimal():
            raise errors.ExperimentNotFound(said.experiment_id)
        return int(said.experiment_id)
    row = tx.one("SELECT id FROM experiment WHERE name = :n", n=said.experiment)
    if row is not None:
        return int(row[0])

    return experiments.create(
        tx, said.experiment, artifact_root=artifact_root, now_ms=now_ms
    )


def _change(tx: Tx, place: Place, changes: Iterable[Change]) -> list[Refusal]:
    refused: list[Refusal] = []
    for said in changes:
        match said:
            case Params():
                write = partial(_put_params, tx, place, said.anew)
                refused += _each("param", said.values, write)
            case Tags():
                refused += _each("tag", said.values, partial(_put_tags, tx, place))
            case Untag():
                labels.delete_tag(tx, place.run, said.key)
            case Media():
                refused += _media(tx, place, said)
            case Inputs():
                refused += _inputs(tx, place, said.datasets)
            case Status():
                runs.set_status(tx, place, said.status, said.end_ms)
                lapses.forget(tx, place)

    return refused


def _each(
    what: str, values: Mapping[str, str], write: Callable[[Mapping[str, str]], None]
) -> list[Refusal]:
    """Write values; where one is refused, the others still count."""
    try:
        write(values)
    except errors.InvalidInput as error:
        if len(values) == 1:
            return [Refusal(f"{what} {next(iter(values))[:80]!r}", error)]
        alone = [_each(what, {key: value}, write) for key, value in values.items()]
        return [refusal for refusals in alone for refusal in refusals]

    return []


def _put_params(tx: Tx, place: Place, anew: bool, values: Mapping[str, str]) -> None:  # noqa: FBT001  # bound by `partial`
    write = labels.put_params if anew else labels.add_params
    params = [Param(_named(key), value) for key, value in values.items()]
    write(tx, place.run, place.experiment, params)


def _put_tags(tx: Tx, place: Place, values: Mapping[str, str]) -> None:
    runs.put_tags(tx, place, [Tag(_named(k), value) for k, value in values.items()])


def _media(tx: Tx, place: Place, said: Media) -> list[Refusal]:
    item = Medium(said.key, said.step, said.time_ms, bytes(said.body))
    try:
        media.put(tx, place, [item])
    except errors.InvalidInput as error:
        return [Refusal(f"media {said.key[:80]!r}", error)]

    return []


def _lines(tx: Tx, place: Place, said: Sequence[Lines]) -> list[Refusal]:
    try:
        console.append(tx, place, said)
    except errors.InvalidInput as error:
        return [Refusal("some of the console", error)]

    return []


def _inputs(tx: Tx, place: Place, read: Iterable[Read]) -> list[Refusal]:
    refused = []
    for item in read:
        dataset = Dataset(
            item.name,
            item.digest,
            item.source_type,
            item.source,
            item.schema,
            item.profile,
        )
        tags = tuple(Tag(key, value) for key, value in item.tags.items())
        try:
            datasets.put_inputs(tx, place, [DatasetInput(dataset, tags)])
        except errors.InvalidInput as error:
            refused.append(Refusal(f"dataset {item.name[:80]!r}", error))

    return refused


def _named(key: str) -> str:
    if not key:
        raise errors.InvalidInput("A key is empty; give it a name")

    return key


def _batch(calls: Sequence[Call]) -> tuple[Batch, list[Refusal]]:
    """Put calls together as columns, without the keys that cannot be kept."""
    refused: dict[str, Refusal] = {}
    for key in {key for keys in {call.keys for call in calls} for key in keys}:
        try:
            words.clean("Metric key", key, limits.KEY_CHARS)
        except errors.InvalidInput as error:
            refused[key] = Refusal(f"metric {key[:80]!r}", error)

    keys: list[str] = []
    steps: list[int] = []
    times_ms: list[int] = []
    values: list[float] = []
    for call in calls:
        fit = call if refused.keys().isdisjoint(call.keys) else _without(call, refused)
        keys += fit.keys
        values += fit.values
        steps += [call.step] * len(fit.keys)
        times_ms += [call.time_ms] * len(fit.keys)

    return Batch(keys, steps, times_ms, values), list(refused.values())


def _without(call: Call, refused: Container[str]) -> Call:
    kept = [
        (key, value)
        for key, value in zip(call.keys, call.values, strict=True)
        if key not in refused
    ]
    keys, values = zip(*kept, strict=True) if kept else ((), ())

    return call._replace(keys=keys, values=values)
