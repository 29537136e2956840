"""VaultShare: the newest backups of a vault, shared with projects. Run nightly, the window rolls.

    GET /v3/{project_id}/backups?vault_id={vault_id}    one list a run; all else is done by BackupShareMember

A component: it looks up which backups are in the window and makes one BackupShareMember for each of them and each
recipient. Their names hold the backup's id and the recipient's, so at the next run what stays in the window is left
untouched, what left it is cancelled, what came is shared, and the plan shows it.

What may surprise:

* The lookup runs at preview and at up. A backup that is made in between is in the second plan only.
* A backup that is just being restored from counts: cancelling its shares for that time would take the recipients'
  accepted copies away.
* Resources that depend on a lookup are made inside an `apply` where `vault_id` and the like are Outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.ids import trouble_with_vault_id
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
from pulumi_cbr_sharing.resources.lookups import LookupFailed, get_backups
from pulumi_cbr_sharing.resources.share_member import BackupShareMember
from pulumi_cbr_sharing.resources.windowed import Origin, Windowed, wired
from pulumi_cbr_sharing.sharing.inputs import troubles_with_recipients
from pulumi_cbr_sharing.sharing.window import Rolling


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import OnStale


TYPE = "huaweicloud:cbr:VaultShare"  # the SDK takes the package from a token of three parts; it is in URNs: it stays


class VaultShare(Windowed["list[Backup]"]):
    """The newest backups of each resource in a vault, shared with projects.

    With plain values the shares are made directly, and every plan shows them. Where `vault_id`, `dest_project_ids` or
    `resource_ids` is an Output, they are made inside its `apply`: a preview in which it is unknown (the vault is made
    by the same run) shows none of them. Prefer plain values where you have them.

    Args:
        resource_name: the name of the component in the program; the shares' names begin with it.
        vault_id: a vault of the project of the credentials. Backups that were received by sharing are left out.
        dest_project_ids: the recipients, ten at the most.
        keep: how many backups of each resource are shared, the newest ones that pass all filters; 1 or more.
        resource_ids: only backups of these servers or disks; None for all in the vault.
        name_prefix: only backups whose names begin so.
        older_than: only backups made before: a moment (without zone it is UTC), or how long ago.
        newer_than: only backups made after: likewise.
        max_age: how old the newest backup of a resource may be; an older one is told in every plan and run.
        on_stale: `warn`, or `error`: then the program fails once what came is shared. In a run that fails Pulumi
            removes nothing, so what left the window stays shared.
        accept_into: a vault of the recipient, into which every shared backup is accepted by this program, too. The
            recipient is the one of `accept_connection`.
        accept_connection: the recipient's account.
        allow_empty: let there be nothing to share, which cancels all shares of earlier runs; else that is an error.
        connection: another account than that of `huaweicloud:*` and `HW_*`.
        opts: Pulumi's options. With `protect`, which the shares inherit, none can leave the window.

    Attributes:
        backup_ids: the backups in the window, newest first.
        newest_at: `{owner_project_id}/{resource_id}` to when the newest of them was made; a policy reads it.
        shares: `{backup_id}/{dest_project_id}` to the share's status.

    Raises:
        LookupFailed: nothing to share, the cloud did not answer, or said no. No share is touched then.
        pulumi.RunError: an argument is wrong, or a backup is too old.
    """

    backup_ids: pulumi.Output[list[str]]
    newest_at: pulumi.Output[dict[str, str]]
    shares: pulumi.Output[dict[str, str]]
    statuses_name = "shares"

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
        self._allow_empty, self._connection = allow_empty, connection
        self._accept_into, self._accept_connection = accept_into, accept_connection
        super().__init__(
            TYPE,
            resource_name,
            given={"vault_id": vault_id, "dest_project_ids": dest_project_ids, "resource_ids": resource_ids},
            rolling=Rolling(keep, name_prefix, older_than, newer_than, max_age, on_stale),
            opts=opts,
        )

    def _troubles(self, known: Mapping[str, Any]) -> dict[str, str | None]:
        given = known["dest_project_ids"]
        projects = list(given) if isinstance(given, tuple) else given
        empty = "is empty, which would cancel the shares of earlier runs: give recipients, or allow_empty=True"
        wrong = next(troubles_with_recipients(projects), empty if not (projects or self._allow_empty) else None)
        return {"vault_id": trouble_with_vault_id(known["vault_id"]), "dest_project_ids": wrong}

    def _look_up(self, known: Mapping[str, Any]) -> list[Backup]:
        """The backups in the window.

        Raises:
            LookupFailed: there are none.
        """
        backups = get_backups(vault_id=known["vault_id"], connection=self._connection)
        found = self._window.of(backups, known["resource_ids"])
        if not found and not self._allow_empty:
            raise LookupFailed(
                f"{self._called}: of the {len(backups)} backups in vault {known['vault_id']}, none is available and "
                "passes the filters; sharing none would cancel the shares of earlier runs: check vault_id, project and "
                "filters, or give allow_empty=True"
            )
        self._tell_missing({backup.resource_id for backup in found}, known["resource_ids"])
        return found

    def _tell_missing(self, found: set[str], wanted: Sequence[str] | None) -> None:
        if missing := [one for one in wanted or () if one not in found]:
            self._warn(f"no backup to share of {', '.join(missing)}")

    def _backups(self, found: list[Backup]) -> list[Backup]:
        return found

    def _children(
        self, found: list[Backup], known: Mapping[str, Any], origin: Origin | None
    ) -> dict[str, pulumi.Output[str]]:
        statuses: dict[str, pulumi.Output[str]] = {}
        for backup in found:
            shares = {project: self._share(backup.id, project, origin) for project in known["dest_project_ids"]}
            statuses |= {f"{backup.id}/{project}": share.status for project, share in shares.items()}
            if self._accept_into is not None and shares:
                self._accept(backup.id, list(shares.values()), self._accept_into)
        return statuses

    def _share(self, backup_id: str, project_id: str, origin: Origin | None) -> BackupShareMember:
        return BackupShareMember(
            f"{self._prefix}-{backup_id}-{project_id}",
            backup_id=wired(backup_id, origin),
            dest_project_id=project_id,
            connection=self._connection,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _accept(self, backup_id: str, shares: list[BackupShareMember], vault_id: pulumi.Input[str]) -> None:
        """By way of the shares: they are made before it is accepted, and cancelled after it was given back."""
        BackupShareAccepter(
            f"{self._prefix}-{backup_id}-accepted",
            backup_id=shares[0].backup_id,
            vault_id=vault_id,
            connection=self._accept_connection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=shares),
        )
