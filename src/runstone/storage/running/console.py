"""
Consoles: the lines that the processes of a run wrote, numbered as they came.

What comes is kept as it came and packed once there is enough of it, or the run
has ended.  Of very much, the beginning and the end stay; the numbers of the lines
then have a gap.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from runstone import errors, limits
from runstone.journal import Lines
from runstone.storage import runs
from runstone.storage.runs import Place
from runstone.storage.tx import Tx


PACK_BYTES: Final = 256 * 1024
"""Text of one packed row."""

TRIM_BYTES: Final = 1024 * 1024
"""After how much more text the middle is looked at again."""

READ_ROWS: Final = 8

Stream = Literal["stdout", "stderr"]


class Line(NamedTuple):
    """One line."""

    number: int
    time_ms: int
    stream: Stream
    text: str


class Page(NamedTuple):
    """Some lines of a run."""

    lines: list[Line]
    last: int
    """Number of the last line that was looked at: where the next page goes on."""

    total: int
    """Number of the run's last line."""


Said = tuple[int, Stream, str]
"""Time, stream and text of some lines, as a row keeps them."""


class _Row(NamedTuple):
    first: int
    lines: int
    start: int
    size: int
    is_packed: int
    body: bytes


def append(tx: Tx, place: Place, said: Sequence[Lines]) -> None:
    """
    Keep lines of a run that was just touched.

    Raises:
        TooLarge: There are too many lines in one.
    """
    for portion in said:
        if portion.text.count("\n") >= limits.CONSOLE_RECORD_LINES:
            raise errors.TooLarge(
                "A piece of the console",
                portion.text.count("\n") + 1,
                limits.CONSOLE_RECORD_LINES,
            )
    number, start = _end(tx, place.run)
    before = start
    for portion in said:
        number += portion.lost
        lines = portion.text.count("\n") + 1
        text = _encode([_clean(portion)])
        size = len(text)
        tx.run(
            """
            INSERT INTO console (run_id, first, lines_count, start_bytes, size_bytes,
                is_packed, body)
            VALUES (:run, :first, :count, :start, :size, 0, :body)
            """,
            run=place.run,
            first=number,
            count=lines,
            start=start,
            size=size,
            body=text,
        )
        number += lines
        start += size
    if start > limits.CONSOLE_BYTES and before // TRIM_BYTES != start // TRIM_BYTES:
        _trim(tx, place.run, start)


def page(
    tx: Tx, run_id: str, *, after: int = 0, limit: int = 1000, find: str = ""
) -> Page:
    """
    Return lines of a run, in order.

    Args:
        tx: Transaction.

        run_id: The run's.

        after: Only lines with greater numbers.

        limit: How many at most.

        find: Only lines that hold this, in upper or lower case.

    Raises:
        RunNotFound: No run has this id.
    """
    run = runs.require(tx, run_id).run
    total = _end(tx, run)[0] - 1
    found: list[Line] = []
    for line in _after(tx, run, after):
        if _fits(line, find):
            found.append(line)
            if len(found) == limit:
                return Page(found, line.number, total)

    return Page(found, max(total, after), total)


def tail(tx: Tx, run_id: str, *, limit: int = 1000, find: str = "") -> Page:
    """
    Return the last lines of a run, in order.

    Raises:
        RunNotFound: No run has this id.
    """
    run = runs.require(tx, run_id).run
    total = _end(tx, run)[0] - 1
    found: list[Line] = []
    rows = _rows(tx, run, "first < :edge", "first DESC", total + 1)
    while rows and len(found) < limit:
        for row in rows:
            fitting = [line for line in _read(row) if _fits(line, find)]
            found = fitting + found
        rows = _rows(tx, run, "first < :edge", "first DESC", rows[-1].first)

    return Page(found[-limit:], total, total)


def due(tx: Tx) -> list[int]:
    """Return the number of each run that has much to pack, or has ended."""
    rows = tx.all(
        """
        SELECT console.run_id, SUM(console.size_bytes), MAX(run.status), COUNT(*)
        FROM console JOIN run ON run.id = console.run_id
        WHERE console.is_packed = 0 GROUP BY console.run_id
        """
    )

    return [
        run
        for run, size, status, _ in rows
        if status != "RUNNING" or size >= 2 * PACK_BYTES
    ]


def pack(tx: Tx, run: int) -> bool:
    """
    Pack some of what came, the oldest first; say whether there is more.

    Raises:
        Conflict: Another server did it; nothing is written.
    """
    rows = tx.all(
        """
        SELECT first, lines_count, start_bytes, size_bytes, is_packed, body
        FROM console WHERE run_id = :run AND is_packed = 0 ORDER BY first LIMIT 1000
        """,
        run=run,
    )
    group = _group([_Row(*row) for row in rows])
    if not group:
        return False
    gone = tx.run(
        "DELETE FROM console WHERE run_id = :run AND is_packed = 0 AND first IN (:all)",
        run=run,
        all=[row.first for row in group],
    )
    if gone != len(group):
        raise errors.Conflict("Another server has packed this console")
    told = [said for row in group for said in _said(row)]
    tx.run(
        """
        INSERT INTO console (run_id, first, lines_count, start_bytes, size_bytes,
            is_packed, body)
        VALUES (:run, :first, :count, :start, :size, 1, :body)
        """,
        run=run,
        first=group[0].first,
        count=sum(row.lines for row in group),
        start=group[0].start,
        size=sum(row.size for row in group),
        body=zlib.compress(_encode(told)),
    )

    return len(group) < len(rows)


def _clean(portion: Lines) -> Said:
    # Progress bars and binary files that were printed by mistake may hold NUL.
    return portion.time_ms, portion.stream, portion.text.replace("\0", "\ufffd")


def _end(tx: Tx, run: int) -> tuple[int, int]:
    """Return the number and the place of the next line."""
    row = tx.one(
        """
        SELECT first + lines_count, start_bytes + size_bytes FROM console
        WHERE run_id = :run ORDER BY first DESC LIMIT 1
        """,
        run=run,
    )

    return (row[0], row[1]) if row else (1, 0)


def _trim(tx: Tx, run: int, end: int) -> None:
    """Drop the middle of what is too much."""
    half = limits.CONSOLE_BYTES // 2
    tx.run(
        """
        DELETE FROM console
        WHERE run_id = :run AND start_bytes >= :head AND start_bytes < :tail
        """,
        run=run,
        head=half,
        tail=end - half,
    )


def _group(rows: Sequence[_Row]) -> list[_Row]:
    """Choose neighbours that make one packed row."""
    group: list[_Row] = []
    size = 0
    for row in rows:
        follows = not group or group[-1].first + group[-1].lines == row.first
        if not follows or (group and size + row.size > PACK_BYTES):
            break
        group.append(row)
        size += row.size

    return group


def _after(tx: Tx, run: int, after: int) -> Iterator[Line]:
    # The row that holds the line may begin before it.
    holder = tx.one(
        "SELECT MAX(first) FROM console WHERE run_id = :run AND first <= :after",
        run=run,
        after=after,
    )
    edge = (holder[0] if holder else None) or 0
    while rows := _rows(tx, run, "first >= :edge", "first", edge):
        for row in rows:
            for line in _read(row):
                if line.number > after:
                    yield line
        edge = rows[-1].first + 1


def _rows(tx: Tx, run: int, where: str, order: str, edge: int) -> list[_Row]:
    rows = tx.all(
        "SELECT first, lines_count, start_bytes, size_bytes, is_packed, body "  # noqa: S608  # our own texts
        f"FROM console WHERE run_id = :run AND {where} ORDER BY {order} LIMIT :most",
        run=run,
        edge=edge,
        most=READ_ROWS,
    )

    return [_Row(*row) for row in rows]


def _read(row: _Row) -> Iterator[Line]:
    number = row.first
    for time_ms, stream, text in _said(row):
        for line in text.split("\n"):
            yield Line(number, time_ms, stream, line)
            number += 1


def _said(row: _Row) -> list[Said]:
    return _decode(zlib.decompress(row.body) if row.is_packed else row.body)


def _fits(line: Line, find: str) -> bool:
    return not find or find.casefold() in line.text.casefold()


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[Said]).decode
