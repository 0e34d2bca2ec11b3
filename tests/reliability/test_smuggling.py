"""Server and proxy agree where a request ends, or the server hangs up."""

from collections.abc import Iterator

import pytest

from tests.reliability import raw
from tests.reliability.servers import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server."""
    with served(tmp_path_factory.mktemp("smuggling")) as server:
        yield server


HIDDEN = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
SEARCH = ("POST", "/api/2.0/mlflow/runs/search", "Content-Type: application/json")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n" + HIDDEN),
        (["Content-Length: 0", "Content-Length: 44"], HIDDEN),
        (["Content-Length: 0, 44"], HIDDEN),
        (["Content-Length: -1"], HIDDEN),
        (["Content-Length: +2"], b"{}" + HIDDEN),
        (["Content-Length: 0x2"], b"{}" + HIDDEN),
        (["Content-Length: 2 2"], b"{}" + HIDDEN),
        (["Content-Length: " + "9" * 30], HIDDEN),
        (["Content-Length : 2"], b"{}" + HIDDEN),
        (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: xchunked"], b"0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding : chunked"], b"0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked"], b"-1\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked"], b"0x0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked"], b"f" * 17 + b"\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked"], b"2\r\n{}x\r\n0\r\n\r\n" + HIDDEN),
        (["Transfer-Encoding: chunked"], b"2\n{}\n0\n\n" + HIDDEN),
        (["X: a\r\n b: c\r\n Content-Length: 44"], HIDDEN),
        (["X: a\nContent-Length: 44"], HIDDEN),
        (["X: a\0b", "Content-Length: 2"], b"{}" + HIDDEN),
    ],
)
def test_a_second_request_cannot_hide_in_the_first(
    server: Served, headers: list[str], body: bytes
) -> None:
    """A proxy in front may read the same bytes the other way."""
    codes = raw.statuses(server.port, raw.head(*SEARCH, *headers) + body)

    assert 400 in codes
    assert codes.index(400) == len(codes) - 1
