"""The one 401 that has two meanings, told apart by one more look.

`401 {"unauthorized": {"code": "401", "message": "Malformed request url"}}`: another client's maintainers saw it where
a backup does not exist. In the sources of the service's ancestor, OpenStack Karbor, the same text means that the
project in the address is not the credential's. Taken for "gone", it would drop every share from the state of whoever
comes with another account's credential.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr import paths
from pulumi_cbr_sharing.errors import BackupNotFound, MalformedUrl, WrongProject
from pulumi_cbr_sharing.http.messages import Call, row, rows


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.http.client import Client


@contextmanager
def told_apart(client: Client, call: Call) -> Iterator[None]:
    """Around every call of backups, members and vaults.

    Raises:
        BackupNotFound: the list of the project's backups is answered, so it is the backup that does not exist.
        WrongProject: it is not, so the project is not the credential's.
        MalformedUrl: neither explains it.
        CbrSharingError: as the look ended.
    """
    try:
        yield
    except MalformedUrl as refusal:
        _look_at_project(client, call)
        # The answer was seen for GET alone. A share whose DELETE was answered so may stand.
        if "/backups/" not in call.path or (call.method != "GET" and _is_there(client, call)):
            raise
        raise _not_found(refusal) from None


# GET /v3/{project_id}/backups?limit=1 → 200 {"backups": [Backup], "count": n}
def _look_at_project(client: Client, call: Call) -> None:
    doing = f"{call.doing}: looking whether the credential is of project {client.project_id}"
    query = (("limit", "1"),)
    look = Call("GET", paths.backups(client.project_id), doing=doing, action="cbr:backups:list", query=query)
    try:
        rows(look, client.fetch(look), "backups")
    except MalformedUrl as same:
        request = f", request {same.request_id}" if same.request_id else ""
        raise WrongProject(
            f"{call.doing}: the credential is not of project {client.project_id} (HTTP 401, Malformed request url"
            f"{request}): give the project's own credential, or the right project id (stack config "
            "huaweicloud:projectId, environment HW_PROJECT_ID); nothing was changed"
        ) from None


# GET /v3/{project_id}/backups/{backup_id} → 200 {"backup": Backup}
def _is_there(client: Client, call: Call) -> bool:
    path = call.path.partition("/members")[0]
    look = Call("GET", path, doing=f"{call.doing}: looking whether the backup exists", action="cbr:backups:get")
    try:
        row(look, client.fetch(look), "backup")
    except (BackupNotFound, MalformedUrl):
        return False
    return True


def _not_found(refusal: MalformedUrl) -> BackupNotFound:
    return BackupNotFound(
        refusal.doing,
        "the backup does not exist in this project",
        status=refusal.status,
        code=refusal.code,
        request_id=refusal.request_id,
    )
