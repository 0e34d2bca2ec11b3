"""A plain HTTP client that knows when it was not answered."""

import http.client
import json
from typing import Any, Self


API = "/api/2.0/mlflow/"
TIMEOUT_SECONDS = 60


class Unanswered(Exception):
    """The connection ended before the answer: nobody knows what was done."""


class Client:
    """One keep-alive connection, opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """
        Send a request and return status and body.

        Raises:
            Unanswered: There was no whole answer.
        """
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=TIMEOUT_SECONDS
            )
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self._connection.request(method, path, body, headers)
            reply = self._connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def call(self, name: str, **fields: object) -> Any:  # noqa: ANN401  # JSON
        """Post to MLflow's API and return the reply, which must be a good one."""
        status, body = self.ask("POST", API + name, json.dumps(fields).encode())
        assert status == 200, (name, status, body)

        return json.loads(body)

    def get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        """Get a good reply."""
        status, body = self.ask("GET", path)
        assert status == 200, (path, status, body)

        return json.loads(body)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection:
            self._connection.close()
        self._connection = None
