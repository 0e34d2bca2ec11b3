"""One bad client does not take the server from the others."""

import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from runstone import limits
from tests.reliability import raw
from tests.reliability.client import API, Client
from tests.reliability.servers import Served, assert_calm, served


ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
JSON = "Content-Type: application/json"
GROWTH_BYTES = 200 * 1024 * 1024
"""What a server may have grown by after all of this; one body is up to 16 MB."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server for all attacks, and see that it took them calmly."""
    with served(tmp_path_factory.mktemp("denial")) as server:
        with Client(server.port) as client:
            client.call("runs/create", run_name="first")
        before = server.process.memory_info().rss
        yield server
        assert server.process.memory_info().rss - before < GROWTH_BYTES
        assert_calm(server)
        assert server.stop() == 0


@pytest.fixture(autouse=True)
def served_in_between(server: Served) -> Iterator[None]:
    """See that somebody else is served after each attack."""
    yield
    _is_served(server)


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server: Served) -> None:
    """The announced size is enough to know."""
    announced = f"Content-Length: {limits.BODY_BYTES + 1}"
    with raw.connected(server.port) as client:
        client.sendall(raw.head("POST", API + "runs/create", JSON, announced))

        assert raw.status(client) == 413


def test_a_body_without_an_end_is_refused(server: Served) -> None:
    """Chunks announce nothing; the limit holds all the same."""
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    with raw.connected(server.port) as client:
        head = raw.head("POST", API + "runs/create", JSON, "Transfer-Encoding: chunked")
        client.sendall(head)
        for _ in range(limits.BODY_BYTES // (1 << 20) + 1):
            client.sendall(chunk)

        assert raw.status(client) == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", API + "runs/log-batch"), ("PUT", ARTIFACTS + "bomb")],
)
def test_a_compressed_body_is_refused(
    server: Served, method: str, path: str, encoding: str
) -> None:
    """A kilobyte can unpack to a gigabyte."""
    bomb = zlib.compress(b" " * 1_000_000)
    headers = [JSON, f"Content-Encoding: {encoding}", f"Content-Length: {len(bomb)}"]
    with raw.connected(server.port) as client:
        client.sendall(raw.head(method, path, *headers, "Connection: close") + bomb)
        reply = raw.rest(client)

    assert b"415" in reply.split(b"\r\n")[0]
    assert b"without that header" in reply


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"run_id":' * 1_000_000,
        b'{"run_id": "a", "metrics": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b"{" + b",".join(b'"k%d":1' % i for i in range(1_000_000)) + b"}",
        b'{"run_id": "a", "metrics": [' + b",".join([b"{}"] * 1_000_000) + b"]}",
        b'{"run_id": "a", "tags": [{"key": "' + b"k" * 1_000_000 + b'"}]}',
        b'{"run_id": ' + b"9" * 1_000_000 + b"}",
    ],
    ids=["deep list", "deep map", "deep field", "keys", "items", "long key", "digits"],
)
def test_a_costly_body_is_refused(server: Served, body: bytes) -> None:
    """It parses to nothing we know, and does not take long to tell."""
    with Client(server.port) as client:
        status, reply = client.ask("POST", API + "runs/log-batch", body)

    assert status in (400, 404)
    assert len(reply) < 10_000
    assert sorted(json.loads(reply)) == ["error_code", "message"]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "(" * 100_000,
        "metrics.a > 1 AND " * 6_000,
        "params.a LIKE '" + "%a" * 6_000 + "c'",
        "params.a ILIKE '" + "%_" * 6_000 + "b'",
        "tags.`" + "`" * 50_000,
        "params.a IN (" + "'x'," * 20_000 + "'x')",
        "NOT " * 20_000 + "params.a = 'b'",
        "params.a = '" + "\\" * 99_000,
    ],
    ids=lambda text: text[:16],
)
def test_a_costly_filter_ends(server: Served, text: str) -> None:
    """It is refused, or answered; either way, soon enough for the client to hear."""
    with Client(server.port) as client:
        run = client.call("runs/create", run_name="x" * 900)["run"]["info"]["run_id"]
        value = "ab" * 30_000
        client.call("runs/log-parameter", run_id=run, key="a", value=value)
        body = {"experiment_ids": ["0"], "filter": text}
        status, _ = client.ask("POST", API + "runs/search", json.dumps(body).encode())

    assert status in (200, 400)


@pytest.mark.parametrize(
    "token", ["x", "0" * 10_000, "eyJ9", "AAAA" * 5_000, "\0", "é"]
)
@pytest.mark.parametrize("name", ["runs/search", "experiments/search"])
def test_a_forged_page_token_is_refused(server: Served, name: str, token: str) -> None:
    """A token comes back as it was given, or not at all."""
    body = {"experiment_ids": ["0"], "max_results": 5, "page_token": token}
    with Client(server.port) as client:
        status, _ = client.ask("POST", API + name, json.dumps(body).encode())

    assert status == 400


def test_a_head_without_an_end_is_refused(server: Served) -> None:
    """Neither one long header nor a million short ones fill the memory."""
    for line in (b"a" * 1_000, b"a: b\r\n" * 200):
        with raw.connected(server.port) as client:
            client.sendall(b"GET / HTTP/1.1\r\nx: ")
            try:
                for _ in range(8 * limits.HEAD_BYTES // len(line)):
                    client.sendall(line)
            except (BrokenPipeError, ConnectionResetError):
                continue
            assert b"431" in raw.rest(client)


def test_others_are_served_while_a_thousand_clients_wait(server: Served) -> None:
    """Idle, half a head, half a body: a connection is not much."""
    with raw.many_connected(server.port, 1_000) as clients:
        for number, client in enumerate(clients):
            half = [
                b"",
                b"GET /health HTTP/1.1\r\nHost: loc",
                raw.head("POST", API + "runs/create", JSON, "Content-Length: 9") + b"{",
                raw.head("GET", "/health"),
            ][number % 4]
            client.sendall(half)

        _is_served(server)
        assert [raw.status(client) for client in clients[3::4]] == [200] * 250


def test_many_uploads_at_once_are_not_held_in_memory(server: Served) -> None:
    """Artifacts are written as they come."""
    size = 8 * 1024 * 1024
    block = bytes(1024 * 1024)

    def upload(number: int) -> int:
        path = f"{ARTIFACTS}big/{number}"
        with raw.connected(server.port) as client:
            client.sendall(raw.head("PUT", path, f"Content-Length: {size}"))
            for _ in range(size // len(block)):
                client.sendall(block)
            return raw.status(client)

    with ThreadPoolExecutor(32) as pool:
        answers = pool.map(upload, range(64))
        _is_served(server)
        assert list(answers) == [200] * 64


def _is_served(server: Served) -> None:
    with Client(server.port) as client:
        assert client.ask("GET", "/health") == (200, b"OK")
        client.call("runs/search", experiment_ids=["0"], max_results=1)
