"""The sharer's half: the newest backups of each server in a vault, shared with the account that has to recover."""

import os

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
    on_stale="error" if os.environ.get("ON_STALE") == "error" else "warn",  # see README.md
)

pulumi.export("shared", shared.backup_ids)
