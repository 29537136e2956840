"""Programs in YAML with the native plugin as the engine starts it, each a process of its own."""

from __future__ import annotations

import os
import shutil

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import hosts

from clouds import environment
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "yaml" / "Pulumi.yaml"
MEMBER = """
name: shares
runtime: yaml
resources:
  {name}:
    type: cbr-sharing:BackupShareMember
    properties:
      backupId: {backup}
      destProjectId: {project}
{options}
"""
PYTHON = """
from pulumi_cbr_sharing.resources.share_member import BackupShareMember
BackupShareMember({name!r}, backup_id={backup!r}, dest_project_id={project!r})
"""


@pytest.fixture(name="stack")
def _stack(request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator) -> Iterator[Stack]:
    """A new stack with the credentials of the emulated sharer, and the YAML host on its PATH."""
    stack = Stack(tmp_path, **getattr(request, "param", {}))
    stack.env |= environment(emulator)
    stack.env["PATH"] = os.pathsep.join([*map(str, hosts.yaml_host()), stack.env["PATH"]])
    yield stack
    shutil.rmtree(tmp_path, ignore_errors=True)


def yaml(stack: Stack, text: str) -> None:
    """Make it a program in YAML."""
    (stack.folder / "__main__.py").unlink(missing_ok=True)
    stack.file("Pulumi.yaml", text)


def python(stack: Stack, text: str) -> None:
    """Make it a program in Python, by the dynamic door."""
    stack.file("Pulumi.yaml", "name: shares\nruntime: python\n")
    stack.program(text)


def fields(emulator: Emulator, name: str = "dr", **more: str) -> dict[str, str]:
    """What the programs are about."""
    project = emulator.account("recipient").project_id
    return {"name": name, "backup": emulator.backup.id, "project": project, "options": "", **more}


def accepted(emulator: Emulator) -> dict[str, str | None]:
    """The recipients accept; returns the records of the shares by project."""
    for project in emulator.members(emulator.backup.id):
        emulator.answer(emulator.backup.id, project, "accepted")
    return records(emulator)


def records(emulator: Emulator) -> dict[str, str | None]:
    """The records of the shares of the first backup; one that was made anew would be another."""
    members = emulator.members(emulator.backup.id)
    assert {member.status for member in members.values()} <= {"accepted"}
    return {project: member.id for project, member in members.items()}


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests since the last call."""
    methods = [request.method for request in emulator.requests]
    emulator.clear_requests()
    return methods


def test_the_example(emulator: Emulator, stack: Stack) -> None:
    """Two nights: what stays in the window is left alone, and everything goes with destroy."""
    yaml(stack, EXAMPLE.read_text().replace("shares-in-yaml", "shares"))
    recipient = emulator.account("recipient").project_id
    golden = emulator.add_backup().id
    stack.config_set("vaultId", emulator.vault("sharer").id)
    stack.config_set("recipientId", recipient)
    stack.config_set("goldenBackupId", golden)
    shown = stack.preview().output
    assert "cbr-sharing:index:BackupShareMember" in shown
    assert "POST" not in sent(emulator)

    stack.up()
    first = stack.outputs()
    assert first["golden"] == "pending"
    assert set(first["shares"].values()) == {"pending"}
    assert [vault["name"] for vault in first["vaults"]]
    stack.up("--expect-no-changes")
    stack.preview("--expect-no-changes", refresh=True)

    for _ in range(3):
        emulator.pass_time(days=1)
        seed = emulator.backup
        new = emulator.add_backup(vault_id=seed.vault_id, resource_id=seed.resource_id).id
    sent(emulator)
    stack.up()
    second = stack.outputs()
    shared = {key.partition("/")[0] for key in second["shares"]}
    assert new in shared
    assert emulator.backup.id not in shared
    stack.destroy()
    assert not any(emulator.members(key.partition("/")[0]) for key in (*first["shares"], *second["shares"]))
    assert not emulator.members(golden)


def test_from_a_dynamic_program_in_python_to_yaml_and_back(emulator: Emulator, stack: Stack) -> None:
    """One `up` each way: the same record, nothing cancelled; also with a rename in the same `up`."""
    python(stack, PYTHON.format(**fields(emulator)))
    stack.up()
    there = accepted(emulator)
    sent(emulator)

    yaml(stack, MEMBER.format(**fields(emulator)))
    stack.up()
    assert sent(emulator) == ["GET"]
    assert records(emulator) == there
    stack.preview("--expect-no-changes", refresh=True)

    python(stack, PYTHON.format(**fields(emulator)))
    sent(emulator)
    stack.up()
    assert "DELETE" not in sent(emulator)
    assert records(emulator) == there
    stack.preview("--expect-no-changes", refresh=True)

    yaml(stack, MEMBER.format(**fields(emulator, name="renamed")))
    sent(emulator)
    stack.up()
    assert "DELETE" not in sent(emulator)
    assert records(emulator) == there
    stack.destroy()
    assert records(emulator) == {}


def test_a_resource_that_gets_another_name_and_another_provider_keeps_its_share(
    emulator: Emulator, stack: Stack
) -> None:
    """Two processes: what one declares, the other does not cancel."""
    yaml(stack, MEMBER.format(**fields(emulator)))
    stack.up()
    there = accepted(emulator)
    explicit = "    options:\n      provider: ${other}\n  other:\n    type: pulumi:providers:cbr-sharing\n"
    yaml(stack, MEMBER.format(**fields(emulator, name="renamed", options=explicit)))
    stack.up()
    assert records(emulator) == there
    stack.preview("--expect-no-changes", refresh=True)
    stack.destroy()
    assert records(emulator) == {}


@pytest.mark.parametrize("stack", [{"plain": True}], indirect=True, ids=["plain"])
def test_ctrl_c_in_a_wait_ends_the_run_soon(emulator: Emulator, stack: Stack) -> None:
    """The backup is still being made; the share is not made after the end."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    yaml(stack, MEMBER.format(**fields(emulator)))
    process = stack.start("up", "--yes", "--skip-preview")
    while "POST" not in sent(emulator):
        assert process.poll() is None
    process.send_signal(2)
    output, _ = process.communicate(timeout=60)
    assert process.returncode
    assert "the run was cancelled" in output
    emulator.set_backup_status(emulator.backup.id, "available")
    assert records(emulator) == {}
    stack.up()


@pytest.mark.differs("secrets in the state", "native")
def test_two_providers_are_two_accounts_and_no_secret_is_in_the_state(emulator: Emulator, stack: Stack) -> None:
    """The owner shares, the recipient accepts, in one program."""
    recipient = emulator.account("recipient")
    theirs = f"""
  theirs:
    type: pulumi:providers:cbr-sharing
    properties:
      accessKey: {recipient.access_key}
      secretKey:
        fn::secret: {recipient.secret_key}
      region: {recipient.region}
      endpoints:
        cbr: {emulator.url}
        iam: {emulator.iam_url}
  taken:
    type: cbr-sharing:BackupShareAccepter
    properties:
      backupId: ${{dr.backupId}}
      vaultId: {emulator.vault("recipient").id}
    options:
      provider: ${{theirs}}
"""
    yaml(stack, MEMBER.format(**fields(emulator, options=theirs)))
    stack.up()
    assert set(records(emulator)) == {recipient.project_id}
    assert recipient.secret_key not in stack.state_text()
    stack.destroy()
