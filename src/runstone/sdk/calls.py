"""What is asked of a server: each call of the wire, once."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from runstone import errors
from runstone.sdk.door import Answer, Door


KINDS: Final[dict[str, type[errors.RunstoneError]]] = {
    "RESOURCE_DOES_NOT_EXIST": errors.NotFound,
    "RESOURCE_ALREADY_EXISTS": errors.Conflict,
    "RESOURCE_CONFLICT": errors.Conflict,
    "PERMISSION_DENIED": errors.Refused,
    "UNAUTHENTICATED": errors.Refused,
    "NOT_IMPLEMENTED": errors.NotBuilt,
    "TEMPORARILY_UNAVAILABLE": errors.Unavailable,
}
"""From the code on the wire to the class of the error."""

RETRY_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
READ_SECONDS: Final = 30.0
"""How long a question is asked again while the server is away."""

PIECE_BYTES: Final = 1024 * 1024


class Refusal(msgspec.Struct):
    """Something that a writer said and the server cannot keep."""

    what: str
    error_code: str
    message: str


class Heard(msgspec.Struct):
    """What became of a portion of a journal."""

    position: int
    refused: list[Refusal] = []


class Busy(errors.Unavailable):
    """The server asks for patience; `args[1]` is for how many seconds, or None."""

    @property
    def seconds(self) -> float | None:
        """How long to wait, where the server said so."""
        found: float | None = self.args[1]

        return found

    def __str__(self) -> str:
        return str(self.args[0])


class Sent(NamedTuple):
    """A portion of a journal."""

    run_id: str
    writer: str
    position: int
    body: bytes
    alive: bool = True
    """Whether the writer lives: its run is then not taken for dead."""


def journal(door: Door, sent: Sent) -> Heard:
    """Send a portion of a journal; an empty one is a sign of life."""
    answer = door.ask(
        "POST",
        f"/api/v1/runs/{sent.run_id}/journal",
        query={
            "writer": sent.writer,
            "position": str(sent.position),
            **({} if sent.alive else {"alive": "false"}),
        },
        body=sent.body,
        content_type="application/octet-stream",
    )

    return msgspec.json.decode(checked(answer).body, type=Heard)


def put_file(door: Door, run_id: str, path: str, source: Path) -> None:
    """Store a file as an artifact of a run."""
    answer = door.ask(
        "POST",
        "/ajax-api/2.0/mlflow/upload-artifact",
        query={"run_uuid": run_id, "path": path},
        body=_pieces(source),
        content_type="application/octet-stream",
    )
    checked(answer)


def proxied(door: Door, path: str) -> list[dict[str, Any]]:
    """List a folder below the server's own place for artifacts; a file is empty."""
    answer = door.ask(
        "GET", "/api/2.0/mlflow-artifacts/artifacts", query={"path": path}
    )
    found: list[dict[str, Any]] = msgspec.json.decode(checked(answer).body).get(
        "files", []
    )

    return [item for item in found if item["path"] != path.rpartition("/")[2]]


def ask(door: Door, method: str, path: str, message: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever the wire says
    """
    Ask a question of MLflow's wire, again while the server is away.

    Args:
        door: Way to the server.

        method: GET puts *message* into the query.

        path: Below `/api/2.0/mlflow/`.

        message: Fields; None is left out.
    """
    deadline = time.monotonic() + READ_SECONDS
    pause = 0.05
    while True:
        try:
            return once(door, method, path, message)
        except errors.Unavailable:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause *= 2


def once(door: Door, method: str, path: str, message: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever the wire says
    """Ask a question of MLflow's wire, once; see `ask`."""
    fields = {key: value for key, value in message.items() if value is not None}
    query = {key: _spelled(value) for key, value in fields.items()}
    answer = door.ask(
        method,
        f"/api/2.0/mlflow/{path}",
        query=query if method == "GET" else None,
        body=b"" if method == "GET" else msgspec.json.encode(fields),
    )

    return msgspec.json.decode(checked(answer).body)


def checked(answer: Answer) -> Answer:
    """
    Return an answer that is none of an error.

    Raises:
        Busy: It may work later.
        RunstoneError: The class that fits the code on the wire.
    """
    if answer.status < 400:
        return answer
    code, words = _said(answer)
    if answer.status in RETRY_STATUSES:
        raise Busy(words, answer.retry_after_seconds)
    kind = KINDS.get(code, errors.InvalidInput)
    if answer.status in (401, 403):
        kind = errors.Refused

    error = kind(words)
    error.code = code

    raise error


def _spelled(value: object) -> str | list[str]:
    """Return a value as a query has it."""
    return list(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _said(answer: Answer) -> tuple[str, str]:
    """Return the code and the words of an error; a proxy's page has neither."""
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, Any])
        return str(said.get("error_code", "")), str(said.get("message", ""))
    except msgspec.DecodeError:
        text = answer.body[:200].decode(errors="replace")
        return "", f"The server answered {answer.status}: {text}"


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
