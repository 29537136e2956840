"""Puts an emulated cloud on a port of this machine, and takes it off again without a trace."""

from __future__ import annotations

import io
import socket
import ssl
import struct
import threading

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from pulumi_cbr_sharing.emulator.app import make_app
from pulumi_cbr_sharing.emulator.cloud import Emulator


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator.dialects import Dialect


HOST = "127.0.0.1"  # never another: it hands out credentials to whoever asks


class Handler(WSGIRequestHandler):
    """One connection; can be cut in the middle."""

    protocol_version = "HTTP/1.1"

    def make_environ(self) -> dict[str, Any]:
        """Let the application reach the connection."""
        return {**super().make_environ(), "emulator.handler": self}

    def cut(self, *, reset: bool) -> None:
        """Close the connection without an answer: with a reset, or as a server does that ends."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.connection.detach()).close()
        self.wfile = io.BytesIO()  # what is still to be written goes nowhere

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: requests are in the emulator's own log, with secrets masked."""


@contextmanager
def serve(dialect: Dialect = "huawei", port: int = 0, tls: tuple[str, str] | None = None) -> Iterator[Emulator]:
    """Serve an emulated cloud on 127.0.0.1 while the block runs.

    Args:
        dialect: how records are written.
        port: 0 for any that is free.
        tls: files of a certificate and its key, for https.
    """
    cloud = Emulator(dialect)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    server = ThreadedWSGIServer(HOST, port, make_app(cloud), handler=Handler, ssl_context=context)
    cloud.url = f"{'https' if tls else 'http'}://{HOST}:{server.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="emulator", daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        cloud.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
