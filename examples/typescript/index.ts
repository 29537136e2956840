import * as pulumi from "@pulumi/pulumi";
import * as cbr from "pulumi-cbr-sharing";

const config = new pulumi.Config();
const recipientId = config.require("recipientId");

// Run `pulumi up` every night, and the window rolls.
const nightly = new cbr.VaultShare("nightly", {
    vaultId: config.require("vaultId"),
    destProjectIds: [recipientId],
    keep: 3,
    maxAge: "26h",
    onStale: cbr.OnStale.Warn,
});

const golden = new cbr.BackupShareMember(
    "golden",
    { backupId: config.require("goldenBackupId"), destProjectId: recipientId },
    { customTimeouts: { create: "15m" } },
);

export const shares = nightly.shares;
export const newestAt = nightly.newestAt;
export const goldenStatus = golden.status;
export const vaults = cbr.getVaultsOutput({}).apply((found) => found.vaults.map((vault) => vault.name));
