"""
What a filter says, as a tree that never changes.

Meaning, which every compiler of this tree must keep (`match` is the slow
reference):

- A comparison is true or false, never unknown.  One on a metric, param or tag
  that the run lacks is **false, whatever the operator**: a run without `x`
  matches neither `params.x = 'a'` nor `params.x != 'a'`.  So is one on an
  attribute that is not set (`end_time != 5` of a run that has not ended).
- `NOT` turns that answer round: `NOT params.x = 'a'` does match a run without
  `x`.  (MLflow has no NOT.)
- `IS NULL` asks whether the key is absent, `IS NOT NULL` whether it is there.
- A dataset comparison is true if *some* dataset of the run fulfils it, also
  for `!=` and `NOT IN`; two comparisons may be fulfilled by two datasets.  So is
  one on a feedback or an expectation, of those that count.
- Comparisons of spans that are joined by AND are fulfilled by one span.
- A metric is its latest value.  A NaN fulfils `!=` and nothing else.
- The attribute `run_name` is the tag `mlflow.runName`: they are one value.
- `LIKE`: `%` is any text, `_` any one character, no escape; the whole value
  has to fit and case counts.  `ILIKE` is the same with ASCII letters folded.

Source: `_get_sqlalchemy_filter_clauses` in
`mlflow/store/tracking/sqlalchemy_store.py` (inner joins, hence false where
the key is missing) and SQLite's LIKE with `case_sensitive_like`, MLflow 3.18.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Kind(StrEnum):
    """Which part of the record a field belongs to."""

    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    ATTRIBUTE = "attribute"
    DATASET = "dataset"
    METADATA = "metadata"
    """What a trace was given once and for all."""

    SPAN = "span"
    FEEDBACK = "feedback"
    EXPECTATION = "expectation"

    @property
    def head(self) -> str:
        """What stands before the dot."""
        is_plural = self in (Kind.METADATA, Kind.FEEDBACK)

        return str(self) if is_plural else f"{self}s"


class Op(StrEnum):
    """How a field is compared."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


class Field(NamedTuple):
    """What is compared or sorted by; an attribute's key is canonical."""

    kind: Kind
    key: str


Value: TypeAlias = str | int | float | tuple[str, ...] | None
"""
What a field is compared with.

A float for metrics; an int (of 64 bits) or a float for times; a tuple for IN
and NOT IN; None for IS NULL and IS NOT NULL; a string for all else.  An
`experiment_id` is the decimal digits of an int of 64 bits.
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value."""

    field: Field
    op: Op
    value: Value

    @property
    def is_of_span(self) -> bool:
        """Whether it asks for something of a span."""
        text = Field(Kind.ATTRIBUTE, "text")

        return self.field.kind is Kind.SPAN or self.field == text


@dataclass(frozen=True, slots=True)
class And:
    """True if every term is; at least two terms."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if some term is; at least two terms."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the term is false."""

    term: "Node"


Node: TypeAlias = Comparison | And | Or | Not


class OrderTerm(NamedTuple):
    """
    One key to sort by.

    Whatever the direction, runs that lack the field come last; of metrics,
    NaN comes between the numbers and the missing ones.

    Source: `_get_orderby_clauses` in
    `mlflow/store/tracking/sqlalchemy_store.py`, MLflow 3.18.
    """

    field: Field
    descending: bool = False
