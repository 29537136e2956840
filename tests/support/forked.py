"""Processes of the plugin, each forked from one that has imported Pulumi already: a fraction of what a new one costs.

Only what others wrote is imported in advance. Our package is imported by each process anew, as the engine's does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


PLUGIN = "pulumi.dynamic"
IN_ADVANCE = (PLUGIN, "dill", "grpc._server", "requests")
SIZE = 1 << 16  # bytes


class Forked:
    """A process of the plugin, used like a `subprocess.Popen`."""

    def __init__(self, env: Mapping[str, str], engine: str) -> None:
        out, err = os.pipe(), os.pipe()
        self.stdout, self.stderr = os.fdopen(out[0], "rb"), os.fdopen(err[0], "rb")
        door = _door()
        socket.send_fds(door, [json.dumps([dict(env), engine]).encode() + b"\n"], [out[1], err[1]])
        for end in (out[1], err[1]):
            os.close(end)
        self.pid = int(door.recv(SIZE))

    def kill(self) -> None:
        """End it at once."""
        if not self.stdout.closed:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def communicate(self) -> tuple[bytes, bytes]:
        """Wait until it has ended; returns what it printed on both streams."""
        if not self.stdout.closed:
            with self.stdout, self.stderr:
                self._printed = self.stdout.read(), self.stderr.read()
        return self._printed


@cache
def _door() -> socket.socket:
    """Leads to the process that the others are forked from."""
    ours, theirs = socket.socketpair()
    number = theirs.fileno()
    with theirs:
        origin = subprocess.Popen(
            [sys.executable, "-u", __file__, str(number)], stdin=subprocess.DEVNULL, pass_fds=[number]
        )
    atexit.register(origin.wait)
    atexit.register(ours.close)  # this runs first, and ends it
    return ours


def _serve(door: socket.socket) -> None:
    for name in IN_ADVANCE:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that have ended
    gc.freeze()  # a collection in a child would copy the memory that it shares
    while True:
        request, streams, _, _ = socket.recv_fds(door, SIZE, 2)
        while request and not request.endswith(b"\n"):
            request += door.recv(SIZE)
        if not request:
            return
        if pid := os.fork():
            door.sendall(str(pid).encode())
            for stream in streams:
                os.close(stream)
        else:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            door.close()
            _become_a_plugin(*json.loads(request), *streams)


def _become_a_plugin(env: Mapping[str, str], engine: str, out: int, err: int) -> None:
    """What `python -u -m pulumi.dynamic ENGINE` would be."""
    for stream, number in ((out, 1), (err, 2)):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(env)
    sys.path[:1] = [str(Path.cwd()), *env.get("PYTHONPATH", "").split(os.pathsep)]
    sys.argv[1:] = [engine]
    runpy.run_module(PLUGIN, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
