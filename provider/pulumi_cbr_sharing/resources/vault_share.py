"""VaultShare: shares the newest backups in a vault. Run it every night, and the window rolls.

    GET /v3/{project_id}/backups?vault_id={vault_id}    once a run
    GET /v3/{project_id}/vaults/{vault_id}              its type
    BackupShareMember does the rest

A component: it looks up the backups in the window, in the preview and in the update, and declares a BackupShareMember
for each backup and recipient. Their names contain both ids, so shares of backups that stay are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
from pulumi_cbr_sharing.resources.arguments import from_the_native_plugin
from pulumi_cbr_sharing.resources.share_member import BackupShareMember
from pulumi_cbr_sharing.resources.windowed import roll, valid
from pulumi_cbr_sharing.sharing.kinds import COMPONENT
from pulumi_cbr_sharing.sharing.window import Window, share_name, to_share


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.resources.windowed import Wired
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import Chosen, OnStale


class VaultShare(pulumi.ComponentResource):
    """The newest backups of each server or disk in a vault, shared with projects.

    Prefer plain values for `vault_id`, `dest_project_ids` and `resource_ids`: every plan then shows the shares. If one
    of them is an Output, a preview in which it is unknown (the vault is made in the same run) does not show them.

    Args:
        resource_name: the name of the component in the program. The names of the shares start with it.
        vault_id: a vault in the project of the credentials. Received backups in it are ignored.
        dest_project_ids: the recipients' projects, at most ten.
        keep: how many backups of each server or disk to share: the newest that match all filters.
        resource_ids: only backups of these servers or disks; None for all in the vault.
        name_prefix: only backups whose names start with this.
        older_than: only backups that are older: a time (UTC if it has no zone), or an age.
        newer_than: only backups that are newer, likewise.
        max_age: how old the newest backup of a server or disk may be. Every plan and run warns of an older one.
        on_stale: `warn`, or `error` to fail instead, after new backups are shared. Pulumi removes nothing in a run that
            fails, so backups that left the window stay shared.
        accept_into: a vault of the recipient. This program then accepts every shared backup into it.
        accept_connection: the recipient's account, for `accept_into`.
        allow_empty: accept that there is nothing to share and cancel all shares. By default that is an error.
        connection: the account, if it is not the default one.
        opts: Pulumi's options. The shares inherit `protect`, and then cannot leave the window.

    Attributes:
        backup_ids: the backups in the window, newest first.
        newest_at: when the newest backup of each server or disk was made, by `{owner_project_id}/{resource_id}`.
        shares: the status of each share, by `{backup_id}/{dest_project_id}`.

    Raises:
        LookupFailed: there is nothing to share, or the lookup failed. No share is changed.
        pulumi.RunError: an argument is wrong, or a backup is too old.
    """

    backup_ids: pulumi.Output[list[str]]
    newest_at: pulumi.Output[dict[str, str]]
    shares: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        vault_id: pulumi.Input[str],
        dest_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        keep: int = 3,
        resource_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        name_prefix: str | None = None,
        older_than: datetime | timedelta | None = None,
        newer_than: datetime | timedelta | None = None,
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        accept_into: pulumi.Input[str] | None = None,
        accept_connection: Connection | None = None,
        allow_empty: bool = False,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        called = f"VaultShare {resource_name}"
        window = valid(called, Window(keep, name_prefix, older_than, newer_than, max_age, on_stale, allow_empty))
        super().__init__(f"{COMPONENT}VaultShare", resource_name, {}, from_the_native_plugin("VaultShare", opts))

        def make(found: Chosen, known: Mapping[str, Any], wired: Wired) -> dict[str, pulumi.Output[str]]:
            shares: dict[str, BackupShareMember] = {}
            for backup in found.backups:
                of_backup = {
                    f"{backup.id}/{project}": BackupShareMember(
                        share_name(resource_name, backup, project),
                        backup_id=wired(backup.id),
                        dest_project_id=project,
                        connection=connection,
                        opts=pulumi.ResourceOptions(parent=self),
                    )
                    for project in known["dest_project_ids"]
                }
                shares |= of_backup
                if accept_into is not None and of_backup:
                    # Accepted after the shares are made; on destroy given back before they are cancelled.
                    BackupShareAccepter(
                        f"{resource_name}-{backup.id}-accepted",
                        backup_id=next(iter(of_backup.values())).backup_id,
                        vault_id=accept_into,
                        connection=accept_connection,
                        opts=pulumi.ResourceOptions(parent=self, depends_on=[*of_backup.values()]),
                    )
            return {key: share.status for key, share in shares.items()}

        given = {"vault_id": vault_id, "dest_project_ids": dest_project_ids, "resource_ids": resource_ids}
        rolled = roll(called, window, given, connection=connection, look_up=to_share, make=make)
        self.backup_ids, self.newest_at, self.shares = rolled
        self.register_outputs({"backup_ids": self.backup_ids, "newest_at": self.newest_at, "shares": self.shares})
