"""An audit can only send reads."""

from __future__ import annotations

import ast

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_cbr_sharing.audit

from clouds import environment
from pulumi_cbr_sharing.audit.live import ReadOnlyClient, look
from pulumi_cbr_sharing.cbr import members
from pulumi_cbr_sharing.errors import Refused
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.settings.connection import Connection
from pulumi_cbr_sharing.settings.resolve import resolve


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator


ROOM = Path(pulumi_cbr_sharing.audit.__file__).parent


def client_of(emulator: Emulator, **more: str) -> ReadOnlyClient:
    """A client of the sharer's."""
    return ReadOnlyClient(resolve(Connection(), config={}, environ=environment(emulator) | more))


@pytest.mark.parametrize(
    "write",
    [
        lambda client, backup: members.add_members(client, backup, ["0" * 32], look=lambda: None),
        lambda client, backup: members.remove_member(client, backup, "0" * 32),
        lambda client, backup: members.answer_membership(client, backup, "rejected"),
    ],
)
def test_every_write_is_refused_before_it_is_sent(emulator: Emulator, write: Callable[[Any, str], Any]) -> None:
    """Whatever function sends it."""
    with pytest.raises(Refused, match="an audit only reads"):
        write(client_of(emulator), emulator.backup.id)
    assert emulator.requests == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("service", ["cbr", "iam"])
def test_so_is_every_call_that_is_no_read(emulator: Emulator, method: Any, service: Any) -> None:
    """To both services."""
    call = Call(method, "/v3/anything", doing="doing harm", action="", service=service)
    with pytest.raises(Refused):
        client_of(emulator).send(call)
    assert emulator.requests == []


def test_signing_in_is_the_one_post(emulator: Emulator) -> None:
    """A user with a password gets a token from IAM; all other requests are reads."""
    owner = emulator.account("sharer")
    settings = {
        "HW_USER_NAME": owner.user_name,
        "HW_USER_PASSWORD": owner.password,
        "HW_DOMAIN_NAME": owner.name,
        "HW_REGION_NAME": owner.region,
        "HW_CBR_ENDPOINT": emulator.url,
        "HW_IAM_ENDPOINT": emulator.iam_url,
    }
    client = ReadOnlyClient(resolve(Connection(), config={}, environ=settings))
    live = look({"": client})
    assert list(live.backups) == [emulator.backup.id]
    assert [one.path for one in emulator.requests if one.method != "GET"] == ["/v3/auth/tokens"]


@pytest.mark.parametrize("sign_in", ["SDK", "STS"])
def test_a_pipeline_without_keys_can_audit(emulator: Emulator, tmp_path: Path, sign_in: str) -> None:
    """Exchanging its identity token is signing in, too."""
    emulator.add_identity_provider("sharer", "ci")
    emulator.add_agency("sharer", "deploy")
    (tmp_path / "token").write_text(emulator.id_token("ci"))
    account = emulator.account("sharer").domain_id
    settings = {
        "SDK": {"HUAWEICLOUD_SDK_IDP_ID": "ci", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": str(tmp_path / "token")},
        "STS": {
            "HUAWEICLOUD_OIDC_PROVIDER_URN": f"iam::{account}:oidcProvider:ci",
            "HUAWEICLOUD_OIDC_AGENCY_URN": f"iam::{account}:agency:deploy",
            "HUAWEICLOUD_OIDC_TOKEN_FILE": str(tmp_path / "token"),
        },
    }[sign_in]
    place = {
        "HW_REGION_NAME": emulator.account("sharer").region,
        "HW_CBR_ENDPOINT": emulator.url,
        "HW_IAM_ENDPOINT": emulator.iam_url,
        "HW_STS_ENDPOINT": emulator.url,
    }
    live = look({"": ReadOnlyClient(resolve(Connection(), config={}, environ=place | settings))})
    assert list(live.backups) == [emulator.backup.id]


def test_the_room_imports_reads_alone() -> None:
    """It imports only those functions of the API that read."""
    imported = {
        alias.name
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pulumi_cbr_sharing.cbr.")
        for alias in node.names
    }
    assert imported
    assert {name for name in imported if name[0].islower() and not name.startswith(("get_", "list_"))} == set()
