"""Runs the commands of a toolchain: for their output, or line by line."""

from __future__ import annotations

import queue
import subprocess
import threading

from typing import IO, TYPE_CHECKING, Any, NamedTuple

from language_host.options import Refused


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Command(NamedTuple):
    """What is run, where (None: where the engine runs), and in which environment (None: the engine's)."""

    args: list[str]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return " ".join(self.args)


def output(command: Command, trouble: str) -> str:
    """What a command prints; if it fails, `trouble` with the way it ended."""
    try:
        run = subprocess.run(command.args, cwd=command.cwd, env=command.env, capture_output=True, check=False)
    except OSError as error:
        raise Refused(f"{trouble}: {_not_started(command, error)}") from None
    if run.returncode:
        raise Refused(f"{trouble}: {ending(run.returncode)}")
    return run.stdout.decode()


def streamed(command: Command, trouble: str) -> Iterator[tuple[str, bytes]]:
    """What a command prints, as it comes; if it fails, `trouble` with the way it ended and its standard error."""
    errors = b""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command.args, cwd=command.cwd, env=command.env, **pipes) as process:  # type: ignore[call-overload]
        for name, line in printed(process):
            errors += line if name == "stderr" else b""
            yield name, line
    if process.returncode:
        said = errors.decode(errors="replace").strip()
        raise Refused(f"{trouble}: {ending(process.returncode)}{': ' if said else ''}{said}")


def printed(process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What a process prints, as it comes, until both of its pipes are at their end: the pipe's name and a line."""
    arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def forward(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            arrived.put((name, line))
        arrived.put(None)

    pipes = (("stdout", process.stdout), ("stderr", process.stderr))
    for pipe in pipes:
        threading.Thread(target=forward, args=pipe, daemon=True).start()
    for _ in pipes:
        yield from iter(arrived.get, None)


def ending(code: int) -> str:
    """How a process ended, as Go says it."""
    return f"exit status {code}" if code > 0 else f"signal: {-code}"


def _not_started(command: Command, error: OSError) -> str:
    return f"fork/exec {command.args[0]}: {(error.strerror or str(error)).lower()}"
