"""Each error of ours has its code on the wire; a surprise tells nothing."""

import inspect
import logging

import msgspec
import pytest

from runstone import errors
from runstone.server import http
from runstone.server.errors import WIRE, answer


FAMILIES = [
    value
    for _, value in inspect.getmembers(errors, inspect.isclass)
    if value.__bases__ == (errors.RunstoneError,)
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_family_of_errors_has_a_line(family: type[errors.RunstoneError]) -> None:
    """A new family without one would be answered as a fault of the server."""
    assert family in WIRE


def test_a_class_without_a_line_looks_like_its_parent() -> None:
    """So a finer class changes nothing on the wire."""

    class Finer(errors.RunNotFound):
        """A class that the table does not know."""

    reply = answer(Finer("abc"))

    assert reply.status == 404
    assert body(reply)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "abc" in body(reply)["message"]


def test_no_mistake_of_a_client_is_a_fault_of_the_server() -> None:
    """Whoever sends nonsense sees a 4xx; 5xx wakes somebody up."""
    server = (errors.Unavailable, errors.Unusable, errors.NotBuilt)

    for kind, (status, _) in WIRE.items():
        is_ours = issubclass(kind, server) or kind is errors.RunstoneError
        assert (status >= 500) is is_ours, kind


def test_a_surprise_has_a_number_and_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The client can name it, the log explains it, and nothing leaks."""
    secret = "password=hunter2"  # a word of the test
    with caplog.at_level(logging.ERROR):
        reply = answer(RuntimeError(secret))

    words = body(reply)["message"]
    number = words.split()[2].rstrip(";")
    assert (reply.status, body(reply)["error_code"]) == (500, "INTERNAL_ERROR")
    assert secret not in words
    assert number in caplog.text
    assert secret in caplog.text


def test_a_body_that_is_too_large_has_its_own_status() -> None:
    """413: a client may send it in parts."""
    assert answer(http.BodyTooLarge("The body", 2, 1)).status == 413


def body(reply: http.Reply) -> dict[str, str]:
    """Return what an error says."""
    assert isinstance(reply.body, bytes)
    assert reply.content_type == b"application/json"

    return msgspec.json.decode(reply.body, type=dict[str, str])
