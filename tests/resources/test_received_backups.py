"""ReceivedBackups on the real engine, with the sharer's pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from clouds import environment
from pulumi_cbr_sharing import ReceivedBackups
from pulumi_cbr_sharing.emulator import Fault
from stack import Stack


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


ROOT = Path(__file__).parent.parent.parent
WEB: dict[str, Any] = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "name": "web"}
PROGRAM = """
import pulumi
from datetime import timedelta
from pulumi_cbr_sharing import BackupShareMember, ReceivedBackups

nightly = ReceivedBackups("nightly", vault_id={vault}, owner_project_ids={owners}, {rest})
pulumi.export("backup_ids", nightly.backup_ids)
pulumi.export("accepted", nightly.accepted)
"""


@pytest.fixture(name="stack")
def _stack(emulator: Emulator, tmp_path: Path) -> Stack:
    """The recipient's stack; the sharer has a vault with a server, but no backup yet."""
    emulator.remove_backup(emulator.backup.id)
    emulator.vault("sharer").resources.append(WEB)
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator, "recipient"))
    return stack


def program(emulator: Emulator, **rest: Any) -> str:
    """A program that accepts the sharer's offers; arguments are code."""
    given = {"vault": repr(emulator.vault("recipient").id), "owners": repr([emulator.account("sharer").project_id])}
    given |= {name: rest.pop(name) for name in ("vault", "owners") if name in rest}
    words = ", ".join(f"{name}={value}" for name, value in rest.items())
    return PROGRAM.format(**given, rest=words)


def offer(emulator: Emulator, account: str = "sharer", **fields: Any) -> str:
    """Create a backup of the server and share it with the recipient; returns its id."""
    made = emulator.add_backup(account, **{"resource_id": WEB["id"], **fields})
    emulator.add_member(made.id, emulator.account("recipient").project_id)
    return made.id


def accepted(emulator: Emulator) -> set[str]:
    """The backups that the recipient has accepted."""
    return emulator.visible_to(emulator.account("recipient").project_id)


def changes(emulator: Emulator) -> list[str]:
    """The requests that changed something."""
    return [f"{one.method} {one.path.split('/')[4]}" for one in emulator.requests if one.method != "GET"]


@pytest.mark.engine
def test_the_window_rolls_on_the_recipients_side(emulator: Emulator, stack: Stack) -> None:
    """Accepted backups are no longer pending, and are kept. Night after night; a second run changes nothing."""
    stack.program(program(emulator, keep=2, allow_empty=True))
    stack.up()
    assert accepted(emulator) == set()  # nothing on offer, nothing accepted

    offers: list[str] = []
    for _ in range(3):
        emulator.pass_time(days=1)
        offers.append(offer(emulator))
        emulator.clear_requests()
        stack.up()
        assert accepted(emulator) == set(offers[-2:])
        assert changes(emulator)[0] == f"PUT {offers[-1]}"
        stack.up("--expect-no-changes")
    assert stack.outputs()["accepted"] == dict.fromkeys(offers[:0:-1], "accepted")
    assert stack.outputs()["backup_ids"] == offers[:0:-1]

    # What the owner cancels, or what expires, leaves without an error.
    emulator.remove_member(offers[1], emulator.account("recipient").project_id)
    emulator.remove_backup(offers[2])
    stack.up()
    assert stack.outputs() == {"accepted": {}, "backup_ids": []}
    assert stack.resources("BackupShareAccepter") == []


@pytest.mark.engine
def test_a_typo_gives_back_no_copy(emulator: Emulator, stack: Stack) -> None:
    """A wrong owner, name or vault, and an empty answer, are errors of one line; `allow_empty` gives back."""
    made = offer(emulator, name="nightly")
    stack.program(program(emulator))
    stack.up()
    other = emulator.add_vault(account="recipient").id
    for wrong, told in (
        ({"owners": repr([emulator.account("bystander").project_id])}, "not in owner_project_ids share, too"),
        ({"name_prefix": "'nigthly'"}, "1 named otherwise than 'nigthly'…"),
        ({"vault": repr(other)}, f"backup {made} is in vault {emulator.vault('recipient').id}, which is not in"),
    ):
        stack.program(program(emulator, **wrong))
        refused = stack.up(check=False)
        assert "error: ReceivedBackups nightly: there is nothing to accept or keep" in refused.output
        assert told in refused.output
        assert "Traceback" not in refused.output
        assert accepted(emulator) == {made}
    stack.program(program(emulator, name_prefix="'nigthly'", allow_empty=True))
    stack.up()
    assert accepted(emulator) == set()


@pytest.mark.engine
def test_two_owners_have_a_window_each(emulator: Emulator, stack: Stack) -> None:
    """Their servers, and that of an owner who is not named, have the same id and name. Warnings name the owner."""
    owners = [emulator.account("sharer").project_id, emulator.add_account("partner").project_id]
    ours, theirs, strange = [offer(emulator, account) for account in ("sharer", "partner", "bystander")]
    emulator.pass_time(days=4)
    newer = [offer(emulator, account) for account in ("partner", "partner", "bystander")][:2]
    stack.program(program(emulator, owners=repr(owners), keep=2, max_age="timedelta(days=1.5)"))

    run = stack.up()

    assert accepted(emulator) == {ours, *newer}
    assert f"the newest backup of server ({WEB['id']}) of project {owners[0]} is 4.0 days old" in run.output
    assert f"of project {owners[1]}" not in run.output
    assert set(stack.resources("ReceivedBackups")[0]["outputs"]["newest_at"]) == {
        f"{one}/{WEB['id']}" for one in owners
    }
    project = emulator.account("recipient").project_id
    assert [emulator.members(one)[project].status for one in (theirs, strange)] == ["pending", "pending"]


@pytest.mark.engine
def test_the_recipients_program_in_the_guide_runs(emulator: Emulator, stack: Stack) -> None:
    """Its names are those of the emulated cloud."""
    page = (ROOT / "docs/worst-day.md").read_text()
    made, _stranger = offer(emulator), offer(emulator, "bystander")
    stack.program(page.partition("```python\n")[2].partition("```")[0])
    stack.up()
    assert stack.outputs() == {"received": [made]}
    assert accepted(emulator) == {made}


@pytest.mark.engine
def test_an_offer_that_is_made_again_is_accepted_again(emulator: Emulator, stack: Stack) -> None:
    """The owner has cancelled the share and created it again; without a refresh it is still accepted in the state."""
    made = offer(emulator)
    project = emulator.account("recipient").project_id
    stack.program(program(emulator))
    stack.up()
    emulator.remove_member(made, project)
    emulator.add_member(made, project)
    assert accepted(emulator) == set()

    assert "update" in stack.preview().output
    stack.up()
    assert accepted(emulator) == {made}
    stack.up("--expect-no-changes")


@pytest.mark.engine
def test_nothing_of_a_stranger_and_nothing_that_does_not_fit(emulator: Emulator, stack: Stack) -> None:
    """They are reported and left pending, the rest is accepted; at preview, too."""
    vault = emulator.add_vault(account="recipient", name="small", size=100)
    good = [offer(emulator) for _ in range(2)]
    emulator.pass_time(hours=1)
    stranger, disk = offer(emulator, "bystander"), offer(emulator, resource_type="OS::Cinder::Volume")
    big = offer(emulator, size=70)
    stack.program(program(emulator, vault=repr(vault.id), keep=9))

    plan = stack.preview().output
    run = stack.up()

    for output in (plan, run.output):
        assert (
            f"backup {disk} is left pending: vault {vault.id} is for server backups, and the backup is of a disk"
            in output
        )
        assert f"vault {vault.id} has 100 GB of 100 GB left, and the offers need 150 GB" in output
    assert stranger not in run.output
    left = {big, stranger, disk, *good} - accepted(emulator)
    assert {stranger, disk} < left
    assert len(accepted(emulator)) in (1, 2)
    assert {emulator.members(one)[emulator.account("recipient").project_id].status for one in left} == {"pending"}


@pytest.mark.engine
def test_a_lookup_that_fails_touches_nothing(emulator: Emulator, stack: Stack) -> None:
    """The error is one line, and accepted backups are kept; also with a wrong vault or an invalid answer."""
    made = offer(emulator)
    stack.program(program(emulator))
    stack.up()
    emulator.clear_requests()

    body = '{"backups": [], "count": 4}'
    emulator.add_fault(Fault(path="/backups$", status=200, body=body, times=99))
    refused = stack.up(check=False)
    assert not refused.ok
    assert "does not fit its own count" in refused.output
    assert "Traceback" not in refused.output
    emulator.clear_faults()
    stack.program(program(emulator, vault=repr(emulator.vault("sharer").id)))
    assert "the vault does not exist in this project" in stack.up(check=False).output
    assert accepted(emulator) == {made}
    assert changes(emulator) == []


@pytest.mark.engine
def test_a_window_that_stopped_is_told_or_fails(emulator: Emulator, stack: Stack) -> None:
    """A warning in every preview and update; or an error after accepting new offers: a failed run removes nothing."""
    first = offer(emulator)
    stack.program(program(emulator, keep=1, max_age="timedelta(days=1.5)"))
    assert "max_age is" not in stack.up().output
    emulator.pass_time(days=4)
    other = {"resource_id": "22222222-2222-4333-8444-555555555555"}
    second = offer(emulator, **other)
    sentence = f"the newest backup of server ({WEB['id']}) is 4.0 days old ({first}, made"
    assert f"ReceivedBackups nightly: {sentence}" in stack.preview().output
    assert sentence in stack.up().output

    third = offer(emulator, **other)
    stack.program(program(emulator, keep=1, max_age="timedelta(days=1.5)", on_stale="'error'"))
    plan = stack.preview(check=False)
    run = stack.up(check=False)
    assert not plan.ok
    assert not run.ok
    assert sentence in run.output
    assert "Traceback" not in run.output
    assert accepted(emulator) == {first, second, third}

    stack.program(program(emulator, keep=1))
    stack.up()
    assert accepted(emulator) == {first, third}


@pytest.mark.differs("several vaults of `ReceivedBackups`", "dynamic")
@pytest.mark.engine
def test_inputs_of_the_receiver_may_be_outputs(emulator: Emulator, stack: Stack) -> None:
    """They are known at `up`; a vault may be a list of them; wrong ones are an error of one line."""
    made = offer(emulator)
    vault = repr(emulator.vault("recipient").id)
    stack.program(program(emulator, vault=f"pulumi.Output.from_input({vault})"))
    stack.up()
    assert accepted(emulator) == {made}
    assert stack.outputs()["backup_ids"] == [made]
    for wrong, reason in (
        ({"vault": "'x'"}, "vault_id has another shape"),
        ({"vault": "[]"}, "vault_id is not a list, or an empty one: give a list with at least one vault id"),
        ({"owners": "[]"}, "owner_project_ids is not a list, or an empty one"),
        ({"owners": "['x']"}, "owner_project_ids has an entry that has another shape"),
    ):
        stack.program(program(emulator, **wrong))
        refused = stack.preview(check=False)
        assert f"error: ReceivedBackups nightly: {reason}" in refused.output
    another = emulator.add_vault(account="recipient").id
    stack.program(program(emulator, vault=f"[{another!r}, pulumi.Output.from_input({vault})]"))
    stack.up("--expect-no-changes")
    assert accepted(emulator) == {made}


@pytest.mark.parametrize("argument", [{"keep": 0}, {"on_stale": "no"}, {"max_age": 3}], ids=repr)
def test_wrong_arguments_are_refused_before_anything_is_asked(argument: dict[str, Any]) -> None:
    """The error has the component's name."""
    with pytest.raises(pulumi.RunError, match=f"ReceivedBackups nightly: {next(iter(argument))} is "):
        ReceivedBackups("nightly", vault_id="v", owner_project_ids=[], **argument)
