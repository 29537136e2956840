"""A stand-in for `pulumi-language-nodejs`: runs a compiled program by the script of Pulumi's own SDK for Node.js.

No registry serves Pulumi's own host. It would also compile the program, and ask for the plugins of its packages.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from google.protobuf import empty_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2


LIFETIME = 300  # seconds; the engine ends it, nothing lives on if it does not
ALREADY_SHOWN = 32  # the exit code of a program whose error is on the user's screen already


class Node(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language, as far as `up` needs it."""

    def GetPluginInfo(self, *_: Any) -> Any:  # noqa: N802
        """Name a version."""
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    def GetRequiredPackages(self, *_: Any) -> Any:  # noqa: N802
        """Ask for no plugins."""
        return language_pb2.GetRequiredPackagesResponse()

    def Run(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Run the program to its end."""
        folder = request.info.program_directory
        told = {
            "monitor": request.monitor_address,
            "engine": sys.argv[-1],  # programs send their log there
            "project": request.project,
            "stack": request.stack,
            "pwd": folder,
            "parallel": str(request.parallel),
            "organization": request.organization,
            "root-directory": request.info.root_directory,
        }
        flags = [part for name, value in told.items() if value for part in (f"--{name}", value)]
        flags += ["--dry-run"] if request.dryRun else []
        env = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        runner = f"{folder}/node_modules/@pulumi/pulumi/cmd/run"
        code = subprocess.run(["node", runner, *flags, "."], cwd=folder, env=env, check=False).returncode
        if code == ALREADY_SHOWN:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {code}" if code else "")

    def Cancel(self, *_: Any) -> Any:  # noqa: N802
        """Have nothing to stop."""
        return empty_pb2.Empty()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Node(), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    server.wait_for_termination(LIFETIME)
