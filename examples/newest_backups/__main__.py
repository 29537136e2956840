"""The newest backups of each server in a vault, shared with projects: run nightly, the window rolls."""

import pulumi

from pulumi_cbr_sharing import VaultShare


config = pulumi.Config()

nightly = VaultShare(
    "nightly",
    vault_id=config.require("vaultId"),
    dest_project_ids=config.require_object("destProjectIds"),
    keep=config.require_int("keep"),
)

pulumi.export("backupIds", nightly.backup_ids)
pulumi.export("shares", nightly.shares)
