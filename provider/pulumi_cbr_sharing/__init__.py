"""Share Cloud Backup and Recovery (CBR) backups with other projects, declared in Pulumi programs.

import pulumi
from pulumi_cbr_sharing import BackupShareMember

share = BackupShareMember("dr", backup_id="…", dest_project_id="…")
pulumi.export("status", share.status)
"""

from pulumi_cbr_sharing.accepter import BackupShareAccepter
from pulumi_cbr_sharing.credentials import Agency
from pulumi_cbr_sharing.settings import Connection
from pulumi_cbr_sharing.share import BackupShare
from pulumi_cbr_sharing.share_member import BackupShareMember


__all__ = ["Agency", "BackupShare", "BackupShareAccepter", "BackupShareMember", "Connection"]
