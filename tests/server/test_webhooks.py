"""Webhooks: signed as MLflow signs, sent until they are taken, and never inwards."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from runstone import errors
from runstone.server import outbound
from tests.server.test_registry import Client
from tests.wire.conftest import run_server


PATIENCE_SECONDS = 30
SECRET = "a secret of the test"
LOCAL = ("--webhook-networks", "127.0.0.0/8,::1/128")
EVENTS = [
    ("REGISTERED_MODEL", "CREATED"),
    ("MODEL_VERSION", "CREATED"),
    ("MODEL_VERSION_TAG", "SET"),
    ("MODEL_VERSION_TAG", "DELETED"),
    ("MODEL_VERSION_ALIAS", "CREATED"),
    ("MODEL_VERSION_ALIAS", "DELETED"),
    ("PROMPT", "CREATED"),
    ("PROMPT_VERSION", "CREATED"),
    ("PROMPT_ALIAS", "CREATED"),
]


class Got(NamedTuple):
    """A message as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> tuple[str, Any]:
        """The event, and its data."""
        message = json.loads(self.body)

        return f"{message['entity']}.{message['action']}", message["data"]


class Receiver:
    """A real HTTP server that takes messages, and refuses what it is told to."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: list[int] = []
        """Statuses of the next answers; then 200."""

        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(Got(self.path, dict(self.headers.items()), body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(b"an answer of the receiver")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?a=1"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop taking messages."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a receiver of messages."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that may call this machine."""
    with run_server(tmp_path_factory.mktemp("hooks"), *LOCAL) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """Give a client of that server."""
    client = Client(url)
    yield client
    client.close()


def listen(client: Client, url: str, **more: object) -> str:
    """Create a webhook that listens to everything, and return its id."""
    events = [{"entity": entity, "action": action} for entity, action in EVENTS]
    body = {"name": "hook", "url": url, "events": events, "secret": SECRET, **more}

    return str(client.mlflow("webhooks", **body)["webhook"]["webhook_id"])


def forget(client: Client, webhook_id: str) -> None:
    """Delete a webhook, so that other tests do not hear it."""
    status, _ = client.ask("DELETE", f"/api/2.0/mlflow/webhooks/{webhook_id}")
    assert status == 200


def until(done: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def log(client: Client, webhook_id: str) -> list[dict[str, Any]]:
    """Return the log of a webhook, the oldest first."""
    page = client.own("GET", f"webhooks/{webhook_id}/deliveries?limit=1000")

    return list(page["deliveries"])[::-1]


TOLD = {
    "registered_model.created": {
        "name": "iris",
        "tags": {"team": "시각"},
        "description": "*",
    },
    "model_version.created": {
        "name": "iris",
        "version": "1",
        "source": "s3://bucket/m",
        "run_id": None,
        "tags": {},
        "description": None,
    },
    "model_version_tag.set": {"name": "iris", "version": "1", "key": "a", "value": "1"},
    "model_version_tag.deleted": {"name": "iris", "version": "1", "key": "a"},
    "model_version_alias.created": {
        "name": "iris",
        "version": "1",
        "alias": "champion",
    },
    "model_version_alias.deleted": {"name": "iris", "alias": "champion"},
    "prompt.created": {"name": "greeting", "tags": {}, "description": ""},
    "prompt_version.created": {
        "name": "greeting",
        "version": "1",
        "template": "Hi {{name}}",
        "tags": {"b": "2"},
        "description": None,
    },
    "prompt_alias.created": {"name": "greeting", "alias": "x", "version": "1"},
}


def test_every_event_is_told_and_signed(client: Client, receiver: Receiver) -> None:
    """MLflow's words, MLflow's headers, a signature that MLflow's receivers check."""
    hook = listen(client, receiver.url)
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    text = {"key": "mlflow.prompt.text", "value": "Hi {{name}}"}

    client.mlflow(
        "registered-models/create",
        name="iris",
        tags=[{"key": "team", "value": "시각"}],
        description="*",
    )
    named = {"name": "iris", "version": "1"}
    client.mlflow("model-versions/create", name="iris", source="s3://bucket/m")
    client.mlflow("model-versions/set-tag", **named, key="a", value="1")
    at = "/api/2.0/mlflow/"
    client.ask("DELETE", at + "model-versions/delete-tag", {**named, "key": "a"})
    client.mlflow("registered-models/alias", **named, alias="champion")
    alias = {"name": "iris", "alias": "champion"}
    client.ask("DELETE", at + "registered-models/alias", alias)
    client.mlflow("registered-models/create", name="greeting", tags=prompt)
    client.mlflow(
        "model-versions/create",
        name="greeting",
        source="dummy-source",
        tags=[*prompt, text, {"key": "b", "value": "2"}],
    )
    client.mlflow("registered-models/alias", name="greeting", version="1", alias="x")

    until(lambda: len(receiver.got) == 9)
    said = dict(got.said for got in receiver.got)
    assert said == TOLD
    for got in receiver.got:
        assert got.path == "/hook?a=1"
        assert got.headers["X-MLflow-Signature"] == signed(got)
    until(lambda: all(each["status"] == "delivered" for each in log(client, hook)))
    ids = {each["id"] for each in log(client, hook)}
    assert ids == {got.headers["X-MLflow-Delivery-Id"] for got in receiver.got}
    forget(client, hook)


def signed(got: Got) -> str:
    """Sign a message as `mlflow/webhooks/delivery.py` has it."""
    headers = got.headers
    told = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}."
    digest = hmac.new(SECRET.encode(), told.encode() + got.body, hashlib.sha256)

    return "v1," + base64.b64encode(digest.digest()).decode()


def test_what_was_not_taken_is_sent_again(client: Client, receiver: Receiver) -> None:
    """Under the same id, until it is taken; and the log says so."""
    receiver.answers = [503, 429]
    hook = listen(client, receiver.url)

    client.mlflow("registered-models/create", name="again")

    until(lambda: len(receiver.got) == 3)
    until(lambda: log(client, hook)[0]["status"] == "delivered")
    (only,) = log(client, hook)
    assert (only["tries"], only["response"], only["error"]) == (3, 200, "")
    assert {got.headers["X-MLflow-Delivery-Id"] for got in receiver.got} == {only["id"]}
    assert len({got.body for got in receiver.got}) == 1
    forget(client, hook)


@pytest.mark.parametrize("status", [302, 400, 404])
def test_what_is_refused_is_not_sent_again(
    client: Client, receiver: Receiver, status: int
) -> None:
    """And a redirect leads nowhere."""
    receiver.answers = [status]
    hook = listen(client, receiver.url)

    client.mlflow("registered-models/create", name=f"refused {status}")

    until(lambda: log(client, hook)[0]["status"] == "failed")
    (only,) = log(client, hook)
    assert (only["tries"], only["response"]) == (1, status)
    assert [got.path for got in receiver.got] == ["/hook?a=1"]
    forget(client, hook)


def test_nothing_is_told_of_what_did_not_happen(
    client: Client, receiver: Receiver
) -> None:
    """The message is written with the change, or not at all."""
    client.mlflow("registered-models/create", name="taken")
    hook = listen(client, receiver.url)
    disabled = listen(client, receiver.url, status="DISABLED")
    create = "/api/2.0/mlflow/registered-models/create"
    alias = {"name": "taken", "alias": "a", "version": "9"}

    assert client.ask("POST", create, {"name": "taken"})[0] == 400
    at = "/api/2.0/mlflow/registered-models/alias"
    assert client.ask("POST", at, alias)[0] == 404
    client.mlflow("registered-models/create", name="free")

    until(lambda: log(client, hook))
    until(lambda: receiver.got)
    assert [got.said[1]["name"] for got in receiver.got] == ["free"]
    assert log(client, disabled) == []
    forget(client, hook)
    forget(client, disabled)


def test_a_test_call_says_how_it_was_answered(
    client: Client, receiver: Receiver
) -> None:
    """The status, not the body: nobody reads through us."""
    receiver.answers = [200, 418]
    hook = listen(client, receiver.url)

    good = client.mlflow(f"webhooks/{hook}/test")["result"]
    bad = client.mlflow(
        f"webhooks/{hook}/test",
        event={"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
    )["result"]

    assert good == {"success": True, "response_status": 200}
    assert bad == {"success": False, "response_status": 418}
    assert [got.said[0] for got in receiver.got] == [
        "registered_model.created",
        "model_version_alias.created",
    ]
    assert all(got.headers["X-MLflow-Signature"] == signed(got) for got in receiver.got)
    forget(client, hook)


def test_a_secret_is_never_shown(client: Client, receiver: Receiver) -> None:
    """Neither by the server nor in its log."""
    hook = listen(client, receiver.url)
    client.mlflow("registered-models/create", name="told in secret")
    until(lambda: receiver.got)

    shown = [
        client.ask("GET", "/api/2.0/mlflow/webhooks"),
        client.ask("GET", f"/api/2.0/mlflow/webhooks/{hook}"),
        client.ask("PATCH", f"/api/2.0/mlflow/webhooks/{hook}", {"secret": "new one"}),
        log(client, hook),
    ]

    assert SECRET not in json.dumps(shown)
    assert "new one" not in json.dumps(shown)
    forget(client, hook)


def test_messages_outlive_the_server(tmp_path: Path, receiver: Receiver) -> None:
    """What was committed is told, if only after the next start."""
    with run_server(tmp_path, *LOCAL) as url:
        client = Client(url)
        receiver.answers = [503]
        hook = listen(client, receiver.url)
        client.mlflow("registered-models/create", name="iris")
        until(lambda: receiver.got)
        client.close()

    with run_server(tmp_path, *LOCAL) as url:
        client = Client(url)
        until(lambda: len(receiver.got) == 2)
        until(lambda: log(client, hook)[0]["status"] == "delivered")
        client.close()


def test_private_places_are_not_called(tmp_path: Path, receiver: Receiver) -> None:
    """Without the setting, this machine and its neighbours are out of reach."""
    port = receiver.url.split(":")[2].split("/")[0]
    with run_server(tmp_path) as url:
        client = Client(url)
        for place in (
            receiver.url,
            f"https://127.0.0.1:{port}",
            f"https://[::1]:{port}",
        ):
            body = {
                "name": "hook",
                "url": place,
                "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}],
            }
            status, answer = client.ask("POST", "/api/2.0/mlflow/webhooks", body)
            assert status == 400
            assert "--webhook-networks" in answer["message"]
        client.close()

    assert receiver.got == []


PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fc00::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "localhost",
]


@pytest.mark.parametrize("host", PRIVATE)
def test_no_spelling_of_a_private_address_is_public(host: str) -> None:
    """E6.7: decimal, octal, wrapped in IPv6, or by name."""
    where = outbound.target(f"https://{host}/")

    with pytest.raises((errors.Refused, outbound.NoAnswer)):
        asyncio.run(outbound.judge(where, ()))


def test_a_name_that_changes_its_mind_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """DNS rebinding: the address that was judged is the one that is called."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    answers = ["93.184.216.34", "127.0.0.1"]
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    where = outbound.target(f"https://flip.test:{port}/")

    assert asyncio.run(outbound.judge(where, ())) == "93.184.216.34"
    with pytest.raises(errors.Refused):
        asyncio.run(outbound.judge(where, ()))
    answers[:] = ["127.0.0.1"]
    with pytest.raises(errors.Refused):
        asyncio.run(outbound.post(f"http://flip.test:{port}/", b"{}", {}, ()))
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "hook", "ftp://a/", "file:///etc/passwd", "gopher://a/", "https://"),
        *("https://u:p@a/", "https://a/#b", "https://a/ b", "https://a/\r\nX: y"),
        *("https://a\\b/", "https://a:99999/", "https://é/", "//a/", "https:a"),
        "https://a/" + "x" * 2_000,
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """And no header can be smuggled in by one."""
    with pytest.raises(errors.InvalidInput):
        outbound.target(url)


def test_an_operator_learns_of_a_network_that_is_none() -> None:
    """At the start, not at the first message."""
    with pytest.raises(errors.Unusable, match="webhook_networks"):
        outbound.networks(["10.0.0.0/33"])


def test_the_log_is_read_in_pages(client: Client, receiver: Receiver) -> None:
    """The newest first."""
    hook = listen(client, receiver.url)
    for number in range(3):
        client.mlflow("registered-models/create", name=f"paged {number}")

    path = f"webhooks/{hook}/deliveries"
    first = client.own("GET", f"{path}?limit=2")
    token = urlencode({"page_token": first["next_page_token"]})
    second = client.own("GET", f"{path}?{token}")

    found = [*first["deliveries"], *second["deliveries"]]
    names = [json.loads(each["body"])["data"]["name"] for each in found]
    assert names == ["paged 2", "paged 1", "paged 0"]
    assert client.ask("GET", "/api/v1/webhooks/none/deliveries")[0] == 404
    forget(client, hook)
