"""The sharer's half: the newest backups of each server in a vault, shared with the account that has to recover."""

from datetime import timedelta

import pulumi

from pulumi_cbr_sharing import VaultShare


config = pulumi.Config()

shared = VaultShare(
    "dr",
    vault_id=config.require("vaultId"),
    dest_project_ids=[config.require("drProjectId")],
    keep=config.require_int("keep"),
    max_age=timedelta(hours=36),
)

pulumi.export("shared", shared.backup_ids)
