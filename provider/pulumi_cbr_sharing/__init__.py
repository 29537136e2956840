"""Share backups of Cloud Backup and Recovery (CBR) with other projects, in Pulumi programs.

import pulumi
from pulumi_cbr_sharing import BackupShareMember

share = BackupShareMember("dr", backup_id="…", dest_project_id="…")
pulumi.export("status", share.status)
"""

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    __version__: str

    from pulumi_cbr_sharing.cbr.backups import Backup as Backup  # noqa: I001 - one import a module
    from pulumi_cbr_sharing.cbr.members import Member as Member
    from pulumi_cbr_sharing.cbr.projects import Project as Project
    from pulumi_cbr_sharing.cbr.vaults import Vault as Vault
    from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter as BackupShareAccepter
    from pulumi_cbr_sharing.resources.lookups import (
        LookupFailed as LookupFailed,
        get_backup as get_backup,
        get_backup_output as get_backup_output,
        get_backups as get_backups,
        get_backups_output as get_backups_output,
        get_projects as get_projects,
        get_projects_output as get_projects_output,
        get_share_members as get_share_members,
        get_share_members_output as get_share_members_output,
        get_vaults as get_vaults,
        get_vaults_output as get_vaults_output,
    )
    from pulumi_cbr_sharing.resources.received_backups import ReceivedBackups as ReceivedBackups
    from pulumi_cbr_sharing.resources.share import BackupShare as BackupShare
    from pulumi_cbr_sharing.resources.share_member import BackupShareMember as BackupShareMember
    from pulumi_cbr_sharing.resources.vault_share import VaultShare as VaultShare
    from pulumi_cbr_sharing.settings.connection import Agency as Agency, Connection as Connection
else:
    # A module is imported when one of its names is used: so the command line starts without Pulumi, and a program
    # imports only what it uses.
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
        "resources.share": "BackupShare",
        "resources.share_member": "BackupShareMember",
        "resources.vault_share": "VaultShare",
        "settings.connection": "Agency Connection",
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}
    __all__ = list(_MODULE_OF)

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - slow to import

            return version("pulumi-cbr-sharing")
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        return value
