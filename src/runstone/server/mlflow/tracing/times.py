"""
Times as protobuf's JSON has them: "1970-01-01T00:00:01.500Z", "0.250s".

Source: https://protobuf.dev/programming-guides/json, Timestamp and Duration.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from runstone import errors
from runstone.server.http import Int64


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DURATION: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
STAMP: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)

FIRST_MS: Final = -62_135_596_800_000
LAST_MS: Final = 253_402_300_799_999
"""The years 1 to 9999: other times cannot be written."""


def read_stamp(text: str, field: str) -> int:
    """
    Return a time in milliseconds since the Unix epoch, UTC.

    Raises:
        InvalidInput: It is none.
    """
    match = STAMP.fullmatch(text)
    if not match:
        raise _misfit(field, "a time such as 2026-01-31T12:00:00.250Z")
    try:
        whole = datetime.fromisoformat(
            match[1] + match[3].upper().replace("Z", "+00:00")
        )
        seconds = (whole - EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        raise _misfit(field, "a time that exists") from None

    return require_time(seconds * 1000 + _milliseconds(match[2]), field)


def stamp(time_ms: int) -> str:
    """Write a time in milliseconds since the Unix epoch, UTC."""
    whole = EPOCH + timedelta(milliseconds=time_ms)
    exactness = "milliseconds" if time_ms % 1000 else "seconds"

    return whole.isoformat(timespec=exactness).replace("+00:00", "Z")


def read_duration(text: str, field: str) -> int:
    """
    Return a duration in milliseconds.

    Raises:
        InvalidInput: It is none.
    """
    match = DURATION.fullmatch(text)
    if not match:
        raise _misfit(field, "a duration such as 1.250s")
    duration_ms = int(match[2]) * 1000 + _milliseconds(match[3])

    return -duration_ms if match[1] else duration_ms


def duration(duration_ms: int) -> str:
    """Write a duration in milliseconds."""
    seconds, rest = divmod(abs(duration_ms), 1000)
    sign = "-" if duration_ms < 0 else ""

    return f"{sign}{seconds}.{rest:03}s" if rest else f"{sign}{seconds}s"


def require_time(time_ms: Int64, field: str) -> int:
    """
    Return a time if it lies in the years 1 to 9999.

    Raises:
        InvalidInput: It does not.
    """
    if not FIRST_MS <= time_ms <= LAST_MS:
        raise _misfit(field, "milliseconds since 1970 in the years 1 to 9999")

    return time_ms


def _milliseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(3, "0")[:3])


def _misfit(field: str, expected: str) -> errors.InvalidInput:
    return errors.InvalidInput(
        f"Invalid value for parameter '{field}' supplied: expected {expected}"
    )
