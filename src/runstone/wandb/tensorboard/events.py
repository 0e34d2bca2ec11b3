"""
TensorBoard's event files, read as they grow.

A file is records: length (u64), its masked CRC-32C, the bytes, their masked CRC-32C.
The bytes are a protobuf `Event`, of which only what is drawn is read.

Source: `tensorflow/core/lib/io/record_writer.h`, `tensorflow/core/util/event.proto`
and `tensorflow/core/framework/summary.proto`, TensorFlow 2.19.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple


HEAD: Final = struct.Struct("<QI")
CHECKED_BYTES: Final = 65_536
"""Longer records are trusted when their length is right: a checksum in Python costs
training a second for every ten megabytes."""

RECORD_BYTES: Final = 256 * 1024 * 1024
"""No record is longer; a bound for whoever reads a broken length."""

DT_FLOAT: Final = 1
NUMBERS: Final = {DT_FLOAT: "f", 2: "d", 3: "i", 9: "q", 10: "?"}
"""From TensorFlow's number of a type to that of `struct`."""


PACKED: Final = {5: "f", 6: "d"}
"""Fields of a tensor that hold many numbers."""


class Value(NamedTuple):
    """What a writer said of one tag."""

    tag: str
    number: float | None = None
    image: bytes | None = None
    """A file of PNG, JPEG or GIF."""

    histogram: tuple[list[float], list[float]] | None = None
    """Counts and edges."""

    text: str | None = None


class Event(NamedTuple):
    """What a writer said at a step."""

    time_ms: int
    step: int
    values: list[Value]
    is_summary: bool = False


class Reader:
    """
    Reads a file to where it ends for now.

    Half a record at the end is waited for; one that is broken ends the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._broken = False

    def events(self) -> Iterator[Event]:
        """Yield what was written since the last call."""
        if self._broken:
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            while (record := self._record(file)) is not None:
                yield event(record)

    def _record(self, file: Any) -> bytes | None:
        """Return the next whole record, or None where there is none yet."""
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        size, checksum = HEAD.unpack(head)
        if masked(head[:8]) != checksum or size > RECORD_BYTES:
            self._broken = True
            return None
        body: bytes = file.read(size + 4)
        if len(body) < size + 4:
            return None
        record = body[:size]
        is_right = size > CHECKED_BYTES or masked(record) == int.from_bytes(
            body[size:], "little"
        )
        self._offset += HEAD.size + size + 4

        # The length was right, so the file goes on behind what is broken.
        return record if is_right else b""


def event(record: bytes) -> Event:
    """Read an `Event`; what is no event is one that says nothing."""
    wall, step, is_summary, values = 0.0, 0, False, []
    for field, value in fields(record):
        if field == 1 and isinstance(value, bytes) and len(value) == 8:
            wall = struct.unpack("<d", value)[0]
        elif field == 2 and isinstance(value, int):
            step = value - 2**64 if value >= 2**63 else value
        elif field == 5 and isinstance(value, bytes):
            is_summary = True
            values += [_value(v) for f, v in fields(value) if f == 1 and _is_bytes(v)]

    known = [value for value in values if value is not None]

    return Event(round(wall * 1000), step, known, is_summary)


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


def _value(record: Any) -> Value | None:
    """Read a `Summary.Value`."""
    found = dict(fields(record))
    tag = _bytes(found.get(1)).decode(errors="replace")
    if 2 in found:
        return Value(tag, number=struct.unpack("<f", _bytes(found[2]))[0])
    if 4 in found:
        return Value(tag, image=_bytes(dict(fields(_bytes(found[4]))).get(4)))
    if 5 in found:
        return Value(tag, histogram=_histogram(_bytes(found[5])))
    if 8 in found:
        return _tensor(tag, _bytes(found[8]), _plugin(_bytes(found.get(9))))

    return None


def _plugin(metadata: bytes) -> str:
    """Return who draws a tensor: "scalars", "images", "histograms", "text"."""
    inner = dict(fields(_bytes(dict(fields(metadata)).get(1))))

    return _bytes(inner.get(1)).decode(errors="replace")


def _tensor(tag: str, record: bytes, plugin: str) -> Value | None:
    """Read a `TensorProto` as whatever it stands for."""
    numbers, texts, shape = tensor(record)
    if plugin == "text" and texts:
        return Value(tag, text=texts[0].decode(errors="replace"))
    if plugin == "images" and len(texts) > 2:  # width, height, pictures
        return Value(tag, image=texts[2])
    if plugin == "histograms" and len(shape) == 2 and shape[1] == 3 and numbers:
        rows = [numbers[n : n + 3] for n in range(0, len(numbers), 3)]
        edges = [row[0] for row in rows] + [rows[-1][1]]
        return Value(tag, histogram=([row[2] for row in rows], edges))
    if len(numbers) == 1:
        return Value(tag, number=numbers[0])

    return None


def tensor(record: bytes) -> tuple[list[float], list[bytes], list[int]]:
    """Return numbers, texts and shape of a `TensorProto`."""
    said = list(fields(record))
    whole = dict(said)
    shape = [_size(v) for f, v in fields(_bytes(whole.get(2))) if f == 2]
    texts = [_bytes(value) for field, value in said if field == 8]
    kind = NUMBERS.get(_int(whole.get(1, DT_FLOAT)))
    if kind and 4 in whole:
        return _unpacked(_bytes(whole[4]), kind), texts, shape

    numbers: list[float] = []
    for field, value in said:
        if field in PACKED:
            numbers += _unpacked(_bytes(value), PACKED[field])
        elif field in (7, 10):
            numbers += [value] if isinstance(value, int) else _varints(_bytes(value))

    return numbers, texts, shape


def _size(record: object) -> int:
    return _int(dict(fields(_bytes(record))).get(1))


def _histogram(record: bytes) -> tuple[list[float], list[float]]:
    """Read a `HistogramProto`: upper edges of buckets, and their counts."""
    found = dict(fields(record))
    low = struct.unpack("<d", _bytes(found.get(1), b"\0" * 8))[0]
    edges = _unpacked(_bytes(found.get(6)), "d")
    counts = _unpacked(_bytes(found.get(7)), "d")
    first = next((n for n, count in enumerate(counts) if count), 0)
    last = len(counts) - next((n for n, c in enumerate(counts[::-1]) if c), 0)

    return counts[first:last], [low, *edges[first:last]]


def fields(record: bytes) -> Iterator[tuple[int, int | bytes]]:
    """
    Yield number and value of each field of a protobuf message.

    What breaks off ends it.  Numbers of fixed width come as their bytes.
    """
    place = 0
    try:
        while place < len(record):
            key, place = _varint(record, place)
            value: int | bytes
            match key & 7:
                case 0:
                    value, place = _varint(record, place)
                case 1:
                    value, place = record[place : place + 8], place + 8
                case 2:
                    size, place = _varint(record, place)
                    value, place = record[place : place + size], place + size
                case 5:
                    value, place = record[place : place + 4], place + 4
                case _:
                    return
            yield key >> 3, value
    except IndexError:
        return


def masked(content: bytes) -> int:
    """
    Return the masked CRC-32C of bytes.

    Source: RFC 3720, appendix B.4; the mask is TensorFlow's (`core/lib/hash/crc32c.h`).
    """
    found = 0xFFFFFFFF
    for byte in content:
        found = TABLE[(found ^ byte) & 0xFF] ^ (found >> 8)
    found ^= 0xFFFFFFFF

    return ((found >> 15 | found << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        found = byte
        for _ in range(8):
            found = (found >> 1) ^ (0x82F63B78 if found & 1 else 0)
        table.append(found)

    return tuple(table)


TABLE: Final = _table()


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _bytes(value: object, otherwise: bytes = b"") -> bytes:
    return value if isinstance(value, bytes) else otherwise


def _unpacked(content: bytes, kind: str) -> list[float]:
    size = struct.calcsize(f"<{kind}")
    count = len(content) // size

    return list(struct.unpack(f"<{count}{kind}", content[: count * size]))


def _varints(content: bytes) -> list[float]:
    place, found = 0, []
    while place < len(content):
        number, place = _varint(content, place)
        found.append(float(number))

    return found


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return a number and where the next begins."""
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
