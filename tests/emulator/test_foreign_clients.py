"""The vendors' own clients against the emulator, which must not only suit our client.

`huaweicloudsdkcbr` signs with access keys and is made for Huawei Cloud; `otcextensions` signs in by password and is
made for Open Telekom Cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openstack
import pytest

from huaweicloudsdkcbr.v1 import (
    AddMemberRequest,
    AddMembersReq,
    CbrClient,
    DeleteMemberRequest,
    ListBackupsRequest,
    ShowBackupRequest,
    ShowMemberDetailRequest,
    ShowMembersDetailRequest,
    UpdateMember,
    UpdateMemberStatusRequest,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from otcextensions import sdk

from emulated import project
from pulumi_cbr_sharing.emulator import serve
from vendors_client import huawei, vendor


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


# -- Huawei Cloud's SDK ------------------------------------------------------------------------------------------------


def add(emulator: Emulator, *accounts: str) -> AddMemberRequest:
    """A request to share the first backup with accounts."""
    projects = [project(emulator, account) for account in accounts]
    return AddMemberRequest(backup_id=emulator.backup.id, body=AddMembersReq(members=projects))


@huawei
def test_huawei_shares_lists_shows_and_cancels(emulator: Emulator) -> None:
    """The vendor's signer signs every call, with and without body and query."""
    client, backup = vendor(emulator, emulator.account("sharer")), emulator.backup.id
    added = client.add_member(add(emulator, "recipient", "bystander")).members
    listed = client.show_members_detail(ShowMembersDetailRequest(backup_id=backup))
    shown = client.show_member_detail(ShowMemberDetailRequest(backup_id=backup, member_id=project(emulator))).member
    client.delete_member(DeleteMemberRequest(backup_id=backup, member_id=project(emulator)))

    assert [one.dest_project_id for one in added] == [project(emulator), project(emulator, "bystander")]
    assert listed.count == 2
    assert [one.id for one in listed.members] == [one.id for one in added]
    assert (shown.dest_project_id, shown.status, shown.vault_id) == (project(emulator), "pending", None)
    assert set(emulator.members(backup)) == {project(emulator, "bystander")}


@huawei
def test_huawei_signs_queries_as_they_are_verified(emulator: Emulator) -> None:
    """With percent-encoded characters, and in the vendor's order."""
    client, backup = vendor(emulator, emulator.account("sharer")), emulator.backup.id
    client.add_member(add(emulator, "recipient", "bystander"))
    query = {"limit": 1, "offset": 0, "sort": "dest_project_id:asc,created_at:desc", "status": "pending"}
    page = client.show_members_detail(ShowMembersDetailRequest(backup_id=backup, **query))

    first = min(project(emulator), project(emulator, "bystander"))
    assert ([one.dest_project_id for one in page.members], page.count) == ([first], 2)


@huawei
def test_huawei_accepts_and_sees_the_backup_in_its_vault(emulator: Emulator) -> None:
    """The recipient's own client, from the offer to the vault."""
    vendor(emulator, emulator.account("sharer")).add_member(add(emulator, "recipient"))
    client, backup = vendor(emulator, emulator.account("recipient")), emulator.backup.id
    offers = client.list_backups(ListBackupsRequest(own_type="shared", member_status="pending")).backups
    answer = UpdateMember(status="accepted", vault_id=emulator.vault("recipient").id)
    client.update_member_status(UpdateMemberStatusRequest(backup_id=backup, member_id=project(emulator), body=answer))
    seen = client.show_backup(ShowBackupRequest(backup_id=backup)).backup

    assert [one.id for one in offers] == [backup]
    assert seen.vault_id == emulator.vault("recipient").id
    assert seen.project_id == project(emulator, "sharer")
    assert emulator.visible_to(project(emulator)) == {backup}


@huawei
def test_huawei_understands_refusals(emulator: Emulator) -> None:
    """The vendor's client finds status, code and request id."""
    client = vendor(emulator, emulator.account("sharer"))
    client.add_member(add(emulator, "recipient"))
    with pytest.raises(ClientRequestException) as told:
        client.add_member(add(emulator, "recipient"))
    assert (told.value.status_code, told.value.error_code) == (400, "BackupService.6703")
    assert told.value.request_id


@huawei
def test_huawei_with_a_wrong_key_is_refused(emulator: Emulator) -> None:
    """The error is the gateway's, and nothing is shared."""
    with pytest.raises(ClientRequestException) as told:
        vendor(emulator, emulator.account("sharer"), "guessed").add_member(add(emulator, "recipient"))
    assert (told.value.status_code, told.value.error_code) == (401, "APIGW.0301")
    assert emulator.members(emulator.backup.id) == {}


@huawei
def test_huawei_finds_its_project_by_the_region(emulator: Emulator) -> None:
    """Without a project, the vendor's client asks the emulated IAM."""
    account = emulator.account("sharer")
    keys = BasicCredentials(account.access_key, account.secret_key).with_iam_endpoint(emulator.url)
    region = Region(account.region, emulator.url)
    client = CbrClient.new_builder().with_credentials(keys).with_region(region).build()

    backups = client.list_backups(ListBackupsRequest(limit=10)).backups
    assert [one.id for one in backups] == [emulator.backup.id]
    assert emulator.requests[0].path == "/v3/projects"


@huawei
def test_huawei_uses_a_temporary_key(emulator: Emulator) -> None:
    """The vendor's signer signs its security token, too."""
    access, secret, token, _ = emulator.temporary_key("sharer", 900)
    keys = BasicCredentials(access, secret, project(emulator, "sharer")).with_security_token(token)
    client = CbrClient.new_builder().with_credentials(keys).with_endpoint(emulator.url).build()
    client.add_member(add(emulator, "recipient"))
    assert set(emulator.members(emulator.backup.id)) == {project(emulator)}


# -- Open Telekom Cloud's SDK ------------------------------------------------------------------------------------------


# openstacksdk warns of what otcextensions and itself still use of it.
otcextensions = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture(name="otc")
def _otc() -> Iterator[Emulator]:
    """A cloud in the dialect of Open Telekom Cloud."""
    with serve(dialect="otc") as emulator:
        yield emulator


def connected(emulator: Emulator, account: str, password: str | None = None) -> Any:
    """A connection by password, with the services of Open Telekom Cloud."""
    owner = emulator.account(account)
    connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        region_name=owner.region,
        auth={
            "auth_url": emulator.iam_url,
            "username": owner.user_name,
            "password": password or owner.password,
            "user_domain_name": owner.name,
            "project_name": owner.project_name,
            "project_domain_name": owner.name,
        },
    )
    sdk.register_otc_extensions(connection)
    return connection


@otcextensions
def test_otc_shares_lists_shows_and_cancels(otc: Emulator) -> None:
    """With a token from the emulated IAM, and the endpoint in its catalogue."""
    with connected(otc, "sharer") as connection:
        backup = connection.cbr.get_backup(otc.backup.id)
        added = connection.cbr.add_members(backup, [project(otc), project(otc, "bystander")])
        listed = list(connection.cbr.members(backup))
        shown = connection.cbr.get_member(backup, project(otc))
        connection.cbr.delete_member(backup, project(otc), ignore_missing=False)

    assert [one.dest_project_id for one in added] == [project(otc), project(otc, "bystander")]
    assert [one.dest_project_id for one in listed] == [one.dest_project_id for one in added]
    assert (shown.status, shown.vault_id) == ("pending", None)
    assert set(otc.members(otc.backup.id)) == {project(otc, "bystander")}


@otcextensions
def test_otc_accepts(otc: Emulator) -> None:
    """The recipient finds the offer and accepts it into its vault."""
    otc.add_member(otc.backup.id, project(otc))
    with connected(otc, "recipient") as connection:
        offers = list(connection.cbr.backups(own_type="shared", member_status="pending"))
        connection.cbr.update_member(offers[0], project(otc), "accepted", otc.vault("recipient").id)
        seen = connection.cbr.get_backup(otc.backup.id)

    assert [one.id for one in offers] == [otc.backup.id]
    assert seen.vault_id == otc.vault("recipient").id
    assert otc.visible_to(project(otc)) == {otc.backup.id}


@otcextensions
def test_otc_with_a_wrong_password_is_refused(otc: Emulator) -> None:
    """It gets no token."""
    with pytest.raises(openstack.exceptions.SDKException, match="HTTP 401"):
        connected(otc, "sharer", "guessed")
    assert [one.status for one in otc.requests] == [200, 401]


@otcextensions
def test_otc_tells_missing_from_other_failures(otc: Emulator) -> None:
    """A 404 means that a member does not exist."""
    with connected(otc, "sharer") as connection:
        backup = connection.cbr.get_backup(otc.backup.id)
        with pytest.raises(openstack.exceptions.NotFoundException):
            connection.cbr.get_member(backup, project(otc))
        with pytest.raises(openstack.exceptions.BadRequestException, match=r"BackupService\.9900"):
            connection.cbr.get_backup("abc")
