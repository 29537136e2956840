"""Backups, vaults and checkpoints of the emulator."""

from __future__ import annotations

import time

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from emulated import ask, code, members_of, project
from pulumi_cbr_sharing.emulator import serve


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


# Each is in every backup, says the API reference.
REQUIRED = {
    "checkpoint_id",
    "created_at",
    "description",
    "expired_at",
    "extend_info",
    "id",
    "image_type",
    "name",
    "parent_id",
    "project_id",
    "protected_at",
    "provider_id",
    "resource_az",
    "resource_id",
    "resource_name",
    "resource_size",
    "resource_type",
    "status",
    "updated_at",
    "vault_id",
}


def listed(emulator: Emulator, query: str = "", account: str = "sharer") -> list[str]:
    """The ids of the backups in a list, whose count must match."""
    body = ask(emulator, "GET", f"/backups?{query}", account=account).json()
    assert body["count"] == len(body["backups"])
    return [one["id"] for one in body["backups"]]


def test_the_seed_is_the_same_each_time() -> None:
    """A README can quote the ids."""
    seeds = []
    for _ in range(2):
        with serve() as emulator:
            names = ("sharer", "recipient", "bystander")
            vaults = [emulator.vault(name).id for name in names]
            backup = emulator.backup
            seeds.append((backup.id, backup.resource_id, vaults, [emulator.account(name) for name in names]))
    assert seeds[0] == seeds[1]


def test_a_backup_has_all_keys_and_no_members(emulator: Emulator) -> None:
    """Its members are in another list."""
    emulator.add_member(emulator.backup.id, project(emulator))
    record = ask(emulator, "GET", f"/backups/{emulator.backup.id}").json()["backup"]
    assert record.keys() >= REQUIRED
    assert "members" not in record
    assert record["vault_id"] == emulator.vault("sharer").id


def test_a_project_lists_its_own_backups(emulator: Emulator) -> None:
    """It does not list those of others."""
    second = emulator.add_backup("sharer")
    emulator.add_backup("bystander")
    assert listed(emulator) == [emulator.backup.id, second.id]


def test_offers_are_listed_by_own_type_and_member_status(emulator: Emulator) -> None:
    """`private` is the default, `all_granted` is both."""
    own = emulator.add_backup("recipient").id
    offered, taken = emulator.backup.id, emulator.add_backup("sharer").id
    emulator.add_member(offered, project(emulator))
    emulator.add_member(taken, project(emulator), "accepted")

    def seen(query: str) -> list[str]:
        return sorted(listed(emulator, query, "recipient"))

    assert seen("") == seen("own_type=private") == [own]
    assert seen("own_type=shared") == sorted([offered, taken])
    assert seen("own_type=shared&member_status=pending") == [offered]
    assert seen("own_type=shared&member_status=accepted") == [taken]
    assert seen("own_type=all_granted") == sorted([own, offered, taken])
    assert code(ask(emulator, "GET", "/backups?own_type=mine")) == "BackupService.9900"


def test_backups_are_filtered(emulator: Emulator) -> None:
    """By properties, owner and time of creation."""
    made = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
    old = emulator.add_backup("sharer", name="old", created_at=made, resource_type="OS::Cinder::Volume", status="error")
    filters = {
        "name": old.name,
        "status": old.status,
        "resource_type": old.resource_type,
        "resource_id": old.resource_id,
        "checkpoint_id": old.checkpoint_id,
        "end_time": "2026-01-15T12:00:00Z",
    }
    found = {key: listed(emulator, f"{key}={text}") for key, text in filters.items()}
    assert found == {key: [old.id] for key in filters}
    assert listed(emulator, "start_time=2026-01-15T12:00:01Z") == [emulator.backup.id]
    assert listed(emulator, f"vault_id={emulator.vault('recipient').id}") == []
    assert code(ask(emulator, "GET", "/backups?start_time=yesterday")) == "BackupService.9900"


def test_the_newest_backup_comes_first_when_asked_for(emulator: Emulator) -> None:
    """One row of a sorted list, with the count of all."""
    emulator.add_backup("sharer", created_at=datetime(2020, 1, 1, tzinfo=timezone.utc))
    body = ask(emulator, "GET", "/backups?sort=created_at:desc&limit=1").json()
    assert [one["id"] for one in body["backups"]] == [emulator.backup.id]
    assert body["count"] == 2


def test_a_deleted_backup_is_gone_at_the_next_look_with_its_shares(emulator: Emulator) -> None:
    """For both the sharer and the recipient."""
    backup = emulator.backup.id
    emulator.add_member(backup, project(emulator), "accepted")
    assert ask(emulator, "DELETE", f"/backups/{backup}").status_code == 204

    assert code(ask(emulator, "GET", f"/backups/{backup}")) == "BackupService.6200"
    assert code(ask(emulator, "GET", f"/backups/{backup}/members")) == "BackupService.6200"
    assert emulator.members(backup) == {}
    assert emulator.visible_to(project(emulator)) == set()


def test_a_deletion_takes_its_time(emulator: Emulator) -> None:
    """Until it is gone, the backup is `deleting`, and cannot be shared."""
    backup = emulator.backup.id
    emulator.delete_seconds = 0.4
    ask(emulator, "DELETE", f"/backups/{backup}")
    status = ask(emulator, "GET", f"/backups/{backup}").json()["backup"]["status"]
    share = ask(emulator, "POST", f"/backups/{backup}/members", {"members": [project(emulator)]})
    time.sleep(0.5)

    assert status == "deleting"
    assert code(share) == "BackupService.6702"
    assert ask(emulator, "GET", f"/backups/{backup}").status_code == 404


def test_a_backup_with_an_image_is_not_deleted(emulator: Emulator) -> None:
    """The recipient's image must go first."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    emulator.register_image(emulator.backup.id, project(emulator))
    assert code(ask(emulator, "DELETE", f"/backups/{emulator.backup.id}")) == "BackupService.6204"
    assert emulator.visible_to(project(emulator)) == {emulator.backup.id}


def test_a_recipient_does_not_delete_what_it_received(emulator: Emulator) -> None:
    """Only the sharer can delete it."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    answer = ask(emulator, "DELETE", f"/backups/{emulator.backup.id}", account="recipient")
    assert answer.status_code == 404
    assert emulator.backup.id in emulator.visible_to(project(emulator, "sharer"))


def vault(**changes: Any) -> dict[str, Any]:
    """The body of a request for a vault."""
    billing = {"consistent_level": "crash_consistent", "object_type": "server", "protect_type": "backup", "size": 100}
    return {"vault": {"name": "new", "billing": {**billing, **changes.pop("billing", {})}, **changes}}


def test_a_vault_is_made_listed_and_shown(emulator: Emulator) -> None:
    """200, with its id; it belongs to the caller's project."""
    made = ask(emulator, "POST", "/vaults", vault())
    record = made.json()["vault"]
    listing = ask(emulator, "GET", "/vaults").json()

    assert made.status_code == 200
    assert (record["name"], record["billing"]["size"], record["billing"]["status"]) == ("new", 100, "available")
    assert ask(emulator, "GET", f"/vaults/{record['id']}").json() == {"vault": record}
    assert [one["id"] for one in listing["vaults"]] == [emulator.vault("sharer").id, record["id"]]
    assert listing["count"] == 2
    assert code(ask(emulator, "GET", f"/vaults/{record['id']}", account="recipient")) == "BackupService.6105"


WRONG_VAULTS: dict[str, Any] = {
    "nothing": None,
    "no billing": {"vault": {"name": "new"}},
    "size": vault(billing={"size": "big"}),
    "no size": vault(billing={"size": 0}),
    "kind": vault(billing={"object_type": "lake"}),
    "resource": vault(resources=[{"id": "x"}]),
    "resources": vault(resources=["x"]),
}


@pytest.mark.parametrize("case", WRONG_VAULTS)
def test_a_vault_that_makes_no_sense_is_refused(case: str, emulator: Emulator) -> None:
    """None is made."""
    assert code(ask(emulator, "POST", "/vaults", WRONG_VAULTS[case])) == "BackupService.9900"
    assert ask(emulator, "GET", "/vaults").json()["count"] == 1


def test_what_is_in_a_vault_counts_received_backups_too(emulator: Emulator) -> None:
    """`allocated` in GB, `used` in MB."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    path = f"/vaults/{emulator.vault('recipient').id}"
    billing = ask(emulator, "GET", path, account="recipient").json()["vault"]["billing"]
    assert (billing["allocated"], billing["used"]) == (emulator.backup.size, emulator.backup.size * 1024)


def back_up(emulator: Emulator) -> str:
    """Back up two servers of a new vault; returns the checkpoint's id."""
    resources = [{"id": f"00000000-0000-4000-8000-00000000000{n}", "type": "OS::Nova::Server"} for n in (1, 2)]
    made = ask(emulator, "POST", "/vaults", vault(resources=resources)).json()["vault"]
    wanted = {"checkpoint": {"vault_id": made["id"], "parameters": {"auto_trigger": True}}}
    answer = ask(emulator, "POST", "/checkpoints", wanted).json()["checkpoint"]
    assert answer["status"] == "protecting"
    return str(answer["id"])


def states(emulator: Emulator, checkpoint: str) -> list[str]:
    """The status of each backup of a checkpoint."""
    body = ask(emulator, "GET", f"/backups?checkpoint_id={checkpoint}").json()
    return [one["status"] for one in body["backups"]]


def test_a_checkpoint_makes_a_backup_of_each_resource(emulator: Emulator) -> None:
    """They are being made until `complete_checkpoints`."""
    emulator.checkpoint_seconds = 60
    checkpoint = back_up(emulator)
    before = states(emulator, checkpoint)
    emulator.complete_checkpoints()

    assert before == ["protecting"] * 2
    assert states(emulator, checkpoint) == ["available"] * 2


def test_a_checkpoint_is_done_after_its_time(emulator: Emulator) -> None:
    """After `checkpoint_seconds`."""
    emulator.checkpoint_seconds = 0.3
    checkpoint = back_up(emulator)
    before = states(emulator, checkpoint)
    time.sleep(0.4)
    assert (before, states(emulator, checkpoint)) == (["protecting"] * 2, ["available"] * 2)


def test_a_checkpoint_of_no_vault_is_refused(emulator: Emulator) -> None:
    """And so is one without a valid vault."""
    foreign = {"checkpoint": {"vault_id": emulator.vault("recipient").id}}
    assert code(ask(emulator, "POST", "/checkpoints", foreign)) == "BackupService.6105"
    assert code(ask(emulator, "POST", "/checkpoints", {})) == "BackupService.9900"


def test_otc_backups_have_no_null_and_a_zone() -> None:
    """In lists and single answers."""
    with serve(dialect="otc") as emulator:
        records = ask(emulator, "GET", "/backups").json()["backups"]
        records.append(ask(emulator, "GET", f"/backups/{emulator.backup.id}").json()["backup"])
        answer = ask(emulator, "GET", members_of(emulator)).json()
    assert [key for record in records for key, value in record.items() if value is None] == []
    assert all(record["created_at"].endswith("+00:00") for record in records)
    assert answer == {"members": [], "count": 0}
