"""The fixture `emulated_cloud`, as the tests of a user's program have it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_cbr_sharing.pytest_plugin

from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.slow


MOCKED = """
import os
import re

import pulumi
import pytest

from pulumi_cbr_sharing import BackupShareMember, Connection, get_backups, get_share_members


class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return [f"{args.name}-id", {**args.inputs, "status": "pending"}]

    def call(self, args):
        return {}


@pytest.mark.parametrize("number", [1, 2])
def test_a_program_under_mocks(number, emulated_cloud):
    pulumi.runtime.set_mocks(Mocks())
    recipient = emulated_cloud.account("recipient")
    (backup,) = get_backups()
    share = BackupShareMember("dr", backup_id=backup.id, dest_project_id=recipient.project_id)
    assert share is not None
    assert backup.id == emulated_cloud.backup.id
    assert get_share_members(backup.id) == []
    assert get_backups(connection=Connection(namespace="recipient")) == []
    assert "elsewhere" not in str(dict(os.environ))


@pytest.mark.emulated_cloud(dialect="otc")
def test_another_dialect(emulated_cloud):
    assert emulated_cloud.account("sharer").region == os.environ["HW_REGION_NAME"] == "eu-de"
"""


def run(folder: Path, test: str, *options: str, **variables: str) -> str:
    """Run a test file in a process of its own, as a user does; returns the output."""
    (folder / "test_program.py").write_text(textwrap.dedent(test))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **variables}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        *options,
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_program_is_tested_under_mocks(tmp_path: Path) -> None:
    """Look-ups ask the cloud of the test; variables that lead elsewhere are gone; nothing has to be imported."""
    out = run(tmp_path, MOCKED, HW_ACCESS_KEY="elsewhere", DR_OS_PASSWORD="elsewhere", HW_PROFILE="elsewhere")
    assert "3 passed" in out


def test_a_run_without_it_loads_no_emulator(tmp_path: Path) -> None:
    """The plugin is in every run of pytest, so it costs nothing and needs no extra."""
    program = """
    import sys

    def test_nothing():
        assert not {"flask", "pulumi", "pulumi_cbr_sharing.emulator"} & set(sys.modules)
    """
    assert "1 passed" in run(tmp_path, program)


def test_the_fixture_and_the_mark_are_described(tmp_path: Path) -> None:
    """By `--fixtures` and `--markers`."""
    assert "emulated_cloud" in run(tmp_path, MOCKED, "--fixtures")
    assert pulumi_cbr_sharing.pytest_plugin.MARK in run(tmp_path, MOCKED, "--markers")


@pytest.mark.engine
def test_a_program_is_tested_on_the_engine(emulated_cloud: Emulator, tmp_path: Path) -> None:
    """The engine and its plugin inherit the environment of the test."""
    stack = Stack(tmp_path)
    stack.env.update({name: text for name, text in os.environ.items() if name.startswith("HW_")})
    project = emulated_cloud.account("recipient").project_id
    stack.program(f"""
from pulumi_cbr_sharing import BackupShareMember

BackupShareMember("dr", backup_id={emulated_cloud.backup.id!r}, dest_project_id={project!r})
""")
    stack.up()
    assert set(emulated_cloud.members(emulated_cloud.backup.id)) == {project}


def guide(number: int) -> str:
    """A test in the guide."""
    page = Path(__file__).parent.parent / "docs/testing.md"
    return str(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)[number])


def test_the_guides_test_with_mocks_passes(tmp_path: Path) -> None:
    """As it stands there."""
    assert "1 passed" in run(tmp_path, guide(1))


@pytest.mark.engine
def test_the_guides_test_with_the_engine_passes(tmp_path: Path) -> None:
    """As it stands there, with the automation API."""
    stack = Stack(tmp_path)
    assert "1 passed" in run(
        tmp_path, guide(2), **{name: stack.env[name] for name in ("PATH", "PULUMI_HOME") if name in stack.env}
    )
