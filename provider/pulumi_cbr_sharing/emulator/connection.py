"""A connection to the emulated cloud, which is kept alive, and can be cut at any point."""

from __future__ import annotations

import io
import socket
import struct

from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler


if TYPE_CHECKING:
    from collections.abc import Sequence


_BODILESS = (204, 304)


class Connection(WSGIRequestHandler):
    """Serves the requests of one connection in turn."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes; on a kept connection the second would wait for an acknowledgement.
    disable_nagle_algorithm = True
    _due = 0  # bytes of the body that are announced but not written yet

    def make_environ(self) -> dict[str, Any]:
        """Give the application access to the connection."""
        return {**super().make_environ(), "emulator.connection": self}

    def run_wsgi(self) -> None:
        """Answer one request. Werkzeug's own method closes the connection after each, and waits 10 ms for more.

        A body that is shorter than announced closes the connection.
        """
        try:
            environ = self.make_environ()
        except ValueError:  # the target is half a URL
            self.send_error(400)
            return
        answer = self.server.app(environ, self._start)
        try:
            for data in answer:
                self.wfile.write(data)
                self._due -= len(data)
        finally:
            if close := getattr(answer, "close", None):
                close()
        self.close_connection = self.close_connection or self._due > 0

    def _start(self, status: str, headers: Sequence[tuple[str, str]], _: Any = None) -> Any:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, text in headers:
            self.send_header(name, text)
        announced = {name.lower(): text for name, text in headers}.get("content-length")
        if announced is None and int(code) not in _BODILESS:
            self.send_header("Connection", "close")
        self.end_headers()
        self._due = int(announced or 0)
        return self.wfile.write

    def cut(self, *, reset: bool) -> None:
        """Close the connection without an answer, with or without a reset."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.connection.detach()).close()
        self.wfile = io.BytesIO()  # discard what is still to be written

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing; werkzeug's own method fails if the target is half a URL."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: the emulator has its own log, with secrets masked."""
