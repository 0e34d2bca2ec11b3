"""
Speak HTTP/1.1 over raw sockets, so that the client is never what is measured.

One request is one `sendall` of bytes that were made before the clock started.
Eight clients are eight keep-alive connections, each with one request in
flight, driven by one thread with epoll: eight Python threads would wait for
each other's lock, and eight processes for the two cores the server needs.
"""

import json
import math
import re
import selectors
import socket
import time
import urllib.parse
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple, Self


BLOCK_BYTES = 1 << 20
TOKEN = re.compile(rb"\"next_page_token\"\s*:\s*(\"[^\"]*\")")

Conversation = Generator[bytes, bytes, None]
"""One client: it yields requests and is sent the body of each answer."""


class Refused(Exception):
    """The server answered, but not with 200."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body

    def __str__(self) -> str:
        return f"answered {self.status}: {self.body[:300].decode(errors='replace')}"


class Crowd(NamedTuple):
    """What several clients got done."""

    answers: int
    seconds: float


def request(
    method: str, path: str, body: bytes = b"", *, media_type: str = "application/json"
) -> bytes:
    """Encode a whole request."""
    return head(method, path, len(body), media_type=media_type) + body


def head(
    method: str, path: str, size_bytes: int, *, media_type: str = "application/json"
) -> bytes:
    """Encode what stands before a body of *size_bytes*."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if method != "GET":
        lines += [f"Content-Type: {media_type}", f"Content-Length: {size_bytes}"]

    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    """One keep-alive connection; ask one thing at a time."""

    def __init__(self, port: int, *, timeout_seconds: float = 600) -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=timeout_seconds
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._arrived = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, message: bytes) -> bytes:
        """Send a whole request and return the body of its answer."""
        self.socket.sendall(message)

        return self.answer()

    def answer(self) -> bytes:
        """Read one answer and return its body."""
        status, length = self._read_head()
        body = self._read_chunks() if length is None else self._take(length)
        if status != 200:
            raise Refused(status, body)

        return body

    def upload(self, path: str, block: bytes, blocks: int) -> bytes:
        """PUT a file that is *block*, *blocks* times over."""
        size_bytes = len(block) * blocks
        media_type = "application/octet-stream"
        self.socket.sendall(head("PUT", path, size_bytes, media_type=media_type))
        for _ in range(blocks):
            self.socket.sendall(block)

        return self.answer()

    def download(self, path: str) -> Iterator[memoryview]:
        """GET a file piece by piece; a piece is good until the next is asked for."""
        self.socket.sendall(request("GET", path))
        status, length = self._read_head()
        if status != 200:
            body = self._read_chunks() if length is None else self._take(length)
            raise Refused(status, body)

        if length is not None:
            yield from self._pieces(length)
            return

        while size := self._chunk_size():
            yield from self._pieces(size)
            self._take(2)
        self._take(2)

    def _read_head(self) -> tuple[int, int | None]:
        while (end := self._arrived.find(b"\r\n\r\n")) < 0:
            self._receive()
        lines = bytes(self._arrived[:end]).lower().split(b"\r\n")
        del self._arrived[: end + 4]

        return int(lines[0].split()[1]), content_length(lines)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            body += self._take(size)
            self._take(2)
        self._take(2)

        return bytes(body)

    def _chunk_size(self) -> int:
        while (end := self._arrived.find(b"\r\n")) < 0:
            self._receive()
        size = int(self._arrived[:end], 16)
        del self._arrived[: end + 2]

        return size

    def _take(self, size: int) -> bytes:
        arrived = len(self._arrived)
        if arrived >= size:
            taken = bytes(self._arrived[:size])
            del self._arrived[:size]
            return taken

        # Straight to its place: a large answer is not copied from piece to piece.
        body = bytearray(size)
        body[:arrived] = self._arrived
        self._arrived.clear()
        left = memoryview(body)[arrived:]
        while left:
            count = self.socket.recv_into(left)
            if not count:
                raise ConnectionError("the server closed the connection")
            left = left[count:]

        return bytes(body)

    def _pieces(self, size: int) -> Iterator[memoryview]:
        first = self._take(min(size, len(self._arrived)))
        yield memoryview(first)
        left = size - len(first)
        buffer = memoryview(bytearray(BLOCK_BYTES))
        while left:
            count = self.socket.recv_into(buffer, min(left, BLOCK_BYTES))
            if not count:
                raise ConnectionError("the server closed the connection")
            yield buffer[:count]
            left -= count

    def _receive(self) -> None:
        piece = self.socket.recv(BLOCK_BYTES)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self._arrived += piece


def content_length(lines: list[bytes]) -> int | None:
    """Return the length that lower-case header *lines* promise; None is chunked."""
    if any(line.startswith(b"transfer-encoding: chunked") for line in lines):
        return None

    return next(
        (int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0
    )


def alone(port: int, messages: Iterable[bytes], *, seconds: float) -> Crowd:
    """
    Send *messages* one after the other until *seconds* of waiting are over.

    The clock stands still while the next message is made.
    """
    waited = 0.0
    answers = 0
    with Connection(port) as connection:
        for message in messages:
            began = time.perf_counter()
            connection.ask(message)
            waited += time.perf_counter() - began
            answers += 1
            if waited >= seconds:
                break

    return Crowd(answers, waited)


def together(
    port: int, clients: Iterable[Conversation], *, seconds: float = math.inf
) -> Crowd:
    """
    Drive all *clients* at once, one connection each.

    Ends when all have no more to ask, or with the answers that are on their
    way when *seconds* are over.
    """
    selector = selectors.EpollSelector()
    connections: list[Connection] = []
    answers = 0
    began = time.perf_counter()
    try:
        for client in clients:
            connection = Connection(port)
            connections.append(connection)
            selector.register(
                connection.socket, selectors.EVENT_READ, (connection, client)
            )
            connection.socket.sendall(next(client))
        while selector.get_map():
            for key, _ in selector.select():
                connection, client = key.data
                body = connection.answer()
                answers += 1
                message = following(client, body)
                if message is None or time.perf_counter() - began > seconds:
                    selector.unregister(connection.socket)
                    continue
                connection.socket.sendall(message)
    finally:
        selector.close()
        for connection in connections:
            connection.socket.close()

    return Crowd(answers, time.perf_counter() - began)


def following(client: Conversation, body: bytes) -> bytes | None:
    """Return the request that follows an answer; None when all is said."""
    try:
        return client.send(body)
    except StopIteration:
        return None


def quoted(text: str) -> str:
    """Quote *text* for a query string."""
    return urllib.parse.quote(text, safe="")


def page_token(body: bytes) -> str:
    """Find `next_page_token` in an answer without decoding the rest."""
    found = TOKEN.search(body)

    return str(json.loads(found[1])) if found else ""
