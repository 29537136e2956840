"""`cbr-sharing unshare`: asks first, then cancels exactly the named shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commands import Terminal
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from commands import Operator
    from pulumi_cbr_sharing.emulator import Emulator


@pytest.fixture(name="two")
def _two(emulator: Emulator) -> tuple[str, str]:
    """Two projects with the first backup: the recipient has accepted it, the bystander has not answered."""
    recipient, bystander = (emulator.account(name).project_id for name in ("recipient", "bystander"))
    emulator.add_member(emulator.backup.id, recipient, "accepted")
    emulator.add_member(emulator.backup.id, bystander)
    return recipient, bystander


def left(emulator: Emulator) -> set[str]:
    """The projects that have the first backup now."""
    return set(emulator.members(emulator.backup.id))


def deletes(emulator: Emulator) -> int:
    """The number of DELETEs."""
    return sum(one.method == "DELETE" for one in emulator.requests)


def test_it_cancels_the_named_shares_alone(emulator: Emulator, operator: Operator, two: tuple[str, str]) -> None:
    """Nobody else's."""
    recipient, bystander = two
    done = operator.run("unshare", emulator.backup.id, recipient, "--yes")
    assert left(emulator) == {bystander}
    assert done.lines == [f"{recipient}: the share is cancelled"]
    assert done.code == 0


def test_without_a_terminal_nothing_is_taken_for_a_yes(
    emulator: Emulator, operator: Operator, two: tuple[str, str]
) -> None:
    """A script says --yes."""
    done = operator.run("unshare", emulator.backup.id, *two)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Cancel these 2 shares of backup")
    assert "--yes" in done.err
    assert left(emulator) == set(two)
    assert deletes(emulator) == 0


@pytest.mark.slow
def test_at_a_terminal_it_shows_what_will_go_and_asks(
    emulator: Emulator, operator: Operator, two: tuple[str, str]
) -> None:
    """In colour; only `yes` confirms."""
    recipient, bystander = two
    with Terminal(operator, "unshare", emulator.backup.id, recipient) as terminal:
        question = terminal.read_until("[y/N]: ")
        terminal.type("n\n")
        assert terminal.code == 1
        assert "nothing was changed" in terminal.shown
    assert left(emulator) == {recipient, bystander}
    assert recipient in question
    assert "\x1b[32maccepted" in question
    assert bystander not in question
    assert "Cancel this share of backup" in question

    with Terminal(operator, "unshare", emulator.backup.id, recipient) as terminal:
        terminal.read_until("[y/N]: ")
        terminal.type("y\n")
        assert terminal.code == 0
    assert left(emulator) == {bystander}


def test_ctrl_c_at_the_question_changes_nothing(emulator: Emulator, operator: Operator, two: tuple[str, str]) -> None:
    """It ends quietly, with 130."""
    with Terminal(operator, "unshare", emulator.backup.id, *two) as terminal:
        question = terminal.read_until("[y/N]: ")
        terminal.interrupt()
        assert terminal.code == 130
        assert terminal.shown.removeprefix(question).strip() == ""
    assert left(emulator) == set(two)


def test_what_is_not_shared_is_said(emulator: Emulator, operator: Operator) -> None:
    """It neither asks nor changes anything, and this is no error."""
    recipient = emulator.account("recipient").project_id
    done = operator.run("unshare", emulator.backup.id, recipient)
    assert done.code == 0
    assert done.lines == [f"{recipient}: it is not shared with that project"]
    assert deletes(emulator) == 0


def test_a_backup_that_is_not_there_is_an_error(operator: Operator, emulator: Emulator) -> None:
    """It may exist in another account."""
    done = operator.run("unshare", emulator.backup.id, "0" * 32, "--yes", "--connection", "dr")
    assert done.code == 1
    assert "BackupService.6200" in done.err


def test_one_that_fails_does_not_keep_the_others(emulator: Emulator, operator: Operator, two: tuple[str, str]) -> None:
    """The first has an image, which is reported; the second is cancelled."""
    recipient, bystander = two
    image = emulator.register_image(emulator.backup.id, recipient)
    done = operator.run("unshare", emulator.backup.id, *two, "--yes", "--json")
    assert done.code == 1
    assert [(one["dest_project_id"], one["change"]) for one in done.json] == [
        (recipient, "failed"),
        (bystander, "cancelled"),
    ]
    assert image in done.json[0]["error"]
    assert left(emulator) == {recipient}

    again = operator.run("unshare", emulator.backup.id, *two, "--yes")
    assert again.code == 1
    assert again.err.startswith("Error: cancelling the share")
    assert again.lines == [f"{bystander}: it is not shared with that project"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_is_asked_for_again(
    emulator: Emulator, operator: Operator, two: tuple[str, str], when: str
) -> None:
    """If the share is gone, it is cancelled, whichever of the two requests did it."""
    recipient, bystander = two
    emulator.add_fault(Fault(method="DELETE", close=True, when=when))  # type: ignore[arg-type]
    done = operator.run("unshare", emulator.backup.id, recipient, "--yes", "--json")
    assert done.json == [
        {"backup_id": emulator.backup.id, "dest_project_id": recipient, "change": "cancelled", "error": None}
    ]
    assert left(emulator) == {bystander}
