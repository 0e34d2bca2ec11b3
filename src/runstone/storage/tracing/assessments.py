"""Assessments: what people and programs think of a trace."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from runstone import errors, limits
from runstone.model import Assessment, AssessmentKind
from runstone.storage import words
from runstone.storage.tracing import places
from runstone.storage.tx import Row, Tx


COLUMNS: Final = (
    "a.uuid, t.uuid, a.kind, a.name, a.value, a.source_type, a.created_ms, "
    "a.updated_ms, a.error, a.source_id, a.span_id, a.rationale, a.overrides, "
    "a.is_valid, a.metadata"
)


class Change(NamedTuple):
    """What of an assessment changes; None stays as it is."""

    name: str | None = None
    kind: AssessmentKind | None = None
    """What the new value is of: it must be what the assessment is."""

    value: str | None = None
    error: str | None = None
    rationale: str | None = None
    metadata: Mapping[str, str] = {}
    """Joins what is there."""


def create(tx: Tx, trace_id: str, assessment: Assessment) -> Assessment:
    """
    Write an assessment; the one that it overrides does not count any more.

    Raises:
        TraceNotFound: No trace has this id.
        NotFound: What it overrides is not there.
        Conflict: The trace has one of this id.
    """
    place = places.lock(tx, trace_id)
    if _number(tx, place.number, assessment.id) is not None:
        raise errors.Conflict(
            f"Trace {trace_id!r} has an assessment {assessment.id!r} already; update it"
        )
    if assessment.overrides:
        overridden = _number(tx, place.number, assessment.overrides)
        if overridden is None:
            raise missing(trace_id, assessment.overrides)
        _set_valid(tx, overridden, is_valid=False)
    put(tx, place.number, [assessment])

    return assessment


def put(tx: Tx, trace: int, assessments: Iterable[Assessment]) -> None:
    """Write the assessments of a locked trace; one that is there is replaced."""
    rows = [_row(trace, item) for item in assessments]
    tx.run_many(
        """
        INSERT INTO assessment (trace_id, uuid, kind, name, value, number, error,
            source_type, source_id, created_ms, updated_ms, span_id, rationale,
            overrides, is_valid, metadata)
        VALUES (:trace, :uuid, :kind, :name, :value, :number, :error,
            :source_type, :source_id, :created_ms, :updated_ms, :span_id, :rationale,
            :overrides, :is_valid, :metadata)
        ON CONFLICT (trace_id, uuid) DO UPDATE SET
            kind = excluded.kind, name = excluded.name, value = excluded.value,
            number = excluded.number, error = excluded.error,
            source_type = excluded.source_type, source_id = excluded.source_id,
            updated_ms = excluded.updated_ms, span_id = excluded.span_id,
            rationale = excluded.rationale, overrides = excluded.overrides,
            is_valid = excluded.is_valid, metadata = excluded.metadata
        """,
        rows,
    )


def by_id(tx: Tx, trace_id: str, assessment_id: str) -> Assessment:
    """
    Return an assessment.

    Raises:
        TraceNotFound: No trace has this id.
        NotFound: The trace has no such assessment.
    """
    row = tx.one(
        f"""
        SELECT {COLUMNS} FROM assessment a JOIN trace t ON t.id = a.trace_id
        WHERE t.uuid = :trace AND a.uuid = :id
        """,  # noqa: S608  # our own column list
        trace=trace_id,
        id=assessment_id,
    )
    if row is None:
        places.require(tx, trace_id)
        raise missing(trace_id, assessment_id)

    return _record(row)


def update(
    tx: Tx, trace_id: str, assessment_id: str, *, change: Change, now_ms: int
) -> Assessment:
    """
    Change an assessment and return it.

    Raises:
        TraceNotFound: No trace has this id.
        NotFound: The trace has no such assessment.
        InvalidInput: The new value is of another kind.
    """
    place = places.lock(tx, trace_id)
    old = by_id(tx, trace_id, assessment_id)
    if change.kind is not None and change.kind is not old.kind:
        raise errors.InvalidInput(
            f"Cannot update {change.kind} value on an {old.kind} assessment; delete "
            "it and create another"
        )
    gives = change.kind is not None
    new = old._replace(
        name=old.name if change.name is None else change.name,
        value=change.value if gives and change.value is not None else old.value,
        error=change.error if gives else old.error,
        rationale=old.rationale if change.rationale is None else change.rationale,
        metadata={**old.metadata, **change.metadata},
        updated_ms=now_ms,
    )
    put(tx, place.number, [new])

    return new


def delete(tx: Tx, trace_id: str, assessment_id: str) -> None:
    """Remove an assessment, if it is there; what it overrode counts again."""
    try:
        place = places.lock(tx, trace_id)
    except errors.TraceNotFound:
        return
    row = tx.one(
        "SELECT id, overrides FROM assessment WHERE trace_id = :trace AND uuid = :id",
        trace=place.number,
        id=assessment_id,
    )
    if row is None:
        return
    number, overrides = row
    restored = _number(tx, place.number, overrides) if overrides else None
    if restored is not None:
        _set_valid(tx, restored, is_valid=True)
    tx.run("DELETE FROM assessment WHERE id = :id", id=number)


def of(tx: Tx, numbers: Sequence[int]) -> dict[int, list[Assessment]]:
    """Return the assessments of each trace, the oldest first."""
    found: dict[int, list[Assessment]] = {number: [] for number in numbers}
    rows = tx.all(
        f"""
        SELECT a.trace_id, {COLUMNS} FROM assessment a JOIN trace t ON t.id = a.trace_id
        WHERE a.trace_id IN (:traces) ORDER BY a.created_ms, a.id
        """,  # noqa: S608  # our own column list
        traces=list(numbers),
    )
    for trace, *row in rows:
        found[trace].append(_record(tuple(row)))

    return found


def missing(trace_id: str, assessment_id: str) -> errors.NotFound:
    """Say that a trace has no such assessment."""
    return errors.NotFound(
        f"Assessment with ID {assessment_id[:100]!r} not found for trace {trace_id!r}"
    )


def _number(tx: Tx, trace: int, assessment_id: str) -> int | None:
    row = tx.one(
        "SELECT id FROM assessment WHERE trace_id = :trace AND uuid = :id",
        trace=trace,
        id=assessment_id,
    )

    return None if row is None else int(row[0])


def _set_valid(tx: Tx, number: int, *, is_valid: bool) -> None:
    tx.run(
        "UPDATE assessment SET is_valid = :valid WHERE id = :id",
        valid=int(is_valid),
        id=number,
    )


def _row(trace: int, item: Assessment) -> dict[str, str | int | float | None]:
    big, small = limits.ASSESSMENT_VALUE_CHARS, limits.KEY_CHARS

    return {
        "trace": trace,
        "uuid": words.clean("Assessment id", item.id, limits.ASSESSMENT_ID_CHARS),
        "kind": item.kind,
        "name": words.clean("Assessment name", item.name, small),
        "value": words.clean("Assessment value", item.value, big),
        "number": _as_number(item.value),
        "error": _clean("Assessment error", item.error, big),
        "source_type": words.clean("Source type", item.source_type, 32),
        "source_id": _clean("Source id", item.source_id, small),
        "created_ms": item.created_ms,
        "updated_ms": item.updated_ms,
        "span_id": _clean("Span id", item.span_id, small),
        "rationale": _clean("Rationale", item.rationale, big),
        "overrides": _clean("Overrides", item.overrides, limits.ASSESSMENT_ID_CHARS),
        "is_valid": int(item.is_valid),
        "metadata": words.clean(
            "Assessment metadata",
            json.dumps(dict(item.metadata), ensure_ascii=False),
            big,
        ),
    }


def _clean(what: str, value: str | None, limit: int) -> str | None:
    return None if value is None else words.clean(what, value, limit)


def _as_number(value: str) -> float | None:
    """Return a JSON number as one; a bool is none."""
    if value[:1] not in "-0123456789":
        return None
    number = float(value)

    return number if math.isfinite(number) else None


def _record(row: Row) -> Assessment:
    uuid, trace_id, kind, *plain, is_valid, metadata = row

    return Assessment(uuid, trace_id, AssessmentKind(kind), *plain)._replace(
        is_valid=bool(is_valid), metadata=json.loads(metadata)
    )
