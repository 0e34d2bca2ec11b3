"""
The history of aliases, stages and names: written once, for good.

It is written in the transaction of the change itself, while the model is locked;
so the history of a model, read from its beginning, ends at what is true.  Nothing
here is ever changed or removed, whatever becomes of the model.
"""

from typing import NamedTuple

from runstone import errors, limits
from runstone.model import Change, Transition
from runstone.storage import keyset, words
from runstone.storage.registry.rows import Locked
from runstone.storage.tx import Clause, Tx


COLUMNS = (
    "t.id, t.model_name, t.time_ms, t.kind, t.subject, t.old, t.new, t.author, t.why"
)


class Note(NamedTuple):
    """What is told of a change, besides the change."""

    now_ms: int
    author: str = ""
    """Who does it, "" where nobody says."""

    why: str = ""


class Expected(NamedTuple):
    """What a caller takes for true; a change is made only if it is."""

    value: str | None
    """A version or a stage; None for nothing."""


class Page(NamedTuple):
    """A page of history, the newest first."""

    transitions: list[Transition]
    next_page_token: str | None


def check(what: str, expected: Expected | None, present: str | None) -> None:
    """
    Make sure that a caller who expects something is right.

    Raises:
        HolderChanged: Something else is true by now.
    """
    if expected is not None and expected.value != present:
        raise errors.HolderChanged(what, expected.value, present)


def add(
    tx: Tx,
    model: Locked,
    note: Note,
    *,
    kind: Change,
    subject: str,
    old: str | None,
    new: str | None,
) -> None:
    """
    Write one change down; where nothing changes, nothing is written.

    Raises:
        TooLarge: The author or the reason is over its limit.
    """
    if old == new:
        return
    tx.insert(
        """
        INSERT INTO transition
            (model_id, model_name, time_ms, kind, subject, old, new, author, why)
        VALUES (:model, :name, :now_ms, :kind, :subject, :old, :new, :author, :why)
        """,
        model=model.number,
        name=model.name,
        now_ms=note.now_ms,
        kind=kind,
        subject=subject,
        old=old,
        new=new,
        author=words.clean("by", note.author, limits.KEY_CHARS),
        why=words.clean("why", note.why, limits.WHY_CHARS),
    )


def page(tx: Tx, name: str, *, limit: int, page_token: str | None = None) -> Page:
    """
    Return what happened to a model, and under its name, the newest first.

    A renamed model brings its history along; a deleted one leaves it under the
    name that it had.

    Raises:
        ModelNotFound: No model has, or ever had, a history under this name.
        InvalidInput: The token is of another history.
    """
    row = tx.one("SELECT id FROM registered_model WHERE name = :name", name=name)
    here = Clause(
        "(t.model_id = :model OR t.model_name = :name)",
        {"model": row[0] if row else 0, "name": name},
    )
    found = _page(tx, here, keyset.mark("transitions", name), limit, page_token)
    if not found.transitions and row is None:
        raise errors.ModelNotFound(name)

    return found


def of_version(tx: Tx, name: str, version: int, *, limit: int) -> list[Transition]:
    """Return what happened to one version of a live model, the newest first."""
    here = Clause(
        "t.model_id = (SELECT id FROM registered_model WHERE name = :name) AND "
        "(t.kind = 'stage' AND t.subject = :version "
        "OR t.kind = 'alias' AND (t.old = :version OR t.new = :version))",
        {"name": name, "version": str(version)},
    )

    return _page(tx, here, "", limit, None).transitions


def _page(tx: Tx, here: Clause, mark: str, limit: int, page_token: str | None) -> Page:
    before = Clause("1 = 1", {})
    if page_token:
        (last,) = keyset.read_token(page_token, mark, 1)
        before = Clause("t.id < :last", {"last": last})
    rows = tx.all(
        f"SELECT {COLUMNS} FROM transition t WHERE {here.sql} AND {before.sql} "  # noqa: S608  # our own text
        f"ORDER BY t.id DESC LIMIT {limit + 1:d}",
        **here.params,
        **before.params,
    )
    more = len(rows) > limit
    rows = rows[:limit]
    found = [
        Transition(number, model, time_ms, Change(kind), *rest)
        for number, model, time_ms, kind, *rest in rows
    ]

    return Page(found, keyset.token(mark, [rows[-1][0]]) if more else None)
