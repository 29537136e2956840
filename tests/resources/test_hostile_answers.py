"""Answers of a broken or malicious service do not make a resource act on something else."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from doors import process
from plugin import Plugin, PluginError
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepterProvider
from pulumi_cbr_sharing.resources.share import BackupShareProvider
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


pytestmark = pytest.mark.usefixtures("door")
OTHER = "11111111-2222-4333-8444-555555555555"
SET, MEMBER, ACCEPTER = BackupShareProvider(), BackupShareMemberProvider(), BackupShareAccepterProvider()


@pytest.fixture(name="plugin")
def _plugin(emulator: Emulator) -> Iterator[Plugin]:
    """A run with the sharer's credentials in the environment."""
    with process(env=environment(emulator)) as plugin:
        yield plugin


def recipient(emulator: Emulator) -> str:
    """The recipient's project."""
    return emulator.account("recipient").project_id


def planted(emulator: Emulator, *hostile: str) -> Fault:
    """A list of the recipient, and of members with these ids."""
    names = [recipient(emulator), *hostile]
    records = [{"dest_project_id": name, "status": "pending"} for name in names]
    body = json.dumps({"members": records, "count": len(records)})
    return Fault(method="GET", path="/members$", status=200, body=body, times=99)


@pytest.mark.parametrize("hostile", ["..", "../..", "x/../..", "?", "%2e%2e"])
def test_a_set_removes_nothing_but_members(hostile: str, emulator: Emulator, plugin: Plugin) -> None:
    """`DELETE …/members/..` is a signed DELETE of the backup."""
    inputs: dict[str, Any] = {"backup_id": emulator.backup.id, "dest_project_ids": [recipient(emulator)]}
    made = plugin.create(SET, inputs)
    emulator.add_fault(planted(emulator, hostile))

    with pytest.raises(PluginError, match="whose dest_project_id is"):
        plugin.update(SET, made, {**inputs, "dest_project_ids": [emulator.account("bystander").project_id]})

    assert [request.method for request in emulator.requests if request.method == "DELETE"] == []
    assert emulator.backup.status == "available"


def test_a_project_from_iam_leads_to_no_other_backup(emulator: Emulator) -> None:
    """With the project id `P/backups/OTHER/members?`, another backup would be shared."""
    other = emulator.add_backup()
    own = emulator.account("sharer").project_id
    body = json.dumps({"projects": [{"id": f"{own}/backups/{other.id}/members?", "name": "x"}]})
    emulator.add_fault(Fault(path="/v3/projects$", status=200, body=body, times=99))
    env = {name: text for name, text in environment(emulator).items() if name != "HW_PROJECT_ID"}

    with process(env=env) as plugin, pytest.raises(PluginError, match="project id of 32 hexadecimal digits"):
        plugin.create(MEMBER, {"backup_id": emulator.backup.id, "dest_project_id": recipient(emulator)})

    assert (emulator.members(other.id), emulator.members(emulator.backup.id)) == ({}, {})
    assert {request.path for request in emulator.requests} == {"/v3/projects"}


def test_another_accounts_credential_drops_nothing(emulator: Emulator, plugin: Plugin) -> None:
    """The 401 for another project does not mean that a share is gone."""
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": recipient(emulator)}
    made = plugin.create(MEMBER, inputs)
    emulator.quirk_wrong_project = True
    key = environment(emulator, "bystander")
    stranger = {**environment(emulator), **{name: key[name] for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY")}}

    with process(env=stranger) as other:
        with pytest.raises(PluginError, match="the credential is not of project"):
            other.read(made)
        with pytest.raises(PluginError, match="the credential is not of project"):
            other.delete(made)

    assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]


def test_an_accepter_takes_no_other_backup_for_its_own(emulator: Emulator) -> None:
    """A valid answer about another backup is an error."""
    emulator.add_member(emulator.backup.id, recipient(emulator), "accepted")
    vault, owner = emulator.vault("recipient").id, emulator.account("sharer").project_id
    record = {
        "id": "1" * 8 + "-1111" * 3 + "-" + "1" * 12,
        "status": "available",
        "project_id": owner,
        "vault_id": vault,
    }
    emulator.add_fault(Fault(method="GET", status=200, body=json.dumps({"backup": record}), times=99))

    with process(env=environment(emulator, "recipient")) as plugin, pytest.raises(PluginError, match="was asked for"):
        plugin.create(ACCEPTER, {"backup_id": emulator.backup.id, "vault_id": vault})
