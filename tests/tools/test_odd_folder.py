"""A clone in a folder whose name a shell would take for commands."""

from __future__ import annotations

import os
import shutil
import subprocess

from pathlib import Path

import pytest

from stack import search_path


pytestmark = pytest.mark.engine

ROOT = Path(__file__).parent.parent.parent
MADE = shutil.ignore_patterns(".*", "__pycache__", "venv", "environment", "dist")


def test_make_works_there_and_runs_nothing_of_the_name(tmp_path: Path) -> None:
    """Spaces, quotes, and commands in both of the shell's ways: nothing of it is run."""
    clone = tmp_path / 'it\'s a "clone" $(touch ran) `touch ran` ; touch ran'
    shutil.copytree(ROOT, clone, ignore=MADE)
    env = {name: text for name, text in os.environ.items() if name != "VIRTUAL_ENV"} | {"PATH": search_path()}
    run = subprocess.run(
        ["make", "setup", "demo"], cwd=clone, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Every step ended as it should." in run.stdout
    assert (clone / ".venv" / "bin" / "python").exists()
    assert list(tmp_path.rglob("ran")) == []
