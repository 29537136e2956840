"""Agencies: the user's access key only asks for a temporary key, which signs everything else.

The bystander's key assumes the agency `backup-admin` of the sharer, which shares the sharer's backup.
"""

from __future__ import annotations

import json

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

from clouds import environment
from inprocess import FakeTime, Run, password_of, settings_of
from plugin import Plugin, PluginError
from pulumi_cbr_sharing import Agency, Connection
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import CredentialRefused, PermissionDenied, ServerFault
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.settings.resolve import Settings


ASSUME = "/v3.0/OS-CREDENTIAL/securitytokens"
ROLE = Agency("backup-admin", domain_name="sharer")


def of_bystander(emulator: Emulator) -> dict[str, str]:
    """The bystander's key, in the sharer's project."""
    return environment(emulator, "bystander") | {"HW_PROJECT_ID": emulator.account("sharer").project_id}


def assuming(emulator: Emulator, **changes: Any) -> Settings:
    """Settings of the bystander that assume the sharer's agency."""
    project = emulator.account("sharer").project_id
    return replace(settings_of(emulator, "bystander"), agencies=(ROLE,), project_id=project, **changes)


def recipient(emulator: Emulator) -> str:
    """The project that the seeded backup is shared with."""
    return emulator.account("recipient").project_id


def callers(emulator: Emulator) -> list[tuple[str, str | None]]:
    """The last part of each path, and the account whose key or token signed."""
    return [(request.path.rpartition("/")[2], request.account) for request in emulator.requests]


WAYS: dict[str, tuple[Connection, dict[str, str], dict[str, str]]] = {
    "connection": (Connection(agency=ROLE), {}, {}),
    "connection by domain id": (Connection(agency=Agency("backup-admin", domain_id="of sharer")), {}, {}),
    "stack config": (
        Connection(),
        {"huaweicloud:assumeRole": json.dumps({"agencyName": "backup-admin", "domainName": "sharer"})},
        {},
    ),
    "environment": (
        Connection(),
        {},
        {"HW_ASSUME_ROLE_AGENCY_NAME": "backup-admin", "HW_ASSUME_ROLE_DOMAIN_NAME": "sharer"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_role_is_assumed_from_wherever_it_is_set(way: str, emulator: Emulator) -> None:
    """The user's own key signs only the request for the temporary key."""
    connection, config, env = WAYS[way]
    if connection.agency and connection.agency.domain_id:
        agency = replace(connection.agency, domain_id=emulator.account("sharer").domain_id)
        connection = replace(connection, agency=agency)
    if connection.agency:
        connection = replace(connection, project_id=emulator.account("sharer").project_id)
    provider = BackupShareMemberProvider(connection)
    inputs = {"backup_id": emulator.backup.id, "dest_project_id": recipient(emulator)}
    with Plugin(config=config, env=of_bystander(emulator) | env) as plugin:
        made = plugin.create(provider, inputs)
        assert plugin.read(made)
        assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]
    with Plugin(config=config, env=of_bystander(emulator) | env) as plugin:
        plugin.delete(made)

    assert callers(emulator) == [
        ("securitytokens", "bystander"),
        ("members", "sharer"),
        ("members", "sharer"),
        ("securitytokens", "bystander"),
        (recipient(emulator), "sharer"),
    ]
    assert emulator.members(emulator.backup.id) == {}


def test_without_the_role_the_project_is_not_the_bystanders(emulator: Emulator) -> None:
    """In the tests above the agency shares, not the bystander's own key."""
    with Run(replace(assuming(emulator), agencies=())) as run, pytest.raises(PermissionDenied):
        run.create(emulator.backup.id, recipient(emulator))
    assert emulator.members(emulator.backup.id) == {}


def test_the_project_is_looked_up_in_the_account_of_the_role(emulator: Emulator) -> None:
    """Every account has a project with the name of the region."""
    with Run(replace(assuming(emulator), project_id=None)) as run:
        state = run.create(emulator.backup.id, recipient(emulator))

    assert state["owner_project_id"] == emulator.account("sharer").project_id
    assert callers(emulator) == [("securitytokens", "bystander"), ("projects", "sharer"), ("members", "sharer")]


def test_a_role_is_assumed_with_a_password_as_well(emulator: Emulator) -> None:
    """The token is only used for this request, and is bound to the user's own project."""
    with Run(assuming(emulator, credential=password_of(emulator, "bystander"))) as run:
        run.create(emulator.backup.id, recipient(emulator))

    assert callers(emulator) == [("tokens", None), ("securitytokens", "bystander"), ("members", "sharer")]


def test_many_resources_assume_the_role_once(emulator: Emulator) -> None:
    """A temporary key is used for a whole run."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(10)]
    with Run(assuming(emulator)) as run:
        for project in projects:
            run.create(emulator.backup.id, project)

    assert [request.path for request in emulator.requests].count(ASSUME) == 1


def ending_soon(emulator: Emulator) -> Fault:
    """Answer the request for a temporary key with one that expires within a second."""
    access, secret, token, _ = emulator.temporary_key("sharer", 3600)
    moment = (datetime.now(timezone.utc) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    credential = {"access": access, "secret": secret, "securitytoken": token, "expires_at": moment}
    return Fault("POST", ASSUME, 201, json.dumps({"credential": credential}), when="after")


def test_a_temporary_key_is_renewed_before_it_ends(emulator: Emulator) -> None:
    """No request is signed with a key that is about to expire."""
    emulator.add_fault(ending_soon(emulator))
    with Run(assuming(emulator)) as run:
        state = run.create(emulator.backup.id, recipient(emulator))
        sleep(1)
        run.delete(state)

    assert {request.status for request in emulator.requests} == {200, 201, 204}
    assert [request.path for request in emulator.requests].count(ASSUME) == 2
    assert {account for path, account in callers(emulator) if path != "securitytokens"} == {"sharer"}


def test_a_token_that_ended_meanwhile_is_renewed_to_renew_the_role(emulator: Emulator) -> None:
    """After an hour the token of the password may have expired, too; this is no error."""
    emulator.add_fault(ending_soon(emulator))
    with Run(assuming(emulator, credential=password_of(emulator, "bystander"))) as run:
        state = run.create(emulator.backup.id, recipient(emulator))
        emulator.revoke_tokens()
        emulator.clear_requests()
        sleep(1)
        run.delete(state)

    assert [request.status for request in emulator.requests] == [401, 201, 201, 204]
    assert emulator.members(emulator.backup.id) == {}


REFUSED = {
    "no such agency": Agency("other", domain_name="sharer"),
    "no such account": Agency("backup-admin", domain_name="nobody"),
}


@pytest.mark.parametrize("agency", REFUSED.values(), ids=REFUSED.keys())
def test_a_role_that_may_not_be_assumed_is_named_and_asked_for_once(agency: Agency, emulator: Emulator) -> None:
    """The error names the agency and its account, and says what to do."""
    project = emulator.account("sharer").project_id
    provider = BackupShareMemberProvider(Connection(agency=agency, project_id=project))
    with Plugin(env=environment(emulator, "bystander")) as plugin:
        for number in range(1, 4):
            inputs = {"backup_id": emulator.backup.id, "dest_project_id": f"{number:032x}"}
            with pytest.raises(PluginError, match="iam:agencies:assume is needed") as told:
                plugin.create(provider, inputs)

    assert callers(emulator) == [("securitytokens", "bystander")]
    assert "\n" not in str(told.value)


def test_a_refused_base_key_is_sent_once(emulator: Emulator) -> None:
    """More than five wrong signatures lock a key."""
    emulator.rotate_key("bystander")
    settings = assuming(emulator)
    emulator.rotate_key("bystander")
    with Run(settings) as run:
        for number in range(1, 9):
            with pytest.raises(CredentialRefused, match="it came from environment"):
                run.create(emulator.backup.id, f"{number:032x}")

    assert [request.status for request in emulator.requests] == [401]


def test_an_iam_that_is_down_is_asked_so_many_times_and_no_share_is_made(emulator: Emulator) -> None:
    """The retries for the temporary key and for the share do not multiply."""
    emulator.add_fault(Fault("POST", ASSUME, 503, times=99))
    with Run(assuming(emulator, max_retries=3), FakeTime().clock) as run, pytest.raises(ServerFault):
        run.create(emulator.backup.id, recipient(emulator))

    assert [request.status for request in emulator.requests] == [503] * 4
