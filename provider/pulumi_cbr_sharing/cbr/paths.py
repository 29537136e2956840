"""The paths of the API, built from ids of the right shape only.

With a part such as `..` or `x/members?`, a call would act on something else: the DELETE of a member on the backup
itself, a POST of members on another backup. So it is refused here, wherever the id comes from.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import Refused, one_line


def backups(project_id: str) -> str:
    """The backups of a project."""
    return f"/v3/{_part(project_id, ids.PROJECT)}/backups"


def backup(project_id: str, backup_id: str) -> str:
    """One backup."""
    return f"{backups(project_id)}/{_part(backup_id, ids.BACKUP)}"


def members(project_id: str, backup_id: str) -> str:
    """The members of a backup."""
    return f"{backup(project_id, backup_id)}/members"


def member(project_id: str, backup_id: str, recipient: str) -> str:
    """One member of a backup, by the recipient's project id."""
    return f"{members(project_id, backup_id)}/{_part(recipient, ids.PROJECT)}"


def vaults(project_id: str) -> str:
    """The vaults of a project."""
    return f"/v3/{_part(project_id, ids.PROJECT)}/vaults"


def vault(project_id: str, vault_id: str) -> str:
    """One vault."""
    return f"{vaults(project_id)}/{_part(vault_id, ids.VAULT)}"


def projects_of_account(account: str) -> str:
    """The projects of an account, by its name."""
    # Dots alone would be another path, and `quote` cannot encode lone surrogates.
    if ids.trouble_with_text(account) or not account.strip(". "):
        raise Refused(f"listing the projects of an account: {one_line(account, 60)!r} is not an account name")
    return f"/v3/domain/{quote(account, safe='')}/projects"


def _part(value: Any, shape: ids.Shape) -> str:
    if trouble := shape.trouble_with(value):
        raise Refused(f"calling the service with an id that {trouble}; nothing was sent")
    return str(value)
