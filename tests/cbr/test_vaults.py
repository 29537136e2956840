"""Vaults of the emulated cloud, in both dialects."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr.vaults import Vault, get_vault, list_vaults
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import NotFound, PermissionDenied, UnexpectedAnswer
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.emulator.records import Dialect


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The sharer's."""
    return Client(settings_of(emulator, max_retries=0))


@pytest.mark.parametrize("dialect", ["huawei", "otc"])
def test_a_vault_reads_the_same_in_both_dialects(dialect: Dialect, emulator: Emulator, client: Client) -> None:
    """Sizes in GB, used space in MB, resources by id, one form of timestamps."""
    emulator.dialect = dialect
    resources = [{"id": "server-1", "type": "OS::Nova::Server"}, {"id": "server-2", "type": "OS::Nova::Server"}]
    made = emulator.add_vault(account="sharer", name="gold", size=250, status="lock", resources=resources)
    emulator.add_backup(vault_id=made.id, size=40)

    vault = get_vault(client, made.id)

    assert vault.created_at.startswith(made.created_at.strftime("%Y-%m-%dT%H:%M:%S."))
    assert vault.created_at.endswith("Z")
    assert vault == Vault(
        id=made.id,
        name="gold",
        project_id=emulator.account("sharer").project_id,
        object_type="server",
        protect_type="backup",
        status="lock",
        size=250,
        allocated=40,
        used=40 * 1024,
        resource_ids=("server-1", "server-2"),
        created_at=vault.created_at,
    )


def test_vaults_come_by_name_and_are_ones_own(emulator: Emulator, client: Client) -> None:
    """The recipient's vaults are not among them."""
    for name in ("b", "a"):
        emulator.add_vault(account="sharer", name=name)
    assert [vault.name for vault in list_vaults(client)] == ["a", "b", "vault"]


def test_vaults_are_found_by_their_very_name(emulator: Emulator, client: Client) -> None:
    """If the service returns a vault with another name, it is left out."""
    wanted = emulator.add_vault(account="sharer", name="gold")
    assert [vault.id for vault in list_vaults(client, name="gold")] == [wanted.id]
    body = json.dumps({"vaults": [{"id": wanted.id, "name": "gold-2"}], "count": 1})
    emulator.add_fault(Fault(method="GET", status=200, body=body))
    assert list_vaults(client, name="gold") == []


def test_a_list_over_several_pages_is_whole(emulator: Emulator, client: Client) -> None:
    """There are more vaults than fit on a page."""
    for number in range(1200):
        emulator.add_vault(account="sharer", name=f"vault-{number:04}")
    assert len(list_vaults(client)) == 1201


def test_half_a_list_is_an_error(emulator: Emulator, client: Client) -> None:
    """If there are fewer rows than the count, nothing is concluded."""
    emulator.add_fault(Fault(method="GET", status=200, body='{"vaults": [], "count": 4}', times=3))
    with pytest.raises(UnexpectedAnswer, match="does not fit its own count"):
        list_vaults(client)


def test_a_vault_of_somebody_else_is_not_found(emulator: Emulator, client: Client) -> None:
    """The error says what to check."""
    other = emulator.vault("recipient").id
    with pytest.raises(NotFound, match=f"reading vault {other}: the vault does not exist in this project"):
        get_vault(client, other)


def test_a_missing_permission_is_named(emulator: Emulator, client: Client) -> None:
    """The error names the IAM action."""
    emulator.deny("sharer", "cbr:vaults:list")
    with pytest.raises(PermissionDenied, match="cbr:vaults:list is needed"):
        list_vaults(client)
