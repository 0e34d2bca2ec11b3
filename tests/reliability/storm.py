"""A network that does its worst: a proxy that drops, delays, doubles and replays."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


PATIENCE_SECONDS = 10


class Storm:
    """
    Stands between a client and a server; one thread for each connection.

    Args:
        seed: Of what happens to each request.
    """

    def __init__(self, seed: int) -> None:
        self.happened: dict[str, int] = {}
        self._random = random.Random(seed)
        self._target = ("127.0.0.1", 1)
        self._old: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients come to."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def lead_to(self, url: str) -> None:
        """Lead to this server from now on."""
        parts = urlsplit(url)
        assert parts.port
        self._target = (parts.hostname or "", parts.port)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE_SECONDS)
        with client, suppress(OSError, ValueError):
            while request := _message(client):
                fate = self._random.choice(
                    ["pass", "lose", "lose answer", "double", "replay"]
                )
                self.happened[fate] = self.happened.get(fate, 0) + 1
                time.sleep(self._random.uniform(0, 0.03))
                if fate == "lose":
                    return
                answer = self._forward(request, fate)
                if fate == "lose answer":
                    return
                client.sendall(answer)

    def _forward(self, request: bytes, fate: str) -> bytes:
        """Pass a request on; the old ones that come again are late copies of it."""
        if fate == "double":
            self._exchange(request)
        answer = self._exchange(request)
        self._old = [*self._old[-20:], request]
        if fate == "replay":
            self._exchange(self._random.choice(self._old))

        return answer

    def _exchange(self, request: bytes) -> bytes:
        with socket.create_connection(self._target, PATIENCE_SECONDS) as server:
            server.settimeout(PATIENCE_SECONDS)
            server.sendall(request)

            return _message(server)


@contextmanager
def storm(seed: int) -> Iterator[Storm]:
    """Let it blow."""
    made = Storm(seed)
    try:
        yield made
    finally:
        made.close()


def _message(connection: socket.socket) -> bytes:
    """Read one request or reply whose length is announced; b"" at the end."""
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    sizes = [int(x[15:]) for x in lines if x.startswith(b"content-length:")]
    left = (sizes[0] if sizes else 0) - len(body)
    parts = [read]
    while left > 0:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        parts.append(piece)
        left -= len(piece)

    return b"".join(parts)
