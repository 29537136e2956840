"""README and guides: their programs run, they explain everything that is public, and the site of them builds."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_cbr_sharing

from clouds import environment
from pulumi_cbr_sharing import cli, errors
from pulumi_cbr_sharing.http.codes import CODES
from pulumi_cbr_sharing.resources.lookups import LookupFailed
from pulumi_cbr_sharing.settings.sources import NAMES
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = {page.name: page.read_text() for page in sorted((ROOT / "docs").glob("*.md"))}
TEXT = README + "".join(PAGES.values())
PROGRAM = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
OUTPUT = re.findall(r"```console\n\$ pulumi up.*?\n(.*?)```", README, re.DOTALL)[0]
EMULATOR = re.findall(r"```python\n(.*?)```", PAGES["testing.md"], re.DOTALL)[0]

ERRORS = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.CbrSharingError)]


@pytest.mark.engine
def test_the_first_program_prints_what_the_readme_shows(emulator: Emulator, tmp_path: Path) -> None:
    """Its ids are those of the emulated cloud, so it runs unchanged."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM)

    printed = stack.up().output

    assert [line for line in timeless(OUTPUT) if line not in timeless(printed)] == []
    assert len(emulator.members(emulator.backup.id)) == 1


def timeless(text: str) -> list[str]:
    """The lines of an output without durations and trailing blanks."""
    return [re.sub(r"\([\d.]+m?s\)", "(…)", line).rstrip() for line in text.splitlines()]


def test_the_emulators_example_runs() -> None:
    """Its code is complete."""
    exec(compile(EMULATOR, "docs/testing.md", "exec"), {})


@pytest.mark.parametrize("name", vars(pulumi_cbr_sharing)["__all__"])
def test_every_public_name_is_explained(name: str) -> None:
    """README or a guide has it."""
    assert name in TEXT


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_is_explained(name: str) -> None:
    """README or a guide has it, and its help."""
    assert f"cbr-sharing {name}" in TEXT
    assert cli.load(name).help


@pytest.mark.parametrize("field", NAMES)
def test_every_setting_is_explained(field: str) -> None:
    """Each key of the stack's configuration and each variable is in the table."""
    keys, variables = NAMES[field]
    assert all(re.search(rf"[:`]{key.partition('.')[0]}`", TEXT) for key in keys.split())
    assert [variable for variable in variables.split() if f"`{variable}`" not in TEXT] == []


@pytest.mark.parametrize("kind", [*ERRORS, LookupFailed], ids=lambda kind: kind.__name__)
def test_every_error_has_an_entry(kind: type[errors.CbrSharingError]) -> None:
    """A heading, whose anchor is the name in small letters."""
    assert f"\n### {kind.__name__}\n" in PAGES["troubleshooting.md"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_entry(code: str) -> None:
    """The address in its line leads to its row, which says what the line says."""
    meaning = CODES[code]
    (row,) = [line for line in PAGES["troubleshooting.md"].splitlines() if f"`{code}`" in line and "<a id" in line]
    assert row.endswith(f"| {meaning.reason} | {meaning.remedy or '—'} |")
    assert f'<a id="{meaning.error("sharing", "no", code=code).told.partition("#")[2]}'.rstrip(")") in row


def test_an_error_without_a_code_of_the_api_is_found_by_its_class() -> None:
    """Codes of other services, and of none."""
    assert errors.SettingsError("no region").told == f"no region ({errors.GUIDE}#settingserror)"
    assert errors.Throttled("sharing", "no", code="Other.1").told.endswith("#throttled)")


def test_the_address_in_errors_is_the_projects() -> None:
    """It stands in pyproject.toml, too, for the index."""
    site = re.findall(r'^Documentation = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert [f"{site[0]}/troubleshooting.html"] == [errors.GUIDE]


def test_the_readme_is_short_and_its_first_code_comes_early() -> None:
    """It is read in a minute; the first program is on the first screen."""
    lines = README.splitlines()
    assert len(lines) <= 150
    assert lines.index("```python") < 20


@pytest.mark.parametrize("folder", [ROOT, ROOT / "docs"], ids=["README", "docs"])
def test_every_link_to_a_file_leads_somewhere(folder: Path) -> None:
    """README's links and those of the guides are paths in the repository."""
    text = {page: page.read_text() for page in folder.glob("*.md")}
    links = {(page.name, link) for page in text for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text[page])}
    assert links
    assert {(page, link) for page, link in links if not (folder / link).exists()} == set()


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Each link and reference leads somewhere, and each page can be found."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
    built = subprocess.run(
        [*command, ROOT / "docs", tmp_path / "site"], capture_output=True, text=True, check=False, timeout=300
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "index.html").exists()


def test_every_law_names_a_test_that_exists() -> None:
    """CONTRIBUTING.md promises tests by file."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
