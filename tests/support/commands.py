"""The command `cbr-sharing` as an operator types it: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner
from typing_extensions import Self

from clouds import environment
from emulated import SECONDS
from pulumi_cbr_sharing.cli import main


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


COMMAND = (sys.executable, "-m", "pulumi_cbr_sharing.cli")
OURS = ("HW_", "OS_", "DR_", "HUAWEICLOUD_", "_CBR_SHARING_")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines that it printed, without blanks at their ends."""
        return [line.rstrip() for line in self.out.splitlines()]


class Operator:
    """Somebody with a shell that is signed in as the sharer, and as the recipient by `--connection dr`.

    Attributes:
        env: the variables of the shell that settings come from.
    """

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.env = {
            **environment(emulator),
            **environment(emulator, "recipient", "DR_"),
            "HOME": str(home),  # the tester's may hold credentials of a cloud
        }

    def run(self, *words: str) -> Done:
        """Run a command without a terminal."""
        hidden = {name: None for name in os.environ if name.startswith(OURS)}
        done = CliRunner().invoke(main, words, env={**hidden, **self.env})
        return Done(done.exit_code, done.stdout, done.stderr)

    def start(self, *words: str, **streams: Any) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.Popen([*COMMAND, *words], env=self.whole_env, text=True, **streams)

    @property
    def whole_env(self) -> dict[str, str]:
        """All variables that a process gets."""
        return {**{name: text for name, text in os.environ.items() if not name.startswith(OURS)}, **self.env}


class Terminal:
    """A command at a terminal of its own; for a `with`, whose end ends the command.

    Attributes:
        process: the command.
        shown: all that the terminal showed so far.
    """

    def __init__(self, operator: Operator, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = operator.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._ours, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C until it ends: one that comes just before the command reads waits for the next key."""
        for _ in range(SECONDS):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
                return

    def read_until(self, end: str) -> str:
        """Read until the terminal has shown this, which is last; returns all that it showed."""
        while end not in self.shown:
            assert self._read(), f"it ended without showing {end!r}: {self.shown}"
        return self.shown

    @property
    def code(self) -> int:
        """How the command ended, once it has, and all was read."""
        while self._read():
            pass
        return self.process.wait(SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], SECONDS)
        assert ready, f"nothing more came within {SECONDS} s: {self.shown}"
        try:
            piece = os.read(self._ours, 4096)
        except OSError:  # how Linux says that the other side was closed
            return False
        self.shown += piece.decode(errors="replace")
        return bool(piece)
