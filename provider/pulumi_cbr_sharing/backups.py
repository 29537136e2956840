"""Backups, read-only: what a share needs to know of them."""

from __future__ import annotations

import math

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import BackupNotAvailable, WaitTimeout, one_line
from pulumi_cbr_sharing.wire import Call, row


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.client import Client


AVAILABLE = "available"
NEWS_EVERY = 60.0  # seconds between two lines about the same wait
# Statuses on the way to `available`; from the others no waiting helps.
BECOMING_AVAILABLE = frozenset({"protecting", "waiting_protect", "restoring", "waiting_restore"})


@dataclass(frozen=True)
class Backup:
    """A backup.

    Attributes:
        id: its UUID.
        status: `available`, `protecting`, `restoring`, `error`, `deleting`, ….
        resource_type: `OS::Nova::Server` for a cloud server, `OS::Cinder::Volume` for a disk, ….
        project_id: the owner's project.
        vault_id: the vault that it is in.
        name: as its maker called it.
    """

    id: str
    status: str
    resource_type: str = ""
    project_id: str = ""
    vault_id: str = ""
    name: str = ""


# GET /v3/{project_id}/backups/{backup_id} → 200 {"backup": Backup}
def get_backup(client: Client, backup_id: str) -> Backup:
    """One backup.

    Raises:
        BackupNotFound: there is none in the client's project.
    """
    call = Call(
        "GET",
        f"/v3/{client.project_id}/backups/{backup_id}",
        doing=f"reading backup {backup_id}",
        action="cbr:backups:get",
    )
    return _backup(row(call, client.fetch(call), "backup"))


def wait_until_available(client: Client, backup_id: str, refusal: BackupNotAvailable, seconds: float) -> None:
    """Wait for a backup that is still being made.

    Args:
        client: the owner's.
        backup_id: the backup.
        refusal: why it could not be shared; raised again where waiting cannot help.
        seconds: how long at the most.

    Raises:
        WaitTimeout: it was not available in time.
        BackupNotAvailable: it is in a status from which it does not become available.
    """
    clock, pause = client.clock, 1.0
    ends, told = clock.now() + seconds, -math.inf
    while (status := get_backup(client, backup_id).status) in BECOMING_AVAILABLE:
        left = ends - clock.now()
        if left <= 0:
            raise WaitTimeout(
                f"{refusal.doing}: the backup is still {status} after {seconds:.0f} s: run it again, or give the share "
                "a larger wait_for_backup"
            )
        if clock.now() >= told + NEWS_EVERY:
            client.notify(f"{refusal.doing}: the backup is {status}; waiting for it, up to {left:.0f} s more")
            told = clock.now()
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, 15.0)
    if status != AVAILABLE:
        trouble = f"the backup's status is {one_line(status, 30)}, and only an available one can be shared"
        raise BackupNotAvailable(
            refusal.doing,
            trouble,
            "share another backup",
            status=refusal.status,
            code=refusal.code,
            request_id=refusal.request_id,
        )


def _backup(record: Mapping[str, Any]) -> Backup:
    return Backup(**{name: str(record.get(name) or "") for name in Backup.__dataclass_fields__})
