"""One backup, shared with exactly these projects: whoever else it is shared with shows as drift, and goes."""

import pulumi

from pulumi_cbr_sharing import BackupShare


config = pulumi.Config()

share = BackupShare(
    "golden-image",
    backup_id=config.require("backupId"),
    dest_project_ids=config.require_object("destProjectIds"),
)

pulumi.export("statuses", share.statuses)
