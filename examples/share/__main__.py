"""One backup, shared with exactly these projects: other recipients show as drift, and are removed."""

import pulumi

from pulumi_cbr_sharing import BackupShare


config = pulumi.Config()

share = BackupShare(
    "golden-image",
    backup_id=config.require("backupId"),
    dest_project_ids=config.require_object("destProjectIds"),
)

pulumi.export("statuses", share.statuses)
