"""The life of a vault: policies, servers, tags, and the end; also by the vendor's own client."""

from __future__ import annotations

import time

from typing import TYPE_CHECKING, Any

import pytest

from huaweicloudsdkcbr.v1 import (
    AssociateVaultPolicyRequest,
    BillingCreate,
    BillingUpdate,
    CreatePolicyRequest,
    CreateVaultRequest,
    DeletePolicyRequest,
    DeleteVaultRequest,
    DisassociateVaultPolicyRequest,
    ListPoliciesRequest,
    PolicyCreate,
    PolicyCreateReq,
    PolicyoODCreate,
    PolicyTriggerPropertiesReq,
    PolicyTriggerReq,
    ResourceCreate,
    ShowPolicyRequest,
    ShowVaultRequest,
    UpdateVaultRequest,
    VaultAssociate,
    VaultCreate,
    VaultCreateReq,
    VaultDissociate,
    VaultUpdate,
    VaultUpdateReq,
)

from emulated import ask, code, project
from vendors_client import huawei, vendor


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


SERVER = {"id": "11111111-2222-4333-8444-555555555555", "type": "OS::Nova::Server"}
DAILY = "FREQ=DAILY;INTERVAL=1;BYHOUR=02;BYMINUTE=00"


def policy(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """A new policy that keeps two backups of a server."""
    wanted = {
        "name": "daily",
        "operation_type": "backup",
        "operation_definition": {"max_backups": 2, "retention_duration_days": -1},
        "trigger": {"properties": {"pattern": [DAILY]}},
        **changes,
    }
    return dict(ask(emulator, "POST", "/policies", {"policy": wanted}).json()["policy"])


def vault(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """A new vault with a server."""
    billing = {"consistent_level": "crash_consistent", "object_type": "server", "protect_type": "backup", "size": 100}
    wanted = {"name": "servers", "billing": billing, "resources": [SERVER], **changes}
    return dict(ask(emulator, "POST", "/vaults", {"vault": wanted}).json()["vault"])


def test_a_policy_is_made_listed_changed_and_deleted(emulator: Emulator) -> None:
    """The pattern is what clients read it back from."""
    made = policy(emulator)
    path = f"/policies/{made['id']}"
    changed = ask(emulator, "PUT", path, {"policy": {"name": "nightly", "enabled": False}}).json()["policy"]

    assert made["trigger"]["properties"]["pattern"] == [DAILY]
    assert made["enabled"] is True
    assert (changed["name"], changed["enabled"], changed["trigger"]) == ("nightly", False, made["trigger"])
    assert ask(emulator, "GET", path).json() == {"policy": changed}
    assert ask(emulator, "GET", "/policies?operation_type=backup").json()["count"] == 1
    assert ask(emulator, "GET", path, account="recipient").status_code == 404
    assert ask(emulator, "DELETE", path).status_code == 204
    assert code(ask(emulator, "GET", path)) == "BackupService.6001"


@pytest.mark.parametrize(
    "changes", [{"operation_type": "x"}, {"trigger": {}}, {"operation_definition": None}], ids=["kind", "when", "what"]
)
def test_a_policy_that_makes_no_sense_is_refused(changes: dict[str, Any], emulator: Emulator) -> None:
    """None is made."""
    wanted = {
        "operation_type": "backup",
        "operation_definition": {},
        "trigger": {"properties": {"pattern": [DAILY]}},
        **changes,
    }
    assert code(ask(emulator, "POST", "/policies", {"policy": wanted})) == "BackupService.9900"
    assert ask(emulator, "GET", "/policies").json()["policies"] == []


def bound(emulator: Emulator, vault_id: str) -> list[str]:
    """The ids of the policies of a vault."""
    return [one["id"] for one in ask(emulator, "GET", f"/policies?vault_id={vault_id}").json()["policies"]]


def test_a_policy_is_bound_to_a_vault_in_place_of_another(emulator: Emulator) -> None:
    """And found by the vault; deleting it unbinds it."""
    first, second, made = policy(emulator)["id"], policy(emulator)["id"], vault(emulator)["id"]
    seen = [bound(emulator, made)]
    for one in (first, second):
        answer = ask(emulator, "POST", f"/vaults/{made}/associatepolicy", {"policy_id": one})
        assert answer.json() == {"associate_policy": {"vault_id": made, "policy_id": one}}
        seen.append(bound(emulator, made))
    ask(emulator, "POST", f"/vaults/{made}/dissociatepolicy", {"policy_id": second})
    seen.append(bound(emulator, made))
    ask(emulator, "POST", f"/vaults/{made}/associatepolicy", {"policy_id": first})
    ask(emulator, "DELETE", f"/policies/{first}")

    assert seen == [[], [first], [second], []]
    assert bound(emulator, made) == []
    assert code(ask(emulator, "POST", f"/vaults/{made}/associatepolicy", {"policy_id": first})) == "BackupService.6001"


def test_a_policy_keeps_the_newest_backups(emulator: Emulator) -> None:
    """What it removes, recipients lose."""
    size = {"billing": {"object_type": "server", "size": 200}}
    made = vault(emulator, backup_policy_id=policy(emulator)["id"], **size)["id"]
    nights = []
    for _ in range(3):
        emulator.pass_time(days=1)
        nights.append(emulator.back_up(vault_id=made)[0].id)
        emulator.add_member(nights[-1], project(emulator), "accepted")
    assert emulator.visible_to(project(emulator)) == set(nights[1:])


def test_a_vault_is_changed(emulator: Emulator) -> None:
    """Name, size and settings; not below what is in it."""
    made = vault(emulator, auto_expand=False)["id"]
    emulator.back_up(vault_id=made)
    body = {"vault": {"name": "renamed", "billing": {"size": 200}, "auto_expand": True}}
    changed = ask(emulator, "PUT", f"/vaults/{made}", body).json()["vault"]
    refused = ask(emulator, "PUT", f"/vaults/{made}", {"vault": {"billing": {"size": 39}}})

    assert (changed["name"], changed["billing"]["size"], changed["auto_expand"]) == ("renamed", 200, True)
    assert code(refused) == "BackupService.6114"
    assert ask(emulator, "GET", f"/vaults/{made}").json()["vault"] == changed


def test_servers_are_bound_to_a_vault_and_unbound(emulator: Emulator) -> None:
    """Each once."""
    made = vault(emulator, resources=[])["id"]
    for _ in range(2):
        assert ask(emulator, "POST", f"/vaults/{made}/addresources", {"resources": [SERVER]}).json() == {
            "add_resource_ids": [SERVER["id"]]
        }
    both = [one["id"] for one in ask(emulator, "GET", f"/vaults/{made}").json()["vault"]["resources"]]
    ask(emulator, "POST", f"/vaults/{made}/removeresources", {"resource_ids": [SERVER["id"]]})
    assert both == [SERVER["id"]]
    assert ask(emulator, "GET", f"/vaults/{made}").json()["vault"]["resources"] == []


def test_a_vault_has_tags(emulator: Emulator) -> None:
    """They are created and deleted by an action, and shown with the vault."""
    made = vault(emulator)["id"]
    path, tag = f"/vault/{made}/tags", {"key": "team", "value": "platform"}
    created = ask(emulator, "POST", f"{path}/action", {"action": "create", "tags": [tag]}).status_code
    shown = ask(emulator, "GET", path).json()["tags"], ask(emulator, "GET", f"/vaults/{made}").json()["vault"]["tags"]
    ask(emulator, "POST", f"{path}/action", {"action": "delete", "tags": [{"key": "team"}]})
    assert (created, shown) == (204, ([tag], [tag]))
    assert ask(emulator, "GET", path).json()["tags"] == []


def test_a_vault_is_deleted_with_its_backups(emulator: Emulator) -> None:
    """It takes its time; what recipients had of it is gone, too."""
    made = vault(emulator)["id"]
    backup = emulator.back_up(vault_id=made)[0].id
    emulator.add_member(backup, project(emulator), "accepted")
    emulator.delete_seconds = 0.3
    answer = ask(emulator, "DELETE", f"/vaults/{made}")
    during = ask(emulator, "GET", f"/vaults/{made}").json()["vault"]["billing"]["status"]
    time.sleep(0.35)

    assert (answer.status_code, during) == (204, "deleting")
    assert code(ask(emulator, "GET", f"/vaults/{made}")) == "BackupService.6105"
    assert emulator.visible_to(project(emulator)) == set()


def test_a_vault_whose_backup_has_an_image_is_not_deleted(emulator: Emulator) -> None:
    """None of its backups is."""
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    emulator.register_image(emulator.backup.id, project(emulator))
    assert code(ask(emulator, "DELETE", f"/vaults/{emulator.vault('sharer').id}")) == "BackupService.6204"
    assert emulator.backup.id in emulator.visible_to(project(emulator))


@pytest.mark.parametrize(("choice", "left"), [("gives back", ["rejected"]), ("cancels", [])])
def test_a_recipient_that_deletes_its_vault_loses_its_copies(choice: Any, left: list[str], emulator: Emulator) -> None:
    """What becomes of the share is chosen by `deleted_vault`."""
    emulator.deleted_vault = choice
    emulator.add_member(emulator.backup.id, project(emulator), "accepted")
    ask(emulator, "DELETE", f"/vaults/{emulator.vault('recipient').id}", account="recipient")
    assert ask(emulator, "GET", f"/backups/{emulator.backup.id}", account="recipient").status_code == 404
    assert [member.status for member in emulator.members(emulator.backup.id).values()] == left


@huawei
def test_the_vendors_client_lives_a_vaults_life(emulator: Emulator) -> None:
    """Its models read every answer: policy, vault, binding, update, and the end."""
    client = vendor(emulator, emulator.account("sharer"))
    trigger = PolicyTriggerReq(properties=PolicyTriggerPropertiesReq(pattern=[DAILY]))
    wanted = PolicyCreate(
        name="daily",
        operation_type="backup",
        operation_definition=PolicyoODCreate(max_backups=14),
        trigger=trigger,
    )
    daily = client.create_policy(CreatePolicyRequest(body=PolicyCreateReq(policy=wanted))).policy.id
    billing = BillingCreate(object_type="server", protect_type="backup", size=100)
    resources = [ResourceCreate(id=SERVER["id"], type=SERVER["type"])]
    new = VaultCreate(name="servers", billing=billing, resources=resources)
    made = client.create_vault(CreateVaultRequest(body=VaultCreateReq(vault=new))).vault.id
    client.associate_vault_policy(AssociateVaultPolicyRequest(vault_id=made, body=VaultAssociate(policy_id=daily)))
    listed = client.list_policies(ListPoliciesRequest(vault_id=made)).policies
    change = VaultUpdate(billing=BillingUpdate(size=200))
    client.update_vault(UpdateVaultRequest(vault_id=made, body=VaultUpdateReq(vault=change)))
    shown = client.show_vault(ShowVaultRequest(vault_id=made)).vault
    unbind = DisassociateVaultPolicyRequest(vault_id=made, body=VaultDissociate(policy_id=daily))
    client.disassociate_vault_policy(unbind)
    unbound = client.show_policy(ShowPolicyRequest(policy_id=daily)).policy
    client.delete_vault(DeleteVaultRequest(vault_id=made))
    client.delete_policy(DeletePolicyRequest(policy_id=daily))
    left = [ask(emulator, "GET", path).json()["count"] for path in ("/policies", "/vaults")]

    assert [(one.id, one.associated_vaults[0].vault_id) for one in listed] == [(daily, made)]
    assert (shown.billing.size, shown.resources[0].id) == (200, SERVER["id"])
    assert unbound.associated_vaults == []
    assert left == [0, 1]
