"""HTTP/1.1 by llhttp, which is many times as fast as a parser in Python, and bounded, which it is not by itself."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 32_768
"""Request line and headers together."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, which ends a connection whose request line and headers grow beyond `MOST_HEAD_BYTES`."""

    _head = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Take in bytes; those before the end of the headers are counted, also where none of them is whole yet."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers of the request are too long.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End the count; what follows is the body, which has limits of its own."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Begin anew: the next request may follow."""
        self._in_head, self._head = True, 0
        super().on_message_complete()
