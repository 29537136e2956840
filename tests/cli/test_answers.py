"""`cbr-sharing offers`, `accept` and `reject`: the recipient's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


DR = ("--connection", "dr")


@pytest.fixture(name="project")
def _project(emulator: Emulator) -> str:
    """The recipient's project, with an offer of the first backup."""
    project = emulator.account("recipient").project_id
    emulator.add_member(emulator.backup.id, project)
    return project


def sees(emulator: Emulator, project: str) -> bool:
    """Whether the recipient can read the backup."""
    return emulator.backup.id in emulator.visible_to(project)


def status(emulator: Emulator, project: str) -> str:
    """The status of the share."""
    return emulator.members(emulator.backup.id)[project].status


def puts(emulator: Emulator) -> int:
    """The number of answers to offers."""
    return sum(one.method == "PUT" for one in emulator.requests)


def vault(emulator: Emulator) -> str:
    """The recipient's vault."""
    return emulator.vault("recipient").id


def test_offers_are_what_nobody_has_answered(emulator: Emulator, operator: Operator, project: str) -> None:
    """Each offer has its owner; an accepted one is in `backups` instead."""
    emulator.ignores_member_status, emulator.listed_vault = False, "recipient's"  # the list is shown as it is answered
    (line,) = operator.run("offers", *DR).lines[1:]
    assert emulator.backup.id in line
    assert emulator.account("sharer").project_id in line
    assert operator.run("backups", "--received", *DR).out == ""
    emulator.answer(emulator.backup.id, project, "accepted")
    assert operator.run("offers", *DR, "--json").json == []
    (received,) = operator.run("backups", "--received", *DR, "--json").json
    assert (received["id"], received["vault_id"]) == (emulator.backup.id, vault(emulator))


def test_accept_puts_it_into_the_vault(emulator: Emulator, operator: Operator, project: str) -> None:
    """The recipient can read it afterwards."""
    done = operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR)
    assert sees(emulator, project)
    assert emulator.members(emulator.backup.id)[project].vault_id == vault(emulator)
    assert done.lines == [f"{emulator.backup.id}: accepted into vault {vault(emulator)}"]
    assert done.code == 0


def test_its_json_has_the_documented_fields(emulator: Emulator, operator: Operator, project: str) -> None:
    """The names are those of an accepter's outputs, and all are in the help."""
    record = operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR, "--json").json
    assert record == {
        "backup_id": emulator.backup.id,
        "vault_id": vault(emulator),
        "status": "accepted",
        "change": "accepted",
        "owner_project_id": emulator.account("sharer").project_id,
        "recipient_project_id": project,
        "backup_name": "nightly",
        "resource_type": "OS::Nova::Server",
    }
    text = operator.run("accept", "--help").out
    assert [name for name in record if name not in text] == []


def test_accepted_already_is_said(emulator: Emulator, operator: Operator, project: str) -> None:
    """Nothing is sent for the same vault; another vault is refused, and the share stays where it is."""
    emulator.answer(emulator.backup.id, project, "accepted")
    done = operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR)
    assert (done.code, puts(emulator)) == (0, 0)
    assert "accepted already" in done.out
    other = emulator.add_vault(account="recipient").id
    refused = operator.run("accept", emulator.backup.id, "--vault", other, *DR)
    assert (refused.code, refused.out, puts(emulator)) == (1, "", 0)
    assert f"it is already in vault {vault(emulator)}" in refused.err


def test_a_pending_backup_that_is_seen_is_no_accepted_one(emulator: Emulator, operator: Operator, project: str) -> None:
    """Whether the cloud shows a pending backup is not documented: without a vault, it is an offer."""
    body = f'{{"backup": {{"id": "{emulator.backup.id}", "status": "available", "vault_id": ""}}}}'
    emulator.add_fault(Fault(method="GET", path=f"/backups/{emulator.backup.id}$", status=200, body=body))
    assert operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR).code == 0
    assert sees(emulator, project)


def test_without_an_offer_it_says_what_to_do(emulator: Emulator, operator: Operator) -> None:
    """The error names the project that it must be shared with."""
    done = operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR)
    assert done.code == 1
    assert emulator.account("recipient").project_id in done.err
    assert "cbr-sharing offers" in done.err


def test_a_vault_that_is_not_there_is_told(emulator: Emulator, operator: Operator, project: str) -> None:
    """The offer is there, so its owner has nothing to do."""
    done = operator.run("accept", emulator.backup.id, "--vault", "3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f", *DR)
    assert done.code == 1
    assert "cbr-sharing vaults" in done.err
    assert "owner" not in done.err
    assert status(emulator, project) == "pending"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_repeated(emulator: Emulator, operator: Operator, project: str, when: str) -> None:
    """The same answer twice is one."""
    emulator.add_fault(Fault(method="PUT", close=True, when=when))  # type: ignore[arg-type]
    assert operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR).code == 0
    assert sees(emulator, project)


def test_an_answer_that_is_refused_because_it_was_given_counts(
    emulator: Emulator, operator: Operator, project: str
) -> None:
    """The first request succeeds, its reply is lost, and the retry is refused."""
    emulator.add_fault(Fault(method="PUT", close=True, when="after"))
    emulator.add_fault(Fault.refusal("BackupService.6708", method="PUT"))
    done = operator.run("accept", emulator.backup.id, "--vault", vault(emulator), *DR)
    assert (done.code, done.err) == (0, "")
    assert sees(emulator, project)


def test_a_vault_that_does_not_fit_is_one_line(emulator: Emulator, operator: Operator, project: str) -> None:
    """The offer is unchanged."""
    emulator.inferred_codes = "first"  # the code is what is asked for here
    disks = emulator.add_vault(account="recipient", object_type="disk").id
    done = operator.run("accept", emulator.backup.id, "--vault", disks, *DR)
    assert done.code == 1
    assert "BackupService.6713" in done.err
    assert status(emulator, project) == "pending"


@pytest.mark.parametrize("command", [("accept", "--vault"), ("reject", "--yes")])
def test_an_own_backup_cannot_be_answered(emulator: Emulator, operator: Operator, command: tuple[str, str]) -> None:
    """The error says that it is the wrong account, and what to do."""
    name, option = command
    value = [vault(emulator)] if option == "--vault" else []
    done = operator.run(name, emulator.backup.id, option, *value)
    assert done.code == 1
    assert "--connection" in done.err
    assert puts(emulator) == 0


@pytest.mark.parametrize(("before", "change"), [("pending", "rejected"), ("accepted", "returned")])
def test_reject_says_what_it_did(
    emulator: Emulator, operator: Operator, project: str, before: str, change: str
) -> None:
    """Whether rejected or given back, the recipient cannot see the backup afterwards."""
    emulator.answer(emulator.backup.id, project, before)
    record = operator.run("reject", emulator.backup.id, "--yes", "--json", *DR).json
    assert record == {"backup_id": emulator.backup.id, "recipient_project_id": project, "change": change}
    assert status(emulator, project) == "rejected"
    assert not sees(emulator, project)


def test_reject_says_it_in_words(emulator: Emulator, operator: Operator, project: str) -> None:
    """A share that was accepted is given back."""
    emulator.answer(emulator.backup.id, project, "accepted")
    done = operator.run("reject", emulator.backup.id, "--yes", *DR)
    assert done.lines == [f"{emulator.backup.id}: the share is given back"]


def test_reject_asks_first(emulator: Emulator, operator: Operator, project: str) -> None:
    """The backup may be the recipient's only copy."""
    emulator.answer(emulator.backup.id, project, "accepted")
    done = operator.run("reject", emulator.backup.id, *DR)
    assert done.code == 1
    assert "Give back backup" in done.err
    assert "--yes" in done.err
    assert sees(emulator, project)


def test_nothing_to_reject_is_said(emulator: Emulator, operator: Operator) -> None:
    """Its owner may have cancelled it: that is no error."""
    done = operator.run("reject", emulator.backup.id, "--yes", *DR)
    assert done.code == 0
    assert done.lines == [f"{emulator.backup.id}: it is not shared with us"]
