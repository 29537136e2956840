"""Speaks gRPC (LanguageRuntime) with the engine, which reads the port from standard output."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from google.protobuf import empty_pb2  # type: ignore[import-untyped]

from language_host import options, plugins, programs, toolchains
from language_host.commands import output, printed
from language_host.messages import language_pb2, language_pb2_grpc, plugin_pb2


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ALREADY_SHOWN = 32  # the exit code of a program whose error is on the user's screen already
MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes, as the engine has it


def refusing(call: Callable[[Host, Any, Any], Any]) -> Callable[[Host, Any, Any], Any]:
    """Give the engine the message of what was refused."""

    @functools.wraps(call)
    def answer(host: Host, request: Any, context: Any) -> Any:
        try:
            return call(host, request, context)
        except options.Refused as refusal:
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))

    return answer


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def __init__(self) -> None:
        self.programs = programs.Programs()
        self._engine = ""

    def Handshake(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Keep the engine's address: programs send their log there."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
        """Name a version."""
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    @refusing
    def GetRequiredPackages(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Ask for the plugins of the environment's packages; an environment that is missing is made."""
        toolchain = toolchains.resolve(options.parse(request.info))
        for _line in toolchain.ensure():
            pass
        return language_pb2.GetRequiredPackagesResponse(packages=plugins.required(toolchain))

    @refusing
    def GetProgramDependencies(self, request: Any, _: Any) -> Any:  # noqa: N802
        """List the environment's packages, for `pulumi about`."""
        toolchain = toolchains.resolve(options.parse(request.info))
        try:
            found = toolchain.packages(transitive=request.transitiveDependencies)
        except options.Refused as refusal:
            raise options.Refused(f"failed to get python dependencies: {refusal}") from None
        listed = [language_pb2.DependencyInfo(name=package.name, version=package.version) for package in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=listed)

    @refusing
    def About(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Name the interpreter and the toolchain."""
        chosen = options.parse(request.info)
        toolchain = toolchains.resolve(chosen)
        where = toolchain.command("-c", "import platform, sys; print(sys.executable); print(platform.python_version())")
        executable, version = output(where, "failed to get python executable path").splitlines()
        known = {"toolchain": toolchain.name if chosen.toolchain else "Auto", "toolchainVersion": _version(toolchain)}
        return language_pb2.AboutResponse(executable=executable, version=version, metadata=known)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Install what a program needs, and stream what is printed."""
        try:
            toolchain = toolchains.resolve(options.parse(request.info, is_plugin=request.is_plugin))
            yield _installed("stdout", b"Installing dependencies...\n\n")
            for name, line in toolchain.install():
                yield _installed(name, line)
            yield _installed("stdout", b"Finished installing dependencies\n\n")
        except options.Refused as refusal:
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))

    @refusing
    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a program to its end; what it prints goes to the engine through our own standard output."""
        chosen = options.parse(request.info)
        if chosen.typechecker:
            raise options.Refused("this stand-in runs no type checker; for the option `typechecker` install Pulumi")
        toolchain = toolchains.resolve(chosen)
        toolchain.validate()
        with self.programs.started(programs.program(toolchain, request, self._engine), context) as process:
            code = process.wait()
        if code == ALREADY_SHOWN:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack, or another plugin written in Python, and stream what it prints."""
        try:
            toolchain = toolchains.resolve(options.parse(request.info, is_plugin=request.kind != "analyzer"))
            toolchain.validate()
            command = programs.plugin(toolchain, request, _environment(toolchain, request))
        except options.Refused as refusal:
            context.abort(grpc.StatusCode.UNKNOWN, str(refusal))
        with self.programs.started(command, context, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for name, line in printed(process):
                yield _said(name, line)
            yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def Cancel(self, *_: Any) -> Any:  # noqa: N802
        """Interrupt what runs."""
        self.programs.interrupt_all()
        return empty_pb2.Empty()


def _installed(name: str, line: bytes) -> Any:
    return language_pb2.InstallDependenciesResponse(**{name: line})


def _said(name: str, line: bytes) -> Any:
    fields: dict[str, Any] = {name: line}
    return language_pb2.RunPluginResponse(**fields)


def _version(toolchain: toolchains.Toolchain) -> str:
    try:
        return toolchain.version()
    except options.Refused:  # an environment without pip has no version of it
        return ""


def _environment(toolchain: toolchains.Toolchain, request: Any) -> dict[str, str]:
    """The engine's environment of a plugin, inside of its virtual environment."""
    inside = toolchain.command().env or {}
    given = dict(entry.split("=", 1) for entry in request.env)
    return given | {name: inside[name] for name in ("VIRTUAL_ENV", "PATH") if name in inside}


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
        host.programs.kill_all()
        server.stop(grace=None)


def _leave(*_: object) -> NoReturn:
    sys.exit(0)
