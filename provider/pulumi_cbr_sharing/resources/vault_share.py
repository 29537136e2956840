"""VaultShare: shares the newest backups in a vault. Run it every night, and the window rolls.

    GET /v3/{project_id}/backups?vault_id={vault_id}    once a run; BackupShareMember does the rest

A component: it looks up the backups in the window and declares a BackupShareMember for each backup and recipient. Their
names contain both ids. So in the next run the shares of backups that stay in the window are left alone, those of
backups that left it are cancelled, new backups are shared, and the plan shows all of it.

* The lookup runs in the preview and in the update. A backup that is made in between is in the update only.
* A backup that is being restored from stays in the window: its recipients would lose their copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.ids import VAULT
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
from pulumi_cbr_sharing.resources.lookups import LookupFailed, get_backups
from pulumi_cbr_sharing.resources.share_member import BackupShareMember
from pulumi_cbr_sharing.resources.windowed import Origin, Windowed, wired
from pulumi_cbr_sharing.sharing.inputs import trouble_with_recipients
from pulumi_cbr_sharing.sharing.window import Chosen, Rolling


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import OnStale


TYPE = "huaweicloud:cbr:VaultShare"  # the SDK takes the package from a token of three parts; it is in URNs: it stays


class VaultShare(Windowed):
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
        trouble = trouble_with_recipients(projects)
        if not projects and not trouble and not self._allow_empty:
            trouble = "is empty, which would cancel the shares of earlier runs: give recipients, or allow_empty=True"
        return {"vault_id": VAULT.trouble_with(known["vault_id"]), "dest_project_ids": trouble}

    def _look_up(self, known: Mapping[str, Any]) -> Chosen:
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
        missing = set(known["resource_ids"] or ()) - {backup.resource_id for backup in found}
        return Chosen(found, [f"no backup to share of {', '.join(sorted(missing))}"] if missing else [])

    def _children(
        self, found: Chosen, known: Mapping[str, Any], origin: Origin | None
    ) -> dict[str, pulumi.Output[str]]:
        statuses: dict[str, pulumi.Output[str]] = {}
        for backup in found.backups:
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
        """Accept a backup after its shares are made. On destroy it is given back before they are cancelled."""
        BackupShareAccepter(
            f"{self._prefix}-{backup_id}-accepted",
            backup_id=shares[0].backup_id,
            vault_id=vault_id,
            connection=self._accept_connection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=shares),
        )
