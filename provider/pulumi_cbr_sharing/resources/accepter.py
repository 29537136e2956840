"""BackupShareAccepter: the recipient's answer to a share. `project_id` is the recipient's in all of these.

GET    /v3/{project_id}/backups/{backup_id}                        the backup as the recipient sees it
PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "accepted", "vault_id": "…"}
PUT    /v3/{project_id}/backups/{backup_id}/members/{project_id}   {"status": "rejected"}: give back
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.resources.arguments import waiting
from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource
from pulumi_cbr_sharing.sharing.kinds import KINDS


if TYPE_CHECKING:
    import pulumi

    from pulumi_cbr_sharing.settings.connection import Connection


class BackupShareAccepter(CbrResource, module="huaweicloud/cbr", name="BackupShareAccepter"):
    """A share accepted into a vault of the recipient. Destroying it gives the share back.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of the sharer's backup. Another one replaces the resource.
        vault_id: the UUID of the recipient's vault, which must be of the backup's type and have room for it. If it is
            changed, the new vault is looked at first; then the share is given back and accepted into it. If that is
            refused, it is accepted into the old one again.
        wait_for_offer: seconds to wait for the offer (300); at most as long as `custom_timeouts.create`.
        connection: the recipient's account, if it is not the default one.
        opts: Pulumi's options.

    Attributes:
        status: `accepted`; `pending` if a refresh finds the share cancelled and offered again. That is drift: the next
            `up` accepts it again. `withdrawn` if its owner cancelled it after a lookup of the same run saw it.
        owner_project_id: the project that shares.
        recipient_project_id: the project that accepted.
        region, endpoint: the region and the CBR endpoint in the settings.
        backup_name, resource_type: name and type of the backup, as the recipient sees them.
    """

    _pending = False  # whether a component has just seen its offer
    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        backup_id: pulumi.Output[str]
        vault_id: pulumi.Output[str]
        status: pulumi.Output[str]
        owner_project_id: pulumi.Output[str]
        recipient_project_id: pulumi.Output[str]
        region: pulumi.Output[str | None]
        endpoint: pulumi.Output[str]
        backup_name: pulumi.Output[str]
        resource_type: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        vault_id: pulumi.Input[str],
        wait_for_offer: pulumi.Input[float] | None = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"backup_id": backup_id, "vault_id": vault_id, "wait_for_offer": waiting(wait_for_offer, opts)}
        known = {"pending": True} if self._pending else {}
        self._declare(BackupShareAccepterProvider(connection), resource_name, {**inputs, **known}, opts)


class BackupShareAccepterProvider(CbrProvider):
    """Its module and name are in the state of every stack, so they must not change."""

    kind = KINDS["BackupShareAccepter"]
