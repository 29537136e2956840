"""Tests with an engine fork its processes: such a process is what one of its own would be."""

from __future__ import annotations

import signal
import subprocess
import sys

from typing import TYPE_CHECKING

import pytest

from forked import POSSIBLE, launcher


if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.skipif(not POSSIBLE, reason="nothing is forked here")

SHOW = """
import atexit, os, sys, threading, time

def late():
    time.sleep(0.1)
    print("a thread has ended")

print(sys.argv[1:], sys.path[0], os.getcwd(), os.environ, sys.stdin.read(), __name__, sys.executable, sys.prefix)
print("an error", file=sys.stderr)
atexit.register(print, "the end")
threading.Thread(target=late).start()
{end}
"""
WAIT = """
import os, signal, sys, time

signal.signal(signal.SIGINT, lambda *_: sys.exit(3))
print("waiting", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit(7)",
        "sys.exit('a message')",
        "sys.exit()",
        "pass",
        "raise KeyboardInterrupt",
        "os.kill(os.getpid(), 9)",
    ],
)
@pytest.mark.parametrize("words", [["{}/show.py"], ["-m", "show"]], ids=["a file", "a module"])
def test_it_is_given_shows_and_ends_as_one_of_its_own(end: str, words: list[str], tmp_path: Path) -> None:
    """Arguments, folder, environment and streams; exit codes; threads and what is registered for the end."""
    (tmp_path / "show.py").write_text(SHOW.format(end=end))
    args = [*(word.format(tmp_path) for word in words), "one", "two words"]
    env = {"PATH": "/usr/bin:/bin", "WORD": "Bär\udcff", "PYTHONPATH": "/somewhere"}
    runs = [
        subprocess.run([*command, *args], cwd=tmp_path, env=env, input=b"given", capture_output=True, check=False)
        for command in ([sys.executable, "-u"], launcher())
    ]
    shown, forked = [(run.stdout.decode(), run.stderr.splitlines()[-1], run.returncode) for run in runs]
    assert forked == shown
    assert "two words" in forked[0]


def test_a_signal_is_passed_on(tmp_path: Path) -> None:
    """An engine interrupts its processes."""
    with waiting(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 3


def test_it_ends_with_its_launcher(tmp_path: Path) -> None:
    """An engine kills what does not heed an interrupt."""
    with waiting(tmp_path) as process:
        assert process.stdout
        process.kill()
        assert process.stdout.read() == b""  # nobody holds the other end


def waiting(folder: Path) -> subprocess.Popen[bytes]:
    """A forked process that waits for a signal."""
    (folder / "wait.py").write_text(WAIT)
    process = subprocess.Popen([*launcher(), str(folder / "wait.py")], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"waiting\n"
    return process
