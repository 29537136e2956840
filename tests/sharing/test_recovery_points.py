"""Recovery points as owner and recipient see them, while time passes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.errors import PermissionDenied
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.recovery_points import RecoveryPoint, of_owner, of_recipient


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


WEB: dict[str, Any] = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "name": "web"}
DB: dict[str, Any] = {"id": "22222222-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "name": "db"}
DAY = 24 * 3600


@pytest.fixture(name="owner")
def _owner(emulator: Emulator) -> Client:
    return Client(settings_of(emulator, max_retries=0))


@pytest.fixture(name="recipient")
def _recipient(emulator: Emulator) -> Client:
    return Client(settings_of(emulator, "recipient", max_retries=0))


@pytest.fixture(name="nights")
def _nights(emulator: Emulator) -> list[list[str]]:
    """Four nights: two servers, backed up nightly and kept for seven days; the newest backup is from now."""
    vault = emulator.add_vault(account="sharer", resources=[WEB, DB], keep_days=7)
    made = []
    for night in range(4):
        if night:
            emulator.pass_time(days=1)
        made.append([backup.id for backup in emulator.back_up(vault_id=vault.id)])
    emulator.complete_checkpoints()
    return made


def vault_of(emulator: Emulator) -> str:
    """The vault of the nights."""
    return next(vault.id for vault in emulator.state.vaults.values() if vault.resources)


def look(client: Client, emulator: Emulator, *recipients: str) -> list[RecoveryPoint]:
    """As the owner."""
    projects = [emulator.account(name).project_id for name in recipients]
    return of_owner(client, vault_of(emulator), projects, datetime.now(timezone.utc))


def told(point: RecoveryPoint) -> tuple[str, dict[str, int | None]]:
    """The resource, and the age of each copy in days."""
    copies = {"newest": point.newest, "shared": point.shared, "accepted": point.accepted}
    return point.resource_name, {name: round(copy.age_seconds / DAY) if copy else None for name, copy in copies.items()}


def test_the_owner_sees_what_each_recipient_could_recover(
    emulator: Emulator, owner: Client, nights: list[list[str]]
) -> None:
    """The newest copy, the newest offer and the newest accepted one, by resource."""
    project = emulator.account("recipient").project_id
    emulator.add_member(nights[0][0], project, "accepted")
    emulator.add_member(nights[1][0], project, "accepted")
    emulator.add_member(nights[2][0], project)
    emulator.add_member(nights[3][0], project, "rejected")

    assert [told(point) for point in look(owner, emulator, "recipient")] == [
        ("web", {"newest": 0, "shared": 1, "accepted": 2}),
        ("db", {"newest": 0, "shared": None, "accepted": None}),
    ]


def test_recipients_are_told_apart(emulator: Emulator, owner: Client, nights: list[list[str]]) -> None:
    """One recipient has a backup that another lacks."""
    emulator.add_member(nights[3][0], emulator.account("recipient").project_id, "accepted")
    points = [point for point in look(owner, emulator, "recipient", "bystander") if point.resource_name == "web"]
    assert [point.accepted is not None for point in points] == [True, False]
    assert [point.recipient_project_id for point in points] == [
        emulator.account(name).project_id for name in ("recipient", "bystander")
    ]


def test_a_copy_says_when_it_expires(emulator: Emulator, owner: Client, nights: list[list[str]]) -> None:
    """Seven days after its creation; the copy has its id."""
    point = look(owner, emulator, "recipient")[0]
    assert point.newest
    ages = [
        datetime.fromisoformat(text.replace("Z", "+00:00"))
        for text in (point.newest.created_at, point.newest.expired_at)
    ]
    assert (ages[1] - ages[0]).days == 7
    assert point.newest.backup_id == nights[3][0]


def test_the_look_ends_where_the_newest_accepted_is_found(
    emulator: Emulator, owner: Client, nights: list[list[str]]
) -> None:
    """One list of backups, and one of members for each server."""
    for backup in nights[3]:
        emulator.add_member(backup, emulator.account("recipient").project_id, "accepted")
    look(owner, emulator, "recipient")
    assert len(emulator.requests) == 3


def test_a_backup_that_is_being_made_is_no_recovery_point(
    emulator: Emulator, owner: Client, nights: list[list[str]]
) -> None:
    """The newest complete backup counts."""
    emulator.set_backup_status(nights[3][0], "protecting")
    assert told(look(owner, emulator, "recipient")[0])[1]["newest"] == 1


def test_the_recipient_sees_what_is_on_offer_and_what_it_has(
    emulator: Emulator, recipient: Client, nights: list[list[str]]
) -> None:
    """Only those of the named owners; the owner's newest backup is not visible."""
    emulator.add_member(nights[1][0], recipient.project_id, "accepted")
    emulator.add_member(nights[3][0], recipient.project_id)
    emulator.add_member(emulator.add_backup("bystander").id, recipient.project_id)

    points = of_recipient(recipient, [emulator.account("sharer").project_id], datetime.now(timezone.utc))

    assert [told(point) for point in points] == [("web", {"newest": None, "shared": 0, "accepted": 2})]
    assert points[0].recipient_project_id == recipient.project_id


def test_a_look_that_fails_concludes_nothing(emulator: Emulator, owner: Client, nights: list[list[str]]) -> None:
    """No recovery point is missing because a permission is missing."""
    assert nights
    emulator.deny("sharer", "cbr:member:list")
    with pytest.raises(PermissionDenied, match="cbr:member:list is needed"):
        look(owner, emulator, "recipient")
