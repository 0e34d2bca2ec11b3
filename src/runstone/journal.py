"""
The journal: what a run says, as bytes; the same in a spool file and on the wire.

A journal is records, one behind the other, and each can be read alone:

    magic     2 bytes   where a record may begin, if what was before it is broken
    kind      u8        POINTS or CHANGE
    (zero)    u8
    size      u32       bytes of the body
    checksum  u32       CRC-32 of the body, begun with the kind
    body

Numbers are little-endian.  The body of POINTS is one call of `log`: step and
time (i64), count and size of the keys (u16 each), the values (f64), the keys
(UTF-8, put together with NUL).  The body of CHANGE is JSON, one `Change`.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal, NamedTuple
from zlib import crc32

import msgspec

from runstone import errors, limits
from runstone.model import RunStatus


MAGIC: Final = 0x72D5
HEAD: Final = struct.Struct("<HBBII")
POINTS: Final = 1
CHANGE: Final = 2
CALL: Final = struct.Struct("<qqHH")

BODY_BYTES: Final = 16 * 1024 * 1024
"""Largest body of one record: a bound for whoever reads a broken size."""

CALL_KEYS: Final = 65_535
"""Most keys, and most bytes of keys, in one record."""


Int64 = Annotated[int, msgspec.Meta(ge=limits.INT64_MIN, le=limits.INT64_MAX)]


class Begin(msgspec.Struct, tag="begin", omit_defaults=True, frozen=True):
    """The run exists from here on; one that exists already goes on."""

    experiment: str = ""
    """Name of its experiment, which is made if it is missing; "" names it by id."""

    experiment_id: str = "0"
    name: str = ""
    """Of the run; empty where an old run goes on under its name."""

    user: str = ""
    start_ms: Int64 = 0
    tags: dict[str, str] = {}


class Params(msgspec.Struct, tag="params", omit_defaults=True, frozen=True):
    """Inputs of the run."""

    values: dict[str, str]
    anew: bool = False
    """Whether they may take the place of other values."""


class Tags(msgspec.Struct, tag="tags", frozen=True):
    """Labels of the run; a later value takes the place of an earlier one."""

    values: dict[str, str]


class Untag(msgspec.Struct, tag="untag", frozen=True):
    """A label is gone."""

    key: str


class Status(msgspec.Struct, tag="status", omit_defaults=True, frozen=True):
    """How far the run has come."""

    status: RunStatus
    end_ms: Int64 | None = None


class Media(msgspec.Struct, tag="media", frozen=True):
    """Something richer than a number at a step: images, audio, a table, a text."""

    key: str
    step: Int64
    time_ms: Int64
    body: msgspec.Raw
    """A JSON object that says what it is in its field "type"; files stand in it as
    paths of the run's artifacts."""


class Lines(msgspec.Struct, tag="lines", omit_defaults=True, frozen=True):
    """What a process wrote for people to read: lines of one of its streams."""

    time_ms: Int64
    text: str
    """Lines with newlines between them, none behind the last."""

    stream: Literal["stdout", "stderr"] = "stdout"
    lost: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = 0
    """How many lines before these came too fast to be kept."""


class Read(msgspec.Struct, omit_defaults=True, frozen=True):
    """A dataset that the run read, described and not copied."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None
    tags: dict[str, str] = {}


class Inputs(msgspec.Struct, tag="inputs", frozen=True):
    """What the run read; the same dataset twice is one input."""

    datasets: list[Read]


Change = Begin | Params | Tags | Untag | Status | Media | Lines | Inputs


class Call(NamedTuple):
    """One call of `log`: values of several series at one step."""

    keys: tuple[str, ...]
    step: int
    time_ms: int
    values: tuple[float, ...]


class Record(NamedTuple):
    """A record and where it ends, counted from the start of what was read."""

    end: int
    said: Call | Change


class Broken(errors.InvalidInput):
    """Bytes that are not a journal."""


class Packer(NamedTuple):
    """Packs calls that have the same keys."""

    layout: struct.Struct
    values: int
    size: int
    keys: bytes

    def record(self, step: int, time_ms: int, numbers: Iterable[float]) -> bytes:
        """
        Return the record of one call.

        Raises:
            struct.error: A value is no number, or *step* has more than 64 bits.
        """
        body = (
            self.layout.pack(step, time_ms, self.values, self.size, *numbers)
            + self.keys
        )

        return HEAD.pack(MAGIC, POINTS, 0, len(body), crc32(body, POINTS)) + body


def packer(keys: tuple[str, ...]) -> Packer:
    """
    Return what packs calls with these keys.

    Raises:
        InvalidInput: A key is empty, holds NUL or half of a surrogate pair, or
            they are too many for one record.
    """
    try:
        packed = "\0".join(keys).encode()
    except UnicodeEncodeError:
        raise errors.InvalidInput(
            "A metric key is not valid Unicode; use a name that UTF-8 can spell"
        ) from None
    if not all(keys) or packed.count(b"\0") != len(keys) - 1:
        raise errors.InvalidInput(
            "A metric key is empty or holds a NUL character; give the metric a name"
        )
    if max(len(keys), len(packed)) > CALL_KEYS:
        raise errors.TooLarge("The keys of one call", len(packed), CALL_KEYS)
    layout = struct.Struct(f"<qqHH{len(keys)}d")

    return Packer(layout, len(keys), len(packed), packed)


def change(said: Change) -> bytes:
    """Return the record of a change."""
    body = _encode(said)
    if len(body) > BODY_BYTES:
        raise errors.TooLarge("A change", len(body), BODY_BYTES)

    return HEAD.pack(MAGIC, CHANGE, 0, len(body), crc32(body, CHANGE)) + body


def read(journal: bytes) -> Iterator[Record]:
    """
    Yield every record of a whole journal.

    Raises:
        Broken: It is not a journal from the first byte to the last.
    """
    shapes: dict[bytes, tuple[str, ...]] = {}
    start = 0
    while start < len(journal):
        end = _end(journal, start)
        if end is None:
            raise Broken(f"The journal is broken at byte {start}; send whole records")
        body = journal[start + HEAD.size : end]
        if journal[start + 2] == POINTS:
            yield Record(end, _call(body, shapes))
        else:
            yield Record(end, _change(body))
        start = end


def whole(journal: bytes) -> int:
    """Return how many of the first bytes are whole records."""
    start = 0
    while (end := _end(journal, start)) is not None:
        start = end

    return start


def resume(journal: bytes, start: int) -> int:
    """Return where the next whole record begins at or after *start*, or the end."""
    sign = MAGIC.to_bytes(2, "little")
    while (start := journal.find(sign, start)) >= 0:
        if _end(journal, start) is not None:
            return start
        start += 1

    return len(journal)


def _end(journal: bytes, start: int) -> int | None:
    """Return where the record at *start* ends, or None where there is none."""
    if len(journal) - start < HEAD.size:
        return None
    magic, kind, zero, size, checksum = HEAD.unpack_from(journal, start)
    end: int = start + HEAD.size + size
    fits = magic == MAGIC and kind in (POINTS, CHANGE) and not zero
    if not fits or end > len(journal):
        return None
    if crc32(memoryview(journal)[start + HEAD.size : end], kind) != checksum:
        return None

    return end


def _call(body: bytes, shapes: dict[bytes, tuple[str, ...]]) -> Call:
    """Read the body of POINTS; *shapes* remembers keys that were met before."""
    if len(body) < CALL.size:
        raise Broken("A record of points is too short")
    step, time_ms, count, size = CALL.unpack_from(body)
    packed = body[CALL.size + 8 * count :]
    if len(packed) != size:
        raise Broken("A record of points does not have the size that it says")
    keys = shapes.get(packed)
    if keys is None:
        keys = shapes[packed] = _keys(packed)
    if len(keys) != count:
        raise Broken("A record of points has more or fewer values than keys")

    return Call(keys, step, time_ms, struct.unpack_from(f"<{count}d", body, CALL.size))


def _keys(packed: bytes) -> tuple[str, ...]:
    try:
        return tuple(packed.decode().split("\0")) if packed else ()
    except UnicodeDecodeError:
        raise Broken("A record of points has keys that are not UTF-8") from None


def _change(body: bytes) -> Change:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"A change does not have the shape of one: {error}") from None


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final[msgspec.json.Decoder[Change]] = msgspec.json.Decoder(Change)
