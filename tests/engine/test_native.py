"""The real engine with the native plugin, which this process serves, so that breakpoints and coverage see it."""

from __future__ import annotations

import shutil

from typing import TYPE_CHECKING

import pytest

from clouds import environment
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.plugin.server import serving
from pulumi_cbr_sharing.plugin.servicer import Servicer
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.engine

SHARE = """
import pulumi
from pulumi_cbr_sharing.{door} import BackupShareMember

share = BackupShareMember({name!r}, backup_id={backup!r}, dest_project_id={project!r}{more})
pulumi.export("status", share.status)
"""


@pytest.fixture(name="stack")
def _stack(
    request: pytest.FixtureRequest, tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """A new stack whose engine asks the plugin in this process, which has the sharer's credentials."""
    stack = Stack(tmp_path, **getattr(request, "param", {}))  # before the home is another one, where no engine is kept
    monkeypatch.setenv("HOME", "/nonexistent")
    for name, value in environment(emulator).items():
        monkeypatch.setenv(name, value)
    server, port = serving(Servicer())
    stack.env |= environment(emulator) | {"PULUMI_DEBUG_PROVIDERS": f"cbr-sharing:{port}"}
    yield stack
    server.stop(grace=None)
    shutil.rmtree(tmp_path, ignore_errors=True)


def share(
    emulator: Emulator, recipient: str = "recipient", *, name: str = "dr", door: str = "native", more: str = ""
) -> str:
    """A program that shares the first backup with an account."""
    project = emulator.account(recipient).project_id
    return SHARE.format(door=door, name=name, backup=emulator.backup.id, project=project, more=more)


def statuses(emulator: Emulator) -> list[str]:
    """The statuses of the shares of the first backup."""
    return [member.status for member in emulator.members(emulator.backup.id).values()]


def sent(emulator: Emulator) -> list[str]:
    """The methods of the requests since the last call."""
    methods = [request.method for request in emulator.requests]
    emulator.clear_requests()
    return methods


@pytest.mark.parametrize("stack", [{"plain": True, "passphrase": True}], indirect=True, ids=["plain"])
def test_the_life_of_a_share(emulator: Emulator, stack: Stack) -> None:
    """Preview, `up`, nothing to do, refresh, drift, `up` again, destroy: as by the other door."""
    stack.program(share(emulator))
    assert "1 to create" in stack.preview().output.replace("+ 2 to create", "+ 1 to create")
    assert "POST" not in sent(emulator)
    stack.up()
    assert stack.outputs() == {"status": "pending"}
    assert sent(emulator) == ["POST"]
    stack.up("--expect-no-changes")
    assert sent(emulator) == []
    stack.refresh("--expect-no-changes")
    assert sent(emulator) == ["GET"]

    emulator.answer(emulator.backup.id, emulator.account("recipient").project_id, "rejected")
    found = stack.refresh("--preview-only", "--diff", "--expect-no-changes", check=False)
    assert not found.ok
    assert '"pending" => "rejected"' in found.output
    sent(emulator)
    stack.up(refresh=True)
    assert [method for method in sent(emulator) if method != "GET"] == ["DELETE", "POST"]
    stack.destroy()
    assert statuses(emulator) == []


@pytest.mark.differs("import, `get`", "native")
def test_import_then_nothing_to_do(emulator: Emulator, stack: Stack) -> None:
    """By the command, and by the option `import_`; a share that is not there is an error."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project)
    id_ = f"{emulator.backup.id}/{project}"
    token = "cbr-sharing:index:BackupShareMember"
    missing = stack.pulumi("import", "--yes", "--skip-preview", token, "dr", f"{id_[:36]}/{'0' * 32}", check=False)
    assert not missing.ok
    assert "does not exist" in missing.output
    sent(emulator)

    stack.pulumi("import", "--yes", "--skip-preview", "--protect=false", "--generate-code=false", token, "dr", id_)
    assert sent(emulator) == ["GET"]
    stack.program(share(emulator))
    stack.up("--expect-no-changes")
    assert sent(emulator) == []

    stack.pulumi("state", "delete", "--yes", "--all")
    stack.program(share(emulator, more=f", opts=pulumi.ResourceOptions(import_={id_!r})"))
    stack.up()
    stack.program(share(emulator))
    stack.up("--expect-no-changes")
    stack.destroy()
    assert statuses(emulator) == []


@pytest.mark.differs("import, `get`", "native")
def test_get_by_id(emulator: Emulator, stack: Stack) -> None:
    """A share that something else manages: read, and left alone."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project)
    stack.program(
        "import pulumi\nfrom pulumi_cbr_sharing.native import BackupShareMember\n"
        f"share = BackupShareMember.get('theirs', '{emulator.backup.id}/{project}')\n"
        "pulumi.export('status', share.status)\n"
    )
    stack.up()
    assert stack.outputs() == {"status": "pending"}
    stack.destroy()
    assert statuses(emulator) == ["pending"]


def test_custom_timeouts_end_a_wait(emulator: Emulator, stack: Stack) -> None:
    """One line at the resource says so."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    stack.program(
        share(emulator, more=", opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='2s'))")
    )
    ended = stack.up(check=False)
    assert not ended.ok
    assert "error: create: stopped after 2 s, as customTimeouts says" in ended.output
    assert "Traceback" not in ended.of_resources


def test_a_refused_input_names_the_property(emulator: Emulator, stack: Stack) -> None:
    """At preview."""
    stack.program(share(emulator).replace(emulator.backup.id, "not-a-backup"))
    refused = stack.preview(check=False)
    assert "property backupId value {not-a-backup} has a problem" in refused.output


def test_what_the_cloud_would_refuse_is_refused_in_the_preview(emulator: Emulator, stack: Stack) -> None:
    """The backup does not exist."""
    stack.program(share(emulator).replace(emulator.backup.id, "0b07081e-3ec7-4e77-8571-54e2947da422"))
    refused = stack.preview(check=False)
    assert not refused.ok
    assert "backupId" in refused.output
    assert "Traceback" not in refused.of_resources


def test_a_refusal_is_shown_in_one_line(emulator: Emulator, stack: Stack) -> None:
    """What was being done, why it failed, and what to do."""
    emulator.set_backup_status(emulator.backup.id, "error")
    stack.program(share(emulator))
    refused = stack.up(check=False)
    assert not refused.ok
    assert "Traceback" not in refused.of_resources
    assert [line for line in refused.output.splitlines() if "error: sharing backup" in line]


def test_a_half_done_set_is_in_the_state_and_the_next_up_goes_on(emulator: Emulator, stack: Stack) -> None:
    """A recipient that holds an image cannot be removed; the other one is shared with, and recorded."""
    bystander, recipient = (emulator.account(name).project_id for name in ("bystander", "recipient"))
    emulator.add_member(emulator.backup.id, bystander)
    emulator.answer(emulator.backup.id, bystander, "accepted")
    emulator.register_image(emulator.backup.id, bystander)
    stack.program(
        "from pulumi_cbr_sharing.native import BackupShare\n"
        f"BackupShare('dr', backup_id={emulator.backup.id!r}, dest_project_ids=[{recipient!r}])\n"
    )
    failed = stack.up(check=False)
    assert not failed.ok
    assert "image" in failed.output
    (made,) = stack.resources(":BackupShare")
    assert made["initErrors"]
    emulator.remove_member(emulator.backup.id, bystander)
    stack.up()
    (made,) = stack.resources(":BackupShare")
    assert "initErrors" not in made
    assert list(emulator.members(emulator.backup.id)) == [recipient]
    stack.destroy()


@pytest.mark.parametrize("then", ["up", "destroy"])
def test_a_share_that_nobody_could_see_is_in_the_state(then: str, emulator: Emulator, stack: Stack) -> None:
    """The answer is lost, and so is each look; the next `up` goes on although nothing is adopted, or all is undone."""
    stack.env["HW_MAX_RETRIES"] = "0"
    stack.program(share(emulator, more=", adopt=False"))
    emulator.add_fault(Fault(method="POST", reset=True, when="after"))
    emulator.add_fault(Fault(method="GET", path="/members$", reset=True, nth=2, times=99))
    assert not stack.up("--skip-preview", check=False).ok
    assert statuses(emulator) == ["pending"]
    (made,) = stack.resources(":BackupShareMember")
    assert made["initErrors"]
    emulator.clear_faults()
    if then == "up":
        assert "the run that broke off has made it" in stack.up().output
        assert statuses(emulator) == ["pending"]
        assert "initErrors" not in stack.resources(":BackupShareMember")[0]
        stack.preview("--expect-no-changes", refresh=True)
    stack.destroy()
    assert statuses(emulator) == []


def test_from_the_dynamic_door_to_this_one_and_back(emulator: Emulator, stack: Stack) -> None:
    """One change of the import, one GET, the same record; nothing is cancelled. Both at once is refused."""
    project = emulator.account("recipient").project_id
    stack.program(share(emulator, door="resources.share_member"))
    stack.up()
    emulator.answer(emulator.backup.id, project, "accepted")
    record = emulator.members(emulator.backup.id)[project]
    sent(emulator)

    stack.program(share(emulator))
    stack.up()
    assert sent(emulator) == ["GET"]
    assert emulator.members(emulator.backup.id)[project] == record
    stack.up("--expect-no-changes")
    stack.refresh("--expect-no-changes")

    dynamic = share(emulator, door="resources.share_member")
    after = share(emulator, door="resources.share_member", more=", opts=pulumi.ResourceOptions(depends_on=[share])")
    stack.program(share(emulator) + after.replace('"status"', '"other"'))
    sent(emulator)
    refused = stack.up(check=False)
    assert "Duplicate resource alias" in refused.output, refused.output
    assert {*sent(emulator)} <= {"GET"}
    stack.program(dynamic)
    stack.up()
    assert sent(emulator) == ["GET"]
    assert emulator.members(emulator.backup.id)[project] == record


@pytest.mark.parametrize("kind", ["BackupShare", "ReceivedBackups"])
@pytest.mark.parametrize("leaving", ["dynamic", "native"])
def test_sets_and_received_backups_change_doors_and_names(
    leaving: str, kind: str, emulator: Emulator, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one `up`, in either direction, under the same name and under another one: nothing is sent but reads."""
    project, backup = emulator.account("recipient").project_id, emulator.backup.id
    given = f"backup_id={backup!r}, dest_project_ids=[{project!r}]"
    if kind == "ReceivedBackups":
        emulator.add_member(backup, project)
        owner, vault = emulator.account("sharer").project_id, emulator.vault("recipient").id
        given = f"vault_id={vault!r}, owner_project_ids=[{owner!r}]"
        for name, value in environment(emulator, "recipient").items():
            monkeypatch.setenv(name, value)
            stack.env[name] = value

    def up(door: str, name: str) -> list[str]:
        stack.program(f"from {door} import {kind}\n{kind}({name!r}, {given})\n")
        sent(emulator)
        stack.up()
        return sorted({*sent(emulator)} - {"GET"})

    doors = ["pulumi_cbr_sharing", "pulumi_cbr_sharing.native"]
    old, new = doors if leaving == "dynamic" else doors[::-1]
    assert up(old, "dr")
    record = emulator.members(backup)[project]
    if kind == "BackupShare":
        emulator.answer(backup, project, "accepted")
    assert up(new, "dr") == []
    stack.preview("--expect-no-changes", refresh=True)
    assert up(old, "dr") == []
    assert up(new, "renamed") == []
    stack.preview("--expect-no-changes", refresh=True)
    assert (emulator.members(backup)[project].id, statuses(emulator)) == (record.id, ["accepted"])
    stack.destroy()
    assert statuses(emulator) == ([] if kind == "BackupShare" else ["rejected"])


def test_a_window_changes_doors_and_rolls(emulator: Emulator, stack: Stack) -> None:
    """From the dynamic component to the one of the plugin and back: the same records; then the window rolls."""
    window = (
        "import pulumi\nfrom {door} import VaultShare\n"
        f"window = VaultShare('dr', vault_id={emulator.vault('sharer').id!r}, keep=1, "
        f"dest_project_ids=[{emulator.account('recipient').project_id!r}])\n"
        "pulumi.export('shares', window.shares)\n"
    )
    native, dynamic = window.format(door="pulumi_cbr_sharing.native"), window.format(door="pulumi_cbr_sharing")
    stack.program(dynamic)
    stack.up()
    there = stack.outputs()["shares"]
    for program in (native, dynamic, native):
        sent(emulator)
        stack.program(program)
        stack.up()
        assert not {"POST", "DELETE"} & set(sent(emulator))
        assert stack.outputs()["shares"] == there
        stack.up("--expect-no-changes")

    emulator.pass_time(days=1)
    emulator.add_backup(vault_id=emulator.backup.vault_id, resource_id=emulator.backup.resource_id)
    stack.up()
    rolled = stack.outputs()["shares"]
    assert rolled
    assert not set(rolled) & set(there)
    assert not any(emulator.members(key.partition("/")[0]) for key in there)
    stack.destroy()
    assert not any(emulator.members(key.partition("/")[0]) for key in rolled)
