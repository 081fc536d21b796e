"""Limits on connections: how slowly a request may arrive, and how long its head may be.

The application is called when the head of a request is complete, so a head that never ends would hold its
connection.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32_768
HEAD_SECONDS = 10.0
BODY_BYTES_A_SECOND = 65_536


class ImpatientProtocol(HttpToolsProtocol):
    """Closes a connection whose request does not arrive. The more of a body has arrived, the more time it has."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._expect()
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._is_expecting and self.cycle.response_complete:
            # Line ends between two requests begin no request, but they end the wait of an open connection.
            self._expect()
        if not self._is_expecting:
            self._stop_timer()
        elif self._unparsed_bytes > HEAD_BYTES:
            # The parser reports a header, a trailer or an extension of a chunk only when it is complete.
            self.send_400_response("A part of the request is too long.")
        else:
            self._set_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._add_to_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._add_to_head(len(name) + len(value))

    def on_body(self, body: bytes) -> None:
        self._unparsed_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_expecting = False
        super().on_message_complete()

    def _expect(self) -> None:
        self._is_expecting = True
        self._since = self.loop.time()
        self._head_bytes = self._body_bytes = self._unparsed_bytes = 0

    def _add_to_head(self, size: int) -> None:
        self._unparsed_bytes = 0
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            # The error stops the parser, and the base class answers 400.
            raise ValueError("The head of the request is too long.")

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS, self._judge)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _judge(self) -> None:
        self._timer = None
        if self.flow.read_paused:
            # The application does not take the data that has arrived.
            self._since = self.loop.time()
        allowed = HEAD_SECONDS + self._body_bytes / BODY_BYTES_A_SECOND
        left = self._since + allowed - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._timer = self.loop.call_later(left, self._judge)
