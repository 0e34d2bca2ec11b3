"""The journal: what is said comes back, and broken bytes are stepped over."""

import math
import struct
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import errors, journal
from runstone.journal import Begin, Call, Change, Media, Params, Status, Tags, Untag
from runstone.model import RunStatus
from tests.properties import INT64


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
CALLS = st.dictionaries(KEYS, st.floats(), min_size=1, max_size=5).flatmap(
    lambda values: st.builds(
        Call, st.just(tuple(values)), INT64, INT64, st.just(tuple(values.values()))
    )
)
TEXTS = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Begin, name=st.text(), start_ms=INT64, tags=TEXTS),
    st.builds(Params, TEXTS, st.booleans()),
    st.builds(Tags, TEXTS),
    st.builds(Untag, st.text()),
    st.builds(Status, st.sampled_from(RunStatus), st.none() | INT64),
    st.builds(Media, KEYS, INT64, INT64, st.just(msgspec.Raw(b'{"type":"text"}'))),
)
SAID = st.lists(CALLS | CHANGES, max_size=8)


@given(said=SAID)
def test_what_is_said_comes_back(said: list[Call | Change]) -> None:
    """NaN, infinities, any name and any text: the server reads what was written."""
    written = b"".join(map(record, said))

    found = list(journal.read(written))

    assert b"".join(record(item.said) for item in found) == written
    assert [item.end for item in found][-1:] == ([len(written)] if said else [])


@given(said=SAID, cut=st.integers(0, 2000))
def test_a_torn_end_leaves_what_was_whole(said: list[Call | Change], cut: int) -> None:
    """A disk that took a part of the last record has not spoilt those before it."""
    records = list(map(record, said))
    torn = b"".join(records)[:cut]

    size = journal.whole(torn)

    whole = [item for place, item in enumerate(records) if ends(records)[place] <= cut]
    assert torn[:size] == b"".join(whole)


@given(before=CALLS, behind=CALLS, lost=st.integers(1, 30), noise=st.binary())
def test_what_follows_a_torn_record_is_found(
    before: Call, behind: Call, lost: int, noise: bytes
) -> None:
    """Only what was never written whole is given up."""
    torn = record(before)[:-lost] + noise

    start = journal.resume(torn + record(behind), 1)

    assert (torn + record(behind))[start:] == record(behind)


@given(noise=st.binary(max_size=300), said=SAID, place=st.integers(0, 300))
def test_noise_is_refused_in_words(
    noise: bytes, said: list[Call | Change], place: int
) -> None:
    """Whatever is sent, the answer is an error of ours or what was said."""
    good = b"".join(map(record, said))
    sent = good[:place] + noise + good[place:]

    try:
        found = list(journal.read(sent))
    except errors.InvalidInput:
        return

    assert not noise or found[-1].end == len(sent)


def test_a_body_that_lies_about_itself_is_refused() -> None:
    """Its checksum may be right: whoever attacks can count."""
    body = journal.CALL.pack(1, 2, 3, 4) + struct.pack("<3d", 1, 2, 3) + b"a\0b!"
    lie = journal.HEAD.pack(
        journal.MAGIC, journal.POINTS, 0, len(body), crc32(body, journal.POINTS)
    )

    with pytest.raises(journal.Broken, match="more or fewer values"):
        list(journal.read(lie + body))


@pytest.mark.parametrize(
    "keys", [("",), ("a", ""), ("a\0b",), ("\ud800",), ("k" * 70_000,)]
)
def test_a_key_that_cannot_be_kept_is_refused_at_once(keys: tuple[str, ...]) -> None:
    """The one who logs it is there to mend it; the server is far."""
    with pytest.raises(errors.InvalidInput):
        journal.packer(keys)


def test_what_floats_like_a_number_is_a_number() -> None:
    """NumPy's and torch's scalars need no import of theirs."""

    class Scalar:
        def __float__(self) -> float:
            return 0.5

    written = journal.packer(("a", "b")).record(1, 2, [Scalar(), math.pi])  # type: ignore[list-item]  # what is tested

    assert next(journal.read(written)).said == Call(("a", "b"), 1, 2, (0.5, math.pi))


def record(said: Call | Change) -> bytes:
    """Write one record."""
    if isinstance(said, Call):
        return journal.packer(said.keys).record(said.step, said.time_ms, said.values)

    return journal.change(said)


def ends(records: list[bytes]) -> list[int]:
    """Return where each record ends."""
    return [sum(map(len, records[: place + 1])) for place in range(len(records))]
