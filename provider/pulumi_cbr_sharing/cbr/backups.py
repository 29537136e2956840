"""Reads backups, and waits for one."""

from __future__ import annotations

import math

from dataclasses import dataclass, field
from datetime import datetime, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, get_args

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.cbr.api import ask, path_to, whole_list
from pulumi_cbr_sharing.errors import BackupNotAvailable, Refused, WaitTimeout, one_line
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Record


OwnType = Literal["private", "shared", "all_granted"]
AVAILABLE = "available"
NEWS_EVERY = 60.0  # seconds between two messages about the same wait
WHOLE = frozenset({AVAILABLE, "restoring", "waiting_restore"})  # of what is being restored from, too
BECOMING_AVAILABLE = frozenset({"protecting", "waiting_protect", "restoring", "waiting_restore"})


@dataclass(frozen=True)
class Backup:
    """A backup.

    Attributes:
        id: its UUID.
        status: `available`, `protecting`, `restoring`, `error`, `deleting`, ….
        resource_type: `OS::Nova::Server` for a cloud server, `OS::Cinder::Volume` for a disk, ….
        project_id: the owner's project, 32 hexadecimal digits.
        vault_id: the UUID of its vault; a recipient sees a vault of its own.
        name: one line of at most 255 characters.
        resource_id, resource_name: the server or disk that was backed up; the name as in `name`.
        resource_size: the size of the server or disk, in GB.
        checkpoint_id: the backup run, which may have made backups of other resources, too.
        created_at, expired_at: RFC 3339 in UTC; "" if the service gives none.
        encrypted: whether the backup, or a disk in it, is marked as encrypted.
        raw_name: the name as the service has it, to compare with and not to show.
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
    raw_name: str = field(default="", repr=False, compare=False)

    @property
    def created(self) -> datetime:
        """`created_at` as a datetime in UTC; the earliest one if the service gives none."""
        return moment(self.created_at) or datetime.min.replace(tzinfo=timezone.utc)

    @property
    def resource(self) -> tuple[str, str]:
        """The owner's project and the resource, which identify the resource of a received backup, too."""
        return self.project_id, self.resource_id

    @property
    def order(self) -> tuple[datetime, str]:
        """Sorts backups from old to new."""
        return self.created, self.id

    @property
    def whole(self) -> bool:
        """Whether it can be restored."""
        return self.status in WHOLE


# GET /v3/{project_id}/backups/{backup_id} → 200 {"backup": Backup}
def get_backup(client: Client, backup_id: str) -> Backup:
    """One backup.

    Raises:
        BackupNotFound: there is no such backup in the client's project.
    """
    call = Call("GET", path_to(client, "backups", backup_id), f"reading backup {backup_id}", "cbr:backups:get")
    return _backup(ask(client, call).record("backup"), backup_id)


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
    """The backups that match all given filters (see the lookup `get_backups`), newest first, over all pages.

    Raises:
        Refused: filters contradict each other, or cannot be sent.
    """
    if own_type not in get_args(OwnType) or (member_status and own_type == "private"):
        raise Refused(
            f"listing backups: own_type is {one_line(own_type, 30)!r}, member_status {one_line(member_status, 30)!r}: "
            "own_type must be private, shared or all_granted, and member_status is for the last two only"
        )
    filters = {"vault_id": vault_id, "resource_id": resource_id, "name": name, "status": status}
    wanted = {key: text for key, text in filters.items() if text is not None}
    for key, text in wanted.items():
        if trouble := ids.VAULT.trouble_with(text) if key == "vault_id" else ids.trouble_with_text(text):
            raise Refused(f"listing backups: {key} {trouble}")
    shared: dict[str, str] = {} if own_type == "private" else {"own_type": own_type}
    shared |= {"member_status": member_status} if member_status else {}
    doing, query = f"listing the backups of project {client.project_id}", tuple({**wanted, **shared}.items())
    call = Call("GET", path_to(client, "backups"), doing, "cbr:backups:list", query=query)

    def fits(record: Mapping[str, Any]) -> bool:
        """No document says that `name` means the whole name, or that filters apply.

        Which vault the list names for a received backup is not documented, so `vault_id` is left to the service then.
        """
        checked = {key: text for key, text in wanted.items() if not (shared and key == "vault_id")}
        is_own = record.get("project_id") in (None, "", client.project_id)
        return (is_own or bool(shared)) and all(record.get(key) == text for key, text in checked.items())

    return sorted(whole_list(client, call, "backups", _backup, fits), key=attrgetter("order"), reverse=True)


def wait_until_available(client: Client, backup_id: str, refusal: BackupNotAvailable, seconds: float) -> None:
    """Wait for a backup that is still being made, after the service has refused to share it.

    Raises:
        WaitTimeout: the backup did not become available in time.
        BackupNotAvailable: its status never becomes `available`.
    """
    told = math.inf
    for left in client.clock.tries(seconds):
        status = get_backup(client, backup_id).status
        if status == AVAILABLE:
            return
        if status not in BECOMING_AVAILABLE:
            reason = f"the backup's status is {one_line(status, 30)}, and only available backups can be shared"
            raise refusal.again(reason=reason, remedy="share another backup")
        if 0 < left <= told - NEWS_EVERY:
            client.notify(f"{refusal.doing}: the backup is {status}; waiting up to {left:.0f} s more")
            told = left
    raise WaitTimeout(
        f"{refusal.doing}: the backup is still {status} after {seconds:.0f} s: run it again, or set a larger "
        "wait_for_backup"
    )


def _backup(record: Record, asked: str | None = None) -> Backup:
    raw_name = record.fields.get("name")
    whole_and_parts = (record, *record.parts("children"))  # a server's backup contains one of each disk
    return Backup(
        id=record.id("id", ids.BACKUP, asked),
        status=record.word("status"),
        resource_type=record.word("resource_type"),
        project_id=record.id_or_none("project_id", ids.PROJECT) or "",
        vault_id=record.id_or_none("vault_id", ids.VAULT) or "",
        name=record.name("name"),
        resource_id=record.id_or_none("resource_id", ids.FOREIGN) or "",
        resource_name=record.name("resource_name"),
        resource_size=record.number("resource_size"),
        checkpoint_id=record.id_or_none("checkpoint_id", ids.FOREIGN) or "",
        created_at=record.timestamp("created_at"),
        expired_at=record.timestamp("expired_at"),
        encrypted=any(one.part("extend_info").fields.get("encrypted") is True for one in whole_and_parts),
        raw_name=raw_name if isinstance(raw_name, str) else "",
    )
