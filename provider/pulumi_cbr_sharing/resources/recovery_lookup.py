"""get_recovery_points: could the recipient recover today, and how old is what it would get?

GET /v3/{project_id}/backups?vault_id=…                         as the owner: its backups
GET /v3/{project_id}/backups/{backup_id}/members                newest first, until each recipient's is found
GET /v3/{project_id}/backups?own_type=shared&member_status=…    as the recipient: on offer, and accepted
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.ids import PROJECT, VAULT
from pulumi_cbr_sharing.resources.lookups import looking_up, need, when_known
from pulumi_cbr_sharing.sharing import recovery_points


if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.recovery_points import RecoveryPoint


def get_recovery_points(
    *,
    vault_id: str | None = None,
    recipients: Sequence[str] | None = None,
    owners: Sequence[str] | None = None,
    connection: Connection | None = None,
) -> list[RecoveryPoint]:
    """The newest copies of each server or disk, with their age and expiry.

    As the owner, give `vault_id` and `recipients`. As the recipient, give `owners`.

    Args:
        vault_id: a vault of the project.
        recipients: the ids of the projects that would recover.
        owners: the ids of the projects that share.
        connection: another account than that of `huaweicloud:*` and `HW_*`.

    Returns:
        One for each server or disk and recipient. Ages are those of this moment: a stack output with them changes in
        every run.

    Raises:
        LookupFailed: the cloud did not answer, or said no.
    """
    function, now = "get_recovery_points", datetime.now(timezone.utc)
    with looking_up(connection) as client:
        if owners is not None and vault_id is None and recipients is None:
            need(function, "owners", owners, PROJECT.trouble_with_list(owners))
            return recovery_points.of_recipient(client, owners, now)
        both = "goes with vault_id and recipients alone: give these as the owner, or owners as the recipient"
        need(function, "owners", owners, None if owners is None else both)
        need(function, "vault_id", vault_id, VAULT.trouble_with(vault_id))
        need(function, "recipients", recipients, PROJECT.trouble_with_list(recipients))
        return recovery_points.of_owner(client, str(vault_id), recipients or (), now)


def get_recovery_points_output(
    *,
    vault_id: pulumi.Input[str] | None = None,
    recipients: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    owners: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    connection: Connection | None = None,
) -> pulumi.Output[list[RecoveryPoint]]:
    """`get_recovery_points` for values that other resources give."""
    look_up = partial(get_recovery_points, connection=connection)
    return when_known(look_up, vault_id=vault_id, recipients=recipients, owners=owners)
