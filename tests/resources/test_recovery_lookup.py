"""get_recovery_points in this process, and in a program on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from pulumi_cbr_sharing import Connection, LookupFailed, get_recovery_points
from pulumi_cbr_sharing.emulator import Fault
from stack import Stack


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


PROGRAM = """
import pulumi
from pulumi_cbr_sharing import Connection, get_recovery_points, get_recovery_points_output

def told(points):
    copies = [(point.newest, point.shared, point.accepted) for point in points]
    return [[copy and [copy.backup_id, round(copy.age_seconds / 86400)] for copy in three] for three in copies]

vault, recipient, owner, dr = {vault!r}, {recipient!r}, {owner!r}, Connection(namespace="dr")
pulumi.export("owner", told(get_recovery_points(vault_id=vault, recipients=[recipient])))
pulumi.export("recipient", told(get_recovery_points(owners=[owner], connection=dr)))

vault, recipient, owner = map(pulumi.Output.from_input, (vault, recipient, owner))
pulumi.export("owner later", get_recovery_points_output(vault_id=vault, recipients=[recipient]).apply(told))
pulumi.export("recipient later", get_recovery_points_output(owners=[owner], connection=dr).apply(told))
"""


@pytest.mark.engine
def test_a_program_looks_from_both_sides(emulator: Emulator, tmp_path: Path) -> None:
    """The newest copy, the newest shared and the newest accepted one, with ages; with plain values and Outputs."""
    emulator.remove_backup(emulator.backup.id)
    owner, recipient = (emulator.account(name).project_id for name in ("sharer", "recipient"))
    made = []
    for status in ("accepted", "pending", None):
        emulator.pass_time(days=1)
        made.append(emulator.add_backup(resource_id="11111111-2222-4333-8444-555555555555").id)
        if status:
            emulator.add_member(made[-1], recipient, status)
    stack = Stack(tmp_path)
    stack.env |= environment(emulator) | environment(emulator, "recipient", prefix="DR_")
    stack.program(PROGRAM.format(vault=emulator.vault("sharer").id, owner=owner, recipient=recipient))

    stack.up()

    newest, shared, accepted = [made[2], 0], [made[1], 1], [made[0], 2]
    seen: dict[str, Any] = {"owner": [[newest, shared, accepted]], "recipient": [[None, shared, accepted]]}
    assert stack.outputs() == seen | {f"{side} later": points for side, points in seen.items()}


@pytest.fixture(name="signed_in")
def _signed_in(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The environment of a program: the sharer's credentials, the recipient's under `dr`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, text in (environment(emulator) | environment(emulator, "recipient", prefix="DR_")).items():
        monkeypatch.setenv(name, text)
    return emulator


@pytest.mark.parametrize(
    ("given", "trouble"),
    [
        ({}, "vault_id is empty"),
        ({"vault_id": "v"}, "vault_id has another shape"),
        ({"owners": []}, "owners is not a list, or an empty one"),
        ({"owners": ["x"]}, "owners has an entry that has another shape"),
        ({"owners": ["5" * 32], "recipients": ["5" * 32]}, "owners goes with vault_id and recipients alone"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused_before_anything_is_asked(
    signed_in: Emulator, given: dict[str, Any], trouble: str
) -> None:
    """The error is one line, with the argument."""
    with pytest.raises(LookupFailed, match=f"get_recovery_points: {trouble}"):
        get_recovery_points(**given)
    assert signed_in.requests == []


def test_a_look_that_fails_says_so(signed_in: Emulator) -> None:
    """No recovery point is missing because a list failed."""
    signed_in.add_fault(Fault(path="/backups$", status=403, body="{}", times=9))
    with pytest.raises(LookupFailed, match=r"listing the backups of project .*HTTP 403"):
        get_recovery_points(owners=[signed_in.account("sharer").project_id], connection=Connection(namespace="dr"))
