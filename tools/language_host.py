"""A stand-in for `pulumi-language-python`, the process through which the Pulumi engine runs Python programs.

Every Pulumi release brings the real one. It is used only with an engine that was built from its Go module (see
`engine_build.py`), which has no language host. With a release on PATH this file is never run. It carries what this
project needs: programs (up, preview, refresh, destroy) and policy packs. It installs no dependencies and generates
no code: `pulumi new`, `pulumi install` and `pulumi package add` need a release.

The engine starts it, reads a port from its standard output and speaks gRPC (LanguageRuntime) with it.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn


try:
    import grpc

    from google.protobuf import empty_pb2  # type: ignore[import-untyped]
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2
except ImportError:
    sys.exit(
        f"{sys.executable} has no Pulumi SDK: activate the virtual environment that has it, or put its bin on PATH"
    )

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


ALREADY_SHOWN = 32  # the exit code of a program whose error is on the user's screen already
MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as the engine has it


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def __init__(self) -> None:
        self._engine = ""
        self._running: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep the engine's address: programs send their log there."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
        """Name a version."""
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    def GetRequiredPackages(self, *_: Any) -> Any:  # noqa: N802
        """Ask for no plugin ahead of time: the engine looks for each when a program uses it."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, *_: Any) -> Any:  # noqa: N802
        """Answer older engines likewise."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, *_: Any) -> Any:  # noqa: N802
        """List nothing: only `pulumi about` shows it."""
        return language_pb2.GetProgramDependenciesResponse()

    def About(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Name the interpreter."""
        return language_pb2.AboutResponse(executable=_python(request.info)[0], version=sys.version.split()[0])

    def InstallDependencies(self, *_: Any) -> Iterator[Any]:  # noqa: N802
        """Leave environments to the user."""
        yield language_pb2.InstallDependenciesResponse(stdout=b"This language host installs nothing.\n")

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a program to its end; what it prints goes to the engine through our own standard output."""
        python, env = _interpreter(request.info, os.environ, context)
        env |= {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [python, "-u", _executor(), *_flags(request, self._engine), request.info.entry_point, *request.args]
        with self._process(command, context, env=env) as process:
            code = process.wait()
        if code == ALREADY_SHOWN:
            return language_pb2.RunResponse(bail=True)
        error = f"Program exited with non-zero exit code: {code}" if code else ""
        return language_pb2.RunResponse(error=error)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack, or another plugin written in Python, and stream what it prints."""
        python, env = _interpreter(request.info, dict(entry.split("=", 1) for entry in request.env), context)
        folder = request.info.program_directory
        program = [str(Path(folder, request.info.entry_point)), *request.args]
        if request.kind == "analyzer":
            program = ["-m", "pulumi.policy", *request.args, folder]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self._process([python, "-u", *program], context, env=env, cwd=folder, **pipes) as process:
            yield from _printed(process)
            yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def Cancel(self, *_: Any) -> Any:  # noqa: N802
        """End what runs."""
        self.end_all()
        return empty_pb2.Empty()

    def end_all(self) -> None:
        """Kill every process that was started here."""
        for process in list(self._running):
            process.kill()

    @contextmanager
    def _process(self, command: Sequence[str], context: Any, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, **options) as process:
            self._running.add(process)
            # The engine ends a policy pack by cancelling the call; a call that is over already ends it at once.
            if not context.add_callback(process.kill):
                process.kill()
            try:
                yield process
            finally:
                process.kill()
                self._running.discard(process)


def _interpreter(info: Any, env: Mapping[str, str], context: Any) -> tuple[str, dict[str, str]]:
    """The interpreter of a program, and its environment: those of its virtual environment, if it names one."""
    python, virtualenv = _python(info)
    if not virtualenv:
        return python, dict(env)
    if not Path(python).exists():
        context.abort(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"The 'virtualenv' option in Pulumi.yaml is {virtualenv}, which is not a virtual environment.",
        )
    inside = {"VIRTUAL_ENV": str(virtualenv), "PATH": f"{virtualenv / 'bin'}{os.pathsep}{env.get('PATH', '')}"}
    return python, {name: value for name, value in env.items() if name != "PYTHONHOME"} | inside


def _python(info: Any) -> tuple[str, Path | None]:
    options = dict(info.options)
    name = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else "")
    if not name:
        return shutil.which("python3") or sys.executable, None
    virtualenv = Path(info.root_directory, str(name))
    return str(virtualenv / "bin" / "python"), virtualenv


def _executor() -> str:
    """Pulumi's own script that runs a program: next to this file, or on PATH when this file runs from the sources."""
    beside = Path(__file__).with_name("pulumi-language-python-exec")
    return str(beside) if beside.exists() else shutil.which(beside.name) or beside.name


def _flags(request: Any, engine: str) -> list[str]:
    flags = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    return [part for name, value in flags.items() if value for part in (f"--{name}", value)]


def _printed(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """What a process prints, as it comes, until both of its pipes are at their end."""
    arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def forward(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            answer = language_pb2.RunPluginResponse()
            setattr(answer, name, line)
            arrived.put(answer)
        arrived.put(None)

    pipes = (("stdout", process.stdout), ("stderr", process.stderr))
    for pipe in pipes:
        threading.Thread(target=forward, args=pipe, daemon=True).start()
    for _ in pipes:
        yield from iter(arrived.get, None)


def serve() -> None:
    """Serve until a signal comes or the engine is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    host = Host()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=32),  # one a running program or policy pack
        options=[("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    engine = os.getppid()
    try:
        # An engine that was killed says nothing; its children get another parent.
        while os.getppid() == engine:
            time.sleep(0.5)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        host.end_all()
        server.stop(grace=None)


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    serve()
