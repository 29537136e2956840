"""A backup from the recipient's view.

Whether a recipient sees a backup before it has accepted it is not documented. A backup in a vault is accepted; one
without a vault, or one that is not found, is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import get_backup
from pulumi_cbr_sharing.errors import BackupNotFound, Refused


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client


def accepted(client: Client, backup_id: str, verb: str) -> Backup | None:
    """Read a backup that the project has accepted; None if it has not.

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
    return seen if seen.vault_id else None
