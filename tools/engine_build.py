"""Builds the Pulumi command line from its Go module, and completes it with a stand-in for its Python language host.

Where release downloads are blocked, package registries often are not. `tools/engine` is the Go module that pins what
is built; the helper scripts for Python programs come with Pulumi's own SDK module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from pathlib import Path
from typing import TYPE_CHECKING

import go_toolchain

from engine_log import Unavailable, say
from engine_pins import CLI, MODULE, pulumi_version


if TYPE_CHECKING:
    from collections.abc import Mapping


HOST = Path(__file__).with_name("language_host.py")
COMMAND = f"{CLI}/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
HELPERS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
PROGRESS = 15  # seconds between two signs of life
LIMIT = 3600  # seconds for the whole build, on a slow machine with a slow network

# The interpreter is the one on PATH, the activated environment: many clones may share this cache.
LAUNCHER = """#!/bin/sh
# Made by tools/engine_setup.py of pulumi-cbr-sharing: stands in for the language host of a Pulumi release.
exec "${PULUMI_PYTHON_CMD:-python3}" -u "$(dirname "$0")/language_host.py" "$@"
"""


def build(folder: Path) -> Path:
    """Build everything in this folder; returns its `bin`."""
    go, env = go_toolchain.find(folder, MODULE)
    made = folder / "bin"
    made.mkdir()
    _compile(go, env, made / "pulumi", folder / "build.log")
    sdk = Path(_output([go, "list", "-m", "-f", "{{.Dir}}", SDK], env))
    for helper in HELPERS:
        _install_script(made / Path(helper).name, (sdk / helper).read_text())
    install_host(made)
    return made


def install_host(made: Path) -> None:
    """Put the stand-in for the language host into a folder of PATH."""
    _install_script(made / "pulumi-language-python", LAUNCHER)
    shutil.copyfile(HOST, made / HOST.name)


def refresh_host(made: Path) -> None:
    """Bring the stand-in of a cached engine up to this clone's; a release has none."""
    copy = made / HOST.name
    if not copy.exists() or copy.read_bytes() == HOST.read_bytes():
        return
    fresh = copy.with_suffix(f".{os.getpid()}")
    shutil.copyfile(HOST, fresh)
    fresh.replace(copy)


def _compile(go: str, env: Mapping[str, str], target: Path, log: Path) -> None:
    linker = f"-s -w -X {SDK}/go/common/version.Version=v{pulumi_version()}"
    command = [go, "build", "-trimpath", "-ldflags", linker, "-o", str(target), COMMAND]
    say(f"building Pulumi {pulumi_version()} from its Go module; about 4 minutes on 2 cores, once")
    started = time.monotonic()
    with log.open("w") as output, subprocess.Popen(command, cwd=MODULE, env=env, stdout=output, stderr=output) as run:
        try:
            _watch(run, started)
        finally:
            run.kill()
    if run.returncode:
        raise Unavailable("go build failed:\n" + "\n".join(log.read_text().splitlines()[-15:]))
    say(f"built in {time.monotonic() - started:.0f} s")


def _watch(run: subprocess.Popen[bytes], started: float) -> None:
    while not _ended(run, PROGRESS):
        elapsed = time.monotonic() - started
        if elapsed > LIMIT:
            raise Unavailable(f"go build took more than {LIMIT} s")
        say(f"still building, {elapsed:.0f} s of about 240 s")


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
