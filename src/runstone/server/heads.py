"""
The head of a request, bounded in bytes and in time.

uvicorn waits for the end of a head for ever and keeps all of it: a few thousand
connections that send a byte now and then (slowloris) would hold a server.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runstone import limits


_REFUSAL: Final = (
    b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: text/plain\r\n"
    b"content-length: 0\r\n\r\n"
)


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's HTTP, that gives up on a head that does not end."""

    _in_head = True
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect the first head."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; count those of a head that goes on."""
        super().data_received(data)
        if not self._in_head:
            self._head_bytes = 0
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > limits.HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._patience is None:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._patience = self.loop.call_later(
            limits.HEAD_SECONDS, self._refuse, b"408 Request Timeout"
        )

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, status: bytes) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL % status)
            self.transport.close()
