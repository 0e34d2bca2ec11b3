"""
Read what a search is sorted by.

Source: `parse_order_by_for_search_runs` and `_for_search_experiments` in
`mlflow/utils/search_utils.py`, and the ties of `_get_orderby_clauses` and
`_get_search_experiments_order_by_clauses` in
`mlflow/store/tracking/sqlalchemy_store.py`, MLflow 3.18.
"""

from collections.abc import Sequence

from runstone import limits
from runstone.errors import BadFilter, TooLarge
from runstone.search.fields import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODELS,
    RUNS,
    TRACES,
    VERSIONS,
    Language,
    Reader,
    Sort,
)
from runstone.search.tokens import TokenKind
from runstone.search.tree import Field, Kind, OrderTerm


RUN_ID = Field(Kind.ATTRIBUTE, "run_id")
START_TIME = Field(Kind.ATTRIBUTE, "start_time")
EXPERIMENT_ID = Field(Kind.ATTRIBUTE, "experiment_id")
TRACE_TIME = Field(Kind.ATTRIBUTE, "timestamp_ms")
TRACE_ID = Field(Kind.ATTRIBUTE, "request_id")
CREATION_TIME = Field(Kind.ATTRIBUTE, "creation_time")
NAME = Field(Kind.ATTRIBUTE, "name")
VERSION_NUMBER = Field(Kind.ATTRIBUTE, "version_number")
LAST_UPDATED = Field(Kind.ATTRIBUTE, "last_updated_timestamp")

VERSION_ORDER = ("creation_timestamp", "last_updated_timestamp", "name")
"""What versions can be ordered by, besides their numbers."""


def order_runs(terms: Sequence[str]) -> tuple[OrderTerm, ...]:
    """
    Read an `order_by` of runs, most important first.

    Raises:
        BadFilter: A term does not parse, or a field comes twice.
        TooLarge: There are more than ORDER_TERMS.
    """
    order = _read(terms, RUNS)
    seen: set[Field] = set()
    for text, term in zip(terms, order, strict=True):
        if term.field in seen:
            raise BadFilter(text, 0, "each field once in an order")
        if term.field.kind is Kind.DATASET:
            raise BadFilter(text, 0, "a metric, param, tag or attribute")
        seen.add(term.field)

    return order


def order_experiments(terms: Sequence[str]) -> tuple[OrderTerm, ...]:
    """
    Read an `order_by` of experiments, most important first.

    Raises:
        BadFilter: A term does not parse, or is no attribute.
        TooLarge: There are more than ORDER_TERMS.
    """
    order = _read(terms, EXPERIMENTS)
    for text, term in zip(terms, order, strict=True):
        if term.field.kind is not Kind.ATTRIBUTE:
            raise BadFilter(text, 0, f"one of {', '.join(EXPERIMENTS.attributes)}")

    return order


def order_models(terms: Sequence[str]) -> tuple[OrderTerm, ...]:
    """
    Read an `order_by` of registered models and make it total: by name at last.

    Raises:
        BadFilter: A term does not parse, is no attribute, or comes twice.
        TooLarge: There are more than ORDER_TERMS.
    """
    order = _attributes(terms, MODELS, tuple(MODELS.attributes))

    return _ended(order, OrderTerm(NAME))


def order_versions(terms: Sequence[str]) -> tuple[OrderTerm, ...]:
    """
    Read an `order_by` of versions and make it total: by name, the newest first.

    Raises:
        BadFilter: A term does not parse, cannot be sorted by, or comes twice.
        TooLarge: There are more than ORDER_TERMS.
    """
    order = _attributes(terms, VERSIONS, (*VERSION_ORDER, "version_number"))
    order = order or (OrderTerm(LAST_UPDATED, descending=True),)

    return _ended(
        _ended(order, OrderTerm(NAME)), OrderTerm(VERSION_NUMBER, descending=True)
    )


def logged_model_field(name: str) -> Field:
    """
    Read what logged models are sorted by: an attribute, or `metrics.<name>`.

    No quotes and no spaces: the wire has a field of its own for the direction.

    Raises:
        BadFilter: It is neither.
    """
    head, dot, key = name.partition(".")
    if head == "metrics" and key:
        return Field(Kind.METRIC, key)
    attribute = LOGGED_MODELS.aliases.get(name, name)
    if dot or attribute not in LOGGED_MODELS.attributes:
        names = ", ".join(LOGGED_MODELS.attributes)
        raise BadFilter(name, 0, f"metrics.<name> or one of {names}")

    return Field(Kind.ATTRIBUTE, attribute)


def order_traces(terms: Sequence[str]) -> tuple[OrderTerm, ...]:
    """
    Read an `order_by` of traces, most important first.

    Raises:
        BadFilter: A term does not parse, cannot be sorted by, or comes twice.
        TooLarge: There are more than ORDER_TERMS.
    """
    order = _read(terms, TRACES)
    _require_distinct(terms, order)
    for text, term in zip(terms, order, strict=True):
        has_one_value = term.field.kind in (Kind.ATTRIBUTE, Kind.TAG, Kind.METADATA)
        if not has_one_value or TRACES.sort(term.field) in (Sort.LINK, Sort.CONTENT):
            raise BadFilter(text, 0, "a tag, a metadata or an attribute of one value")

    return order


def settle_runs(order: tuple[OrderTerm, ...]) -> tuple[OrderTerm, ...]:
    """Make an order of runs total: newest first, then by id, as MLflow does."""
    if all(term.field != START_TIME for term in order):
        order = (*order, OrderTerm(START_TIME, descending=True))

    return _ended(order, OrderTerm(RUN_ID))


def settle_traces(order: tuple[OrderTerm, ...]) -> tuple[OrderTerm, ...]:
    """Make an order of traces total: newest first, then by id, as MLflow does."""
    if all(term.field != TRACE_TIME for term in order):
        order = (*order, OrderTerm(TRACE_TIME, descending=True))

    return _ended(order, OrderTerm(TRACE_ID))


def settle_experiments(order: tuple[OrderTerm, ...]) -> tuple[OrderTerm, ...]:
    """Make an order of experiments total: newest first where none is given."""
    if not order:
        return OrderTerm(CREATION_TIME, descending=True), OrderTerm(EXPERIMENT_ID)

    return _ended(order, OrderTerm(EXPERIMENT_ID, descending=True))


def _attributes(
    terms: Sequence[str], language: Language, keys: Sequence[str]
) -> tuple[OrderTerm, ...]:
    """Read terms that must be some attributes, each once."""
    order = _read(terms, language)
    seen: set[Field] = set()
    for text, term in zip(terms, order, strict=True):
        if term.field.kind is not Kind.ATTRIBUTE or term.field.key not in keys:
            raise BadFilter(text, 0, f"one of {', '.join(keys)}")
        if term.field in seen:
            raise BadFilter(text, 0, "each field once in an order")
        seen.add(term.field)

    return order


def _require_distinct(terms: Sequence[str], order: Sequence[OrderTerm]) -> None:
    seen: set[Field] = set()
    for text, term in zip(terms, order, strict=True):
        if term.field in seen:
            raise BadFilter(text, 0, "each field once in an order")
        seen.add(term.field)


def _ended(order: tuple[OrderTerm, ...], tie: OrderTerm) -> tuple[OrderTerm, ...]:
    if any(term.field == tie.field for term in order):
        return order

    return *order, tie


def _read(terms: Sequence[str], language: Language) -> tuple[OrderTerm, ...]:
    if len(terms) > limits.ORDER_TERMS:
        raise TooLarge("The list to order by", len(terms), limits.ORDER_TERMS)

    return tuple(_term(text, language) for text in terms)


def _term(text: str, language: Language) -> OrderTerm:
    reader = Reader(text, language)
    field = reader.field()
    descending = reader.take_word("DESC")
    if not descending:
        reader.take_word("ASC")
    if not reader.at(TokenKind.END):
        reader.fail(reader.next.position, "ASC, DESC or the end of the term")

    return OrderTerm(field, descending)
