"""Shares whose resource is renamed, swapped or changed into another kind stay as they are.

The engine creates the new resource before it deletes the old one, and both have the same id. The old one may go in
a later run, too, when the first was interrupted in between.
"""

from __future__ import annotations

import os
import tempfile

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import DOOR, DYNAMIC_ONLY, process, pythonic
from histories import Stack as Model
from plugin import engine
from programs import accepted, member, share, statuses, told, up
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from stack import Stack


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("killed", [False, True])
def test_a_renamed_member_stays(killed: bool, refresh: bool, emulator: Emulator) -> None:
    """Also if the run ends after the new one is recorded, and the next run deletes the old one."""
    model = Model(program={"old": member(emulator)})
    up(model, emulator)
    before = accepted(emulator, "recipient")
    model.program = {"new": member(emulator)}
    if killed:
        up(model, emulator, kill_at=1)
        assert [one.name for one in model.state] == ["old", "new"]

    up(model, emulator, refresh=refresh)

    assert statuses(emulator) == before
    assert [one.name for one in model.state] == ["new"]


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("kind", [member, share])
@pytest.mark.parametrize("what", ["removed", "rejected"])
def test_a_renamed_member_that_had_to_be_made_anew_stays(
    what: str, kind: Callable[..., Any], refresh: bool, emulator: Emulator
) -> None:
    """The live share is not that of the old resource, whatever a refresh found."""
    model = Model(program={"old": member(emulator)})
    up(model, emulator)
    project = emulator.account("recipient").project_id
    if what == "removed":
        emulator.remove_member(emulator.backup.id, project)
    else:
        emulator.answer(emulator.backup.id, project, "rejected")
    model.program = {"new": kind(emulator, "recipient")}

    up(model, emulator, refresh=refresh)

    assert statuses(emulator) == {project: "pending"}


def test_a_rejected_member_is_offered_again_under_its_own_name(emulator: Emulator) -> None:
    """An update removes the rejected share and creates it again."""
    model = Model(program={"one": member(emulator)})
    up(model, emulator)
    project = emulator.account("recipient").project_id
    emulator.answer(emulator.backup.id, project, "rejected")

    sent = up(model, emulator, refresh=True)

    assert [method for method in sent if method != "GET"] == ["DELETE", "POST"]

    assert statuses(emulator) == {project: "pending"}


def test_swapped_members_stay(emulator: Emulator) -> None:
    """Each adopts the other's share."""
    model = Model(program={"a": member(emulator), "b": member(emulator, "bystander")})
    up(model, emulator)
    before = accepted(emulator, "recipient", "bystander")
    model.program = {"a": member(emulator, "bystander"), "b": member(emulator)}

    up(model, emulator)

    assert statuses(emulator) == before


def test_a_member_that_is_not_declared_any_more_goes(emulator: Emulator) -> None:
    """Only shares that another resource declares are kept."""
    model = Model(program={"a": member(emulator), "b": member(emulator, "bystander")})
    up(model, emulator)
    del model.program["a"]

    assert up(model, emulator) == ["DELETE"]

    assert list(statuses(emulator)) == [emulator.account("bystander").project_id]


@pytest.mark.parametrize("killed", [False, True])
def test_a_renamed_share_stays(killed: bool, emulator: Emulator) -> None:
    """No recipient loses its share in between."""
    model = Model(program={"old": share(emulator, "recipient", "bystander")})
    up(model, emulator)
    before = accepted(emulator, "recipient", "bystander")
    model.program = {"new": share(emulator, "recipient", "bystander")}
    if killed:
        up(model, emulator, kill_at=1)

    assert up(model, emulator) == []

    assert statuses(emulator) == before
    assert [one.name for one in model.state] == ["new"]


def test_a_renamed_share_with_other_recipients_changes_just_these(emulator: Emulator) -> None:
    """Recipients that only the old one declared are removed."""
    emulator.add_account("third")
    model = Model(program={"old": share(emulator, "recipient", "bystander")})
    up(model, emulator)
    accepted(emulator, "recipient", "bystander")
    model.program = {"new": share(emulator, "bystander", "third")}

    up(model, emulator)

    projects = {name: emulator.account(name).project_id for name in ("bystander", "third")}
    assert statuses(emulator) == {projects["bystander"]: "accepted", projects["third"]: "pending"}


@pytest.mark.parametrize("killed", [False, True])
def test_members_that_become_a_share_stay(killed: bool, emulator: Emulator) -> None:
    """Changing to a BackupShare interrupts no share; recipients that are no longer declared are removed."""
    model = Model(program={"a": member(emulator), "b": member(emulator, "bystander")})
    up(model, emulator)
    accepted(emulator, "recipient", "bystander")
    model.program = {"all": share(emulator, "recipient")}
    if killed:
        up(model, emulator, kill_at=1)

    up(model, emulator)

    assert statuses(emulator) == {emulator.account("recipient").project_id: "accepted"}
    assert [one.name for one in model.state] == ["all"]


@pytest.mark.parametrize("killed", [False, True])
def test_a_share_that_becomes_members_stays(killed: bool, emulator: Emulator) -> None:
    """The shares of a BackupShare stay if BackupShareMembers declare them."""
    model = Model(program={"all": share(emulator, "recipient", "bystander")})
    up(model, emulator)
    accepted(emulator, "recipient", "bystander")
    model.program = {"a": member(emulator)}
    if killed:
        up(model, emulator, kill_at=1)

    up(model, emulator)

    assert statuses(emulator) == {emulator.account("recipient").project_id: "accepted"}
    assert [one.name for one in model.state] == ["a"]


@pytest.mark.parametrize("kind", [member, share])
@pytest.mark.parametrize("killed", [False, True])
def test_what_is_renamed_and_given_another_connection_to_the_same_account_stays(
    killed: bool, kind: Callable[..., Any], emulator: Emulator
) -> None:
    """Declared shares do not depend on the connection."""
    what, inputs = kind(emulator, "recipient")
    model = Model(program={"old": (what, inputs)})
    up(model, emulator)
    before = accepted(emulator, "recipient")
    model.program = {"new": (f"{what}@dr", inputs)}
    if killed:
        up(model, emulator, kill_at=1)

    up(model, emulator)

    assert statuses(emulator) == before
    assert [(one.name, one.kind) for one in model.state] == [("new", f"{what}@dr")]


def test_a_rejected_share_is_offered_again_without_adoption(emulator: Emulator) -> None:
    """It is the resource's own share, so nothing is adopted."""
    model = Model(program={"one": member(emulator, adopt=False)})
    up(model, emulator)
    project = emulator.account("recipient").project_id
    emulator.answer(emulator.backup.id, project, "rejected")

    up(model, emulator, refresh=True)

    assert statuses(emulator) == {project: "pending"}


@pytest.mark.parametrize("adopt", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_replace_keeps_a_share_that_stands(first: bool, adopt: bool, emulator: Emulator) -> None:
    """The recipient would lose a backup that it has accepted. It is the resource's own, so nothing is adopted."""
    model = Model(program={"one": member(emulator, adopt=adopt)})
    up(model, emulator)
    before = accepted(emulator, "recipient")
    model.deleted_first = {"one"} if first else set()

    _, lines = told(model, emulator, replace="one")

    assert statuses(emulator) == before
    assert "kept the share of backup" in lines
    assert "offer" not in lines


def test_without_adoption_a_rename_needs_an_alias(emulator: Emulator) -> None:
    """Nobody else can know that it is the same resource: the error says so, and costs nobody a share."""
    model = Model(program={"old": member(emulator, adopt=False)})
    up(model, emulator)
    before = accepted(emulator, "recipient")
    model.program = {"new": member(emulator, adopt=False)}
    with pytest.raises(Refused, match="give the resource `aliases`") as refused:
        up(model, emulator)
    assert "cancel that share first" not in str(refused.value)
    model.aliases = {"new": "old"}

    assert up(model, emulator) == []

    assert statuses(emulator) == before
    assert [one.name for one in model.state] == ["new"]


def test_a_rename_is_told_once_and_without_advice(emulator: Emulator) -> None:
    """What the new resource has found, and that the old one leaves it."""
    model = Model(program={"old": member(emulator)})
    up(model, emulator)
    accepted(emulator, "recipient")
    model.program = {"new": member(emulator)}

    _, lines = told(model, emulator)

    backup, project = emulator.backup.id, emulator.account("recipient").project_id
    since = pythonic(model.state[0].outs)["created_at"]
    found = f"shared with {project} since {since} (accepted)"
    assert lines.splitlines() == [
        f"adopted: backup {backup} is {found}; destroying this resource cancels that",
        f"kept the share of backup {backup} with project {project}: the program declares it",
    ]


def test_a_share_that_a_lost_request_seems_to_have_made_stays(emulator: Emulator) -> None:
    """After a lost answer, the share of another resource is found, which is deleted later in the run."""
    model = Model(program={"a": member(emulator), "b": member(emulator, "bystander")})
    up(model, emulator)
    accepted(emulator, "recipient", "bystander")
    model.program = {"a": member(emulator, "bystander")}
    emulator.add_fault(Fault(method="POST", reset=True))

    up(model, emulator)

    assert statuses(emulator) == {emulator.account("bystander").project_id: "accepted"}


OURS = BackupShareMemberProvider()


def moved(emulator: Emulator, **env: str) -> str:
    """A new process of the provider takes an accepted share over from an older one; returns what that one says."""
    _, inputs = member(emulator)
    with process(env=environment(emulator)) as run:
        made = run.create(OURS, inputs)
    accepted(emulator, "recipient")
    place = environment(emulator) | env
    way = {"forked": False} if env and not DOOR.get() else {}
    listening, address = engine()
    with process(env=place, engine=address) as new, process(env=place, engine=address, **way) as old:
        new.create(OURS, inputs)
        old.delete(made)
        told = old.stop()
    listening.stop(None)
    return told


def test_a_share_that_another_process_of_the_run_declares_stays(emulator: Emulator) -> None:
    """Each provider instance, and each version of the SDK, is a process of its own."""
    assert "kept the share" in moved(emulator)
    assert list(statuses(emulator).values()) == ["accepted"]


def test_where_processes_cannot_know_of_each_other_the_user_is_warned(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is deleted might be another one's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # of this process, which serves the native plugin
    (tmp_path / f"pulumi-cbr-sharing-{os.getuid()}").write_text("")
    assert "a share that another provider of this program declares may be cancelled" in moved(
        emulator, TMPDIR=str(tmp_path)
    )
    assert statuses(emulator) == {}


PROGRAM = """
from pulumi_cbr_sharing import BackupShare, BackupShareMember

{kind}({name!r}, backup_id={backup!r}, {recipients})
"""


@DYNAMIC_ONLY
@pytest.mark.engine
@pytest.mark.parametrize("kind", ["BackupShareMember", "BackupShare"])
def test_the_engine_renames_without_interrupting_and_destroys_with_the_program(
    kind: str, emulator: Emulator, tmp_path: Path
) -> None:
    """Shares are kept in a rename, but not in `pulumi destroy --run-program`."""
    project = emulator.account("recipient").project_id
    recipients = f"dest_project_id={project!r}" if kind == "BackupShareMember" else f"dest_project_ids=[{project!r}]"
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    stack.program(PROGRAM.format(kind=kind, name="old", backup=emulator.backup.id, recipients=recipients))
    stack.up()
    before = accepted(emulator, "recipient")
    stack.program(PROGRAM.format(kind=kind, name="new", backup=emulator.backup.id, recipients=recipients))
    stack.up(refresh=True)
    assert statuses(emulator) == before
    assert len(stack.resources(kind)) == 1

    stack.destroy("--run-program")

    assert statuses(emulator) == {}


@DYNAMIC_ONLY
@pytest.mark.engine
def test_the_engine_renames_what_was_rejected_and_offers_it_again(emulator: Emulator, tmp_path: Path) -> None:
    """The refresh before it asks for the difference of the old resource, which is then deleted after the new offer."""
    project = emulator.account("recipient").project_id
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    program = {"kind": "BackupShareMember", "backup": emulator.backup.id, "recipients": f"dest_project_id={project!r}"}
    stack.program(PROGRAM.format(name="old", **program))
    stack.up()
    emulator.answer(emulator.backup.id, project, "rejected")
    stack.program(PROGRAM.format(name="new", **program))

    stack.up(refresh=True)

    assert statuses(emulator) == {project: "pending"}
    stack.preview("--expect-no-changes", refresh=True)


@DYNAMIC_ONLY
@pytest.mark.engine
@pytest.mark.parametrize("options", ["adopt=False", "opts=pulumi.ResourceOptions(protect=True)"])
def test_the_engine_offers_a_rejected_share_again(options: str, emulator: Emulator, tmp_path: Path) -> None:
    """An update needs neither adoption nor the right to delete the resource."""
    project = emulator.account("recipient").project_id
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    recipients = f"dest_project_id={project!r}, {options}"
    program = PROGRAM.format(kind="BackupShareMember", name="dr", backup=emulator.backup.id, recipients=recipients)
    stack.program(f"import pulumi\n{program}")
    stack.up()
    emulator.answer(emulator.backup.id, project, "rejected")
    drift = stack.preview("--expect-no-changes", refresh=True, check=False)
    assert not drift.ok

    stack.up(refresh=True)

    assert statuses(emulator) == {project: "pending"}
    stack.preview("--expect-no-changes", refresh=True)
