"""One backup shared with one project."""

import pulumi

from pulumi_cbr_sharing import BackupShareMember


config = pulumi.Config()

share = BackupShareMember(
    "dr",
    backup_id=config.require("backupId"),
    dest_project_id=config.require("destProjectId"),
)

pulumi.export("status", share.status)
pulumi.export("sharedBy", share.owner_project_id)
