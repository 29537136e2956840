"""What other projects share with the recipient, and which of it is accepted into the recipient's vaults.

An accepted offer is no longer pending. A program that declares only what is pending gives everything back in its next
run, so what was accepted before is looked up as well.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import AVAILABLE, get_backup, list_backups
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import BackupNotFound
from pulumi_cbr_sharing.sharing.preflight import KINDS
from pulumi_cbr_sharing.sharing.window import Counting


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


@dataclass(frozen=True)
class Choice:
    """A backup that belongs in a vault of the recipient.

    Attributes:
        backup: the backup.
        vault_id: the vault.
        pending: whether it still has to be accepted.
    """

    backup: Backup
    vault_id: str
    pending: bool


@dataclass
class Chosen:
    """The backups to accept or keep, newest first, and warnings for the user."""

    choices: list[Choice] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


# GET /v3/{project_id}/backups?own_type=shared&member_status=…
def look(client: Client, owner_project_ids: Collection[str], vault_ids: Collection[str] = ()) -> Received:
    """What these owners share with the client's project. What others share is ignored.

    Args:
        client: the recipient's.
        owner_project_ids: the owners.
        vault_ids: vaults of the recipient. If the list names another vault for an accepted backup, the backup is read:
            the documents do not say whether the list has the owner's vault or the recipient's.
    """
    lists = [
        [
            backup
            for backup in list_backups(client, own_type="shared", member_status=status)
            if backup.project_id in owner_project_ids
        ]
        for status in ("pending", "accepted")
    ]
    pending, accepted = lists
    twice = {backup.id for backup in pending} & {backup.id for backup in accepted}
    seen = [_seen(client, backup) if backup.id in twice else backup for backup in accepted]
    here = [
        backup if not vault_ids or backup.vault_id in vault_ids else _seen(client, backup) for backup in seen if backup
    ]
    there = tuple(backup for backup in here if backup and backup.vault_id)
    taken = {backup.id for backup in there}
    return Received(tuple(backup for backup in pending if backup.id not in taken), there)


def _seen(client: Client, listed: Backup) -> Backup | None:
    """The backup as the recipient sees it, without a vault if it is an offer; None if it is gone by now."""
    try:
        return replace(listed, vault_id=get_backup(client, listed.id).vault_id)
    except BackupNotFound:
        return None


def look_at_vaults(client: Client, vault_ids: Sequence[str]) -> dict[str, Vault]:
    """The recipient's vaults, in the order given.

    Raises:
        NotFound: one of them does not exist.
    """
    return {vault_id: get_vault(client, vault_id) for vault_id in vault_ids}


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
    counting, room, chosen = Counting(window, resource_ids), _Room(vaults), Chosen()
    accepted = {backup.id for backup in received.accepted}
    both = sorted((*received.pending, *received.accepted), key=attrgetter("order"), reverse=True)
    for backup in filter(counting.has_place_for, both):
        pending = backup.id not in accepted
        vault_id = room.take(backup) if pending else room.of_accepted(backup)
        if vault_id:
            counting.take(backup)
            chosen.choices.append(Choice(backup, vault_id, pending))
    chosen.warnings.extend(room.warnings())
    return chosen


class _Room:
    """The room that is left in the vaults while backups are chosen."""

    def __init__(self, vaults: Mapping[str, Vault]) -> None:
        self._vaults = vaults
        self._left = {id_: vault.free for id_, vault in vaults.items()}
        self._wanted: defaultdict[str, list[Backup]] = defaultdict(list)
        self._left_out: defaultdict[str, list[Backup]] = defaultdict(list)
        self._odd: list[str] = []

    def take(self, backup: Backup) -> str | None:
        """The vault for an offer; None, with a warning, if there is none."""
        fitting = [id_ for id_, vault in self._vaults.items() if _is_for(vault, backup)]
        if not fitting:
            self._odd.append(
                f"backup {backup.id} is of kind {_kind(backup)}, and no vault is for that: it is left pending"
            )
            return None
        open_ = [id_ for id_ in fitting if self._vaults[id_].status in ("", AVAILABLE)]
        if not open_:
            status = self._vaults[fitting[0]].status
            self._odd.append(f"vault {fitting[0]} is in status {status}, so backup {backup.id} is left pending")
            return None
        for vault_id in open_:
            # If the size of a vault is unknown, the service decides.
            if not self._vaults[vault_id].size or backup.resource_size <= self._left[vault_id]:
                self._left[vault_id] -= backup.resource_size
                self._wanted[vault_id].append(backup)
                return vault_id
        self._left_out[open_[0]].append(backup)
        return None

    def of_accepted(self, backup: Backup) -> str | None:
        """The vault of an accepted backup, if it is one of these."""
        if backup.vault_id in self._vaults:
            return backup.vault_id
        self._odd.append(
            f"backup {backup.id} was accepted into vault {backup.vault_id}, which is not one of those given: it is not "
            "this component's; to keep what is in a former vault, give both"
        )
        return None

    def warnings(self) -> Iterator[str]:
        """Warnings about what does not fit, with figures."""
        yield from self._odd
        for vault_id, left_out in self._left_out.items():
            vault, wanted = self._vaults[vault_id], [*self._wanted[vault_id], *left_out]
            needed = sum(backup.resource_size for backup in wanted)
            free = vault.free
            yield (
                f"vault {vault_id} has {free:.0f} GB of {vault.size} GB left, and {_backups(wanted)} of {needed} GB "
                f"{_is_or_are(wanted)} on offer: {', '.join(backup.id for backup in left_out)} {_is_or_are(left_out)} "
                f"left pending: enlarge it by {needed - free:.0f} GB"
            )


def _is_for(vault: Vault, backup: Backup) -> bool:
    return _kind(backup) == vault.object_type or not vault.object_type


def _kind(backup: Backup) -> str:
    """The kind of vault that the backup belongs in."""
    return KINDS.get(backup.resource_type, backup.resource_type or "server")


def _backups(many: Sequence[object]) -> str:
    return "1 backup" if len(many) == 1 else f"{len(many)} backups"


def _is_or_are(many: Sequence[object]) -> str:
    return "is" if len(many) == 1 else "are"
