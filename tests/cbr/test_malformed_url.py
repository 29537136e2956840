"""`401 Malformed request url`: the backup is gone, or the credential is another project's. A second request tells."""

from __future__ import annotations

import json

from typing import TYPE_CHECKING, Any

import pytest

from inprocess import settings_of
from pulumi_cbr_sharing.cbr import backups, members, vaults
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import (
    BackupNotFound,
    CbrSharingError,
    MalformedUrl,
    PermissionDenied,
    ServerFault,
    UnexpectedAnswer,
    WrongProject,
)
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator

    Ask = Callable[[Client, str], Any]


BODY = json.dumps({"unauthorized": {"code": "401", "message": "Malformed request url"}})
PROJECT = "5" * 32
OF_A_BACKUP: dict[str, Ask] = {
    "add": lambda client, backup: members.add_members(client, backup, [PROJECT], look=lambda: None),
    "list": members.list_members,
    "get": lambda client, backup: members.get_member(client, backup, PROJECT),
    "answer": lambda client, backup: members.answer_membership(client, backup, "rejected"),
    "remove": lambda client, backup: members.remove_member(client, backup, PROJECT),
    "backup": backups.get_backup,
}
OF_THE_PROJECT: dict[str, Ask] = {
    "backups": lambda client, _: backups.list_backups(client),
    "vaults": lambda client, _: vaults.list_vaults(client),
    "vault": vaults.get_vault,
}
CHANGES = ["add", "answer", "remove"]


@pytest.fixture(name="client")
def _client(emulator: Emulator) -> Client:
    """The sharer's."""
    return Client(settings_of(emulator, max_retries=0))


@pytest.fixture(name="stranger")
def _stranger(emulator: Emulator) -> Client:
    """Signs with the bystander's key in the sharer's project."""
    client = Client(settings_of(emulator, "bystander", project_id=emulator.account("sharer").project_id))
    emulator.quirk_wrong_project = True
    return client


def quirky(emulator: Emulator, path: str = "/backups/", **fields: Any) -> None:
    """Answer with the quirk to these paths."""
    emulator.add_fault(Fault(path=path, status=401, body=BODY, times=99, **fields))


@pytest.mark.parametrize("ask", OF_A_BACKUP.values(), ids=OF_A_BACKUP.keys())
def test_a_backup_that_is_gone(ask: Ask, emulator: Emulator, client: Client) -> None:
    """The project's backups can be listed, so the backup does not exist."""
    quirky(emulator)
    with pytest.raises(BackupNotFound, match=r"the backup does not exist in this project \(HTTP 401, request"):
        ask(client, emulator.backup.id)
    look = emulator.requests[-1]
    assert (look.method, look.path.rpartition("/")[2], look.query) == ("GET", "backups", "limit=1")


@pytest.mark.parametrize("ask", [OF_A_BACKUP[name] for name in CHANGES], ids=CHANGES)
def test_a_change_is_not_concluded_to_be_too_late_while_the_backup_is_there(
    ask: Ask, emulator: Emulator, client: Client
) -> None:
    """The answer was only seen for GET: after such an answer to DELETE the share may still exist."""
    quirky(emulator, "/members")
    with pytest.raises(MalformedUrl):
        ask(client, emulator.backup.id)


EVERY = {**OF_A_BACKUP, **OF_THE_PROJECT}


@pytest.mark.parametrize("ask", EVERY.values(), ids=EVERY.keys())
def test_another_accounts_credential(ask: Ask, emulator: Emulator, stranger: Client) -> None:
    """The error names the project, and says what to do."""
    with pytest.raises(WrongProject) as told:
        ask(stranger, emulator.backup.id)
    own = emulator.account("sharer").project_id
    assert f"the credential is not of project {own} (HTTP 401, Malformed request url, request" in str(told.value)
    assert "correct the project id (environment HW_PROJECT_ID); nothing was changed" in str(told.value)
    assert str(told.value).isprintable()


def test_another_accounts_credential_is_no_refused_one(emulator: Emulator, stranger: Client) -> None:
    """The key is good: later calls are sent."""
    for _ in range(7):
        with pytest.raises(WrongProject):
            members.list_members(stranger, emulator.backup.id)
    assert len(emulator.requests) == 14


@pytest.mark.parametrize("ask", OF_THE_PROJECT.values(), ids=OF_THE_PROJECT.keys())
def test_a_call_of_no_backup_stays_what_it_is(ask: Ask, emulator: Emulator, client: Client) -> None:
    """If the backups can be listed, there is no explanation."""
    emulator.add_fault(Fault(status=401, body=BODY))
    with pytest.raises(MalformedUrl, match="the service rejected the URL as malformed"):
        ask(client, emulator.vault("sharer").id)


LOOKS: dict[str, tuple[Fault, type[CbrSharingError]]] = {
    "503": (Fault(path="/backups$", status=503, body=""), ServerFault),
    "403": (Fault(path="/backups$", status=403, body='{"forbidden": {"code": "403"}}'), PermissionDenied),
    "a page": (Fault(path="/backups$", status=200, body="<html>"), UnexpectedAnswer),
    "something else": (Fault(path="/backups$", status=200, body='{"vaults": []}'), UnexpectedAnswer),
}


@pytest.mark.parametrize(("fault", "error"), LOOKS.values(), ids=LOOKS.keys())
def test_a_look_that_fails_concludes_nothing(
    fault: Fault, error: type[CbrSharingError], emulator: Emulator, client: Client
) -> None:
    """Its error says what was looked up."""
    quirky(emulator)
    emulator.add_fault(fault)
    with pytest.raises(error, match="checking that the credential is of project"):
        members.list_members(client, emulator.backup.id)
