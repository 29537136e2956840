"""`cbr-sharing share`: no share is lost or doubled."""

from __future__ import annotations

import json
import threading

from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


def projects(emulator: Emulator, *names: str) -> list[str]:
    """The projects of accounts."""
    return [emulator.account(name).project_id for name in names]


def statuses(emulator: Emulator) -> dict[str, str]:
    """The status of each share of the first backup."""
    return {project: member.status for project, member in emulator.members(emulator.backup.id).items()}


def posts(emulator: Emulator) -> list[list[str]]:
    """The projects in each POST."""
    return [one.body["members"] for one in emulator.requests if one.method == "POST"]


def more_accounts(emulator: Emulator, count: int) -> list[str]:
    """The projects of new accounts."""
    return [emulator.add_account(f"more-{number}").project_id for number in range(count)]


def test_it_shares_with_every_project_by_one_post(emulator: Emulator, operator: Operator) -> None:
    """It prints a line for each project; a project that is given twice counts once."""
    recipient, bystander = projects(emulator, "recipient", "bystander")
    done = operator.run("share", emulator.backup.id, recipient, bystander, recipient)
    assert statuses(emulator) == {recipient: "pending", bystander: "pending"}
    assert posts(emulator) == [[recipient, bystander]]
    assert done.lines == [f"{recipient}: shared, pending", f"{bystander}: shared, pending"]
    assert done.code == 0


def test_who_has_it_keeps_it(emulator: Emulator, operator: Operator) -> None:
    """The share is unchanged; this is printed, and is no error."""
    (recipient,) = projects(emulator, "recipient")
    before = emulator.add_member(emulator.backup.id, recipient, "accepted").id
    done = operator.run("share", emulator.backup.id, recipient)
    assert emulator.members(emulator.backup.id)[recipient].id == before
    assert done.lines == [f"{recipient}: shared already, accepted"]
    assert done.code == 0
    assert posts(emulator) == []


def test_who_rejected_it_gets_a_new_offer(emulator: Emulator, operator: Operator) -> None:
    """New recipients come first, because they may be refused before anything is removed."""
    recipient, bystander = projects(emulator, "recipient", "bystander")
    emulator.add_member(emulator.backup.id, recipient, "rejected")
    done = operator.run("share", emulator.backup.id, recipient, bystander)
    assert statuses(emulator) == {recipient: "pending", bystander: "pending"}
    assert posts(emulator) == [[bystander], [recipient]]
    assert done.lines[1] == f"{recipient}: was rejected: offered again, pending"


def test_a_wrong_recipient_is_named_and_keeps_no_other_one_out(emulator: Emulator, operator: Operator) -> None:
    """The others have the share, which is printed before the error."""
    recipient, bystander = projects(emulator, "recipient", "bystander")
    emulator.add_member(emulator.backup.id, bystander, "rejected")
    done = operator.run("share", emulator.backup.id, recipient, "0" * 32, bystander)
    assert statuses(emulator) == {recipient: "pending", bystander: "pending"}
    assert done.lines == [f"{recipient}: shared, pending", f"{bystander}: was rejected: offered again, pending"]
    assert done.code == 1
    assert f"with project {'0' * 32}: " in done.err


def test_its_json_says_what_changed(emulator: Emulator, operator: Operator) -> None:
    """The fields of a member, and the change, both in the help."""
    recipient, bystander = projects(emulator, "recipient", "bystander")
    emulator.add_member(emulator.backup.id, bystander, "rejected")
    found = operator.run("share", emulator.backup.id, recipient, bystander, "--json").json
    members = emulator.members(emulator.backup.id)
    assert [(one["dest_project_id"], one["change"]) for one in found] == [(recipient, "shared"), (bystander, "again")]
    assert [one["share_id"] for one in found] == [members[recipient].id, members[bystander].id]
    again = operator.run("share", emulator.backup.id, recipient, "--json").json
    assert [one["change"] for one in again] == ["already"]


@pytest.mark.parametrize("fault", [Fault(close=True), Fault(status=502, body="busy"), Fault(reset=True)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_looked_up(emulator: Emulator, operator: Operator, fault: Fault, when: str) -> None:
    """Whether the request had an effect or not, the backup is shared once."""
    (recipient,) = projects(emulator, "recipient")
    fault.method, fault.when = "POST", when  # type: ignore[assignment]
    emulator.add_fault(fault)
    done = operator.run("share", emulator.backup.id, recipient)
    assert statuses(emulator) == {recipient: "pending"}
    assert done.lines == [f"{recipient}: shared, pending"]
    assert len(posts(emulator)) == (1 if when == "after" else 2)


def test_somebody_else_was_faster(emulator: Emulator, operator: Operator) -> None:
    """If the POST is refused with 6703, the members are listed again, and the rest is done."""
    (recipient,) = projects(emulator, "recipient")
    emulator.add_fault(Fault.refusal("BackupService.6703", method="POST"))
    done = operator.run("share", emulator.backup.id, recipient)
    assert done.code == 0
    assert statuses(emulator) == {recipient: "pending"}


def test_a_refusal_that_stays_ends(emulator: Emulator, operator: Operator) -> None:
    """After three tries."""
    emulator.add_fault(Fault.refusal("BackupService.6703", method="POST", times=9))
    done = operator.run("share", emulator.backup.id, *projects(emulator, "recipient"))
    assert done.code == 1
    assert "BackupService.6703" in done.err
    assert len(posts(emulator)) == 3


def test_there_is_room_for_ten(emulator: Emulator, operator: Operator) -> None:
    """An eleventh is refused before anything is cancelled; one of the ten can be offered again."""
    ten = more_accounts(emulator, 10)
    for project in ten:
        emulator.add_member(emulator.backup.id, project)
    emulator.answer(emulator.backup.id, ten[0], "rejected")
    refused = operator.run("share", emulator.backup.id, ten[0], *projects(emulator, "recipient"))
    assert refused.code == 1
    assert "cancel a share first, with `cbr-sharing unshare`" in refused.err
    assert statuses(emulator)[ten[0]] == "rejected"
    assert operator.run("share", emulator.backup.id, ten[0]).code == 0
    assert statuses(emulator) == dict.fromkeys(ten, "pending")


def test_the_owner_is_no_recipient(emulator: Emulator, operator: Operator) -> None:
    """Nothing is sent to change anything."""
    done = operator.run("share", emulator.backup.id, *projects(emulator, "recipient", "sharer"))
    assert done.code == 1
    assert "owns it" in done.err
    assert statuses(emulator) == {}


@pytest.mark.slow
def test_it_waits_for_a_backup_that_is_being_made(emulator: Emulator, operator: Operator) -> None:
    """It says so on standard error."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    ready = threading.Timer(1.5, emulator.set_backup_status, (emulator.backup.id, "available"))
    ready.start()
    done = operator.run("share", emulator.backup.id, *projects(emulator, "recipient"), "--json")
    ready.join()
    assert done.code == 0
    assert [one["status"] for one in done.json] == ["pending"]
    assert "the backup is protecting; waiting up to" in done.err


def test_without_waiting_it_ends_at_once(emulator: Emulator, operator: Operator) -> None:
    """The JSON is valid, and says that nothing was done."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    done = operator.run("share", emulator.backup.id, *projects(emulator, "recipient"), "--wait", "0", "--json")
    assert done.code == 1
    assert json.loads(done.out) == []
    assert statuses(emulator) == {}


def test_a_wait_that_is_too_short_names_its_option(emulator: Emulator, operator: Operator) -> None:
    """And not the input of a resource."""
    emulator.set_backup_status(emulator.backup.id, "protecting")
    done = operator.run("share", emulator.backup.id, *projects(emulator, "recipient"), "--wait", "1")
    assert done.code == 1
    assert "--wait" in done.err
    assert "wait_for_backup" not in done.err


def test_what_was_done_is_told_though_the_rest_failed(emulator: Emulator, operator: Operator) -> None:
    """The second POST, for the rejected share, is always refused."""
    recipient, bystander = projects(emulator, "recipient", "bystander")
    emulator.add_member(emulator.backup.id, bystander, "rejected")
    emulator.add_fault(Fault.refusal("BackupService.6707", method="POST", nth=2))
    done = operator.run("share", emulator.backup.id, recipient, bystander, "--json")
    assert done.code == 1
    assert [one["dest_project_id"] for one in done.json] == [recipient]
    assert "BackupService.6707" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NOT-AN-ID", "0" * 32], "give a backup id"),
        (["9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10", "nobody"], "give a project id"),
        (["9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10"], "PROJECT"),
    ],
)
def test_wrong_ids_are_not_sent(emulator: Emulator, operator: Operator, words: list[str], said: str) -> None:
    """Ids become parts of a path."""
    done = operator.run("share", *words)
    assert done.code == 1
    assert said in done.err
    assert emulator.requests == []
