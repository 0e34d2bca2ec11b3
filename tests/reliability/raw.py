"""Bytes on a socket, for what no HTTP library would send."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.reliability.client import TIMEOUT_SECONDS


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Open a connection."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as client:
        yield client


@contextmanager
def many_connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected(port)) for _ in range(count)]


def statuses(port: int, sent: bytes) -> list[int]:
    """Send bytes and return the status of each reply until the server closes."""
    with connected(port) as client:
        client.sendall(sent)
        return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", rest(client))]


def status(client: socket.socket) -> int:
    """Read until the status of the next reply is there, and return it."""
    received = b""
    while b"\r\n" not in received:
        chunk = client.recv(65_536)
        assert chunk, f"closed after {received!r}"
        received += chunk

    return int(received.split()[1])


def rest(client: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    try:
        while chunk := client.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass

    return received


def head(method: str, path: str, *headers: str) -> bytes:
    """Write the head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]

    return "\r\n".join(lines).encode()
