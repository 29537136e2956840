"""BackupShare: exactly these recipients of one backup. Any other shows as drift, and the next `up` removes it.

GET    /v3/{project_id}/backups/{backup_id}/members
POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<project id>", …]}
DELETE /v3/{project_id}/backups/{backup_id}/members/{dest_project_id}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.resources.arguments import waiting
from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource
from pulumi_cbr_sharing.sharing.kinds import KINDS


if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from pulumi_cbr_sharing.settings.connection import Connection


class BackupShare(CbrResource, module="huaweicloud/cbr", name="BackupShare"):
    """One backup shared with exactly these projects.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of a backup in the project of the credentials. Another one replaces the share.
        dest_project_ids: the projects of 0 to 10 recipients, in any order; an empty list removes all recipients.
        wait_for_backup: seconds to wait for a backup that is still being made (600); at most as long as
            `custom_timeouts.create`.
        connection: the account, if it is not the default one.
        opts: Pulumi's options.

    Attributes:
        dest_project_ids: the recipients; after a refresh also those that are not declared.
        statuses: project id to `pending`, `accepted` or `rejected`.
        share_ids: project id to the UUID of the share's record.
        declared: the recipients in the last update; destroy cancels these shares only.
        owner_project_id: the project that shares.
        region, endpoint: the region and the CBR endpoint in the settings.
    """

    if TYPE_CHECKING:  # the SDK would evaluate them for each resource
        backup_id: pulumi.Output[str]
        dest_project_ids: pulumi.Output[list[str]]
        statuses: pulumi.Output[dict[str, str]]
        share_ids: pulumi.Output[dict[str, str]]
        declared: pulumi.Output[list[str]]
        owner_project_id: pulumi.Output[str]
        region: pulumi.Output[str | None]
        endpoint: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        backup_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        wait_for_backup: pulumi.Input[float] | None = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "backup_id": backup_id,
            "dest_project_ids": dest_project_ids,
            "wait_for_backup": waiting(wait_for_backup, opts),
        }
        self._declare(BackupShareProvider(connection), resource_name, inputs, opts)


class BackupShareProvider(CbrProvider):
    """Its module and name are in the state of every stack, so they must not change."""

    kind = KINDS["BackupShare"]
