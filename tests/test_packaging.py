"""The wheel that users install, in a new environment without this checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile

from importlib.metadata import distribution
from typing import TYPE_CHECKING

import pytest

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pulumi_cbr_sharing

from wheelhouse import ROOT, UV, own_wheel, wheelhouse


if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.slow


PERMISSIVE = re.compile(r"\b(Apache|MIT|BSD|PSF|MPL|Mozilla Public|Python Software Foundation)\b")
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


def test_the_source_holds_what_the_same_wheel_is_made_of(wheel: Path, tmp_path: Path) -> None:
    """A wheel made from it has the same files; besides them it has only README, licence and changes."""
    run(UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path, ROOT)
    (made,), (source,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    assert sorted(zipfile.ZipFile(made).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    beside = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "hatch_build.py", "pyproject.toml", ".gitignore"}
    assert {name for name in names if not name.startswith("provider/pulumi_cbr_sharing/")} == beside


def test_the_index_shows_the_projects_links(wheel: Path) -> None:
    """Those of README, too, which are paths in the repository."""
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    repository = re.findall(r"^Project-URL: Repository, (.*)$", text, re.MULTILINE)[0]
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert f"{repository}/blob/main/SECURITY.md" in links
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_address_of_the_project_is_the_same_everywhere() -> None:
    """It stands in pyproject.toml; forms and workflows, which cannot read it, repeat it."""
    repository = re.findall(r'^Repository = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    files = [ROOT / "pyproject.toml", *(ROOT / ".github").rglob("*.yml"), *(ROOT / "docs").glob("*.md")]
    found = {
        link
        for file in files
        for link in re.findall(r"https://github\.com/[\w-]+/pulumi-cbr-sharing", file.read_text())
    }
    assert found == {repository}
    tags = {tag for file in files for tag in re.findall(r"/plugin@v([\w.-]+)", file.read_text())}
    assert tags == {pulumi_cbr_sharing.__version__}


def test_what_comes_along_has_a_permissive_licence() -> None:
    """Of all that an installation with every extra brings; the guide has the list."""
    names = _required("pulumi-cbr-sharing", {"emulator", "socks", "cli", "policies", "plugin"}) - {"pulumi-cbr-sharing"}
    guide = (ROOT / "docs/faq.md").read_text()
    assert len(names) > 20
    assert [name for name in names if not PERMISSIVE.search(_licence(name))] == []
    assert [name for name in names if f"`{name}`" not in guide] == []


def _required(name: str, extras: set[str]) -> set[str]:
    """A distribution, and all that it requires here, by their normal names."""
    found = {name}
    for line in distribution(name).requires or []:
        needed = Requirement(line)
        if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            other = canonicalize_name(needed.name)
            found |= {other} if other in found else _required(other, needed.extras)
    return found


def _licence(name: str) -> str:
    """What it states: by an expression, by a text, by classifiers."""
    metadata = distribution(name).metadata
    stated = [metadata[field] for field in ("License-Expression", "License") if field in metadata]
    return " ".join([*stated, *(metadata.get_all("Classifier") or [])])


def test_it_knows_its_version(wheel: Path) -> None:
    """The package, the command and the wheel have the same."""
    assert wheel.name.startswith(f"pulumi_cbr_sharing-{pulumi_cbr_sharing.__version__}-")


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
