"""Every path of MLflow's has an answer that its clients can read."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dev import endpoints


# All pairs of method and path of MLflow 3.18, as its own server lists them.
PAIRS = (Path(__file__).parent / "endpoints.txt").read_text().splitlines()
PAGES = re.compile(r"GET /(build/.*|static-files/.*)?$")
"""Where MLflow's own UI lies; ours answers a browser there."""


@pytest.fixture
def connection(server: str) -> Iterator[http.client.HTTPConnection]:
    """Give a connection to a server."""
    parts = urlsplit(server)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str
) -> tuple[int, dict[str, str], bytes]:
    """Send an empty request, as a browser might."""
    sent = None if method in ("GET", "HEAD") else b"{}"
    headers = {"Accept": "text/html", "Content-Type": "application/json"}
    connection.request(method, path, sent, headers)
    response = connection.getresponse()
    names = {name.lower(): value for name, value in response.getheaders()}

    return response.status, names, response.read()


def test_no_path_of_mlflow_surprises_its_client(
    connection: http.client.HTTPConnection,
) -> None:
    """Done, refused or not built: always JSON, never a page and never a 500."""
    surprises = {}
    for pair in PAIRS:
        if PAGES.match(pair):
            continue
        method, path = pair.split(" ")
        status, headers, body = ask(connection, method, re.sub(r"<[^>]+>", "x", path))
        if status < 400 and b"<html" not in body:
            continue
        is_json = headers["content-type"] == "application/json"
        if not is_json or set(json.loads(body)) != {"error_code", "message"}:
            surprises[pair] = (status, body)
        if status >= 500 and status != 501:
            surprises[pair] = (status, body)

    assert len(PAIRS) > 333
    assert surprises == {}


def test_what_is_not_built_says_so(connection: http.client.HTTPConnection) -> None:
    """A client of tomorrow's learns that this server does not have it."""
    status, _, body = ask(
        connection, "POST", "/api/2.0/mlflow/registered-models/create"
    )

    if status == 501:
        assert json.loads(body)["error_code"] == "NOT_IMPLEMENTED"
    status, _, body = ask(connection, "POST", "/api/3.0/mlflow/nothing/of-the-kind")
    assert status == 501
    assert json.loads(body)["error_code"] == "NOT_IMPLEMENTED"
    assert "POST /api/3.0/mlflow/nothing/of-the-kind" in json.loads(body)["message"]


def test_the_page_of_endpoints_says_what_the_server_does(
    connection: http.client.HTTPConnection,
) -> None:
    """Whoever plans a move reads there what works; each line is tried."""
    wrong = []
    for pair in endpoints.pairs():
        path = re.sub(r"<[^>]+>", "x", pair.path)
        paths = {path, path.replace("/api/", "/ajax-api/", 1)}
        refused = [
            status == 405 or f"{pair.method} {each}".encode() in body
            for each in sorted(paths)
            for status, _, body in [ask(connection, pair.method, each)]
        ]
        if pair.is_built == all(refused):
            wrong.append((pair, refused))

    assert wrong == []


def test_a_wrong_method_is_told_the_right_ones(
    connection: http.client.HTTPConnection,
) -> None:
    """The usual slip: GET where it is POST."""
    status, headers, body = ask(connection, "GET", "/api/2.0/mlflow/runs/create")

    assert status == 405
    assert headers["allow"] == "POST"
    assert json.loads(body) == {
        "error_code": "BAD_REQUEST",
        "message": "/api/2.0/mlflow/runs/create takes POST",
    }


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/ajax-api/x"])
def test_an_unknown_path_is_answered_in_json(
    connection: http.client.HTTPConnection, path: str
) -> None:
    """Even where the caller would rather have a page."""
    status, headers, body = ask(connection, "GET", path)

    assert status in (404, 501)
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["error_code"] in ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED")
