"""Share backups of Cloud Backup and Recovery (CBR) with other projects, in Pulumi programs.

import pulumi
from pulumi_cbr_sharing import BackupShareMember

share = BackupShareMember("dr", backup_id="…", dest_project_id="…")
pulumi.export("status", share.status)
"""

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.projects import Project
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
    from pulumi_cbr_sharing.resources.lookups import (
        LookupFailed,
        get_backup,
        get_backup_output,
        get_backups,
        get_backups_output,
        get_projects,
        get_projects_output,
        get_share_members,
        get_share_members_output,
        get_vaults,
        get_vaults_output,
    )
    from pulumi_cbr_sharing.resources.received_backups import ReceivedBackups
    from pulumi_cbr_sharing.resources.recovery_lookup import get_recovery_points, get_recovery_points_output
    from pulumi_cbr_sharing.resources.share import BackupShare
    from pulumi_cbr_sharing.resources.share_member import BackupShareMember
    from pulumi_cbr_sharing.resources.vault_share import VaultShare
    from pulumi_cbr_sharing.settings.connection import Agency, Connection
    from pulumi_cbr_sharing.sharing.recovery_points import Copy, RecoveryPoint


__all__ = [
    "Agency",
    "Backup",
    "BackupShare",
    "BackupShareAccepter",
    "BackupShareMember",
    "Connection",
    "Copy",
    "LookupFailed",
    "Member",
    "Project",
    "ReceivedBackups",
    "RecoveryPoint",
    "Vault",
    "VaultShare",
    "get_backup",
    "get_backup_output",
    "get_backups",
    "get_backups_output",
    "get_projects",
    "get_projects_output",
    "get_recovery_points",
    "get_recovery_points_output",
    "get_share_members",
    "get_share_members_output",
    "get_vaults",
    "get_vaults_output",
]

# The names of each module. A module is imported when one of its names is used: so the command line starts without
# Pulumi, and a program imports only what it uses.
_MODULES = {
    "cbr.backups": "Backup",
    "cbr.members": "Member",
    "cbr.projects": "Project",
    "cbr.vaults": "Vault",
    "resources.accepter": "BackupShareAccepter",
    "resources.lookups": (
        "LookupFailed get_backup get_backup_output get_backups get_backups_output get_projects "
        "get_projects_output get_share_members get_share_members_output get_vaults get_vaults_output"
    ),
    "resources.received_backups": "ReceivedBackups",
    "resources.recovery_lookup": "get_recovery_points get_recovery_points_output",
    "resources.share": "BackupShare",
    "resources.share_member": "BackupShareMember",
    "resources.vault_share": "VaultShare",
    "settings.connection": "Agency Connection",
    "sharing.recovery_points": "Copy RecoveryPoint",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value
