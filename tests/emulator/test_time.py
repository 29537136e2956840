"""Time passes when a test says so: backups are made and expire, vaults fill up and empty."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from emulated import ask, code, control, members_of, project


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


SERVER: dict[str, Any] = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server", "size": 30}


def answer(emulator: Emulator, backup_id: str, status: str, vault_id: str) -> int:
    """Answer as the recipient; returns the HTTP status."""
    body = {"status": status, "vault_id": vault_id}
    path = f"/backups/{backup_id}/members/{project(emulator)}"
    return ask(emulator, "PUT", path, body, account="recipient").status_code


def listed(emulator: Emulator) -> list[dict[str, Any]]:
    """The sharer's backups, oldest first."""
    return list(ask(emulator, "GET", "/backups?sort=created_at:asc").json()["backups"])


def test_everything_becomes_older(emulator: Emulator) -> None:
    """By exactly this time, in answers, too."""
    before = emulator.backup.created_at
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    emulator.pass_time(days=2, hours=1, seconds=1)

    assert before - emulator.backup.created_at == timedelta(days=2, hours=1, seconds=1)
    shown = datetime.fromisoformat(listed(emulator)[0]["created_at"]).replace(tzinfo=timezone.utc)
    assert shown == emulator.backup.created_at
    member = ask(emulator, "GET", members_of(emulator)).json()["members"][0]
    assert datetime.fromisoformat(member["updated_at"]) < before.replace(tzinfo=None) - timedelta(days=1)


def test_a_vaults_policy_lets_backups_expire(emulator: Emulator) -> None:
    """After four nights with a retention of three days, the first backup is gone, with its shares and the copy."""
    vault = emulator.add_vault(account="sharer", resources=[SERVER], keep_days=3)
    first = emulator.back_up(vault_id=vault.id)[0].id
    emulator.add_member(first, project(emulator), "accepted")
    seen = [first in emulator.visible_to(project(emulator))]
    for _ in range(3):
        emulator.pass_time(days=1)
        emulator.back_up(vault_id=vault.id)
        seen.append(first in emulator.visible_to(project(emulator)))

    assert seen == [True, True, True, False]
    assert ask(emulator, "GET", f"/backups/{first}").status_code == 404
    assert emulator.members(first) == {}
    assert emulator.state.used(vault) == 3 * 30


def test_when_a_backup_expires_is_told(emulator: Emulator) -> None:
    """Three days after its creation, in the API's form; null if it does not expire."""
    vault = emulator.add_vault(account="sharer", resources=[SERVER], keep_days=3)
    emulator.back_up(vault_id=vault.id)
    seeded, made = listed(emulator)
    ages = [datetime.fromisoformat(made[name]) for name in ("created_at", "expired_at")]
    assert ages[1] - ages[0] == timedelta(days=3)
    assert seeded["expired_at"] is None


def test_a_checkpoint_becomes_ready_as_time_passes(emulator: Emulator) -> None:
    """An hour is an hour."""
    emulator.checkpoint_seconds = 3600
    vault = emulator.add_vault(account="sharer", resources=[SERVER])
    emulator.back_up(vault_id=vault.id)
    states = []
    for _ in range(2):
        emulator.pass_time(hours=0.6)
        states.append(listed(emulator)[-1]["status"])
    assert states == ["protecting", "available"]


def test_accepting_takes_room_and_giving_back_frees_it(emulator: Emulator) -> None:
    """A vault of 100 GB takes two backups of 40 GB, and a third when one is given back."""
    vault = emulator.add_vault(account="recipient", size=100).id
    offers = [emulator.add_backup().id for _ in range(3)]
    for offer in offers:
        emulator.add_member(offer, project(emulator))

    assert [answer(emulator, offer, "accepted", vault) for offer in offers] == [200, 200, 400]
    assert answer(emulator, offers[0], "rejected", vault) == 200
    assert answer(emulator, offers[2], "accepted", vault) == 200


def test_a_backup_that_expires_frees_the_recipients_vault(emulator: Emulator) -> None:
    """The recipient's copy is deleted, too."""
    expires = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    backup = emulator.add_backup(expired_at=expires, size=70).id
    emulator.add_member(backup, project(emulator), "accepted")
    rooms = [emulator.room("recipient")]
    emulator.pass_time(days=2)
    rooms.append(emulator.room("recipient"))
    assert rooms == [930, 1000]


def used(emulator: Emulator) -> float:
    """GB in the recipient's vault, as the service tells the recipient."""
    path = f"/vaults/{emulator.vault('recipient').id}"
    return float(ask(emulator, "GET", path, account="recipient").json()["vault"]["billing"]["used"]) / 1024


@pytest.mark.parametrize("way", ["cancelled by its owner", "deleted by its owner", "expired", "given back"])
def test_what_a_recipient_loses_is_not_in_its_vault_any_more(way: str, emulator: Emulator) -> None:
    """The service tells the recipient so at once, whatever else is asked."""
    soon = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    backup, vault = emulator.add_backup(expired_at=soon, size=70).id, emulator.vault("recipient").id
    emulator.add_member(backup, project(emulator))
    seen = [used(emulator)]
    assert answer(emulator, backup, "accepted", vault) == 200
    seen.append(used(emulator))
    if way == "expired":
        emulator.pass_time(days=2)
    elif way == "given back":
        assert answer(emulator, backup, "rejected", vault) == 200
    else:
        path = f"/backups/{backup}" + (f"/members/{project(emulator)}" if "cancelled" in way else "")
        assert ask(emulator, "DELETE", path).status_code == 204
    seen.append(used(emulator))
    assert seen == [0, 70, 0]


def test_a_full_vault_takes_no_backup(emulator: Emulator) -> None:
    """No part of it either."""
    vault = emulator.add_vault(account="sharer", resources=[SERVER, {**SERVER, "id": "x"}], size=100)
    emulator.back_up(vault_id=vault.id)
    refused = ask(emulator, "POST", "/checkpoints", {"checkpoint": {"vault_id": vault.id}})
    assert code(refused) == "BackupService.6114"
    assert emulator.state.used(vault) == 60


@pytest.mark.parametrize("field", ["created_at", "expired_at"])
def test_time_passes_from_outside_too(field: str, emulator: Emulator) -> None:
    """Control requests create backups with given times, and let days pass."""
    moment = {field: "2999-01-01T00:00:00Z"}
    made = control(emulator, "POST", "backups", **moment).json()
    control(emulator, "POST", "pass-time", days=1)
    vault = control(emulator, "POST", "vaults", account="sharer", resources=[SERVER], keep_days=7).json()
    (backup,) = control(emulator, "POST", "back-up", vault_id=vault["id"]).json()

    backups = {one["id"]: one for one in control(emulator, "GET", "state").json()["backups"]}
    assert backups[made["id"]][field].startswith("2998-12-31T00:00:00")
    assert backups[backup["id"]]["vault_id"] == vault["id"]


def test_time_before_the_calendar_is_refused(emulator: Emulator) -> None:
    """As any field that makes no sense, and nothing has passed."""
    for _ in range(2):
        assert control(emulator, "POST", "pass-time", days=365_000).status_code == 200
    before = emulator.backup.created_at
    answers = [control(emulator, "POST", "pass-time", days=days) for days in (365_000, 10**9, -1, "2")]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert emulator.backup.created_at == before
