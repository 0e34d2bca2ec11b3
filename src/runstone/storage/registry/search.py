"""
Search of registered models and of versions: a page by filter and order.

Pages are keysets, and a page costs a fixed number of queries however much is on
it.  Prompts are found only by a filter that speaks of them, as in MLflow.

Source: `search_registered_models` and `search_model_versions` in
`mlflow/store/model_registry/sqlalchemy_store.py`, MLflow 3.18.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from runstone.model import ModelVersion, RegisteredModel
from runstone.search.grammar import parse_models, parse_versions
from runstone.search.match import Subject, matches
from runstone.search.order import NAME, order_models, order_versions
from runstone.search.tree import (
    And,
    Comparison,
    Field,
    Kind,
    Node,
    Not,
    Op,
    Or,
    OrderTerm,
)
from runstone.storage import keyset
from runstone.storage.filters import (
    MODELS,
    VERSIONS,
    Compiler,
    Shape,
    joined,
)
from runstone.storage.keyset import Key, KeyValue
from runstone.storage.registry import models, rows, versions
from runstone.storage.tx import Clause, Row, Tx


PROMPT: Final = Field(Kind.TAG, models.PROMPT_TAG)
DEFAULT: Final = Subject(tags={PROMPT.key: "false"})
"""What has no such tag is taken for this."""


class Query(NamedTuple):
    """A search, as it was asked."""

    filter: str | None = None
    order_by: tuple[str, ...] = ()
    limit: int = 100
    page_token: str | None = None


class Models(NamedTuple):
    """A page of registered models."""

    models: list[RegisteredModel]
    next_page_token: str | None


class Versions(NamedTuple):
    """A page of versions."""

    versions: list[ModelVersion]
    next_page_token: str | None


def find_models(tx: Tx, query: Query) -> Models:
    """
    Return a page of models, by name where no order is given.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    node = _told_of_prompts(parse_models(query.filter))
    order = order_models(query.order_by)
    found, token = _page(tx, query, node, order, MODELS, "registered_model m", "m.id")

    return Models(models.by_numbers(tx, [row[0] for row in found]), token)


def find_versions(tx: Tx, query: Query) -> Versions:
    """
    Return a page of versions, the last changed first where no order is given.

    Raises:
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    node = _told_of_prompts(parse_versions(query.filter))
    order = order_versions(query.order_by)
    found, token = _page(tx, query, node, order, VERSIONS, rows.VERSIONS, "v.id")

    return Versions(versions.by_numbers(tx, [row[0] for row in found]), token)


def versions_of(tx: Tx, name: str, query: Query) -> Versions:
    """
    Return a page of a model's versions, the newest first where no order is given.

    Raises:
        ModelNotFound: No model has this name.
        BadFilter: The filter or the order does not parse.
        InvalidInput: The token is of another search.
    """
    models.by_name(tx, name)  # a mistyped address is not a model without versions
    own: Node = Comparison(NAME, Op.EQUAL, name)
    node = parse_versions(query.filter)
    order = order_versions(query.order_by or ("version_number DESC",))
    found, token = _page(
        tx,
        query,
        own if node is None else And((own, node)),
        order,
        VERSIONS,
        rows.VERSIONS,
        "v.id",
    )

    return Versions(versions.by_numbers(tx, [row[0] for row in found]), token)


def _page(
    tx: Tx,
    query: Query,
    node: Node,
    order: Sequence[OrderTerm],
    shape: Shape,
    source: str,
    number: str,
) -> tuple[list[Row], str | None]:
    keys = [Key(shape.columns[term.field.key], term.descending) for term in order]
    mark = keyset.mark(source, node, query.order_by)
    conditions = [Compiler(tx).labelled(node, shape)]
    if query.page_token:
        marks: list[KeyValue] = keyset.read_token(query.page_token, mark, len(keys))
        conditions.append(keyset.after(keys, marks))
    where: Clause = joined(" AND ", conditions)
    found = tx.all(
        f"SELECT {number}, {keyset.columns(keys)} FROM {source} WHERE {where.sql} "  # noqa: S608  # compiled, with parameters
        f"ORDER BY {keyset.order(keys)} LIMIT {query.limit + 1:d}",
        **where.params,
    )
    more = len(found) > query.limit
    found = found[: query.limit]

    return found, keyset.token(mark, found[-1][1:]) if more else None


def _told_of_prompts(node: Node | None) -> Node:
    """
    Make a filter mean what MLflow means by it where prompts are concerned.

    A filter that does not name their tag finds none of them.  Where it does,
    what lacks the tag counts as having it with the value "false".
    """
    no_prompt = Not(Comparison(PROMPT, Op.EQUAL, "true"))
    if node is None:
        return no_prompt
    if not _names_prompts(node):
        return And((no_prompt, node))

    return _with_default(node)


def _names_prompts(node: Node) -> bool:
    match node:
        case And(terms) | Or(terms):
            return any(map(_names_prompts, terms))
        case Not(term):
            return _names_prompts(term)

    return node.field == PROMPT


def _with_default(node: Node) -> Node:
    match node:
        case And(terms):
            return And(tuple(map(_with_default, terms)))
        case Or(terms):
            return Or(tuple(map(_with_default, terms)))
        case Not(term):
            return Not(_with_default(term))
    if node.field != PROMPT or node.op is Op.IS_NOT_NULL:
        return node
    if not matches(node, DEFAULT):
        return node

    return Or((Comparison(PROMPT, Op.IS_NULL, None), node))
