"""The vendors' own clients sign in to the emulator without keys: by a server's agency and by identity tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from huaweicloudsdkcbr.v1 import CbrClient, ListBackupsRequest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.internal import MetadataAccessor
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from keystoneauth1.identity.v3 import OidcAccessToken
from keystoneauth1.session import Session

from emulated import project
from vendors_client import huawei


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


def lists(emulator: Emulator, credentials: Any) -> list[str]:
    """The ids of the backups that the vendor's client lists."""
    client = CbrClient.new_builder().with_credentials(credentials).with_endpoint(emulator.url).build()
    return [one.id for one in client.list_backups(ListBackupsRequest()).backups]


@huawei
@pytest.mark.parametrize("how", ["optional", "required", "unknown"])
def test_huawei_takes_the_keys_of_a_servers_agency(
    how: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without a token of the metadata service."""
    monkeypatch.setattr(MetadataAccessor, "_METADATA_ENDPOINT", emulator.url)
    emulator.metadata_token = how
    key = MetadataAccessor().get_credential()
    credentials = BasicCredentials(key.access, key.secret, project(emulator, "sharer"))
    assert lists(emulator, credentials.with_security_token(key.security_token)) == [emulator.backup.id]
    assert key.expire_at


@huawei
def test_huawei_understands_that_a_server_has_no_agency(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks for no second token then."""
    monkeypatch.setattr(MetadataAccessor, "_METADATA_ENDPOINT", emulator.url)
    emulator.server_agency = None
    with pytest.raises(ClientRequestException, match="Please configure Cloud Service Agency first"):
        MetadataAccessor().get_credential()
    assert [request.method for request in emulator.requests] == ["PUT", "GET"]


@huawei
def test_huawei_signs_in_by_an_identity_token(emulator: Emulator, tmp_path: Path) -> None:
    """An unscoped token for it, a temporary key for that, and every call is signed."""
    emulator.add_identity_provider("sharer", "ci")
    file = tmp_path / "token"
    file.write_text(emulator.id_token("ci"))
    credentials = BasicCredentials(project_id=project(emulator, "sharer")).with_iam_endpoint(emulator.url)
    credentials = credentials.with_idp_id("ci").with_id_token_file(str(file))
    assert lists(emulator, credentials) == [emulator.backup.id]
    assert [request.path.rpartition("/")[2] for request in emulator.requests][:2] == ["tokens", "securitytokens"]


def test_openstack_signs_in_by_an_identity_token(emulator: Emulator) -> None:
    """In the form of Open Telekom Cloud: an unscoped token, then one of the project."""
    emulator.add_identity_provider("sharer", "ci")
    sharer = emulator.account("sharer")
    auth = OidcAccessToken(
        auth_url=emulator.iam_url,
        identity_provider="ci",
        protocol="oidc",
        access_token=emulator.id_token("ci"),
        project_name=sharer.project_name,
        project_domain_name=sharer.name,
    )
    session = Session(auth=auth)
    answer = session.get(f"{emulator.url}/v3/{session.get_project_id()}/backups")
    assert session.get_project_id() == sharer.project_id
    assert [one["id"] for one in answer.json()["backups"]] == [emulator.backup.id]
