"""A backup shared by one account and accepted by another, in one program."""

import pulumi

from pulumi_cbr_sharing import BackupShareAccepter, BackupShareMember, Connection


config = pulumi.Config()

share = BackupShareMember(
    "dr",
    backup_id=config.require("backupId"),
    dest_project_id=config.require("drProjectId"),
)

# Reads dr:accessKey … or DR_HW_ACCESS_KEY … instead of huaweicloud:accessKey and HW_ACCESS_KEY.
accepted = BackupShareAccepter(
    "dr",
    backup_id=share.backup_id,
    vault_id=config.require("drVaultId"),
    connection=Connection(namespace="dr"),
)

pulumi.export("sharedBy", accepted.owner_project_id)
pulumi.export("acceptedBy", accepted.recipient_project_id)
