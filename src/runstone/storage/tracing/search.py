"""Search: a page of traces, by filter and order; a page is entered where it begins."""

from typing import NamedTuple

from runstone import errors, limits
from runstone.model import Trace
from runstone.search.grammar import parse_traces
from runstone.search.order import order_traces, settle_traces
from runstone.search.tree import Field, Kind, OrderTerm
from runstone.storage import keyset
from runstone.storage.filters import joined
from runstone.storage.keyset import Key
from runstone.storage.tracing import traces
from runstone.storage.tracing.filters import (
    COLUMNS,
    NULLABLE,
    ORDERED,
    PAIRS,
    TraceCompiler,
)
from runstone.storage.tx import Clause, Tx


class Query(NamedTuple):
    """A search of traces, as it was asked."""

    experiment_ids: tuple[int, ...]
    filter: str | None = None
    order_by: tuple[str, ...] = ()
    limit: int = 100
    page_token: str | None = None


class Page(NamedTuple):
    """A page of traces."""

    traces: list[Trace]
    next_page_token: str | None


def find(tx: Tx, query: Query) -> Page:
    """
    Return a page of traces, in order.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    if len(query.experiment_ids) > limits.SEARCH_EXPERIMENT_IDS:
        raise errors.TooLarge(
            "The list of experiments",
            len(query.experiment_ids),
            limits.SEARCH_EXPERIMENT_IDS,
        )
    node = parse_traces(query.filter)
    order = settle_traces(order_traces(query.order_by))
    mark = keyset.mark(query.experiment_ids, query.filter, query.order_by)
    compiler = TraceCompiler(tx)
    joins, keys = _sorting(compiler, order)
    conditions = [Clause("t.experiment_id IN (:homes)", {})]
    if node is not None:
        conditions.append(compiler.traces(node))
    if query.page_token:
        marks = keyset.read_token(query.page_token, mark, len(keys))
        conditions.append(keyset.after(keys, marks))
    if not query.experiment_ids:
        return Page([], None)
    where = joined(" AND ", conditions)
    rows = tx.all(
        f"SELECT t.id, {keyset.columns(keys)} FROM trace t{joins} "  # noqa: S608  # compiled, with parameters
        f"WHERE {where.sql} ORDER BY {keyset.order(keys)} LIMIT {query.limit + 1:d}",
        homes=list(query.experiment_ids),
        **where.params,
    )
    more = len(rows) > query.limit
    rows = rows[: query.limit]

    return Page(
        traces.by_numbers(tx, [row[0] for row in rows]),
        keyset.token(mark, rows[-1][1:]) if more else None,
    )


def _sorting(
    compiler: TraceCompiler, order: tuple[OrderTerm, ...]
) -> tuple[str, list[Key]]:
    """Return the joins and the keys of an order; what is missing comes last."""
    joins = ""
    keys: list[Key] = []
    for place, (field, descending) in enumerate(order):
        kept = ORDERED.get(field.key, field) if _is_attribute(field) else field
        if kept.kind in PAIRS:
            column = f"o{place}.value"
            joins += (
                f" LEFT JOIN {PAIRS[kept.kind]} o{place} ON o{place}.trace_id = t.id "
                f"AND o{place}.key_id = {compiler.key(kept)}"
            )
            keys.append(Key(f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END"))
            keys.append(Key(f"COALESCE({column}, '')", descending))
            continue
        column = COLUMNS[field.key]
        if field.key in NULLABLE:
            keys.append(Key(f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END"))
            none = "''" if field.key == "client_request_id" else "0"
            column = f"COALESCE({column}, {none})"
        keys.append(Key(column, descending))

    return joins, keys


def _is_attribute(field: Field) -> bool:
    return field.kind is Kind.ATTRIBUTE
