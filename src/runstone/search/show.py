"""Write a tree as a filter again."""

import re

from runstone.errors import InvalidInput
from runstone.search.tokens import PLAIN_KEY
from runstone.search.tree import (
    And,
    Field,
    Kind,
    Node,
    Not,
    Or,
    OrderTerm,
    Value,
)


_PLAIN_KEY = re.compile(rf"(?:{PLAIN_KEY})(?<=.)")


def show(node: Node) -> str:
    """
    Write a tree so that the grammar reads the same tree from it.

    Raises:
        InvalidInput: A key has every kind of quote; no filter can name it.
    """
    match node:
        case And(terms):
            return " AND ".join(_inner(term) for term in terms)
        case Or(terms):
            return " OR ".join(_inner(term) for term in terms)
        case Not(term):
            return f"NOT {_inner(term)}"

    question = f"{show_field(node.field)} {node.op}"
    return question if node.value is None else f"{question} {_value(node.value)}"


def show_order(term: OrderTerm) -> str:
    """Write one key of an order."""
    return f"{show_field(term.field)} {'DESC' if term.descending else 'ASC'}"


def show_field(field: Field) -> str:
    """Write a field, its key in quotes where it needs them."""
    if field.kind is Kind.ATTRIBUTE:
        return field.key

    return f"{field.kind.head}.{_key(field.key)}"


def _inner(node: Node) -> str:
    return f"({show(node)})" if isinstance(node, And | Or) else show(node)


def _key(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key):
        return key
    for quote in "`\"'":
        # A backslash would take the closing quote for its own.
        if quote not in key and (quote == "`" or not key.endswith("\\")):
            return f"{quote}{key}{quote}"

    raise InvalidInput(f"the key {key[:50]!r} cannot be quoted: it has every quote")


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_text(each) for each in value)})"
    if isinstance(value, str):
        return _text(value)

    # Nothing finite is that large, so it is read as infinity again.
    return repr(value).replace("inf", "1e999")


def _text(text: str) -> str:
    if "\\" not in text:
        for quote in "'\"":
            if quote not in text:
                return f"{quote}{text}{quote}"

    return f"`{text.replace('`', '``')}`"
