"""The wheel that users install, in a new environment without this checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

from typing import TYPE_CHECKING

import pytest

from wheelhouse import ROOT, UV, own_wheel, wheelhouse


if TYPE_CHECKING:
    from pathlib import Path


CONSTRAINTS = ("--constraint", ROOT / "requirements.lock")


@pytest.fixture(name="wheel", scope="session")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made by `uv build`."""
    return own_wheel(wheelhouse(tmp_path_factory))


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command; returns what it printed, and fails with it."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """It has types and licence, but no tools and tests."""
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.partition("/")[0] for name in names}
    assert roots == {"pulumi_cbr_sharing", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert "pulumi_cbr_sharing/py.typed" in names
    plugin = zipfile.ZipFile(wheel).read("pulumi_cbr_sharing/pulumi-plugin.json")
    assert json.loads(plugin) == {"resource": False}  # else Pulumi looks for a plugin that does not exist
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    """The core imports with its own dependencies; the emulator says which extra it needs."""
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, *CONSTRAINTS, wheel)

    assert run(python, "-c", "import pulumi_cbr_sharing as p; print(*p.__all__)", cwd=tmp_path).split()
    attempt = "try:\n import pulumi_cbr_sharing.emulator\nexcept ImportError as error:\n print(error)"
    assert "install pulumi-cbr-sharing[emulator]" in run(python, "-c", attempt, cwd=tmp_path)

    run(UV, "pip", "install", "--quiet", "--python", python, *CONSTRAINTS, f"{wheel}[emulator,cli]")
    assert "emulator" in run(tmp_path / "venv" / "bin" / "cbr-sharing", "--help", cwd=tmp_path)
