"""An answer whose headers trickle in is cut off in time, and is no answer."""

from __future__ import annotations

import socket
import threading

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.errors import Unreachable
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


PIECES = 400  # of a tenth of a read time-out each: far more than anybody should wait for


class Trickle:
    """A server that sends its headers piece by piece, and never ends them."""

    def __init__(self, start: bytes, pause: float) -> None:
        self._start, self._pause, self._over = start, pause, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(self._start)
            while self.sent < PIECES and not self._over.wait(self._pause):
                connection.sendall(b"X-Slow: 1\r\n" if self._start else b"H")
                self.sent += 1

    def stop(self) -> None:
        """End it, whether anybody came or not."""
        self._over.set()
        self._thread.join()
        self._listener.close()


@contextmanager
def trickle(start: bytes, pause: float) -> Iterator[Trickle]:
    """Serve once."""
    server = Trickle(start, pause)
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"], ids=["the status line", "the headers"]
)
def test_a_trickling_head_is_cut_off(start: bytes, emulator: Emulator) -> None:
    """Each piece is in time, and all of them together are not; half the headers are not taken for all of them."""
    with trickle(start, pause=0.05) as server:
        client = Client(settings_of(emulator, cbr=server.address, read_timeout=0.5, max_retries=0))
        with pytest.raises(Unreachable, match=r"it took longer than 0\.5 s") as caught:
            list_members(client, emulator.backup.id)
        client.close()
        assert caught.value.sent
        assert server.sent < PIECES / 2
