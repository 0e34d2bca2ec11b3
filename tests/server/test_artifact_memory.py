"""Artifacts of any size pass through a small server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.server.running import Server, connect, receive
from tests.server.test_artifacts import PROXY


MIB = 1024 * 1024
SIZE = 200 * MIB
BOUND = 64 * MIB
"""What 200 MiB may add; the server starts with some 60 MiB."""


class Peak:
    """The most memory that a process held while this was watched."""

    def __init__(self) -> None:
        self.bytes = 0


@contextmanager
def watched(process: psutil.Process) -> Iterator[Peak]:
    """Look at a process's memory every few milliseconds."""
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak.bytes = max(peak.bytes, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def upload(server: Server, size_bytes: int) -> None:
    """Send a large file in small pieces."""
    block = bytes(256 * 1024)
    with connect(server.url) as client:
        client.sendall(
            b"PUT %s/big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % (PROXY.encode(), size_bytes)
        )
        for _ in range(0, size_bytes, len(block)):
            client.sendall(block)

        assert receive(client, "PUT").status == 200


def download(server: Server) -> int:
    """Fetch it again and count its bytes."""
    target = bytearray(256 * 1024)
    total = 0
    with connect(server.url) as client:
        client.sendall(
            b"GET %s/big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            % PROXY.encode()
        )
        while got := client.recv_into(target):
            total += got

    return total


@pytest.mark.parametrize("is_slow", [False, True])
def test_two_hundred_mib_up_and_down_need_little_memory(
    start: Callable[..., Server], *, is_slow: bool
) -> None:
    """Also when the reader is slow: what is not taken is not read ahead."""
    server = start()
    upload(server, MIB)
    download(server)
    before = server.process.memory_info().rss

    with watched(server.process) as peak:
        upload(server, SIZE)
        if is_slow:
            with connect(server.url) as idle:
                idle.sendall(
                    b"GET %s/big HTTP/1.1\r\nHost: localhost\r\n\r\n" % PROXY.encode()
                )
                assert idle.recv(100)
                assert download(server) > SIZE
        else:
            assert download(server) > SIZE

    assert peak.bytes - before < BOUND
