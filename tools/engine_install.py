"""Pulumi's own installer, given a bounded time: in networks that block it, it may hang instead of failing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from typing import TYPE_CHECKING

from engine_log import Unavailable, say
from engine_pins import pulumi_version


if TYPE_CHECKING:
    from pathlib import Path


LIMIT = 60  # seconds
INSTALL = """
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


def install(folder: Path, limit: float = LIMIT) -> Path:
    """Download the release; returns its `bin`."""
    say(f"Pulumi {pulumi_version()}: trying its official installer, for {limit:g} seconds at most")
    # A session of its own: the installer starts a shell, which starts a download, and all must end together.
    process = subprocess.Popen(
        [sys.executable, "-c", INSTALL, str(folder), pulumi_version()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        noise = process.communicate(timeout=limit)[1]
    except subprocess.TimeoutExpired:
        raise Unavailable(f"no download within {limit:g} seconds") from None
    finally:
        _end(process)
    if process.returncode:
        raise Unavailable(noise.strip().splitlines()[-1] if noise.strip() else f"exit code {process.returncode}")
    return folder / "bin"


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.communicate()
