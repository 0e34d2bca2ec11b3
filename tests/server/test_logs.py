"""The log can be read line by line, by people and by `grep`."""

import logging

from runstone.server import logs


def test_every_line_of_a_message_has_its_head() -> None:
    """The access log comes in bunches, and each request is a line of its own."""
    record = logging.LogRecord("access", logging.INFO, "", 0, "a\nb\nc", (), None)
    formatter = logs.Lines("%(levelname)s %(name)s: %(message)s")

    lines = formatter.format(record).splitlines()

    assert lines == ["INFO access: a", "INFO access: b", "INFO access: c"]


def test_the_traceback_of_a_surprise_is_kept() -> None:
    """What went wrong in the server is worth its many lines."""
    error = ValueError("surprise")
    found = (ValueError, error, None)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "It failed", (), found)

    text = logs.Lines(logs.FORMAT).format(record)

    assert text.splitlines()[0].endswith("ERROR x: It failed")
    assert text.endswith("ValueError: surprise")
