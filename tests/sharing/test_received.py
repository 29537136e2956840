"""What a recipient accepts and keeps, and how it is read from the cloud."""

from __future__ import annotations

import re

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.vaults import Vault
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing import received
from pulumi_cbr_sharing.sharing.received import Received, choose, to_accept
from pulumi_cbr_sharing.sharing.window import Chosen, Window


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


NOW = datetime.now(timezone.utc)
OWNER = "5" * 32
SERVERS, DISKS = (
    Vault(id=id_, object_type=kind, status="available", size=1000)
    for id_, kind in (("vault-s", "server"), ("vault-d", "disk"))
)


def backup(id_: str, days: float, **fields: Any) -> Backup:
    """A backup of a server made so many days ago, of 40 GB."""
    made = (NOW - timedelta(days=days)).isoformat()
    given = {"status": "available", "resource_type": "OS::Nova::Server", "project_id": OWNER, "resource_id": "server-1"}
    return Backup(**{"id": id_, "created_at": made, "resource_size": 40, **given, **fields})


def chosen(pending: list[Backup], accepted: list[Backup], *vaults: Vault, keep: int = 2) -> Chosen:
    """What is chosen from offers and accepted backups; the latter are in the vault for servers."""
    there = tuple(kept if kept.vault_id else Backup(**{**vars(kept), "vault_id": "vault-s"}) for kept in accepted)
    return choose(Received(tuple(pending), there), Window(keep), {vault.id: vault for vault in vaults or (SERVERS,)})


def ids(found: Chosen) -> list[str]:
    """The ids of what is chosen, those that have yet to be accepted marked."""
    return [f"+{one.id}" if one.id in found.pending else one.id for one in found.backups]


def test_what_was_accepted_is_kept() -> None:
    """An accepted offer is no longer pending: without offers, nothing is given back."""
    assert ids(chosen([], [backup("a", 1), backup("b", 2)])) == ["a", "b"]


def test_the_window_rolls_over_both() -> None:
    """A new backup replaces the oldest accepted one."""
    assert ids(chosen([backup("c", 0)], [backup("a", 1), backup("b", 2)])) == ["+c", "a"]


def test_an_old_offer_takes_no_place() -> None:
    """It is older than the backups in the window."""
    assert ids(chosen([backup("old", 9)], [backup("a", 1), backup("b", 2)])) == ["a", "b"]


def test_each_owner_has_a_window_of_its_own() -> None:
    """Owners choose the ids of their resources: one cannot push out the copies of another."""
    other = [backup(f"x{days}", days, project_id="6" * 32) for days in (0, 0.1, 0.2)]
    assert ids(chosen(other, [backup("a", 1), backup("b", 2)])) == ["+x0", "+x0.1", "a", "b"]


def test_several_vaults_by_kind() -> None:
    """The backup of a disk is accepted into the vault for disks."""
    disk = backup("disk", 0, resource_type="OS::Cinder::Volume", resource_id="disk-1")
    found = chosen([disk, backup("a", 1)], [], SERVERS, DISKS)
    assert {one.id: one.vault_id for one in found.backups} == {"disk": "vault-d", "a": "vault-s"}
    assert found.warnings == []


def test_an_offer_of_another_kind_is_told_and_left() -> None:
    """The others are accepted."""
    found = chosen([backup("disk", 0, resource_type="OS::Cinder::Volume", resource_id="d"), backup("a", 1)], [])
    assert ids(found) == ["+a"]
    assert found.warnings == [
        "backup disk is left pending: vault vault-s is for server backups, and the backup is of a disk"
    ]


def test_a_full_vault_takes_what_fits_and_gives_nothing_back() -> None:
    """The message has figures. Offers that cannot be accepted do not replace accepted backups."""
    full = Vault(id="vault-s", object_type="server", status="available", size=100, used=80 * 1024)
    found = chosen([backup("new", 0)], [backup("a", 1), backup("b", 2)], full)
    assert ids(found) == ["a", "b"]
    assert "; ".join(found.warnings) == (
        "vault vault-s has 20 GB of 100 GB left, and the offers need 40 GB: enlarge it by 20 GB; left pending: new"
    )


def test_the_sum_of_the_offers_counts() -> None:
    """Three of 40 GB do not fit into 100 GB, although each would; the newest are accepted first."""
    small = Vault(id="vault-s", object_type="server", status="available", size=100)
    offers = [backup(str(number), number, resource_id=f"server-{number}") for number in range(3)]
    found = chosen(offers, [], small)
    assert ids(found) == ["+0", "+1"]
    assert "; ".join(found.warnings) == (
        "vault vault-s has 100 GB of 100 GB left, and the offers need 120 GB: enlarge it by 20 GB; left pending: 2"
    )


def test_the_next_vault_of_the_kind_takes_what_the_first_has_no_room_for() -> None:
    """So an old vault can be given together with its successor."""
    first = Vault(id="full", object_type="server", status="available", size=10)
    found = chosen([backup("a", 0)], [], first, SERVERS)
    assert [one.vault_id for one in found.backups] == ["vault-s"]


def test_a_vault_that_is_locked_takes_nothing_new() -> None:
    """This is reported; accepted backups stay."""
    locked = Vault(id="vault-s", object_type="server", status="lock", size=1000)
    found = chosen([backup("a", 0)], [backup("b", 1)], locked)
    assert ids(found) == ["b"]
    assert found.warnings == ["backup a is left pending: vault vault-s is in status lock"]


def test_what_is_in_another_vault_is_told_as_what_it_is() -> None:
    """It does not count; several are one line."""
    found = chosen([], [backup("a", 0, vault_id="elsewhere"), backup("b", 1)])
    assert ids(found) == ["b"]
    assert found.warnings == ["backup a is in vault elsewhere, which is not in vault_id: add elsewhere to keep it"]
    both = chosen([], [backup(name, 0, vault_id="elsewhere") for name in "ab"])
    assert both.warnings == ["backup b, a are in vault elsewhere, which is not in vault_id: add elsewhere to keep them"]


def test_a_vault_for_replicas_takes_nothing() -> None:
    """The next one is picked; if there is none, that is told."""
    replicas = replace(SERVERS, id="vault-r", protect_type="replication")
    found = chosen([backup("a", 0)], [], replicas, SERVERS)
    assert [one.vault_id for one in found.backups] == ["vault-s"]
    (told,) = chosen([backup("a", 0)], [], replicas).warnings
    assert told == "backup a is left pending: vault vault-r is for replicas"


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The recipient's."""
    return Client(settings_of(emulator, "recipient", max_retries=0))


def test_only_named_owners_are_seen(emulator: Emulator, client: Client) -> None:
    """Backups of other owners are ignored, and so are rejected ones."""
    project = client.project_id
    mine, rejected, kept = (emulator.add_backup().id for _ in range(3))
    stranger, accepted = (emulator.add_backup("bystander").id for _ in range(2))
    for id_, status in (
        (mine, "pending"),
        (stranger, "pending"),
        (accepted, "accepted"),
        (kept, "accepted"),
        (rejected, "rejected"),
    ):
        emulator.add_member(id_, project, status)

    seen = received.look(client, [emulator.account("sharer").project_id], [emulator.vault("recipient").id])

    assert [one.id for one in seen.pending] == [mine]
    assert [(one.id, one.vault_id) for one in seen.accepted] == [(kept, emulator.vault("recipient").id)]


def test_a_service_that_ignores_the_status_is_seen_through(emulator: Emulator, client: Client) -> None:
    """The filter is not documented to work: backups in both lists are read."""
    mine, kept = (emulator.add_backup().id for _ in range(2))
    emulator.add_member(mine, client.project_id)
    emulator.add_member(kept, client.project_id, "accepted")
    emulator.ignores_member_status = True

    seen = received.look(client, [emulator.account("sharer").project_id], [emulator.vault("recipient").id])

    assert [one.id for one in seen.accepted] == [kept]
    assert [one.id for one in seen.pending] == [mine]


@pytest.fixture(name="kept")
def _kept(emulator: Emulator, client: Client) -> str:
    """A backup that the recipient has accepted."""
    made = emulator.add_backup(name="nightly")
    emulator.add_member(made.id, client.project_id, "accepted")
    return made.id


def asked(emulator: Emulator, client: Client, **changes: Any) -> Chosen:
    """What ReceivedBackups asks for, with some arguments changed."""
    rules = {name: changes.pop(name) for name in ("name_prefix", "allow_empty", "older_than") if name in changes}
    given = {"vault_id": emulator.vault("recipient").id, "owner_project_ids": [emulator.account("sharer").project_id]}
    return to_accept(client, Window(**rules), **{**given, **changes})


def test_a_typo_does_not_empty_the_window(emulator: Emulator, client: Client, kept: str) -> None:
    """The error says what is there, and what took it; `allow_empty` accepts it."""
    emulator.add_member(emulator.backup.id, client.project_id)
    bystander, other = emulator.account("bystander").project_id, emulator.add_vault(account="recipient").id
    sharer, vault = emulator.account("sharer").project_id, emulator.vault("recipient").id
    seen = "the vaults exist, and owner_project_ids have 1 offers and 1 accepted backups"
    for changes, told in (
        ({"owner_project_ids": [bystander]}, f"projects that are not in owner_project_ids share, too: {sharer}"),
        ({"name_prefix": "nigthly"}, f"{seen}, 2 named otherwise than 'nigthly'…"),
        ({"older_than": timedelta(days=1)}, f"{seen}, 2 not older than "),
        ({"resource_ids": ["server-9"]}, f"{seen}, 2 of a server or disk that is not in resource_ids"),
    ):
        with pytest.raises(Refused, match=re.escape(told)) as refused:
            asked(emulator, client, **changes)
        assert "give allow_empty=True" in str(refused.value)
        assert asked(emulator, client, **changes, allow_empty=True).backups == []
    emulator.remove_member(emulator.backup.id, client.project_id)
    with pytest.raises(Refused, match=f"backup {kept} is in vault {vault}, which is not in vault_id: add {vault} to"):
        asked(emulator, client, vault_id=other)


def test_an_empty_answer_does_not_empty_the_window(emulator: Emulator, client: Client, kept: str) -> None:
    """200 with an empty list: nothing tells it from the truth."""
    assert [one.id for one in asked(emulator, client).backups] == [kept]
    emulator.add_fault(Fault(path="/backups$", status=200, body='{"backups": [], "count": 0}', times=2))
    with pytest.raises(Refused, match="0 offers and 0 accepted backups"):
        asked(emulator, client)


def test_an_owner_who_shares_nothing_is_told(emulator: Emulator, client: Client, kept: str) -> None:
    """So is a server that is asked for."""
    owners = [emulator.account(name).project_id for name in ("sharer", "bystander")]
    found = asked(emulator, client, owner_project_ids=owners)
    assert [one.id for one in found.backups] == [kept]
    assert found.warnings == [f"project {owners[1]} shares nothing with this one"]
    resource = emulator.state.backups[kept].resource_id
    found = asked(emulator, client, resource_ids=[resource, "server-9"])
    assert found.warnings == ["no backup of server-9 is in the window"]
