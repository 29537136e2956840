"""ReceivedBackups: what named owners share, accepted into the recipient's vaults. Run nightly, the window rolls.

    GET /v3/{project_id}/backups?own_type=shared&member_status=…    what is pending, and what was accepted
    GET /v3/{project_id}/vaults/{vault_id}                          kind and room
    all else is done by BackupShareAccepter

The mirror of VaultShare: it looks up what is in the window and makes one BackupShareAccepter for each. What stays in
the window is left untouched, what left it is given back, what came is accepted, and the plan shows it.

What may surprise:

* An offer that was accepted is pending no more. A program that accepts what is pending, and nothing else, gives all
  of it back in its next run. So what was accepted before is looked up, too, and kept.
* What the owner cancelled, or what expired, is gone from the lookup, and leaves the state without an error.
* An offer that does not fit is told and left pending. It takes no place in the window, so that nothing is given back
  for what cannot be accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_cbr_sharing.ids import PROJECT, VAULT
from pulumi_cbr_sharing.resources.accepter import BackupShareAccepter
from pulumi_cbr_sharing.resources.lookups import looking_up
from pulumi_cbr_sharing.resources.windowed import Origin, Windowed, wired
from pulumi_cbr_sharing.sharing import received
from pulumi_cbr_sharing.sharing.received import Chosen
from pulumi_cbr_sharing.sharing.window import Rolling


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.sharing.window import OnStale


TYPE = "huaweicloud:cbr:ReceivedBackups"  # in URNs: it stays
OFFER_WAIT = 30.0  # seconds; the offer has been seen a moment ago


class ReceivedBackups(Windowed[Chosen]):
    """The newest backups of each resource that named owners share, accepted into vaults of the recipient.

    Args:
        resource_name: the name of the component in the program; the accepters' names begin with it.
        vault_id: the vault, or several: an offer goes into the first that is of its kind and has room. To change
            vaults, give the new and the former one until nothing is left in the former.
        owner_project_ids: the projects whose offers are accepted. Never is anything accepted of another.
        keep: how many backups of each resource are kept, the newest ones that pass all filters; 1 or more. If the
            owner shares no more than that, nothing is given back before the owner cancels it.
        resource_ids: only backups of these servers or disks; None for all.
        name_prefix: only backups whose names begin so.
        older_than: only backups made before: a moment (without zone it is UTC), or how long ago.
        newer_than: only backups made after: likewise.
        max_age: how old the newest backup of a resource may be; an older one is told in every plan and run, and so is
            it if there is none.
        on_stale: `warn`, or `error`: then the program fails once what came is accepted. In a run that fails Pulumi
            removes nothing, so what left the window stays accepted.
        connection: the recipient's account, where the program's default is another.
        opts: Pulumi's options. With `protect`, which the accepters inherit, none can leave the window.

    Attributes:
        backup_ids: the backups in the window, newest first.
        newest_at: `{owner_project_id}/{resource_id}` to when the newest of them was made; a policy reads it.
        accepted: the backups' ids to their status, `accepted`.

    Raises:
        LookupFailed: the cloud did not answer, said no, or a vault does not exist. Nothing is touched then.
        pulumi.RunError: an argument is wrong, or a backup is too old.
    """

    backup_ids: pulumi.Output[list[str]]
    newest_at: pulumi.Output[dict[str, str]]
    accepted: pulumi.Output[dict[str, str]]
    statuses_name = "accepted"

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
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self._connection = connection
        super().__init__(
            TYPE,
            resource_name,
            given={"vault_id": vault_id, "owner_project_ids": owner_project_ids, "resource_ids": resource_ids},
            rolling=Rolling(keep, name_prefix, older_than, newer_than, max_age, on_stale),
            opts=opts,
        )

    def _troubles(self, known: Mapping[str, Any]) -> dict[str, str | None]:
        one = isinstance(known["vault_id"], str)
        return {
            "vault_id": (VAULT.trouble_with if one else VAULT.trouble_with_list)(known["vault_id"]),
            "owner_project_ids": PROJECT.trouble_with_list(known["owner_project_ids"]),
        }

    def _look_up(self, known: Mapping[str, Any]) -> Chosen:
        """What is to be accepted, or kept."""
        vault_ids = [known["vault_id"]] if isinstance(known["vault_id"], str) else known["vault_id"]
        with looking_up(self._connection) as client:
            vaults = received.look_at_vaults(client, vault_ids)
            offers = received.look(client, known["owner_project_ids"], vault_ids)
        chosen = received.choose(offers, self._window, vaults, known["resource_ids"])
        for warning in chosen.warnings:
            self._warn(warning)
        return chosen

    def _backups(self, found: Chosen) -> list[Backup]:
        return [choice.backup for choice in found.choices]

    def _children(
        self,
        found: Chosen,
        known: Mapping[str, Any],  # noqa: ARG002 - all of it is in `found`
        origin: Origin | None,
    ) -> dict[str, pulumi.Output[str]]:
        accepters = {
            choice.backup.id: BackupShareAccepter(
                f"{self._prefix}-{choice.backup.id}",
                backup_id=choice.backup.id,
                vault_id=wired(choice.vault_id, origin),
                wait_for_offer=OFFER_WAIT,
                pending=choice.pending,
                connection=self._connection,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for choice in found.choices
        }
        return {backup_id: accepter.status for backup_id, accepter in accepters.items()}
