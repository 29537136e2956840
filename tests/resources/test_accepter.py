"""The lifecycle of a BackupShareAccepter in the real plugin, and two accounts in one program on the engine."""

from __future__ import annotations

import json
import threading

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import DYNAMIC_ONLY, module, process
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.emulator.behaviours import OfferShown


pytestmark = pytest.mark.usefixtures("door")
OURS = BackupShareAccepterProvider()


@pytest.fixture(name="plugin")
def _plugin(emulator: Emulator) -> Iterator[Plugin]:
    """A run with the recipient's credentials."""
    with process(env=environment(emulator, "recipient")) as plugin:
        yield plugin


def inputs(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """The inputs to accept the first backup into the recipient's vault."""
    return {"backup_id": emulator.backup.id, "vault_id": emulator.vault("recipient").id, **changes}


def offer(emulator: Emulator) -> str:
    """Share the first backup with the recipient; returns the recipient's project."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project)
    return project


def status(emulator: Emulator) -> str | None:
    """The status of the recipient's share."""
    member = emulator.members(emulator.backup.id).get(emulator.account("recipient").project_id)
    return member.status if member else None


def test_create_accepts_the_offer(emulator: Emulator, plugin: Plugin) -> None:
    """Afterwards the recipient can read the backup in its own vault."""
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    assert status(emulator) == "accepted"
    assert emulator.backup.id in emulator.visible_to(project)
    assert made.id == f"{emulator.backup.id}/{project}"
    assert made.outs["owner_project_id"] == emulator.account("sharer").project_id
    assert made.outs["vault_id"] == emulator.vault("recipient").id


def test_create_waits_for_an_offer(emulator: Emulator, plugin: Plugin) -> None:
    """The share may be created later."""
    later = threading.Timer(1.5, offer, (emulator,))
    later.start()
    plugin.create(OURS, inputs(emulator))
    later.join()
    assert status(emulator) == "accepted"


def test_an_offer_that_does_not_come_is_told(emulator: Emulator, plugin: Plugin) -> None:
    """The error says who must do what."""
    with pytest.raises(PluginError, match=r"there is no offer to project .* after 1 s: let its owner share it"):
        plugin.create(OURS, inputs(emulator, wait_for_offer=1))


def test_an_offer_that_is_cancelled_after_the_lookup_is_no_error(emulator: Emulator, plugin: Plugin) -> None:
    """Both pipelines may run at the same time: the user is told, a refresh finds it gone, a new offer is accepted."""
    seen = inputs(emulator, wait_for_offer=1, pending=True)
    made = plugin.create(OURS, seen)
    assert made.outs["status"] == "withdrawn"
    assert made.outs["vault_id"] == ""
    assert plugin.read(made) is None

    offer(emulator)
    diff = plugin.diff(OURS, made, seen)
    assert (diff.changes, diff.replaces) == (True, ())
    assert plugin.update(OURS, made, seen).outs["status"] == "accepted"
    emulator.remove_member(emulator.backup.id, emulator.account("recipient").project_id)
    emulator.clear_requests()
    with process(env=environment(emulator, "recipient")) as later:
        later.delete(made)
    assert emulator.requests == []  # nothing was accepted, so nothing is given back


def test_accepted_before_into_the_same_vault_is_taken_over(emulator: Emulator, plugin: Plugin) -> None:
    """The offer is not answered again; the preview and the update tell."""
    project, vault = offer(emulator), emulator.vault("recipient").id
    emulator.answer(emulator.backup.id, project, "accepted")
    assert plugin.check(OURS, inputs(emulator)).failures == {}
    plugin.create(OURS, inputs(emulator))
    assert {request.method for request in emulator.requests} == {"GET"}
    told = plugin.stop()
    assert f"was accepted into vault {vault} before: the update adopts that" in told
    assert f"was accepted into vault {vault} before; destroying this resource gives it back" in told


def test_accepted_before_into_another_vault_is_an_error(emulator: Emulator, plugin: Plugin) -> None:
    """The error names both vaults; the share is not moved."""
    project = offer(emulator)
    other = emulator.add_vault(account="recipient").id
    emulator.answer(emulator.backup.id, project, "accepted", other)
    with pytest.raises(PluginError, match=f"it was accepted into vault {other} before"):
        plugin.create(OURS, inputs(emulator))
    assert emulator.members(emulator.backup.id)[project].vault_id == other


@pytest.mark.parametrize("shown_after", [0.0, 1.0])
def test_an_answer_whose_reply_is_lost_is_not_lost(emulator: Emulator, plugin: Plugin, shown_after: float) -> None:
    """The PUT is retried; if the retry is refused, the backup is read, which may show its vault later."""
    emulator.accept_seconds, emulator.recipient_reads = shown_after, True
    offer(emulator)
    emulator.add_fault(Fault(method="PUT", reset=True, when="after"))
    emulator.add_fault(Fault(method="PUT", status=400, body='{"error_code": "BackupService.6708", "error_msg": "no"}'))
    plugin.create(OURS, inputs(emulator))
    assert status(emulator) == "accepted"


def test_a_vault_that_does_not_fit_is_told(emulator: Emulator, plugin: Plugin) -> None:
    """The error has the service's reason."""
    emulator.inferred_codes = "first"  # the code is what is asked for here
    offer(emulator)
    disks = emulator.add_vault(account="recipient", object_type="disk").id
    with pytest.raises(PluginError, match="the vault is of another type than the backup"):
        plugin.create(OURS, inputs(emulator, vault_id=disks))
    assert status(emulator) == "pending"


def test_delete_gives_the_share_back(emulator: Emulator, plugin: Plugin) -> None:
    """The recipient no longer sees the backup."""
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    with process(env=environment(emulator, "recipient")) as destroy:
        destroy.delete(made)
    assert status(emulator) == "rejected"
    assert emulator.visible_to(project) == set()


def test_a_share_that_was_taken_away_is_gone_and_no_trouble(emulator: Emulator, plugin: Plugin) -> None:
    """`read` reports that it is gone; `destroy` succeeds."""
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    emulator.remove_member(emulator.backup.id, project)
    assert plugin.read(made) is None
    assert f"backup {emulator.backup.id} is gone: its owner cancelled the share" in plugin.stop()
    with process(env=environment(emulator, "recipient")) as destroy:
        destroy.delete(made)


def test_renaming_a_resource_keeps_the_share(emulator: Emulator, plugin: Plugin) -> None:
    """The engine creates the new resource before it deletes the old one."""
    offer(emulator)
    old = plugin.create(OURS, inputs(emulator))
    with process(env=environment(emulator, "recipient")) as second:
        second.create(OURS, inputs(emulator))
        second.delete(old)
    assert status(emulator) == "accepted"


def test_another_vault_is_an_update(emulator: Emulator, plugin: Plugin) -> None:
    """The new vault is read, the share given back, and accepted into it; if somebody has moved it, that is drift."""
    emulator.accepts_after_reject = True  # otherwise no backup can be moved
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    other = emulator.add_vault(account="recipient").id
    emulator.clear_requests()
    wanted = inputs(emulator, vault_id=other)
    diff = plugin.diff(OURS, made, wanted)
    assert (diff.changes, diff.replaces) == (True, ())
    assert plugin.check(OURS, wanted, inputs(emulator)).failures == {}

    moved = plugin.update(OURS, made, wanted)

    assert emulator.members(emulator.backup.id)[project].vault_id == moved.outs["vault_id"] == other
    answers = [(one.method, "vaults" in one.path) for one in emulator.requests]
    assert answers.index(("GET", True)) < answers.index(("PUT", False))
    assert plugin.diff(OURS, moved, wanted).changes is False
    emulator.answer(emulator.backup.id, project, "accepted", emulator.vault("recipient").id)
    drifted = plugin.read(moved)
    assert drifted
    assert plugin.diff(OURS, drifted, wanted).changes
    assert plugin.update(OURS, drifted, wanted).outs["vault_id"] == other


REFUSING = {
    "disks": ({"object_type": "disk"}, "is for disk backups, and the backup is of a server"),
    "full": ({"size": 10}, "has 10 GB of 10 GB left, and the backup needs 40 GB"),
    "locked": ({"status": "lock"}, "is in status lock"),
    "replicas": ({"protect_type": "replication"}, "is for replicas"),
}


@pytest.mark.parametrize(("fields", "reason"), REFUSING.values(), ids=REFUSING.keys())
def test_a_vault_that_does_not_take_it_is_refused_before_it_is_given_back(
    fields: dict[str, Any], reason: str, emulator: Emulator, plugin: Plugin
) -> None:
    """In the preview, and in the update; nothing is sent, and the copy stays where it is."""
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    wanted = inputs(emulator, vault_id=emulator.add_vault(account="recipient", **fields).id)
    emulator.clear_requests()
    planned = plugin.check(OURS, wanted, inputs(emulator))
    assert f"it {reason}: the backup stays in vault {made.outs['vault_id']}" in planned.failures["vault_id"]
    with pytest.raises(PluginError, match=f"that vault {reason}; nothing was changed"):
        plugin.update(OURS, made, wanted)
    assert {one.method for one in emulator.requests} == {"GET"}
    assert emulator.members(emulator.backup.id)[project].vault_id == made.outs["vault_id"]


def test_a_vault_that_is_not_there_gives_nothing_back(emulator: Emulator, plugin: Plugin) -> None:
    """A typo in its id."""
    offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    wanted = inputs(emulator, vault_id=emulator.vault("sharer").id)
    planned = plugin.check(OURS, wanted, inputs(emulator))
    assert "it does not exist in project" in planned.failures["vault_id"]
    with pytest.raises(PluginError, match="the vault does not exist"):
        plugin.update(OURS, made, wanted)
    assert status(emulator) == "accepted"


def test_a_move_that_the_service_refuses_is_undone(emulator: Emulator, plugin: Plugin) -> None:
    """What it refuses may be more than is known here: the backup goes into the old vault again, and that is told."""
    emulator.accepts_after_reject = True  # otherwise no backup can be moved
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    emulator.add_fault(Fault.refusal("BackupService.6713", method="PUT", nth=2))
    with pytest.raises(PluginError, match=f"it is in vault {made.outs['vault_id']} again") as refused:
        plugin.update(OURS, made, inputs(emulator, vault_id=emulator.add_vault(account="recipient").id))
    assert "BackupService.6713" in str(refused.value)
    assert emulator.members(emulator.backup.id)[project].vault_id == made.outs["vault_id"]


def test_a_service_that_accepts_nothing_rejected_is_survived(emulator: Emulator, plugin: Plugin) -> None:
    """Whether it does is not documented: the error says that the owner has to offer it again, and then all is well."""
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    other = emulator.add_vault(account="recipient").id
    emulator.accepts_after_reject = False
    with pytest.raises(PluginError, match="let its owner cancel the share and offer it again"):
        plugin.update(OURS, made, inputs(emulator, vault_id=other))
    assert status(emulator) == "rejected"
    assert plugin.read(made) is None
    emulator.remove_member(emulator.backup.id, project)
    offer(emulator)
    plugin.create(OURS, inputs(emulator, vault_id=other))
    assert emulator.members(emulator.backup.id)[project].vault_id == other


@pytest.mark.parametrize("shown", [None, "empty vault", "no vault"])
def test_a_vault_that_shows_a_moment_later_is_waited_for(
    shown: OfferShown | None, emulator: Emulator, plugin: Plugin
) -> None:
    """The service has said yes, but the backup is in no vault yet: it is not asked twice."""
    emulator.offer_shown = shown
    offer(emulator)
    backup = {"id": emulator.backup.id, "status": "available", "project_id": emulator.backup.project_id}
    late = json.dumps({"backup": {**backup, "vault_id": ""}})
    emulator.add_fault(Fault(method="GET", path=f"/backups/{emulator.backup.id}$", status=200, body=late, nth=2))
    made = plugin.create(OURS, inputs(emulator))
    assert made.outs["vault_id"] == emulator.vault("recipient").id
    assert made.outs["status"] == "accepted"
    assert [one.method for one in emulator.requests] == ["GET", "PUT", "GET", "GET"]


def test_ones_own_backup_cannot_be_accepted(emulator: Emulator) -> None:
    """The error says that these are the owner's credentials, not the recipient's."""
    with process(env=environment(emulator, "sharer")) as plugin, pytest.raises(PluginError, match="backup of project"):
        plugin.create(OURS, inputs(emulator))


def test_credentials_of_another_project_do_not_make_it_look_gone(emulator: Emulator, plugin: Plugin) -> None:
    """No request is sent, and the state is kept."""
    offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    with process(env=environment(emulator, "bystander")) as wrong:
        for verb in (wrong.read, wrong.delete):
            with pytest.raises(PluginError, match="the state records project"):
                verb(made)
    assert status(emulator) == "accepted"


@pytest.mark.parametrize("name", ["backup_id", "vault_id", "wait_for_offer"])
def test_check_names_what_is_wrong(name: str, emulator: Emulator, plugin: Plugin) -> None:
    """No request is sent."""
    assert list(plugin.check(OURS, inputs(emulator, **{name: "x"})).failures) == [name]
    assert emulator.requests == []


SHOWN = pytest.mark.parametrize("shown", ["empty vault", "no vault"])


@SHOWN
def test_an_offer_that_the_recipient_can_see_is_accepted(shown: OfferShown, emulator: Emulator, plugin: Plugin) -> None:
    """Whether a pending backup is shown is not documented: without a vault it is an offer."""
    emulator.offer_shown = shown
    offer(emulator)
    assert plugin.check(OURS, inputs(emulator)).failures == {}
    made = plugin.create(OURS, inputs(emulator))
    assert status(emulator) == "accepted"
    assert made.outs["vault_id"] == emulator.vault("recipient").id


@SHOWN
def test_a_share_that_is_pending_again_is_drift_and_is_accepted_again(
    shown: OfferShown, emulator: Emulator, plugin: Plugin
) -> None:
    """Its owner has cancelled it and offered it again, so it is no longer accepted."""
    emulator.offer_shown = shown
    project = offer(emulator)
    made = plugin.create(OURS, inputs(emulator))
    emulator.remove_member(emulator.backup.id, project)
    emulator.add_member(emulator.backup.id, project)

    read = plugin.read(made)
    assert read
    assert read.outs["status"] == "pending"
    diff = plugin.diff(OURS, read, inputs(emulator))
    assert (diff.changes, diff.replaces) == (True, ())
    assert plugin.update(OURS, read, inputs(emulator)).outs["status"] == "accepted"
    assert status(emulator) == "accepted"


def test_who_waits_for_a_share_of_the_same_program_is_told_how_to_wire_them(emulator: Emulator, plugin: Plugin) -> None:
    """If all four workers wait, none can create the share."""
    with pytest.raises(PluginError, match=r"set backup_id=share\.backup_id"):
        plugin.create(OURS, inputs(emulator, wait_for_offer=0))


PROGRAM = """
import os, pulumi
from {module} import BackupShareAccepter, BackupShareMember, {other}

share = BackupShareMember("dr", backup_id={backup!r}, dest_project_id={project!r})
accepted = BackupShareAccepter("dr", backup_id=share.backup_id, vault_id={vault!r}, {second})
pulumi.export("by", accepted.owner_project_id)
"""
# How a program names a second account.
SECOND = {
    "": 'connection=Connection(namespace="dr")',
    "@native": """opts=pulumi.ResourceOptions(provider=Provider(
        "theirs", access_key=os.environ["DR_HW_ACCESS_KEY"], secret_key=os.environ["DR_HW_SECRET_KEY"],
    ))""",
}


@pytest.mark.differs("a second account")
@pytest.mark.engine
def test_two_accounts_in_one_program(door: str, emulator: Emulator, tmp_path: Path) -> None:
    """One shares, the other accepts; a refresh finds no drift, and `destroy` cancels everything."""
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator) | environment(emulator, "recipient", prefix="DR_"))
    project, vault = emulator.account("recipient").project_id, emulator.vault("recipient").id
    names = {"module": module(), "other": "Provider" if door else "Connection", "second": SECOND[door]}
    stack.program(PROGRAM.format(backup=emulator.backup.id, project=project, vault=vault, **names))

    stack.up()
    assert status(emulator) == "accepted"
    assert stack.outputs() == {"by": emulator.account("sharer").project_id}
    stack.up("--refresh", "--expect-no-changes")

    stack.destroy()
    assert status(emulator) is None


SHARER = """
from {module} import BackupShareMember

BackupShareMember("dr", backup_id="{backup}", dest_project_id="{project}")
"""
RECIPIENT = """
from {module} import BackupShareAccepter

BackupShareAccepter("dr", backup_id="{backup}", vault_id="{vault}")
"""


@pytest.mark.engine
def test_two_accounts_in_two_stacks(emulator: Emulator, tmp_path: Path) -> None:
    """Each has its credentials; if the sharer's stack is destroyed first, the other has drift, and can be destroyed."""
    project, vault = emulator.account("recipient").project_id, emulator.vault("recipient").id
    ours, theirs = Stack(tmp_path / "ours"), Stack(tmp_path / "theirs")
    ours.env.update(environment(emulator))
    theirs.env.update(environment(emulator, "recipient"))
    ours.program(SHARER.format(module=module(), backup=emulator.backup.id, project=project))
    theirs.program(RECIPIENT.format(module=module(), backup=emulator.backup.id, vault=vault))

    ours.up()
    theirs.up()
    assert status(emulator) == "accepted"
    for stack in (ours, theirs):
        stack.up("--refresh", "--expect-no-changes")

    ours.destroy()
    assert status(emulator) is None
    found = theirs.preview("--expect-no-changes", refresh=True, check=False)
    assert not found.ok
    assert "BackupShareAccepter" in found.output
    theirs.destroy()
    assert theirs.resources() == []


@DYNAMIC_ONLY
@pytest.mark.engine
def test_another_vault_is_an_update_on_the_engine(emulator: Emulator, tmp_path: Path) -> None:
    """It is shown as that; a vault that does not take it is refused in the preview, and nothing is given back."""
    project, vault = offer(emulator), emulator.vault("recipient").id
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator, "recipient"))
    stack.program(RECIPIENT.format(module=module(), backup=emulator.backup.id, vault=vault))
    stack.up()

    small = emulator.add_vault(account="recipient", size=10).id
    stack.program(RECIPIENT.format(module=module(), backup=emulator.backup.id, vault=small))
    for refused in (stack.preview(check=False), stack.up(check=False)):
        assert not refused.ok
        assert "has 10 GB of 10 GB left, and the backup needs 40 GB" in refused.output
        assert "Traceback" not in refused.of_resources
    assert emulator.members(emulator.backup.id)[project].vault_id == vault

    other = emulator.add_vault(account="recipient").id
    stack.program(RECIPIENT.format(module=module(), backup=emulator.backup.id, vault=other))
    plan = stack.preview().output
    assert "1 to update" in plan
    assert "replace" not in plan
    assert f"was moved from vault {vault} into vault {other}" in stack.up().output
    assert emulator.members(emulator.backup.id)[project].vault_id == other
    stack.up("--refresh", "--expect-no-changes")
