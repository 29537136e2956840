"""A vault with a daily policy, by the vendor's provider, and its newest backups shared: one program, one account."""

import pulumi
import pulumi_huaweicloud as huaweicloud

from pulumi_cbr_sharing import VaultShare


config = pulumi.Config()

daily = huaweicloud.cbr.Policy(
    "daily",
    type="backup",
    backup_cycle=huaweicloud.cbr.PolicyBackupCycleArgs(interval=1, execution_times=["02:00"]),
    backup_quantity=14,  # more than are shared: what the policy removes, recipients lose
)

vault = huaweicloud.cbr.Vault(
    "servers",
    type="server",
    protection_type="backup",
    size=config.require_int("vaultSize"),
    resources=[huaweicloud.cbr.VaultResourceArgs(server_id=config.require("serverId"))],
    policies=[huaweicloud.cbr.VaultPolicyArgs(id=daily.id)],
)

share = VaultShare(
    "dr",
    vault_id=vault.id,
    dest_project_ids=config.require_object("destProjectIds"),
    keep=config.require_int("keep"),
    allow_empty=True,  # the vault is empty until the policy first ran
)

pulumi.export("vaultId", vault.id)
pulumi.export("backupIds", share.backup_ids)
pulumi.export("shares", share.shares)
