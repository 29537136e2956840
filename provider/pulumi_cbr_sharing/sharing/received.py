"""What other projects share with the recipient, and which of it is accepted into the recipient's vaults.

An accepted offer is no longer pending. A program that declares only what is pending gives everything back in its next
run, so what was accepted before is looked up as well.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import AVAILABLE, get_backup, list_backups
from pulumi_cbr_sharing.errors import BackupNotFound
from pulumi_cbr_sharing.sharing.preflight import KINDS
from pulumi_cbr_sharing.sharing.window import Chosen


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.window import Window


@dataclass(frozen=True)
class Received:
    """What some owners share with the client's project, newest first.

    Attributes:
        pending: offers that are not answered yet.
        accepted: backups in a vault of the recipient, which is their `vault_id`.
    """

    pending: tuple[Backup, ...] = ()
    accepted: tuple[Backup, ...] = ()


# GET /v3/{project_id}/backups?own_type=shared&member_status=…
def look(client: Client, owners: Collection[str], vault_ids: Collection[str] = ()) -> Received:
    """What these owners share with the client's project. What others share is ignored.

    Args:
        client: the recipient's.
        owners: project ids.
        vault_ids: vaults of the recipient. If the list names another vault for an accepted backup, the backup is read:
            the documents do not say whether the list has the owner's vault or the recipient's. So is one that is in
            both lists: they do not say either that the service heeds the status.
    """
    pending, listed = (
        [one for one in list_backups(client, own_type="shared", member_status=status) if one.project_id in owners]
        for status in ("pending", "accepted")
    )
    offered = {backup.id for backup in pending}
    accepted = [
        _seen(client, backup) if backup.id in offered or (vault_ids and backup.vault_id not in vault_ids) else backup
        for backup in listed
    ]
    there = tuple(backup for backup in accepted if backup and backup.vault_id)
    taken = {backup.id for backup in there}
    return Received(tuple(backup for backup in pending if backup.id not in taken), there)


def _seen(client: Client, listed: Backup) -> Backup | None:
    """The backup as the recipient sees it, without a vault if it is an offer; None if it is gone by now."""
    try:
        return replace(listed, vault_id=get_backup(client, listed.id).vault_id)
    except BackupNotFound:
        return None


def choose(
    received: Received, window: Window, vaults: Mapping[str, Vault], resource_ids: Sequence[str] | None = None
) -> Chosen:
    """Choose the backups of the window that fit into the vaults, newest first.

    An offer that does not fit takes no place in the window, so no accepted backup is given back for it.

    Args:
        received: what is shared.
        window: which of it to accept or keep.
        vaults: the recipient's vaults by id. An offer goes into the first one of its kind that has room.
        resource_ids: only backups of these servers or disks; None for all.
    """
    room, accepted = _Room(vaults), {backup.id for backup in received.accepted}
    both = sorted((*received.pending, *received.accepted), key=attrgetter("order"), reverse=True)
    backups = window.of(both, resource_ids, lambda one: room.kept(one) if one.id in accepted else room.taken(one))
    return Chosen(backups, [*room.warnings()], {backup.id for backup in backups} - accepted)


class _Room:
    """The room that is left in the vaults while backups are chosen."""

    def __init__(self, vaults: Mapping[str, Vault]) -> None:
        self._vaults = vaults
        self._offered = dict.fromkeys(vaults, 0)  # GB
        self._left_out: defaultdict[str, list[Backup]] = defaultdict(list)
        self._odd: list[str] = []

    def kept(self, backup: Backup) -> Backup | None:
        """An accepted backup; None, with a warning, if it is in another vault."""
        if backup.vault_id in self._vaults:
            return backup
        self._odd.append(
            f"backup {backup.id} was accepted into vault {backup.vault_id}, which is not one of those given: it is not "
            "this component's; to keep what is in a former vault, give both"
        )
        return None

    def taken(self, backup: Backup) -> Backup | None:
        """An offer with its vault; None, with a warning, if there is none."""
        fitting = [vault for vault in self._vaults.values() if vault.object_type in ("", _kind(backup))]
        unlocked = [vault for vault in fitting if vault.status in ("", AVAILABLE)]
        for vault in unlocked:
            # If the size of a vault is unknown, the service decides.
            if not vault.size or self._offered[vault.id] + backup.resource_size <= vault.free:
                self._offered[vault.id] += backup.resource_size
                return replace(backup, vault_id=vault.id)
        if unlocked:
            self._left_out[unlocked[0].id].append(backup)
        elif fitting:
            locked = f"vault {fitting[0].id} is in status {fitting[0].status}"
            self._odd.append(f"{locked}, so backup {backup.id} is left pending")
        else:
            what = f"backup {backup.id} is of kind {_kind(backup)}"
            self._odd.append(f"{what}, and no vault is for that: it is left pending")
        return None

    def warnings(self) -> Iterator[str]:
        """Warnings about what does not fit, with figures."""
        yield from self._odd
        for vault_id, left_out in self._left_out.items():
            vault = self._vaults[vault_id]
            needed = self._offered[vault_id] + sum(backup.resource_size for backup in left_out)
            yield (
                f"vault {vault_id} has {vault.free:.0f} GB of {vault.size} GB left, and the offers need {needed} GB: "
                f"enlarge it by {needed - vault.free:.0f} GB; left pending: {', '.join(one.id for one in left_out)}"
            )


def _kind(backup: Backup) -> str:
    """The kind of vault that the backup belongs in."""
    return KINDS.get(backup.resource_type, backup.resource_type or "server")
