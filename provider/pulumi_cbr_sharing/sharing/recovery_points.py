"""Recovery points: the newest copies of each server or disk, as the owner or the recipient sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.errors import BackupNotFound
from pulumi_cbr_sharing.sharing import received
from pulumi_cbr_sharing.sharing.threads import POOL
from pulumi_cbr_sharing.sharing.window import newest_of_each


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


@dataclass(frozen=True)
class Copy:
    """A backup that one could recover from.

    Attributes:
        backup_id: its UUID.
        created_at, expired_at: when it was made, and when it expires together with the recipients' copies; RFC 3339,
            UTC; "" if the service gives none.
        age_seconds: its age at the time of the lookup.
    """

    backup_id: str
    created_at: str
    expired_at: str
    age_seconds: float


@dataclass(frozen=True)
class RecoveryPoint:
    """The newest copies of one server or disk, for one recipient.

    Attributes:
        resource_id, resource_name, resource_type: the server or disk.
        owner_project_id: the project that it belongs to.
        recipient_project_id: the project that would recover it.
        newest: the owner's newest backup; None in the recipient's lookups, which cannot see it.
        shared: the newest backup that is shared with the recipient, accepted or not; None if there is none.
        accepted: the newest backup that the recipient has accepted; None if there is none.
    """

    resource_id: str
    resource_name: str
    resource_type: str
    owner_project_id: str
    recipient_project_id: str
    newest: Copy | None
    shared: Copy | None
    accepted: Copy | None


# GET /v3/{project_id}/backups?vault_id=…, then GET …/backups/{backup_id}/members, newest first
def of_owner(client: Client, vault_id: str, recipients: Sequence[str], now: datetime) -> list[RecoveryPoint]:
    """The recovery points in a vault, one for each server or disk and recipient, as the owner sees them.

    The members of a server's backups are listed from the newest backup on, until every recipient's newest accepted one
    is found.

    Args:
        client: the owner's.
        vault_id: the vault.
        recipients: project ids.
        now: the current time.
    """
    resources = sorted(_by_resource(list_backups(client, vault_id=vault_id)).items())
    looks = [POOL.submit(_of_resource, client, backups, recipients, now) for _, backups in resources]
    return [point for look in looks for point in look.result()]


# GET /v3/{project_id}/backups?own_type=shared&member_status=…
def of_recipient(client: Client, owners: Sequence[str], now: datetime) -> list[RecoveryPoint]:
    """The recovery points that the client's project has from these owners, one for each server or disk."""
    seen = received.look(client, owners)
    shared, accepted = newest_of_each((*seen.pending, *seen.accepted)), newest_of_each(seen.accepted)
    return [
        _point(newest, client.project_id, now, shared=newest, accepted=accepted.get(key))
        for key, newest in sorted(shared.items())
    ]


def _of_resource(
    client: Client, backups: Sequence[Backup], recipients: Sequence[str], now: datetime
) -> list[RecoveryPoint]:
    shared: dict[str, Backup] = {}
    accepted: dict[str, Backup] = {}
    for backup in backups:
        live = _members(client, backup.id)
        for project in recipients:
            status = live[project].status if project in live else ""
            if status in ("pending", "accepted"):
                shared.setdefault(project, backup)
            if status == "accepted":
                accepted.setdefault(project, backup)
        if len(accepted) == len(recipients):
            break
    newest = backups[0]
    return [
        _point(newest, one, now, newest=newest, shared=shared.get(one), accepted=accepted.get(one))
        for one in recipients
    ]


def _members(client: Client, backup_id: str) -> Mapping[str, Member]:
    try:
        return list_members(client, backup_id).all()
    except BackupNotFound:  # expired since it was listed
        return {}


def _by_resource(backups: Iterable[Backup]) -> dict[tuple[str, str], list[Backup]]:
    """The usable backups by owner and id of the server or disk, in the order given."""
    found: dict[tuple[str, str], list[Backup]] = {}
    for backup in backups:
        if backup.whole:
            found.setdefault(backup.resource, []).append(backup)
    return found


def _point(of: Backup, recipient: str, now: datetime, **copies: Backup | None) -> RecoveryPoint:
    newest, shared, accepted = (_copy(copies.get(name), now) for name in ("newest", "shared", "accepted"))
    return RecoveryPoint(
        resource_id=of.resource_id,
        resource_name=of.resource_name,
        resource_type=of.resource_type,
        owner_project_id=of.project_id,
        recipient_project_id=recipient,
        newest=newest,
        shared=shared,
        accepted=accepted,
    )


def _copy(backup: Backup | None, now: datetime) -> Copy | None:
    if backup is None:
        return None
    return Copy(backup.id, backup.created_at, backup.expired_at, (now - backup.created).total_seconds())
