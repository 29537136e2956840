"""Starts programs and plugins, and ends them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from language_host.options import Refused


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from language_host.commands import Command
    from language_host.toolchains import Toolchain


PATIENCE = 5.0  # seconds that an interrupted program has for its end


class Programs:
    """What was started here and still runs."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()

    @contextmanager
    def started(self, command: Command, context: Any, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command as long as the engine's call lasts."""
        process = subprocess.Popen(command.args, cwd=command.cwd, env=command.env, stdin=subprocess.DEVNULL, **options)
        with process:
            self._running.add(process)
            # The engine ends a policy pack by cancelling the call; a call that is over already ends it at once.
            if not context.add_callback(lambda: interrupt(process)):
                interrupt(process)
            try:
                yield process
            finally:
                process.kill()
                self._running.discard(process)

    def interrupt_all(self) -> None:
        """Ask every process for its end."""
        for process in list(self._running):
            interrupt(process)

    def kill_all(self) -> None:
        """End every process at once."""
        for process in list(self._running):
            process.kill()


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ask a process for its end as Ctrl-C does, and end it if it does not heed that."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    killer = Timer(PATIENCE, process.kill)
    killer.daemon = True
    killer.start()


def program(toolchain: Toolchain, request: Any, engine: str) -> Command:
    """The command that runs a program through Pulumi's own script."""
    command = toolchain.command("-u", _executor(), *_flags(request, engine), request.info.entry_point, *request.args)
    told = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }
    return command._replace(env={**(command.env or os.environ), **told})


def plugin(toolchain: Toolchain, request: Any, env: Mapping[str, str]) -> Command:
    """The command that runs a policy pack or another plugin written in Python."""
    folder = request.info.program_directory
    if request.kind == "analyzer":
        return toolchain.command("-u", "-m", "pulumi.policy", *request.args, folder)._replace(cwd=Path(folder), env=env)
    if not Path(folder, "__main__.py").exists():
        raise Refused("this stand-in runs plugins that have a __main__.py; for others install Pulumi")
    return toolchain.command("-u", folder, *request.args)._replace(cwd=Path(request.pwd or folder), env=env)


def _executor() -> str:
    found = shutil.which("pulumi-language-python-exec")
    if not found:
        raise Refused("missing executor pulumi-language-python-exec: it is not on PATH")
    return found


def _flags(request: Any, engine: str) -> list[str]:
    flags = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    return [part for name, value in flags.items() if value for part in (f"--{name}", value)]
