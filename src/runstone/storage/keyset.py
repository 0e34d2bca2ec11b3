"""
Keysets: where a page of sorted rows begins, in SQL and as a token.

A token holds the sort keys of the last row of the page before, and a mark of
the search that it belongs to.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from runstone import errors
from runstone.storage.labels import HEAD_CHARS
from runstone.storage.tx import Clause


KeyValue: TypeAlias = str | int | float


class Key(NamedTuple):
    """Something to sort by: never NULL, so that it can be compared."""

    sql: str
    descending: bool = False


def columns(keys: Sequence[Key]) -> str:
    """Return the keys as columns to select."""
    return ", ".join(key.sql for key in keys)


def order(keys: Sequence[Key]) -> str:
    """Return the keys as what stands behind ORDER BY."""
    return ", ".join(key.sql + (" DESC" if key.descending else "") for key in keys)


def after(keys: Sequence[Key], marks: Sequence[KeyValue]) -> Clause:
    """
    Return the condition that a row comes after the one whose keys are *marks*.

    The first key is compared alone as well, so that an index on it is entered
    at the right place.
    """
    params = {f"k{place}": mark for place, mark in enumerate(marks)}
    chain = ""
    for place, key in reversed(list(enumerate(keys))):
        sign = "<" if key.descending else ">"
        ahead = f"{key.sql} {sign} :k{place}"
        same = f"{key.sql} = :k{place}"
        chain = f"({ahead} OR ({same} AND {chain}))" if chain else f"({ahead})"
    first = keys[0]
    sign = "<=" if first.descending else ">="

    return Clause(f"({first.sql} {sign} :k0 AND {chain})", dict(params))


def from_head(head: Key, value: str) -> Clause:
    """Return the condition that an index by *head* is entered where *value* lies."""
    sign = "<=" if head.descending else ">="

    return Clause(f"{head.sql} {sign} :head", {"head": value[:HEAD_CHARS]})


def mark(*parts: object) -> str:
    """Return a short name of a search, to know its tokens by."""
    return hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest()


def token(mark: str, keys: Sequence[KeyValue]) -> str:
    """Return the token of the page that begins behind these sort keys."""
    # Not JSON, which has no infinities.
    body = msgspec.msgpack.encode([mark, list(keys)])

    return base64.urlsafe_b64encode(body).decode("ascii")


def read_token(token: str, mark: str, count: int) -> list[KeyValue]:
    """
    Read the sort keys out of a token.

    Raises:
        InvalidInput: It is none, or of another search.
    """
    try:
        body = base64.urlsafe_b64decode(token.encode("ascii"))
        found, keys = msgspec.msgpack.decode(body, type=tuple[str, list[KeyValue]])
    except (ValueError, msgspec.MsgspecError):
        found, keys = "", []
    if found != mark or len(keys) != count:
        raise bad_token()

    return keys


def bad_token() -> errors.InvalidInput:
    """Return the error of a token that was not made for this search."""
    return errors.InvalidInput(
        "Invalid page token; send back next_page_token of the page before, with "
        "the same filter, order and experiments"
    )
