"""Serves an emulated cloud on a port of this machine."""

from __future__ import annotations

import io
import socket
import ssl
import struct
import sys
import threading

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from pulumi_cbr_sharing.emulator.app import make_app
from pulumi_cbr_sharing.emulator.cloud import Emulator


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_cbr_sharing.emulator.records import Dialect


HOST = "127.0.0.1"  # never another: it gives credentials to anyone who asks
PATIENCE = 5.0  # seconds that a connection may take to end
_BODILESS = (204, 304)


class _Connection(WSGIRequestHandler):
    """Serves the requests of one connection, which is kept alive, and can be cut at any point."""

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


class _Server(ThreadedWSGIServer):
    """A server with a thread for each connection; all of them end with it."""

    timeout = PATIENCE  # in case that nothing wakes `run` up

    def __init__(self, listener: socket.socket, cloud: Emulator, context: ssl.SSLContext | None) -> None:
        self.cloud = cloud
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(HOST, 0, make_app(cloud), _Connection, ssl_context=context, fd=listener.fileno())
        if isinstance(self.socket, ssl.SSLSocket):
            # The TLS handshake is done in the connection's thread: a slow client must not block others.
            self.socket.do_handshake_on_connect = False  # type: ignore[attr-defined]  # typeshed leaves it out

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a connection; as a daemon, it does not keep the process alive."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), name="emulated", daemon=True)
        self._open[thread] = request
        self.cloud.connections += 1
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; print all other errors, which are bugs."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def run(self) -> None:
        """Serve until `end`. `serve_forever` would poll for it."""
        while not self.cloud.stopping.is_set():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Refuse connections after the end."""
        return not self.cloud.stopping.is_set()

    def end(self, loop: threading.Thread) -> None:
        """Accept no more connections, cut the open ones, and wait for all threads."""
        self.cloud.stopping.set()
        with suppress(OSError):
            socket.create_connection(self.socket.getsockname(), PATIENCE).close()  # wakes up `run`
        loop.join()
        for thread, connection in list(self._open.items()):
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            thread.join(PATIENCE)
        self.server_close()


@contextmanager
def serve(dialect: Dialect = "huawei", port: int = 0, tls: tuple[str, str] | None = None) -> Iterator[Emulator]:
    """Serve an emulated cloud on 127.0.0.1 while the block runs.

    Args:
        dialect: `huawei` or `otc`.
        port: 0 means any free port.
        tls: the files of a certificate and its key, for https.

    Raises:
        OSError: the port is taken, or a file cannot be read.
    """
    cloud = Emulator(dialect)
    context = _context(*tls) if tls else None
    with closing(socket.create_server((HOST, port))) as listener:
        server = _Server(listener, cloud, context)
    cloud.url = f"{'https' if tls else 'http'}://{HOST}:{server.port}"
    thread = threading.Thread(target=server.run, name="emulator", daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.end(thread)


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
