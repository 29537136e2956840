"""Ends this process together with its engine.

Pulumi does not end its plugins when it is killed. A wait for a backup in the making would go on for minutes, and then
share the backup although the run is dead.
"""

from __future__ import annotations

import os
import socket
import threading

from contextlib import suppress


def end_with(engine: str) -> None:
    """Watch an engine, and end this process at once when it has ended.

    Args:
        engine: its address, `host:port`. If nothing listens there, nothing is watched.
    """
    with suppress(OSError, ValueError):
        first = _connect(engine)
        threading.Thread(target=_watch, args=(engine, first), name="lifeline", daemon=True).start()


def _watch(engine: str, connection: socket.socket) -> None:
    with suppress(ConnectionRefusedError):
        while True:  # the engine closes a silent connection after a while, so that alone says nothing
            with connection, suppress(OSError):
                while connection.recv(4096):
                    pass
            connection = _connect(engine)
    os._exit(1)  # no thread may send anything more


def _connect(engine: str) -> socket.socket:
    host, _, port = engine.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=5)
    connection.settimeout(None)
    return connection
