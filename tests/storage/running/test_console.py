"""Consoles: every line in order and under its number, bounded, searchable."""

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runstone import errors, limits
from runstone.journal import Begin, Lines, Status, Tags
from runstone.model import RunStatus
from runstone.storage import documents
from runstone.storage.db import Database
from runstone.storage.running import console
from runstone.storage.running.console import Line
from tests.factories import new_run
from tests.storage.test_journals import append


def test_lines_are_numbered_as_they_come(db: Database) -> None:
    """Both streams stand in the order in which they were written."""
    run_id = began(db)

    append(db, run_id, [Lines(5, "a\nb"), Lines(6, "oh", "stderr"), Lines(7, "c")])

    assert db.look(console.page, run_id).lines == [
        Line(1, 5, "stdout", "a"),
        Line(2, 5, "stdout", "b"),
        Line(3, 6, "stderr", "oh"),
        Line(4, 7, "stdout", "c"),
    ]


def test_a_line_that_came_twice_counts_once(db: Database) -> None:
    """The answer to a portion may be lost on its way."""
    run_id, writer = began(db), uuid.uuid4().hex

    for _ in range(2):
        append(db, run_id, [Lines(1, "once")], writer=writer)

    assert texts(db, run_id) == ["once"]


@settings(max_examples=20)
@given(
    parts=st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0\n")), min_size=1),
        min_size=1,
        max_size=8,
    ),
    limit=st.integers(1, 7),
    packed=st.integers(0, 8),
)
def test_pages_together_are_the_whole(
    db: Database, parts: list[list[str]], limit: int, packed: int
) -> None:
    """Whatever is packed already, and however large a page is."""
    run_id = began(db)
    for number, part in enumerate(parts):
        append(db, run_id, [Lines(1, "\n".join(part))])
        if number == packed:
            pack(db, run_id)

    found: list[str] = []
    after = 0
    while lines := (page := db.look(console.page, run_id, after=after, limit=limit)):
        found += [line.text for line in lines.lines]
        after = page.last
        if not lines.lines:
            break

    whole = [text for part in parts for text in part]
    assert found == whole
    tail = db.look(console.tail, run_id, limit=limit)
    assert [line.text for line in tail.lines] == whole[-limit:]


def test_lines_are_found_by_their_text(db: Database) -> None:
    """In upper and lower case, in what is packed and what is not."""
    run_id = began(db)
    append(db, run_id, [Lines(1, "Epoch 1\nloss 3")])
    pack(db, run_id)
    append(db, run_id, [Lines(1, "epoch 2\nloss 2")])

    page = db.look(console.page, run_id, find="EPOCH")
    last = db.look(console.tail, run_id, find="loss", limit=1)

    assert [(line.number, line.text) for line in page.lines] == [
        (1, "Epoch 1"),
        (3, "epoch 2"),
    ]
    assert [line.number for line in last.lines] == [4]


def test_packing_an_ended_run_leaves_one_small_row(db: Database) -> None:
    """A run that runs is packed only where there is much; the lines stay the same."""
    run_id = began(db)
    for number in range(50):
        append(db, run_id, [Lines(1, f"step {number} " + "=" * 80)])
    before = texts(db, run_id)
    running = db.look(console.due)
    append(db, run_id, [Status(RunStatus.FINISHED, 9)])

    (due,) = db.look(console.due)
    while db.transact(console.pack, due):
        pass

    rows = db.look(lambda tx: tx.all("SELECT size_bytes, body FROM console"))
    assert running == []
    assert db.look(console.due) == []
    assert texts(db, run_id) == before
    assert len(rows) == 1
    assert len(rows[0][1]) * 5 < rows[0][0]


def test_what_was_lost_leaves_a_gap_in_the_numbers(db: Database) -> None:
    """Whoever reads sees that something is missing, and how much."""
    run_id = began(db)
    append(db, run_id, [Lines(1, "a"), Lines(2, "b", lost=10)])
    pack(db, run_id)

    found = db.look(console.page, run_id).lines

    assert [line.number for line in found] == [1, 12]


def test_of_very_much_the_middle_is_dropped(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How it began and how it ended is what people look for."""
    monkeypatch.setattr(limits, "CONSOLE_BYTES", 2_000)
    monkeypatch.setattr(console, "TRIM_BYTES", 100)
    run_id = began(db)

    for number in range(200):
        append(db, run_id, [Lines(1, f"line {number}")])

    found = db.look(console.page, run_id, limit=10_000).lines
    numbers = [line.number for line in found]
    assert numbers[0] == 1
    assert numbers[-1] == 200
    assert 20 < len(numbers) < 100
    assert all(line.text == f"line {line.number - 1}" for line in found)


def test_too_many_lines_at_once_are_refused_by_name(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else was said counts, and the sender is told."""
    monkeypatch.setattr(limits, "CONSOLE_RECORD_LINES", 10)
    run_id = began(db)

    heard = append(db, run_id, [Lines(1, "\n" * 10), Tags({"a": "b"})])

    assert [item.what for item in heard.refused] == ["some of the console"]
    assert texts(db, run_id) == []
    assert dict(db.look(documents.by_id, run_id).tags)["a"] == "b"


def test_the_console_of_no_run_is_not_found(db: Database) -> None:
    """A mistyped id is told, not taken for a silent run."""
    with pytest.raises(errors.RunNotFound):
        db.look(console.page, uuid.uuid4().hex)


def test_a_run_without_a_console_has_an_empty_one(db: Database) -> None:
    """Runs of other clients have none."""
    page = db.look(console.page, new_run(db))

    assert (page.lines, page.last, page.total) == ([], 0, 0)


def began(db: Database) -> str:
    """Begin a run as our SDK does."""
    run_id = uuid.uuid4().hex
    append(db, run_id, [Begin(name="run", start_ms=1)])

    return run_id


def pack(db: Database, run_id: str) -> None:
    """Pack all that a run has."""
    number = db.look(
        lambda tx: tx.one("SELECT id FROM run WHERE uuid = :id", id=run_id)
    )
    assert number
    while db.transact(console.pack, number[0]):
        pass


def texts(db: Database, run_id: str) -> Sequence[str]:
    """Return every line."""
    return [line.text for line in db.look(console.page, run_id, limit=10_000).lines]
