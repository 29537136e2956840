"""ReceivedBackups: accepts the newest backups that named owners share. Run it every night, and the window rolls.

    GET /v3/{project_id}/backups?own_type=shared&member_status=…    pending offers, and accepted ones
    GET /v3/{project_id}/vaults/{vault_id}                          kind and room
    BackupShareAccepter does the rest

The recipient's side of VaultShare, with a BackupShareAccepter for each backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
from pulumi_cbr_sharing.resources.arguments import from_the_native_plugin
from pulumi_cbr_sharing.resources.windowed import roll, valid
from pulumi_cbr_sharing.sharing.kinds import COMPONENT
from pulumi_cbr_sharing.sharing.received import to_accept
from pulumi_cbr_sharing.sharing.window import OFFER_WAIT, Window, accepter_name


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.resources.windowed import Wired
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import Chosen, OnStale


class ReceivedBackups(pulumi.ComponentResource):
    """The newest backups of each server or disk that named owners share, accepted into vaults of the recipient.

    Args:
        resource_name: the name of the component in the program. The names of the accepters start with it.
        vault_id: the vault, or a list: an offer goes into the first one that is of its kind and has room. To change
            vaults, give the new one and the old one until nothing is left in the old one.
        owner_project_ids: the projects whose offers are accepted. Nothing of any other project ever is.
        keep: how many backups of each server or disk to keep: the newest that match all filters. An owner who shares
            no more than that never gets one back before cancelling its share.
        resource_ids: only backups of these servers or disks; None for all.
        name_prefix: only backups whose names start with this.
        older_than: only backups that are older: a time (UTC if it has no zone), or an age.
        newer_than: only backups that are newer, likewise.
        max_age: how old the newest backup of a server or disk may be. Every plan and run warns of an older one, and if
            there is no backup at all.
        on_stale: `warn`, or `error` to fail instead, after new backups are accepted. Pulumi removes nothing in a run
            that fails, so backups that left the window stay accepted.
        allow_empty: accept that there is nothing to accept or keep, and give back what earlier runs accepted. By
            default that is an error.
        connection: the recipient's account, if it is not the default one.
        opts: Pulumi's options. The accepters inherit `protect`, and then cannot leave the window.

    Attributes:
        backup_ids: the backups in the window, newest first.
        newest_at: when the newest backup of each server or disk was made, by `{owner_project_id}/{resource_id}`.
        accepted: the status of each backup by its id: `accepted`, or `withdrawn` if its owner cancelled the offer
            during the run.

    Raises:
        LookupFailed: there is nothing to accept or keep, the lookup failed, or a vault does not exist. Nothing is
            changed.
        pulumi.RunError: an argument is wrong, or a backup is too old.
    """

    backup_ids: pulumi.Output[list[str]]
    newest_at: pulumi.Output[dict[str, str]]
    accepted: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        resource_name: str,
        *,
        vault_id: pulumi.Input[str] | Sequence[pulumi.Input[str]],
        owner_project_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        keep: int = 3,
        resource_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        name_prefix: str | None = None,
        older_than: datetime | timedelta | None = None,
        newer_than: datetime | timedelta | None = None,
        max_age: timedelta | None = None,
        on_stale: OnStale = "warn",
        allow_empty: bool = False,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        called = f"ReceivedBackups {resource_name}"
        window = valid(called, Window(keep, name_prefix, older_than, newer_than, max_age, on_stale, allow_empty))
        options = from_the_native_plugin("ReceivedBackups", opts)
        super().__init__(f"{COMPONENT}ReceivedBackups", resource_name, {}, options)

        def make(found: Chosen, _known: Mapping[str, Any], wired: Wired) -> dict[str, pulumi.Output[str]]:
            accepters = {
                backup.id: (_Offered if backup.id in found.pending else BackupShareAccepter)(
                    accepter_name(resource_name, backup),
                    backup_id=backup.id,
                    vault_id=wired(backup.vault_id),
                    wait_for_offer=OFFER_WAIT,
                    connection=connection,
                    opts=pulumi.ResourceOptions(parent=self),
                )
                for backup in found.backups
            }
            return {backup_id: accepter.status for backup_id, accepter in accepters.items()}

        given = {"vault_id": vault_id, "owner_project_ids": owner_project_ids, "resource_ids": resource_ids}
        rolled = roll(called, window, given, connection=connection, look_up=to_accept, make=make)
        self.backup_ids, self.newest_at, self.accepted = rolled
        self.register_outputs({"backup_ids": self.backup_ids, "newest_at": self.newest_at, "accepted": self.accepted})


class _Offered(BackupShareAccepter):
    """One whose offer the lookup has just seen.

    It is accepted even if the state records an earlier acceptance: the owner has cancelled the share and offered it
    again since the last refresh. If the owner has cancelled it since the lookup, that is no error.
    """

    _pending = True
