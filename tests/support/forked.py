"""What tests start through the server of `fork_server.py`: plugins, and the processes of an engine."""

from __future__ import annotations

import atexit
import marshal
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import engine_setup
import fork_server
import launch


if TYPE_CHECKING:
    from collections.abc import Mapping


POSSIBLE = sys.platform == "linux"  # a fork is not safe on macOS
STAND_IN = Path(engine_setup.__file__).with_name("pulumi_language_python.py")
PLUGIN, EXECUTOR, PYTHON = "pulumi-resource-cbr-sharing", "pulumi-language-python-exec", "python-of-dynamic-providers"
# This one is no command: the Python of a program's environment runs it, which may be another one.
IN_PYTHON = """\
import os, sys
if sys.prefix != {prefix!r}:
    os.execv(sys.executable, [sys.executable, "-u", {executor!r}, *sys.argv[1:]])
sys.argv[:1] = {args!r}
exec(open(sys.argv[0]).read())
"""


class Forked:
    """A process of the dynamic plugin, used like a `subprocess.Popen`."""

    def __init__(self, env: Mapping[str, str], engine: str) -> None:
        out, err = os.pipe(), os.pipe()
        self.stdout, self.stderr = os.fdopen(out[0], "rb"), os.fdopen(err[0], "rb")
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.connect(str(_folder() / "door"))
        request = marshal.dumps((["-m", "pulumi.dynamic", engine], dict(env), str(Path.cwd())))
        with Path(os.devnull).open() as nothing:
            socket.send_fds(self._door, [request], [nothing.fileno(), out[1], err[1]])
        for end in (out[1], err[1]):
            os.close(end)

    def kill(self) -> None:
        """End it at once."""
        self._door.close()

    def communicate(self) -> tuple[bytes, bytes]:
        """Wait until it has ended; returns what it printed on both streams."""
        if not self.stdout.closed:
            with self.stdout, self.stderr, self._door:
                self._printed = self.stdout.read(), self.stderr.read()
        return self._printed


def launcher() -> list[str]:
    """The command that starts a process through the server, in place of `python -u`; a file or `-m` is to follow."""
    return [sys.executable, "-IS", launch.__file__, str(_folder() / "door")]


def environment(path: str) -> dict[str, str]:
    """The variables by which an engine starts its Python processes through the server.

    They are none on other systems, and next to a Pulumi release, which has a language host of its own.

    Args:
        path: the PATH that the engine would have otherwise.
    """
    if not POSSIBLE or engine_setup.release_on_path():
        return {}
    folder = str(_launchers())
    return {"PATH": os.pathsep.join([folder, path]), "PULUMI_PYTHON_CMD": f"{folder}/{PYTHON}"}


@cache
def _launchers() -> Path:
    """A folder of PATH, with the names that an engine starts."""
    folder = _folder()
    start, ours = f"exec {shlex.join(launcher())}", Path(sys.prefix, "bin")
    executor = shutil.which(EXECUTOR, path=os.pathsep.join(map(str, engine_setup.ensure())))
    texts = {
        # It is called with `-u`. Another Python that is first on PATH is not ours to fork.
        PYTHON: f'#!/bin/sh\n[ "$(command -v python3)" = {quoted(ours / "python3")} ] || exec python3 "$@"\n'
        f'shift\n{start} "$@"\n',
        "pulumi-python-stand-in": f'#!/bin/sh\n{start} {quoted(STAND_IN)} "$@"\n',
        PLUGIN: f'#!/bin/sh\n{start} {quoted(ours / PLUGIN)} "$@"\n',
        EXECUTOR: IN_PYTHON.format(prefix=sys.prefix, executor=executor, args=[*launcher()[2:], executor]),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


@cache
def _folder() -> Path:
    """Where the door of the server is, which ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="forked-"))
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-u", fork_server.__file__, str(folder / "door")]
    server = subprocess.Popen(command, env=env, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout
    assert server.stdout.readline()
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.communicate)  # this comes first, and ends it
    return folder
