"""Backups, read-only: what a share needs to know of them."""

from __future__ import annotations

import math

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, get_args

from pulumi_cbr_sharing.cbr.paging import whole_list
from pulumi_cbr_sharing.errors import BackupNotAvailable, Refused, WaitTimeout, one_line
from pulumi_cbr_sharing.http.messages import Call, row
from pulumi_cbr_sharing.http.timestamps import moment, rfc3339


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.client import Client


OwnType = Literal["private", "shared", "all_granted"]
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
        resource_id, resource_name: what was backed up.
        resource_size: of what was backed up, in GB.
        checkpoint_id: the run that made it, with the backups of the vault's other resources.
        created_at, expired_at: RFC 3339 in UTC; "" where the service says none.
        encrypted: whether it, or a disk in it, says that it is.
    """

    id: str
    status: str
    resource_type: str = ""
    project_id: str = ""
    vault_id: str = ""
    name: str = ""
    resource_id: str = ""
    resource_name: str = ""
    resource_size: int = 0
    checkpoint_id: str = ""
    created_at: str = ""
    expired_at: str = ""
    encrypted: bool = False

    @property
    def created(self) -> datetime:
        """When it was made, in UTC; the beginning of time if the service does not say."""
        return moment(self.created_at) or _LONG_AGO


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


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


# GET /v3/{project_id}/backups?vault_id=…&own_type=… → 200 {"backups": [Backup, …], "count": n}
def list_backups(
    client: Client,
    *,
    vault_id: str | None = None,
    resource_id: str | None = None,
    name: str | None = None,
    status: str | None = None,
    own_type: OwnType = "private",
    member_status: str | None = None,
) -> list[Backup]:
    """All backups that fit every filter given, newest first, over all pages.

    Args:
        client: the project's whose view it is.
        vault_id: the vault; for a received backup the recipient's.
        resource_id: the server or disk that was backed up.
        name: the whole name.
        status: `available`, `protecting`, `error`, ….
        own_type: `private`, the project's own; `shared`, those that others share with it; `all_granted`, both.
        member_status: `pending`, `accepted` or `rejected`, of the share with this project; not with `private`.

    Raises:
        Refused: filters that contradict each other.
        UnexpectedAnswer: the list is not known to be whole.
    """
    if own_type not in get_args(OwnType) or (member_status and own_type == "private"):
        raise Refused(
            f"listing backups: own_type is {one_line(own_type, 30)!r}, member_status {one_line(member_status, 30)!r}: "
            "own_type is private, shared or all_granted, and member_status goes with the last two"
        )
    filters = {"vault_id": vault_id, "resource_id": resource_id, "name": name, "status": status}
    wanted = {key: text for key, text in filters.items() if text}
    shared = {"own_type": own_type, "member_status": member_status} if own_type != "private" else {}
    call = Call(
        "GET",
        f"/v3/{client.project_id}/backups",
        doing=f"listing the backups of project {client.project_id}",
        action="cbr:backups:list",
        query=tuple((key, text) for key, text in {**wanted, **shared}.items() if text),
    )
    found = [_backup(record) for record in whole_list(client, call, "backups")]
    fitting = [backup for backup in found if _fits(backup, wanted, client.project_id if not shared else None)]
    return sorted(fitting, key=lambda backup: (backup.created, backup.id), reverse=True)


def _fits(backup: Backup, wanted: Mapping[str, str], owner: str | None) -> bool:
    """Whether the service filtered as asked: no page says that `name` means the whole name, or that a filter counts.

    Of a backup of another project it is open whose vault the list names, so the vault is left to the service.
    """
    if owner and backup.project_id not in ("", owner):
        return False
    return all(getattr(backup, key) == text for key, text in wanted.items() if owner or key != "vault_id")


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
    """The one place where the API's record becomes a Backup."""
    texts = {name: str(record.get(name) or "") for name in Backup.__dataclass_fields__ if name not in _CONVERTED}
    size, created, expired, _ = (record.get(name) for name in _CONVERTED)
    children = record.get("children")
    parts = [record, *(children if isinstance(children, list) else [])]
    return Backup(
        **texts,
        resource_size=whole_number(size),
        created_at=rfc3339(created),
        expired_at=rfc3339(expired),
        encrypted=any(map(_is_encrypted, parts)),
    )


_CONVERTED = ("resource_size", "created_at", "expired_at", "encrypted")


def _is_encrypted(record: Any) -> bool:
    """`extend_info.encrypted`, in the vendor's model of a backup; a server's backup has one of each disk in it."""
    info = record.get("extend_info") if isinstance(record, dict) else None
    return isinstance(info, dict) and info.get("encrypted") is True


def whole_number(value: Any) -> int:
    """A number as the service means it; 0 for anything else, such as the infinities that JSON parsers let through."""
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0
