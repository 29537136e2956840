"""Builds the Pulumi command line from its Go module, for machines that have no release.

`tools/engine` is the Go module that pins what is built, by hash. Two scripts that run Python programs come with
Pulumi's own SDK module; the language host, which does not, has a stand-in (see `language_host`).
"""

from __future__ import annotations

import subprocess
import time

from pathlib import Path
from typing import TYPE_CHECKING

import go_toolchain

from engine_log import Unavailable, say
from engine_pins import CLI, MODULE, pulumi_version


if TYPE_CHECKING:
    from collections.abc import Mapping


COMMAND = f"{CLI}/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
HELPERS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
# Next to `pulumi`, where the engine expects it; what it runs is on PATH and of the clone: many may share the engine.
LAUNCHER = """#!/bin/sh
# Made by tools/engine_setup.py of pulumi-cbr-sharing: stands in for the language host of a Pulumi release.
exec pulumi-python-stand-in "$@"
"""
PROGRESS = 15  # seconds between two signs of life
LIMIT = 3600  # seconds for the whole build, on a slow machine with a slow network


def build(folder: Path) -> Path:
    """Build everything in this folder; returns its `bin`."""
    go, env = go_toolchain.find(folder, MODULE)
    made = folder / "bin"
    made.mkdir(mode=0o755)
    _compile(go, env, made / "pulumi", folder / "build.log")
    sdk = Path(_output([go, "list", "-m", "-f", "{{.Dir}}", SDK], env))
    for helper in HELPERS:
        _install_script(made / Path(helper).name, (sdk / helper).read_text())
    install_launcher(made)
    return made


def install_launcher(made: Path) -> None:
    """Put what starts the stand-in into a folder of PATH."""
    _install_script(made / "pulumi-language-python", LAUNCHER)


def _compile(go: str, env: Mapping[str, str], target: Path, log: Path) -> None:
    linker = f"-s -w -X {SDK}/go/common/version.Version=v{pulumi_version()}"
    say(f"building Pulumi {pulumi_version()} from its Go module; about 4 minutes on 2 cores, once")
    compiled([go, "build", "-trimpath", "-ldflags", linker, "-o", str(target), COMMAND], MODULE, env, log)
    target.chmod(0o755)


def compiled(command: list[str], module: Path, env: Mapping[str, str], log: Path) -> None:
    """Run a build, and tell how far it is.

    Raises:
        Unavailable: it failed; the message has its last lines.
    """
    started = time.monotonic()
    with log.open("w") as output, subprocess.Popen(command, cwd=module, env=env, stdout=output, stderr=output) as run:
        try:
            _watch(run, started)
        finally:
            run.kill()
    if run.returncode:
        raise Unavailable(
            f"{Path(command[0]).name} {command[1]} failed:\n" + "\n".join(log.read_text().splitlines()[-15:])
        )
    say(f"built in {time.monotonic() - started:.0f} s")


def _watch(run: subprocess.Popen[bytes], started: float) -> None:
    while not _ended(run, PROGRESS):
        elapsed = time.monotonic() - started
        if elapsed > LIMIT:
            raise Unavailable(f"go build took more than {LIMIT} s")
        say(f"still building after {elapsed:.0f} s")


def _ended(run: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        run.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _output(command: list[str], env: Mapping[str, str]) -> str:
    run = subprocess.run(command, cwd=MODULE, env=env, capture_output=True, text=True, check=False)
    if run.returncode:
        raise Unavailable(f"{' '.join(command)} failed: {run.stderr.strip()}")
    return run.stdout.strip()


def _install_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
