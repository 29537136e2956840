"""Members of a backup that has its ten recipients: nobody is removed but by the engine.

It creates the new share before it deletes the old one, unless the resource has `delete_before_replace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clouds import environment
from doors import DYNAMIC_ONLY
from histories import Protected
from histories import Stack as Model
from inprocess import FakeTime, Run, settings_of
from programs import accepted, member, statuses, up
from pulumi_cbr_sharing.errors import Refused, TooManyRecipients
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")
TEAMS = ("red", "green", "blue", "white")


def full(emulator: Emulator, *teams: str) -> Model:
    """Each of these teams has a resource of its name and has accepted; others fill the backup up."""
    for name in TEAMS:
        emulator.add_account(name)
    for number in range(10 - len(teams)):
        emulator.add_member(emulator.backup.id, emulator.add_account(f"crowd-{number}").project_id, "accepted")
    model = Model(program={name: member(emulator, name) for name in teams})
    up(model, emulator)
    accepted(emulator, *teams)
    return model


def now(emulator: Emulator) -> dict[str, str]:
    """The teams that the backup is shared with."""
    live = statuses(emulator)
    projects = {name: emulator.account(name).project_id for name in TEAMS}
    return {name: live[project] for name, project in projects.items() if project in live}


def test_swapped_recipients_keep_their_shares(emulator: Emulator) -> None:
    """Each resource takes the other's share over; nobody has to make room."""
    model = full(emulator, "red", "green")
    model.program = {"red": member(emulator, "green"), "green": member(emulator, "red")}

    assert "DELETE" not in up(model, emulator)

    assert now(emulator) == {"red": "accepted", "green": "accepted"}


@pytest.mark.parametrize("planned_first", [False, True])
def test_rotated_recipients_keep_their_shares(planned_first: bool, emulator: Emulator) -> None:
    """Three resources, each with the recipient of the next one."""
    model = full(emulator, "red", "green", "blue")
    model.program = {
        "red": member(emulator, "green"),
        "green": member(emulator, "blue"),
        "blue": member(emulator, "red"),
    }

    assert "DELETE" not in up(model, emulator, planned_first=planned_first)

    assert now(emulator) == {"red": "accepted", "green": "accepted", "blue": "accepted"}


@pytest.mark.parametrize("option", ["", "protected", "retained"])
def test_nobody_makes_room_for_a_successor(option: str, emulator: Emulator) -> None:
    """The engine may refuse the replacement, or keep the old share, or another resource may declare it."""
    model = full(emulator, "red", "green")
    model.program["red"] = member(emulator, "blue")
    for one in model.state:
        one.protect, one.retain = option == "protected", option == "retained"
    model.protected = {"red", "green"} if option == "protected" else set()

    with pytest.raises(Protected if option == "protected" else TooManyRecipients) as refused:
        up(model, emulator)

    assert now(emulator) == {"red": "accepted", "green": "accepted"}
    assert option == "protected" or "`delete_before_replace=True`" in str(refused.value)


def test_a_resource_that_is_deleted_first_makes_room_for_itself(emulator: Emulator) -> None:
    """The engine deletes the old one before it creates the new one."""
    model = full(emulator, "red", "green")
    model.program["red"] = member(emulator, "blue")
    model.deleted_first = {"red"}

    up(model, emulator)

    assert now(emulator) == {"green": "accepted", "blue": "pending"}


def test_a_preview_lets_a_resource_make_room_for_itself(emulator: Emulator) -> None:
    """It does not know whether the engine deletes first, so it says what is needed."""
    model = full(emulator, "red", "green")
    model.program["red"] = member(emulator, "blue")
    with Run(settings_of(emulator), FakeTime().clock) as run:
        model.preview(run, refresh=False)
        assert "until it leaves" in "\n".join(run.news)
        assert "`delete_before_replace=True`" in "\n".join(run.news)


def test_a_preview_refuses_an_eleventh_whom_nobody_makes_room_for(emulator: Emulator) -> None:
    """A resource that is removed from the program goes at the end of the run, which is too late."""
    model = full(emulator, "red")
    model.program = {"new": member(emulator, "green")}
    with Run(settings_of(emulator), FakeTime().clock) as run, pytest.raises(Refused, match="is one too many"):
        model.preview(run, refresh=False)


def test_a_recipient_whose_resource_is_removed_goes_too_late(emulator: Emulator) -> None:
    """No check tells of a resource that is not in the program: it is removed by a run of its own."""
    model = full(emulator, "red", "green")
    model.program = {"green": member(emulator, "green"), "new": member(emulator, "blue")}
    with pytest.raises(TooManyRecipients, match="remove a recipient in a run before this one"):
        up(model, emulator)
    assert now(emulator) == {"red": "accepted", "green": "accepted"}
    new = model.program.pop("new")
    up(model, emulator)
    model.program["new"] = new

    up(model, emulator)

    assert now(emulator) == {"green": "accepted", "blue": "pending"}


PROGRAM = """
import pulumi

from pulumi_cbr_sharing import BackupShareMember

for name, project in {resources}:
    BackupShareMember(name, backup_id={backup!r}, dest_project_id=project{options})
"""


@DYNAMIC_ONLY
@pytest.mark.engine
def test_the_engine_deletes_first_where_it_is_told_to(emulator: Emulator, tmp_path: Path) -> None:
    """Without that the run fails, and everybody keeps the share."""
    full(emulator, "red", "green")
    project = {name: emulator.account(name).project_id for name in TEAMS}
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    program = {"backup": emulator.backup.id, "options": ""}
    stack.program(PROGRAM.format(resources=[("a", project["red"]), ("b", project["green"])], **program))
    stack.up()
    after = [("a", project["blue"]), ("b", project["green"])]
    stack.program(PROGRAM.format(resources=after, **program))
    failed = stack.up(check=False)
    assert not failed.ok
    assert "give that resource `delete_before_replace=True`" in failed.output
    assert now(emulator) == {"red": "accepted", "green": "accepted"}
    program["options"] = ", opts=pulumi.ResourceOptions(delete_before_replace=True)"
    stack.program(PROGRAM.format(resources=after, **program))

    stack.up()

    assert now(emulator) == {"green": "accepted", "blue": "pending"}
