"""The functions of the plugin, as programs in every language call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from native import Failed, Native
from pulumi_cbr_sharing.plugin.functions import LOOKUPS


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


@pytest.mark.differs("lookups", "native")
def test_each_function_reads_from_the_cloud(emulator: Emulator) -> None:
    """By the names of the wire, with what it found under one name; nothing but reads is sent."""
    backup, recipient = emulator.backup.id, emulator.account("recipient")
    emulator.add_member(backup, recipient.project_id)
    with Native(preview=True) as run:
        found = {
            "getBackups": run.invoke("getBackups", vaultId=emulator.vault("sharer").id)["backups"][0]["id"],
            "getBackup": run.invoke("getBackup", backupId=backup)["backup"]["id"],
            "getShareMembers": run.invoke("getShareMembers", backupId=backup)["members"][0]["destProjectId"],
            "getVaults": run.invoke("getVaults", name="vault")["vaults"][0]["id"],
            "getProjects": run.invoke("getProjects", account=recipient.name)["projects"][0]["id"],
        }
    ids = [backup, backup, recipient.project_id, emulator.vault("sharer").id, recipient.project_id]
    assert found == dict(zip(LOOKUPS, ids, strict=True))
    assert {request.method for request in emulator.requests} == {"GET"}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({}, {"backupId": "it is missing"}),
        ({"backupId": "x", "id": 1}, {"id": "there is no argument id: the names are backupId"}),
    ],
)
def test_wrong_arguments_are_refused(emulator: Emulator, args: dict[str, Any], told: dict[str, str]) -> None:
    """By name, before anything is sent."""
    with Native() as run:
        assert run.refused("getBackup", **args) == told
    assert list(emulator.requests) == []


def test_what_the_cloud_refuses_is_one_line(emulator: Emulator) -> None:
    """The backup does not exist."""
    with Native() as run, pytest.raises(Failed, match="does not exist") as error:
        run.invoke("getBackup", backupId=emulator.backup.id[:-4] + "ffff")
    assert "\n" not in str(error.value)
