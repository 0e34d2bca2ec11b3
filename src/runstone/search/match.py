"""
What a filter means, over plain records: slow, simple, and the truth.

The rules stand in `tree`; whatever turns a tree into SQL has to agree with
`matches`.
"""

import json
import operator
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runstone.search.tree import And, Comparison, Field, Kind, Node, Not, Op, Or, Value


@dataclass(frozen=True, slots=True)
class Subject:
    """A run, an experiment or a trace, as a filter sees it; missing is not set."""

    attributes: Mapping[str, str | int | None] = field(default_factory=dict)
    """By canonical name; times in ms, an `experiment_id` as decimal digits."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    """Latest values."""

    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[Mapping[str, str]] = ()
    """Each with `name` and `digest`, and perhaps `context`."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    spans: Sequence[Mapping[str, str]] = ()
    """Each with `name`, `type`, `status` and `content`."""

    verdicts: Mapping[Field, Sequence[str]] = field(default_factory=dict)
    """JSON of the assessments that count."""


def matches(node: Node | None, subject: Subject) -> bool:
    """Say whether *subject* fulfils a filter; no filter lets everything in."""
    match node:
        case None:
            return True
        case And(terms):
            return _all(terms, subject)
        case Or(terms):
            return any(matches(term, subject) for term in terms)
        case Not(term):
            return not matches(term, subject)

    if node.field.kind in (Kind.FEEDBACK, Kind.EXPECTATION):
        return _judged(node.field, subject, node.op, node.value)

    return _compare(_found(node.field, subject), node.op, node.value)


def _all(terms: Sequence[Node], subject: Subject) -> bool:
    """Say whether every term holds, those on spans of one and the same span."""
    on_spans = [
        term for term in terms if isinstance(term, Comparison) and term.is_of_span
    ]
    others = (term for term in terms if term not in on_spans)

    return all(matches(term, subject) for term in others) and (
        not on_spans
        or any(
            all(_holds(_of_span(term, span), term.op, term.value) for term in on_spans)
            for span in subject.spans
        )
    )


def _of_span(term: Comparison, span: Mapping[str, str]) -> str:
    return span["content" if term.field.kind is Kind.ATTRIBUTE else term.field.key]


def like(text: str, pattern: str) -> bool:
    """
    Say whether all of *text* fits *pattern*, where `%` is any text and `_` any sign.

    Takes at most len(text) x len(pattern) steps, whatever they are.

    Source: LIKE of SQLite with `case_sensitive_like`; no sign escapes another.
    """
    first, *pieces = pattern.split("%")
    if not pieces:
        return len(text) == len(first) and _fits(text, 0, first)

    *middle, last = pieces
    end = len(text) - len(last)
    if end < len(first) or not _fits(text, 0, first) or not _fits(text, end, last):
        return False

    # The leftmost place of each piece leaves the most room for the others.
    position = len(first)
    for piece in middle:
        found = _find(text, piece, position, end)
        if found is None:
            return False
        position = found + len(piece)

    return True


def ilike(text: str, pattern: str) -> bool:
    """
    Say the same as `like`, with ASCII letters in any case.

    Source: SQLAlchemy's `ilike` on SQLite, whose lower() knows only ASCII.
    """
    return like(text.translate(_LOWER), pattern.translate(_LOWER))


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_TEXT: Mapping[Op, Callable[[str, str], bool]] = {
    Op.EQUAL: operator.eq,
    Op.UNEQUAL: operator.ne,
    Op.LIKE: like,
    Op.ILIKE: ilike,
}
_NUMBER: Mapping[Op, Callable[[float, float], bool]] = {
    Op.EQUAL: operator.eq,
    Op.UNEQUAL: operator.ne,
    Op.LESS: operator.lt,
    Op.LESS_EQUAL: operator.le,
    Op.GREATER: operator.gt,
    Op.GREATER_EQUAL: operator.ge,
}


def _found(what: Field, subject: Subject) -> Sequence[str | float]:
    """Collect the values a field has: none, one, or one for each dataset or span."""
    if what.kind is Kind.DATASET:
        return [each[what.key] for each in subject.datasets if what.key in each]
    if Comparison(what, Op.EQUAL, None).is_of_span:
        key = "content" if what.kind is Kind.ATTRIBUTE else what.key
        return [span[key] for span in subject.spans]

    values: Mapping[Kind, Mapping[str, str | float | None]] = {
        Kind.ATTRIBUTE: subject.attributes,
        Kind.METRIC: subject.metrics,
        Kind.PARAM: subject.params,
        Kind.TAG: subject.tags,
        Kind.METADATA: subject.metadata,
    }
    value = values[what.kind].get(what.key)

    return [] if value is None else [value]


def _judged(what: Field, subject: Subject, op: Op, value: Value) -> bool:
    """Compare verdicts: a number as one, a text also as what JSON makes of it."""
    texts = subject.verdicts.get(what, ())
    if isinstance(value, int | float):
        numbers = [json.loads(text) for text in texts]
        return _compare(
            [
                n
                for n in numbers
                if isinstance(n, int | float) and not isinstance(n, bool)
            ],
            op,
            value,
        )
    if op not in (Op.EQUAL, Op.UNEQUAL):
        return _compare(texts, op, value)
    forms = (str(value), json.dumps(value, ensure_ascii=False))

    return _compare(texts, Op.IN if op is Op.EQUAL else Op.NOT_IN, forms)


def _compare(found: Sequence[str | float], op: Op, value: Value) -> bool:
    if op is Op.IS_NULL:
        return not found
    if op is Op.IS_NOT_NULL:
        return bool(found)

    return any(_holds(each, op, value) for each in found)


def _holds(found: str | float, op: Op, value: Value) -> bool:
    if isinstance(value, tuple):
        return (found in value) is (op is Op.IN)
    if isinstance(found, str) and isinstance(value, str):
        return _TEXT[op](found, value)
    assert isinstance(found, float | int), "the grammar knows the sort of each field"
    assert isinstance(value, float | int), "the grammar knows the sort of each field"

    return _NUMBER[op](found, value)


def _fits(text: str, position: int, piece: str) -> bool:
    signs = text[position : position + len(piece)]
    return all(sign in ("_", found) for sign, found in zip(piece, signs, strict=True))


def _find(text: str, piece: str, start: int, end: int) -> int | None:
    """Find the leftmost place of *piece* that ends at or before *end*."""
    if "_" not in piece:
        found = text.find(piece, start, end)
        return found if found >= 0 else None

    for position in range(start, end - len(piece) + 1):
        if _fits(text, position, piece):
            return position

    return None
