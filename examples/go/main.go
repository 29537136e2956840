package main

import (
	cbrsharing "github.com/pulumi-cbr-sharing/pulumi-cbr-sharing/sdk/go/cbrsharing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		recipientID := pulumi.String(settings.Require("recipientId"))

		// Run `pulumi up` every night, and the window rolls.
		nightly, err := cbrsharing.NewVaultShare(ctx, "nightly", &cbrsharing.VaultShareArgs{
			VaultId:        pulumi.String(settings.Require("vaultId")),
			DestProjectIds: pulumi.StringArray{recipientID},
			Keep:           pulumi.Int(3),
			MaxAge:         pulumi.String("26h"),
			OnStale:        cbrsharing.OnStaleWarn,
		})
		if err != nil {
			return err
		}

		golden, err := cbrsharing.NewBackupShareMember(ctx, "golden", &cbrsharing.BackupShareMemberArgs{
			BackupId:      pulumi.String(settings.Require("goldenBackupId")),
			DestProjectId: recipientID,
		}, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m"}))
		if err != nil {
			return err
		}

		found, err := cbrsharing.GetVaults(ctx, &cbrsharing.GetVaultsArgs{})
		if err != nil {
			return err
		}

		ctx.Export("shares", nightly.Shares)
		ctx.Export("newestAt", nightly.NewestAt)
		ctx.Export("golden", golden.Status)
		ctx.Export("vaults", pulumi.Int(len(found.Vaults)))
		return nil
	})
}
