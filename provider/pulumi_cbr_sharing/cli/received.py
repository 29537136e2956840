"""A backup from the recipient's view.

Whether a recipient sees a backup before it has accepted it is not documented. A backup in a vault is accepted; one
without a vault, or one that is not found, is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import get_backup
from pulumi_cbr_sharing.errors import BackupNotFound, Refused


if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client


def received(client: Client, backup_id: str, verb: str) -> Backup | None:
    """Read a received backup; None if it is not found.

    Raises:
        Refused: the project owns the backup.
    """
    try:
        seen = get_backup(client, backup_id)
    except BackupNotFound:
        return None
    if seen.project_id == client.project_id:
        raise Refused(
            f"{verb} the share of backup {backup_id}: project {seen.project_id} owns it: use the recipient's account, "
            "with --connection"
        )
    return seen


def in_vault(seen: Backup | None) -> TypeIs[Backup]:
    """Whether the backup has been accepted."""
    return seen is not None and bool(seen.vault_id)
