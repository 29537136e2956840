"""BackupShare: exactly these recipients of one backup.

Authoritative, and opt-in: whoever else the backup is shared with shows as drift, and goes on the next `up`. Use
`BackupShareMember` where several programs or people share the same backup.

    GET    /v3/{project_id}/backups/{backup_id}/members
    POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<project id>", …]}
    DELETE /v3/{project_id}/backups/{backup_id}/members/{dest_project_id}

Oddities of the API that show here:

* One POST adds several, and adds none if one of them is refused (inferred).
* There can be ten recipients; at the limit a removal has to come before an offer.
* A rejected offer still stands, so it goes before it is made again.
* A recipient with an image registered from the backup cannot be removed (6710). The declared recipients are added all
  the same, and the run fails with that error.

After any other failed removal the new shares are cancelled again: a failed create leaves nothing in the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi  # noqa: TC002 - the SDK resolves the annotations of a Resource at run time

from pulumi_cbr_sharing.resources.dynamic import CbrProvider, CbrResource
from pulumi_cbr_sharing.sharing import recipient_set
from pulumi_cbr_sharing.sharing.inputs import DEFAULT_WAIT, SetInputs
from pulumi_cbr_sharing.sharing.recipient_set import RecipientSet


if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_cbr_sharing.settings.connection import Connection


class BackupShare(CbrResource, module="huaweicloud/cbr", name="BackupShare"):
    """One backup shared with exactly these projects.

    Args:
        resource_name: the name of the resource in the program.
        backup_id: the UUID of a backup in the project of the credentials. Another one replaces the share.
        dest_project_ids: 0 to 10 recipients, in any order; an empty list removes everybody.
        wait_for_backup: seconds that create waits for a backup that is still being made.
        connection: another account than that of `huaweicloud:*` and `HW_*`.
        opts: Pulumi's options.

    Attributes:
        dest_project_ids: whom the backup is shared with; after a refresh, the undeclared ones too.
        statuses: project id to `pending`, `accepted` or `rejected`.
        share_ids: project id to the UUID of the share's record.
        declared: whom the program named last; destroy cancels these and no other.
        owner_project_id: the project that shares.
        region, endpoint: the region and CBR's address, as set.
    """

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
        wait_for_backup: pulumi.Input[float] = DEFAULT_WAIT,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"backup_id": backup_id, "dest_project_ids": dest_project_ids, "wait_for_backup": wait_for_backup}
        super().__init__(BackupShareProvider(connection), resource_name, inputs, opts)


class BackupShareProvider(CbrProvider[SetInputs]):
    """The lifecycle of a BackupShare. Its name and module are in the state of every stack: they stay."""

    verbs = recipient_set
    inputs_type, state_type = SetInputs, RecipientSet
    id_parts = replaced_by = ("backup_id",)
