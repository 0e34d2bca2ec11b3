"""A real server: who may come in, what every reply carries, what is logged."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.wire.conftest import run_server


SEARCH = "/api/2.0/mlflow/runs/search"
TRUSTED = "https://notebooks.example.com"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, str]:
        """The body as JSON."""
        return dict(json.loads(self.body))


class Live(NamedTuple):
    """A running server and its log."""

    url: str
    log: Path

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        """Send one request with these headers, `_` for `-`."""
        parts = urlsplit(self.url)
        wire = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            sent = {"Content-Type": "application/json"} | sent
        wire.request(method, path, body.encode() or None, sent)
        response = wire.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        found = Answer(response.status, names, response.read())
        wire.close()

        return found


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Give a server that knows one more name and trusts one more origin."""
    home = tmp_path_factory.mktemp("app")
    options = ("--allowed-hosts", "track.example.com")
    with run_server(home, *options, "--cors-allowed-origins", TRUSTED) as url:
        yield Live(url, home / "server.log")


# The names under which the documents reach their server (T2).
@pytest.mark.parametrize(
    "host",
    [
        "localhost:5000",
        "127.0.0.1:5000",
        "[::1]:5000",
        "10.1.2.3:5000",
        "mlflow:5000",
        "mlflow-server:5000",
        "mlflow.internal:5000",
        "mlflow-server.mlflow.svc.cluster.local:5000",
        "track.example.com",
    ],
)
def test_a_name_of_the_documents_is_answered(live: Live, host: str) -> None:
    """Reached under the names of a compose file or a cluster, it just works."""
    assert live.ask("POST", SEARCH, "{}", Host=host).status == 200


def test_a_name_that_anyone_can_own_is_refused(live: Live) -> None:
    """So no page can make a browser read this server under its own name."""
    refusal = live.ask("GET", "/api/v1/experiments", Host="evil.example.org")

    assert refusal.status == 403
    assert refusal.json["error_code"] == "PERMISSION_DENIED"
    assert "--allowed-hosts" in refusal.json["message"]


@pytest.mark.parametrize("probe", ["/health", "/version"])
def test_a_probe_may_come_under_any_name(live: Live, probe: str) -> None:
    """A balancer asks by whatever address it has."""
    assert live.ask("GET", probe, Host="evil.example.org").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "file://"])
def test_a_page_of_elsewhere_changes_nothing(live: Live, origin: str) -> None:
    """A page that somebody has open cannot log or delete in their name."""
    refusal = live.ask("POST", SEARCH, "{}", Origin=origin)

    assert refusal.status == 403
    assert "access-control-allow-origin" not in refusal.headers


def test_a_page_of_elsewhere_reads_nothing(live: Live) -> None:
    """A GET is answered, but the browser keeps it from the page."""
    answer = live.ask("GET", "/api/v1/experiments", Origin="https://evil.example.org")

    assert "access-control-allow-origin" not in answer.headers


def test_a_trusted_page_reads_and_writes(live: Live) -> None:
    """An origin that the operator named works from the preflight to the answer."""
    asked = live.ask(
        "OPTIONS", SEARCH, Origin=TRUSTED, Access_Control_Request_Method="POST"
    )
    answer = live.ask("POST", SEARCH, "{}", Origin=TRUSTED)

    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == TRUSTED
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == TRUSTED
    assert answer.headers["vary"] == "origin"


def test_a_preflight_of_elsewhere_gets_no_permission(live: Live) -> None:
    """The browser then stops by itself."""
    asked = live.ask("OPTIONS", SEARCH, Origin="https://evil.example.org")

    assert not [name for name in asked.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["/health", SEARCH, "/nothing", "/api/v1/openapi.json", "/", "/assets/x"]
)
def test_every_reply_keeps_browsers_careful(live: Live, path: str) -> None:
    """No sniffing, no frames: errors and files too."""
    headers = live.ask("GET", path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


def test_head_is_get_without_its_body(live: Live) -> None:
    """Probes ask so."""
    head, whole = live.ask("HEAD", "/version"), live.ask("GET", "/version")

    assert head.status == 200
    assert head.body == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_a_body_over_the_limit_is_refused(live: Live) -> None:
    """With the limit in its words, and the server goes on."""
    refusal = live.ask("POST", SEARCH, '"' + "x" * 17_000_000 + '"')

    assert refusal.status == 413
    assert "16777216" in refusal.json["message"]
    assert live.ask("GET", "/health").status == 200


def test_a_path_of_the_pages_is_a_page_and_of_the_api_is_not(live: Live) -> None:
    """A link to a view can be opened anew; a mistyped API path is an error."""
    view = live.ask("GET", "/experiments/1/runs", Accept="text/html")
    api = live.ask("GET", "/api/v1/nothing", Accept="text/html")
    file = live.ask("GET", "/nothing.js", Accept="*/*")

    assert view.status in (200, 503)  # 503 where the UI is not built
    assert view.headers["content-type"].startswith("text/")
    assert api.json["error_code"] == "ENDPOINT_NOT_FOUND"
    assert file.json["error_code"] == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize("name", ["..%2f..%2fapp.py", "%2e%2e", ".hidden", "none.js"])
def test_no_file_beside_the_pages_is_served(live: Live, name: str) -> None:
    """Whatever is spelled into the path."""
    assert live.ask("GET", f"/assets/{name}").status == 404


def test_the_log_has_a_line_for_a_request(live: Live) -> None:
    """With method, path and status; a line feed in a path makes no second line."""
    live.ask("GET", "/api/v1/none%0Afaked")
    live.ask("GET", "/api/v1/last")

    while "/last" not in live.log.read_text():  # lines gather before they are written
        time.sleep(0.01)
    lines = live.log.read_text().splitlines()
    logged = [line for line in lines if "faked" in line]
    assert len(logged) == 1
    assert '"GET /api/v1/none\\nfaked" 404' in logged[0]
