"""
Raw requests and what a server answered, made comparable.

A script is a list of calls.  An answer's ids and times differ each time, so a
call may `keep` a value of its answer under a name; later calls say `{name}`
where they mean it, and in the recorded answers it stands as `{name}` too.
"""

import http.client
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlencode, urlsplit


Json: TypeAlias = Any  # as varied as the protocol is
PREFIX = "/api/2.0/mlflow/"

TIME_MS = 1_600_000_000_000
"""A number from here on is a time that the server took; scripts use smaller ones."""

TIMES = ("time", "_timestamp", "_ms")
"""How the names of such fields end."""

RECENT = re.compile(r"20[2-9]\d-\d\d-\d\dT[\d:.]+Z")
RANDOM_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")
ID = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
PLACE = re.compile(r"(?<=^mlflow-artifacts:/)\d+")
ONLY_PEERS = {"sqlstate", "error_class", "workspace"}
"""Fields of the peer's that say nothing: no client reads them."""


UNORDERED = {
    "params",
    "tags",
    "metrics",
    "dataset_summaries",
    "aliases",
    "latest_versions",
    "model_inputs",
    "model_outputs",
    "request_metadata",
}
"""Lists without a promised order of their keys; points of one key stay as they are."""

NAMES = ("key", "name", "digest", "context", "alias", "version", "model_id")
"""What such a list is sorted by."""


class Call(NamedTuple):
    """One request; `says` is unique in its script."""

    says: str
    method: str
    path: str
    body: Json = None
    """JSON, or text that is sent as it is, or the query of a GET."""

    keep: Mapping[str, str] = {}
    """Names for values of the answer, each with its dotted path."""

    headers: Mapping[str, str] = {}


class Answer(NamedTuple):
    """What came back, made comparable."""

    status: int
    body: Json


def post(says: str, path: str, body: Json = None, **keep: str) -> Call:
    """Ask with a JSON body."""
    return Call(says, "POST", _whole(path), body, keep)


def get(says: str, path: str, query: Json = None, **keep: str) -> Call:
    """Ask with a query."""
    return Call(says, "GET", _whole(path), query, keep)


def patch(says: str, path: str, body: Json = None, **keep: str) -> Call:
    """Change something, with a JSON body."""
    return Call(says, "PATCH", _whole(path), body, keep)


def delete(says: str, path: str, body: Json = None, **keep: str) -> Call:
    """Delete something, named by a JSON body."""
    return Call(says, "DELETE", _whole(path), body, keep)


def _whole(path: str) -> str:
    return path if path.startswith("/") else PREFIX + path


class Player:
    """Plays calls to a server, one after the other."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._wire = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=60
        )
        self.known: dict[str, str] = {}

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def play(self, call: Call) -> Answer:
        """Send one call and return its answer, made comparable."""
        body = self._filled(call.body)
        path = str(self._filled(call.path))
        headers = {name: str(self._filled(call.headers[name])) for name in call.headers}
        sent = None
        if call.method == "GET" and body:
            path += "?" + urlencode(body, doseq=True)
        elif body is not None:
            sent = (body if isinstance(body, str) else json.dumps(body)).encode()
            headers.setdefault("Content-Type", "application/json")
        self._wire.request(call.method, path, sent, headers)
        response = self._wire.getresponse()
        text = response.read().decode()
        try:
            answer = json.loads(text)
        except ValueError:
            return Answer(response.status, text.partition("\n")[0][:80])
        for name, place in call.keep.items():
            found = _at(answer, place)
            if found is not None:
                self.known[name] = str(found)

        return Answer(response.status, self._comparable(answer))

    def _filled(self, sent: Json) -> Json:
        """Put what is known in place of `{names}`."""
        if isinstance(sent, str):
            for name, value in self.known.items():
                sent = sent.replace(f"{{{name}}}", value)
            return sent
        if isinstance(sent, dict):
            return {key: self._filled(value) for key, value in sent.items()}
        if isinstance(sent, list | tuple):
            return [self._filled(value) for value in sent]

        return sent

    def _comparable(self, answer: Json, key: str = "") -> Json:
        if isinstance(answer, dict):
            return {
                name: self._comparable(value, name)
                for name, value in sorted(answer.items())
                # No outputs and empty outputs are the same message.
                if name not in ONLY_PEERS and (name, value) != ("outputs", {})
            }
        if isinstance(answer, list):
            found = [self._comparable(value, key) for value in answer]
            return sorted(found, key=_name) if key in UNORDERED else found
        if key.endswith(TIMES) and _is_now(answer):
            return "<time>"
        if key == "next_page_token":
            return "<token>"

        if key == "experiment_id":
            return self._number(answer)

        return self._text(answer) if isinstance(answer, str) else answer

    def _text(self, text: str) -> str:
        for name, value in self.known.items():
            if ID.search(value):
                text = text.replace(value, f"{{{name}}}")
        if RANDOM_NAME.fullmatch(text):
            return "<name>"
        text = PLACE.sub(lambda match: self._number(match[0]), text)

        return ID.sub("<id>", text)

    def _number(self, text: str) -> str:
        """Name an experiment: the servers count on differently after a refusal."""
        names = {value: f"{{{name}}}" for name, value in self.known.items()}

        return text if text == "0" else names.get(text, "<number>")


def play(url: str, calls: Iterable[Call]) -> list[Answer]:
    """Play a script from its beginning."""
    player = Player(url)
    answers = []
    try:
        for call in calls:
            answers.append(player.play(call))
            _pass_a_millisecond()
    finally:
        player.close()

    return answers


def _pass_a_millisecond() -> None:
    """Wait until the clock shows another one: an order by time has no ties then."""
    start = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == start:
        time.sleep(0.0002)


def _is_now(answer: Json) -> bool:
    """Say whether this is a time that the server took, as a number or a text."""
    if isinstance(answer, str):
        return RECENT.fullmatch(answer) is not None

    return isinstance(answer, int) and answer >= TIME_MS


def _name(item: Json) -> tuple[str, ...]:
    if not isinstance(item, dict):
        return (str(item),)
    names = [*NAMES]
    if "run_id" in item and "model_id" in item:  # points of a model have no order
        names += ["run_id", "step", "timestamp", "dataset_name"]

    return tuple(str(item.get(name)) for name in names)


def _at(answer: Json, place: str) -> Json:
    for part in place.split("."):
        if isinstance(answer, list):
            answer = answer[int(part)] if int(part) < len(answer) else None
        else:
            answer = answer.get(part) if isinstance(answer, dict) else None

    return answer
