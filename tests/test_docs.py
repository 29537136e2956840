"""The README: its programs run, and it has everything that is public."""

from __future__ import annotations

import re

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_cbr_sharing

from clouds import environment
from pulumi_cbr_sharing import cli
from pulumi_cbr_sharing.settings.sources import NAMES
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROGRAM, *_, EMULATOR = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
OUTPUT = re.findall(r"```console\n\$ pulumi up.*?\n(.*?)```", README, re.DOTALL)[0]


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
    exec(compile(EMULATOR, "README.md", "exec"), {})


@pytest.mark.parametrize("name", vars(pulumi_cbr_sharing)["__all__"])
def test_every_public_name_is_in_the_readme(name: str) -> None:
    """Every public name is explained."""
    assert name in README


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_is_in_the_readme(name: str) -> None:
    """Every command is explained, there and in its help."""
    assert f"cbr-sharing {name}" in README
    assert cli.load(name).help


@pytest.mark.parametrize("field", NAMES)
def test_every_setting_is_in_the_readme(field: str) -> None:
    """Each key of the stack's configuration and each variable is in the table."""
    keys, variables = NAMES[field]
    assert all(re.search(rf"[:`]{key.partition('.')[0]}`", README) for key in keys.split())
    assert [variable for variable in variables.split() if f"`{variable}`" not in README] == []


def test_the_first_code_comes_early() -> None:
    """The first program is on the first screen."""
    assert README.splitlines().index("```python") < 20


def test_every_law_names_a_test_that_exists() -> None:
    """CONTRIBUTING.md promises tests by file."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
