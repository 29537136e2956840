"""BackupShareMember: one recipient of one backup. All others are left alone: several programs can share one backup.

POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<dest_project_id>"]}
GET    /v3/{project_id}/backups/{backup_id}/members                one list serves all members of a backup
DELETE /v3/{project_id}/backups/{backup_id}/members/{dest_project_id}
GET    /v3/domain/{account}/projects                               if the recipient is given by account name
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.resources.arguments import waiting
from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource
from pulumi_cbr_sharing.sharing.kinds import KINDS


if TYPE_CHECKING:
    import pulumi

    from pulumi_cbr_sharing.settings.connection import Connection


class BackupShareMember(CbrResource, module="huaweicloud/cbr", name="BackupShareMember"):
    """One backup shared with one project.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of a backup in the project of the credentials. Another one replaces the share.
        dest_project_id: the recipient's project in the same region, 32 hexadecimal digits. Another one replaces the
            share.
        dest_account: instead of `dest_project_id`, the name of the recipient's account. Its project in the region is
            looked up in every run; while that fails, the share keeps its project.
        adopt: whether to take over a share that exists already (a rejected one is offered again).
        wait_for_backup: seconds to wait for a backup that is still being made (600); at most as long as
            `custom_timeouts.create`.
        connection: the account, if it is not the default one.
        opts: Pulumi's options.

    Attributes:
        status: `pending` until the recipient answers, then `accepted` or `rejected`. `rejected` is drift: the next
            `up` offers the share again.
        share_id: the UUID of the share's record.
        owner_project_id: the project that shares.
        region, endpoint: the region and the CBR endpoint in the settings.
        vault_id: the recipient's vault, if the share is accepted.
        image_id: the image that the recipient registered from the backup; until it is deleted, the share cannot be
            cancelled.
        created_at, updated_at: RFC 3339, UTC.
    """

    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        backup_id: pulumi.Output[str]
        dest_project_id: pulumi.Output[str]
        status: pulumi.Output[str]
        share_id: pulumi.Output[str | None]
        owner_project_id: pulumi.Output[str]
        region: pulumi.Output[str | None]
        endpoint: pulumi.Output[str]
        vault_id: pulumi.Output[str | None]
        image_id: pulumi.Output[str | None]
        created_at: pulumi.Output[str | None]
        updated_at: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_id: pulumi.Input[str] | None = None,
        dest_account: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] = True,
        wait_for_backup: pulumi.Input[float] | None = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "backup_id": backup_id,
            "dest_project_id": dest_project_id,
            "dest_account": dest_account,
            "adopt": adopt,
            "wait_for_backup": waiting(wait_for_backup, opts),
        }
        self._declare(BackupShareMemberProvider(connection), resource_name, inputs, opts)


class BackupShareMemberProvider(CbrProvider):
    """Its module and name are in the state of every stack, so they must not change."""

    kind = KINDS["BackupShareMember"]
