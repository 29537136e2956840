"""The programs that `cbr-sharing adopt` prints adopt the existing shares, and change nothing in the cloud."""

from __future__ import annotations

import os
import re

from typing import TYPE_CHECKING

import pytest

from click.testing import CliRunner

import hosts

from clouds import environment
from pulumi_cbr_sharing.cli import main
from pulumi_cbr_sharing.plugin.server import serving
from pulumi_cbr_sharing.plugin.servicer import Servicer
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine
RECIPIENTS = """\
recipients:
  - {project_id: %s, name: "Zürich\\n\\"DR\\"", owner: platform@example.org, class: friendly}
  - {project_id: %s, name: auditor, owner: security@example.org, class: third-party}
"""


def projects_of(emulator: Emulator) -> tuple[str, str]:
    """The recipients of both classes."""
    return emulator.account("recipient").project_id, emulator.account("bystander").project_id


def members(emulator: Emulator) -> dict[str, dict[str, str]]:
    """All shares, with the ids of their records."""
    return {
        backup: {project: f"{one.id} {one.status} {one.vault_id}" for project, one in emulator.members(backup).items()}
        for backup in emulator.state.backups
    }


def a_history(emulator: Emulator) -> None:
    """Backups of two servers, some with the same name and day, shared by hand; one share is rejected."""
    projects = projects_of(emulator)
    for name in ("web", "web", 'd"b\\ ${x}\n*', ""):
        backup = emulator.add_backup("sharer", name="nightly", resource_name=name)
        for project in projects:
            emulator.add_member(backup.id, project, "accepted" if project == projects[0] else "pending")
    emulator.add_member(emulator.backup.id, projects[0], "rejected")


@pytest.mark.parametrize("options", [[], ["--authoritative"]])
def test_a_pasted_program_adopts_everything_and_writes_nothing(
    emulator: Emulator, tmp_path: Path, options: list[str]
) -> None:
    """No share is created, cancelled or answered; afterwards there are no changes and no drift."""
    a_history(emulator)
    (tmp_path / "cbr-sharing.yaml").write_text(RECIPIENTS % projects_of(emulator))
    printed = CliRunner().invoke(main, ["adopt", "--cwd", str(tmp_path), *options], env=environment(emulator))
    assert printed.exit_code == 0, printed.output
    assert {request.method for request in emulator.requests} == {"GET"}
    before = members(emulator)
    stack = Stack(tmp_path / "stack")
    stack.env.update(environment(emulator))
    stack.program(printed.stdout)
    emulator.clear_requests()

    stack.up()

    # A BackupShareMember offers first, and is told that the share is there; such a refused offer changes nothing.
    changed = [one for one in emulator.requests if one.method != "GET" and one.code != "BackupService.6703"]
    assert changed == []
    assert members(emulator) == before
    assert len(stack.resources("BackupShareMember" if not options else "BackupShare")) == (8 if not options else 4)
    emulator.clear_requests()
    stack.up("--expect-no-changes")
    stack.preview("--refresh", "--expect-no-changes")
    assert {request.method for request in emulator.requests} <= {"GET"}


def test_the_same_program_appended_twice_is_refused(emulator: Emulator, tmp_path: Path) -> None:
    """In one line that says what to do, whatever the names in it; once is fine."""
    a_history(emulator)
    printed = CliRunner().invoke(main, ["adopt", "--cwd", str(tmp_path)], env=environment(emulator)).stdout
    stack = Stack(tmp_path / "stack")
    stack.env.update(environment(emulator))
    stack.program(printed + printed)
    emulator.clear_requests()

    run = stack.preview(check=False)

    assert not run.ok
    (told,) = {line.partition("error: ")[2] for line in run.output.splitlines() if "twice" in line}
    assert re.fullmatch(r"adopted_[0-9a-f]{8} is in this program twice: remove one", told)
    assert "Traceback" not in run.output
    stack.program(printed)
    stack.preview()
    assert {request.method for request in emulator.requests} == {"GET"}


@pytest.mark.parametrize("options", [[], ["--authoritative"]])
def test_a_program_in_yaml_adopts_everything_and_writes_nothing(
    emulator: Emulator, tmp_path: Path, options: list[str]
) -> None:
    """On Pulumi's own host, by the native plugin; twice in a program it is refused by its line."""
    a_history(emulator)
    (tmp_path / "cbr-sharing.yaml").write_text(RECIPIENTS % projects_of(emulator))
    words = ["adopt", "--cwd", str(tmp_path), "--language", "yaml", *options]
    printed = CliRunner().invoke(main, words, env=environment(emulator)).stdout
    before = members(emulator)
    stack = Stack(tmp_path / "stack")
    stack.env |= environment(emulator)
    stack.env["PATH"] = os.pathsep.join([*map(str, hosts.yaml_host()), stack.env["PATH"]])
    (stack.folder / "__main__.py").unlink(missing_ok=True)
    header = "name: shares\nruntime: yaml\n"
    stack.file("Pulumi.yaml", header + printed)
    emulator.clear_requests()

    stack.up()

    changed = [one for one in emulator.requests if one.method != "GET" and one.code != "BackupService.6703"]
    assert changed == []
    assert members(emulator) == before
    stack.up("--expect-no-changes")
    stack.preview("--refresh", "--expect-no-changes")
    stack.file("Pulumi.yaml", header + printed + printed)
    run = stack.preview(check=False)
    assert not run.ok
    assert 'mapping key "resources" already defined at line ' in run.output


def test_what_a_stack_declares_is_not_adopted_again(emulator: Emulator, tmp_path: Path) -> None:
    """With `--stack`, by the Pulumi CLI; the audit of the stack is clean."""
    emulator.add_member(emulator.backup.id, emulator.account("recipient").project_id)
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    (stack.folder / "cbr-sharing.yaml").write_text(RECIPIENTS % projects_of(emulator))
    words = ["--stack", "dev", "--cwd", str(stack.folder)]
    first = CliRunner().invoke(main, ["adopt", *words], env=stack.env)
    stack.program(first.stdout)
    stack.up()

    again = CliRunner().invoke(main, ["adopt", *words], env=stack.env)
    assert "BackupShareMember" in first.stdout
    assert "BackupShareMember" not in again.stdout
    assert CliRunner().invoke(main, ["audit", *words], env=stack.env).exit_code == 0

    emulator.remove_member(emulator.backup.id, emulator.account("recipient").project_id)
    drift = CliRunner().invoke(main, ["audit", *words, "--format", "github"], env=stack.env)
    assert drift.exit_code == 2
    assert f"file={stack.folder}/__main__.py,line=12,title=A declared share that does not exist::" in drift.stdout
    unknown = CliRunner().invoke(main, ["audit", "--stack", "nobody", "--cwd", str(stack.folder)], env=stack.env)
    assert unknown.exit_code == 1
    assert "reading stack nobody by `pulumi stack export`" in unknown.output


def test_the_import_file_imports_a_whole_account(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the native plugin, which only reads; the audit then finds everything declared."""
    monkeypatch.setenv("HOME", "/nonexistent")
    for name, value in environment(emulator).items():
        monkeypatch.setenv(name, value)
    for project in projects_of(emulator):
        emulator.add_member(emulator.backup.id, project, "accepted")
    server, port = serving(Servicer())
    stack = Stack(tmp_path)
    stack.env |= environment(emulator) | {"PULUMI_DEBUG_PROVIDERS": f"cbr-sharing:{port}"}
    (stack.folder / "cbr-sharing.yaml").write_text(RECIPIENTS % projects_of(emulator))
    words = ["--stack", "dev", "--cwd", str(stack.folder)]
    stack.program("import pulumi\n")
    file = tmp_path / "import.json"
    CliRunner().invoke(main, ["adopt", "--cwd", str(stack.folder), "--import-file", "--output", str(file)])

    stack.pulumi("import", "--yes", "--skip-preview", "--generate-code=false", "--file", str(file))

    server.stop(grace=None)
    assert {request.method for request in emulator.requests} == {"GET"}
    audit = CliRunner().invoke(main, ["audit", *words], env=stack.env)
    assert (audit.exit_code, audit.output.splitlines()[0]) == (0, "Complete, exit code 0"), audit.output
    assert "dev, written" in audit.output
    assert ": 2 declarations" in audit.output
