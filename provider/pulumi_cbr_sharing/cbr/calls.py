"""Sends the calls of CBR, and resolves `401 Malformed request url`: no such backup, or the wrong project.

The maintainers of another client saw this answer where a backup does not exist. In OpenStack Karbor, the service's
ancestor, the same text means that the project in the address is not the credential's. Taking that for "gone" would drop
every share from the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr import paths
from pulumi_cbr_sharing.errors import BackupNotFound, MalformedUrl, WrongProject
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Reply


T = TypeVar("T")


def ask(client: Client, call: Call, look: Callable[[], T | None] | None = None) -> Reply | T:
    """Send a call about backups, members or vaults, see `Client.send`.

    Raises:
        BackupNotFound: the 401, but the project's backups can be listed: it is the backup that does not exist.
        WrongProject: they cannot, so the project is not the credential's.
        MalformedUrl: neither explains the 401.
        CbrSharingError: the call failed, or the request that explains it.
    """
    try:
        return client.send(call, look=look)
    except MalformedUrl as refusal:
        raise explained(client, call, refusal) from None


def explained(client: Client, call: Call, refusal: MalformedUrl) -> MalformedUrl | BackupNotFound:
    """What the 401 means, see `ask`."""
    if call.method != "GET":
        # Seen for GET only: a share whose DELETE is answered with it may still be there.
        _get_backup(client, call)
        return refusal
    _list_backups(client, call)
    if "/backups/" not in call.path:
        return refusal
    gone = refusal.again(reason="the backup does not exist in this project", remedy="")
    return BackupNotFound(**vars(gone))


# GET /v3/{project_id}/backups/{backup_id} → 200 {"backup": Backup}
def _get_backup(client: Client, call: Call) -> None:
    path = call.path.partition("/members")[0]
    look = Call("GET", path, doing=f"{call.doing}: checking that the backup exists", action="cbr:backups:get")
    ask(client, look)


# GET /v3/{project_id}/backups?limit=1 → 200 {"backups": [Backup], "count": n}
def _list_backups(client: Client, call: Call) -> None:
    doing = f"{call.doing}: checking that the credential is of project {client.project_id}"
    query = (("limit", "1"),)
    look = Call("GET", paths.backups(client.project_id), doing=doing, action="cbr:backups:list", query=query)
    try:
        client.send(look).records("backups")
    except MalformedUrl as same:
        request = f", request {same.request_id}" if same.request_id else ""
        raise WrongProject(
            f"{call.doing}: the credential is not of project {client.project_id} (HTTP 401, Malformed request url"
            f"{request}): use a credential of that project, or correct {client.settings.names['project_id']}; nothing "
            "was changed"
        ) from None
