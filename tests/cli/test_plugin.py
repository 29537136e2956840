"""`cbr-sharing plugin install` with a Pulumi that writes down how it is called."""

from __future__ import annotations

import os
import subprocess
import sys

from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.plugin.semver import own_version


if TYPE_CHECKING:
    from pathlib import Path


def install(path: str) -> subprocess.CompletedProcess[str]:
    """Run the command with this PATH."""
    command = [sys.executable, "-m", "pulumi_cbr_sharing.cli", "plugin", "install"]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)


@pytest.fixture(name="pulumi")
def _pulumi(tmp_path: Path) -> Path:
    """A Pulumi that keeps its arguments."""
    script = tmp_path / "bin" / "pulumi"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    script.chmod(0o755)
    return script


def test_pulumi_gets_the_script_of_this_environment(tmp_path: Path, pulumi: Path) -> None:
    """By the version as the engine reads it."""
    done = install(f"{pulumi.parent}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "called").read_text().split()
    assert words[:5] == ["plugin", "install", "resource", "cbr-sharing", own_version()]
    script = words[words.index("--file") + 1]
    assert os.access(script, os.X_OK)
    assert sys.prefix in script
    assert own_version() in done.stdout


def test_what_pulumi_says_is_the_error(pulumi: Path) -> None:
    """In one line."""
    pulumi.write_text("#!/bin/sh\necho 'error: no space left' >&2\nexit 1\n")
    done = install(f"{pulumi.parent}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stderr == "Error: pulumi plugin install failed: no space left\n"


def test_without_pulumi_it_says_so(tmp_path: Path) -> None:
    """It cannot know where plugins are kept."""
    done = install(str(tmp_path))
    assert done.returncode == 1
    assert "there is no pulumi on PATH" in done.stderr
