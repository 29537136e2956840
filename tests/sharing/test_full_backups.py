"""Members of a backup that has its ten recipients: who makes room for whom, and who loses nothing by it.

The engine makes the new share before it cancels the old one, so create has to make room itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clouds import environment
from histories import Stack as Model
from programs import accepted, member, statuses, told, up
from pulumi_cbr_sharing.errors import TooManyRecipients
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


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


def test_a_recipient_takes_the_place_of_its_predecessor(emulator: Emulator) -> None:
    """There is no room for both, so the old one goes first, which the user is told."""
    model = full(emulator, "red")
    model.program = {"red": member(emulator, "green")}

    _, lines = told(model, emulator)

    assert now(emulator) == {"green": "pending"}
    project = {name: emulator.account(name).project_id for name in TEAMS}
    assert f"project {project['green']} takes the place of {project['red']}" in lines


@pytest.mark.parametrize("order", [("red", "green"), ("green", "red")], ids="-".join)
def test_whoever_nobody_declares_any_more_makes_room(order: tuple[str, str], emulator: Emulator) -> None:
    """The predecessor of the new recipient is another resource's now, and keeps its share; that one's is left."""
    model = full(emulator, "red", "green")
    program = {"red": member(emulator, "blue"), "green": member(emulator, "red")}
    model.program = {name: program[name] for name in order}

    up(model, emulator, planned_first=True)

    assert now(emulator) == {"red": "accepted", "blue": "pending"}
    assert len(model.state) == 2


def test_a_recipient_who_is_declared_only_later_is_offered_the_share_again(emulator: Emulator) -> None:
    """A resource that waits for another is checked after that one is made: until then nobody knows of it."""
    model = full(emulator, "red", "green")
    model.program = {"red": member(emulator, "blue"), "green": member(emulator, "red")}

    _, lines = told(model, emulator, planned_first=False)

    assert now(emulator) == {"red": "pending", "blue": "pending"}
    assert "if another resource declares that one, it is offered again, at the latest by `pulumi up --refresh`" in lines


def test_a_share_that_two_resources_have_is_offered_again_by_the_next_refresh(emulator: Emulator) -> None:
    """A run that failed amid a swap leaves it so; one of them is replaced, and the other is checked only later."""
    model = full(emulator, "red", "green")
    (red, _) = model.state
    model.state.append(replace(red, name="twin"))
    model.program = {"twin": member(emulator, "blue"), "red": member(emulator, "red")}

    _, lines = told(model, emulator, planned_first=False)

    assert now(emulator) == {"blue": "pending"}
    assert "at the latest by `pulumi up --refresh`" in lines
    up(model, emulator, refresh=True)
    assert now(emulator) == {"red": "pending", "blue": "pending"}


def test_a_recipient_who_goes_to_another_backup_makes_room(emulator: Emulator) -> None:
    """Also for a resource that is new."""
    model = full(emulator, "red")
    kind, inputs = member(emulator, "red")
    elsewhere = emulator.add_backup("sharer").id
    model.program = {"red": (kind, {**inputs, "backup_id": elsewhere}), "new": member(emulator, "green")}

    up(model, emulator, planned_first=True)

    assert now(emulator) == {"green": "pending"}
    assert list(emulator.members(elsewhere)) == [inputs["dest_project_id"]]


def test_a_recipient_whose_resource_is_removed_goes_too_late(emulator: Emulator) -> None:
    """No check tells of a resource that is not in the program: it is removed by a run of its own."""
    model = full(emulator, "red", "green")
    model.program = {"green": member(emulator, "green"), "new": member(emulator, "blue")}
    with pytest.raises(TooManyRecipients, match="remove a recipient first"):
        up(model, emulator)
    assert now(emulator) == {"red": "accepted", "green": "accepted"}
    new = model.program.pop("new")
    up(model, emulator)
    model.program["new"] = new

    up(model, emulator)

    assert now(emulator) == {"green": "accepted", "blue": "pending"}


def test_only_as_many_go_as_have_to(emulator: Emulator) -> None:
    """Two recipients are replaced, one of whom is gone already: the other one makes room for the second that comes."""
    model = full(emulator, "red", "green")
    emulator.remove_member(emulator.backup.id, emulator.account("green").project_id)
    model.program = {"red": member(emulator, "blue"), "green": member(emulator, "white")}

    _, lines = told(model, emulator, planned_first=True)

    assert now(emulator) == {"blue": "pending", "white": "pending"}
    assert lines.count("takes the place of") == 1


PROGRAM = """
from pulumi_cbr_sharing import BackupShareMember

for name, project in {resources}:
    BackupShareMember(name, backup_id={backup!r}, dest_project_id=project)
"""


@pytest.mark.engine
def test_the_engine_checks_all_resources_before_a_full_backup_has_to_make_room(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Where none waits for another, that is: so an accepted share goes over from one resource to the other."""
    full(emulator, "red", "green")
    project = {name: emulator.account(name).project_id for name in TEAMS}
    stack = Stack(tmp_path)
    stack.env.update(environment(emulator))
    before = [("a", project["red"]), ("b", project["green"])]
    stack.program(PROGRAM.format(backup=emulator.backup.id, resources=before))
    stack.up()
    emulator.latency = 0.05
    after = [("a", project["blue"]), ("b", project["red"])]
    stack.program(PROGRAM.format(backup=emulator.backup.id, resources=after))

    stack.up()

    assert now(emulator) == {"red": "accepted", "blue": "pending"}
