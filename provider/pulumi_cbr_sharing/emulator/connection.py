"""One connection to the emulated cloud: keeps alive, as the real gateway's do, and can be cut in the middle."""

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
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes; on a connection that stays open the second would wait for an acknowledgement.
    disable_nagle_algorithm = True
    _due = 0  # bytes of the body that were announced and not yet written

    def make_environ(self) -> dict[str, Any]:
        """Let the application reach the connection."""
        return {**super().make_environ(), "emulator.connection": self}

    def run_wsgi(self) -> None:
        """Answer one request. Werkzeug's own method closes the connection after each, and waits 10 ms for more.

        A body that is shorter than announced ends the connection: the rest will not come.
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
        """Close the connection without an answer: with a reset, or as a server does that ends."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.connection.detach()).close()
        self.wfile = io.BytesIO()  # what is still to be written goes nowhere

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do not even put together what would be printed: it fails where the target is half a URL."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: requests are in the emulator's own log, with secrets masked."""
