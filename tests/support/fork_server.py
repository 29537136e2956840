"""Python processes, each forked from one that has imported Pulumi already: a fraction of what a new one costs.

An engine starts its processes by name. In the PATH of a `Stack` these names lead to launchers (`launch.py`), which
hand arguments, environment, folder and standard streams to this server. It forks a process that becomes what was
asked for. A launcher passes signals on, ends as that process ends, and takes it along when it is killed.

Three things differ from a process of its own: its parent is this server, our package is imported already, and all have
the same seed of hashes. So tests of kills, of imports, of interpreters, and some of each verb have plain processes.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn


if TYPE_CHECKING:
    from collections.abc import Callable


_code: int | None = None  # of this process, once it has become another
OTHERS = ("pulumi.dynamic", "dill", "google.protobuf.json_format", "grpc._channel", "grpc._server", "requests")
OURS = (
    "native",
    "plugin.server",
    *(f"resources.{name}" for name in ("lookups", "process", "received_backups", "vault_share")),
)
SIZE = 1 << 20  # bytes of a request


class Server:
    """Forks for all who connect, as long as its standard input is open. Its processes do not outlive it."""

    def __init__(self, address: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(address)
        self._listener.listen(64)
        self._pids: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._on(self._listener, self._fork)
        self._on(sys.stdin, self._leave)

    def serve(self) -> NoReturn:
        """Act on one event after the other."""
        while True:
            self._selector.select()[0][0].data()

    def _on(self, readable: Any, act: Callable[[], object]) -> None:
        self._selector.register(readable, selectors.EVENT_READ, act)

    def _fork(self) -> None:
        door, _ = self._listener.accept()
        request, streams, _, _ = socket.recv_fds(door, SIZE, 3)
        if not request:  # whoever connected is gone
            return
        if not (pid := os.fork()):
            become(marshal.loads(request), streams)
        for stream in streams:
            os.close(stream)
        self._pids.add(pid)
        process = os.pidfd_open(pid)
        self._on(process, partial(self._ended, pid, process, door))
        self._on(door, partial(self._signal, pid, door))

    def _signal(self, pid: int, door: socket.socket) -> None:
        asked = door.recv(1)
        if not asked:  # the other side was killed, or wants no more
            self._selector.unregister(door)
        os.kill(pid, asked[0] if asked else signal.SIGKILL)

    def _ended(self, pid: int, process: int, door: socket.socket) -> None:
        _, status = os.waitpid(pid, 0)
        self._pids.remove(pid)
        with suppress(KeyError, OSError):  # nobody waits for it any more
            self._selector.unregister(door)
            door.send(str(os.waitstatus_to_exitcode(status)).encode())
        door.close()
        self._selector.unregister(process)
        os.close(process)

    def _leave(self) -> NoReturn:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
        sys.exit()


def become(asked: Any, streams: list[int]) -> NoReturn:
    """What `python -u ARGS` would be, where ARGS is a file or `-m` and a module, and what they are given.

    Args:
        asked: ARGS, the environment, the folder.
        streams: standard input, output and error.
    """
    global _code  # noqa: PLW0603
    _code = 1
    args, env, folder = asked
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    module = args[1] if args[0] == "-m" else ""
    home = folder if module else str(Path(args[0]).resolve().parent)
    sys.path[:1] = [home, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv[:] = args[1:] if module else args
    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(args[0], run_name="__main__")
    except KeyboardInterrupt:
        _code = None  # Python ends by that signal then
        raise
    except SystemExit as end:
        _code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    _code = 0
    sys.exit()


def _end() -> None:
    """End without taking apart what is shared with the server: that would copy all of it."""
    if _code is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_code)


if __name__ == "__main__":
    atexit.register(_end)  # what is registered first is called last
    for name in (*OTHERS, *(f"pulumi_cbr_sharing.{name}" for name in OURS)):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a process would copy the memory that it shares
    server = Server(sys.argv[1])
    sys.stdout.write("ready\n")
    server.serve()
