"""The vendor's vault and backup policy: tokens, names and required arguments are those of its SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi


if TYPE_CHECKING:
    from collections.abc import Sequence


# The vendor's SDK asks for its own version of the plugin, so this one does too.
VERSION = pulumi.ResourceOptions(version="0.0.12")


@pulumi.input_type
class PolicyBackupCycleArgs:
    """When a policy backs up."""

    execution_times: pulumi.Input[list[str]] = pulumi.property("executionTimes")
    interval: pulumi.Input[int] | None = pulumi.property("interval", default=None)


@pulumi.input_type
class VaultResourceArgs:
    """A server in a vault."""

    server_id: pulumi.Input[str] | None = pulumi.property("serverId", default=None)


@pulumi.input_type
class VaultPolicyArgs:
    """A policy of a vault."""

    id: pulumi.Input[str] = pulumi.property("id")


class Policy(pulumi.CustomResource):
    """A backup policy."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        backup_cycle: PolicyBackupCycleArgs,
        type: str,  # noqa: A002 - the vendor's name
        backup_quantity: pulumi.Input[int] | None = None,
    ) -> None:
        given = {"backupCycle": backup_cycle, "type": type, "backupQuantity": backup_quantity}
        super().__init__("huaweicloud:Cbr/policy:Policy", resource_name, given, _merged(opts))


class Vault(pulumi.CustomResource):
    """A vault."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        protection_type: pulumi.Input[str],
        size: pulumi.Input[int],
        type: pulumi.Input[str],  # noqa: A002 - the vendor's name
        policies: Sequence[VaultPolicyArgs] | None = None,
        resources: Sequence[VaultResourceArgs] | None = None,
    ) -> None:
        given: dict[str, Any] = {"protectionType": protection_type, "size": size, "type": type}
        given |= {"policies": policies, "resources": resources}
        super().__init__("huaweicloud:Cbr/vault:Vault", resource_name, given, _merged(opts))


def _merged(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(VERSION, opts)
