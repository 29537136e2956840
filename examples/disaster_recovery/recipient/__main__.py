"""The recipient's half: what the named owners offer, accepted into a vault; what was accepted before, kept."""

import os

from datetime import timedelta

import pulumi

from pulumi_cbr_sharing import ReceivedBackups


config = pulumi.Config()

received = ReceivedBackups(
    "dr",
    vault_id=config.require("vaultId"),
    owner_project_ids=config.require_object("ownerProjectIds"),
    keep=config.require_int("keep"),
    max_age=timedelta(hours=36),
    on_stale="error" if os.environ.get("ON_STALE") == "error" else "warn",  # see README.md
)

pulumi.export("received", received.backup_ids)
