"""What other projects share with the recipient, which of it is to be accepted, and how one offer is accepted.

An accepted offer is no longer pending. A program that declares only what is pending gives everything back in its next
run, so what was accepted before is looked up as well.

A backup that the recipient sees in a vault is accepted, and one that it sees without a vault is an offer. It is not
documented whether it sees offers at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulumi_cbr_sharing.cbr.backups import get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import answer_membership, get_member
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import (
    BackupNotFound,
    CbrSharingError,
    MemberNotFound,
    NotFound,
    PermissionDenied,
    Refused,
    Stopped,
    WaitTimeout,
)
from pulumi_cbr_sharing.http.retry import is_ambiguous
from pulumi_cbr_sharing.ids import PROJECT, VAULT
from pulumi_cbr_sharing.sharing.window import Chosen, check


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.window import Window


T = TypeVar("T")
ACCEPTED: Final = "accepted"
PENDING: Final = "pending"
SHOWN_WITHIN = 60.0  # seconds from the service's yes to the backup in its vault; that they are one moment is inferred


def see(client: Client, backup_id: str, doing: str) -> Backup | None:
    """A backup as the recipient sees it; None if it does not see it, Refused if it is the project's own."""
    try:
        seen = get_backup(client, backup_id)
    except BackupNotFound:
        return None
    if seen.project_id == client.project_id:
        raise Refused(
            f"{doing}: it is a backup of project {seen.project_id} itself: use the recipient's account (connection= in "
            "a program, --connection of a command)"
        )
    return seen


# PUT /v3/{project_id}/backups/{backup_id}/members/{project_id} {"status": "accepted", "vault_id": "…"}
def accept(client: Client, backup_id: str, vault_id: str, wait: float = 0.0) -> Backup:
    """Accept an offer, which comes within `wait` seconds; returns the backup when it is in a vault.

    Raises:
        MemberNotFound, BackupNotFound: there was no offer in time.
        WaitTimeout: the service has accepted it, but the backup is in no vault.
        CbrSharingError: the service's reasons; `unsure` if it may be accepted all the same.
    """
    doing = f"accepting the share of backup {backup_id} into vault {vault_id}"
    for left in client.clock.tries(wait):
        try:
            answer_membership(client, backup_id, ACCEPTED, vault_id)
            break
        except (MemberNotFound, BackupNotFound):
            if not left:
                raise
        except CbrSharingError as failure:
            # It may be accepted: its reply is lost, or it was repeated, and refused because the first one succeeded.
            seen = _surely(partial(see, client, backup_id, doing))
            if seen and seen.vault_id == vault_id:
                return seen
            if not (seen and seen.vault_id) and _surely(partial(_own_answer, client, backup_id)) == ACCEPTED:
                break
            raise failure.again(unsure=is_ambiguous(failure) or isinstance(failure, Stopped)) from None
    return _surely(partial(_shown, client, backup_id, doing))


def _surely(look: Callable[[], T]) -> T:
    """What a look finds; if it fails, nobody knows whether the share is accepted."""
    try:
        return look()
    except CbrSharingError as error:
        raise error.again(unsure=True) from None


def _shown(client: Client, backup_id: str, doing: str) -> Backup:
    """An accepted backup, when it is in a vault."""
    for _ in client.clock.tries(SHOWN_WITHIN):
        seen = see(client, backup_id, doing)
        if seen and seen.vault_id:
            return seen
    raise WaitTimeout(
        f"{doing}: the service reports success, but after {SHOWN_WITHIN:.0f} s the backup is in no vault: run it again"
    )


@dataclass(frozen=True)
class Received:
    """What is shared with the client's project, newest first.

    Attributes:
        pending: offers of the named owners that are not answered yet.
        accepted: backups of theirs in a vault of the recipient, which is their `vault_id`.
        others: the projects that share something and are not named, sorted.
    """

    pending: tuple[Backup, ...] = ()
    accepted: tuple[Backup, ...] = ()
    others: tuple[str, ...] = ()


# GET /v3/{project_id}/vaults/{vault_id}, GET /v3/{project_id}/backups?own_type=shared&member_status=…
def to_accept(
    client: Client, window: Window, *, vault_id: Any, owner_project_ids: Any, resource_ids: Any = None
) -> Chosen:
    """The backups that a ReceivedBackups accepts, or keeps; `vault_id` is a vault of the recipient, or a list of them.

    Raises:
        Refused: an argument is wrong, or there is nothing to accept or keep, although the window may not be empty.
        CbrSharingError: a lookup failed, or a vault does not exist.
    """
    trouble_with_vaults = VAULT.trouble_with if isinstance(vault_id, str) else VAULT.trouble_with_list
    trouble_with_owners = PROJECT.trouble_with_list(owner_project_ids)
    check(window, resource_ids, {"vault_id": trouble_with_vaults(vault_id), "owner_project_ids": trouble_with_owners})
    vault_ids = [vault_id] if isinstance(vault_id, str) else vault_id
    vaults = {one: get_vault(client, one) for one in vault_ids}
    seen = look(client, owner_project_ids, vault_ids)
    chosen = choose(seen, window, vaults, resource_ids)
    if not chosen.backups and not window.allow_empty:
        shared, others = (*seen.pending, *seen.accepted), ", ".join(seen.others)
        more = [f"projects that are not in owner_project_ids share, too: {others}"] if others else []
        raise Refused(
            f"there is nothing to accept or keep: the vaults exist, and owner_project_ids have {len(seen.pending)} "
            f"offers and {len(seen.accepted)} accepted backups{window.left_out(shared, resource_ids)}"
            f"{''.join(f'; {one}' for one in (*more, *chosen.warnings))}. Accepting nothing would give back what "
            "earlier runs accepted: check owner_project_ids, vault_id and filters, or give allow_empty=True"
        )
    sharing = {backup.project_id for backup in (*seen.pending, *seen.accepted)}
    silent = [f"project {owner} shares nothing with this one" for owner in owner_project_ids if owner not in sharing]
    return replace(chosen, warnings=[*silent, *chosen.warnings])


def look(client: Client, owners: Collection[str], vault_ids: Collection[str] = ()) -> Received:
    """What these owners share with the client's project. What others share is not looked at.

    If the list names another vault than those of `vault_ids` for an accepted backup, the backup is read: the documents
    do not say whether the list has the owner's vault or the recipient's. So is one that is in both lists: they do not
    say either that the service heeds the status.
    """
    every = [list_backups(client, own_type="shared", member_status=status) for status in (PENDING, ACCEPTED)]
    pending, listed = ([one for one in shared if one.project_id in owners] for shared in every)
    offered = {backup.id for backup in pending}
    accepted = [
        _seen(client, backup) if backup.id in offered or (vault_ids and backup.vault_id not in vault_ids) else backup
        for backup in listed
    ]
    there = tuple(backup for backup in accepted if backup and backup.vault_id)
    taken = {backup.id for backup in there}
    both = offered & {backup.id for backup in listed}
    offers = [
        one
        for one in pending
        if one.id not in taken and (one.id not in both or _own_answer(client, one.id) in (None, PENDING))
    ]
    others = {one.project_id for shared in every for one in shared} - {*owners}
    return Received(tuple(offers), there, tuple(sorted(others)))


def _own_answer(client: Client, backup_id: str) -> str | None:
    """The status of the recipient's own member; None if the recipient may not read it, which is inferred."""
    try:
        return get_member(client, backup_id, client.project_id).status
    except (NotFound, PermissionDenied):
        return None


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

    An offer goes into the first vault of its kind that has room. One that does not fit takes no place in the window, so
    no accepted backup is given back for it.
    """
    room, accepted = _Room(vaults), {backup.id for backup in received.accepted}
    both = sorted((*received.pending, *received.accepted), key=attrgetter("order"), reverse=True)
    chosen = window.choose(both, resource_ids, lambda one: room.place(one, accepted=one.id in accepted))
    pending = {backup.id for backup in chosen.backups} - accepted
    return replace(chosen, warnings=[*room.warnings(), *chosen.warnings], pending=pending)


class _Room:
    """The room that is left in the vaults while backups are chosen."""

    def __init__(self, vaults: Mapping[str, Vault]) -> None:
        self._vaults = vaults
        self._offered = Counter[str]()  # GB by vault
        self._full: defaultdict[str, list[Backup]] = defaultdict(list)
        self._former: defaultdict[str, list[str]] = defaultdict(list)
        self._odd: list[str] = []

    def place(self, backup: Backup, *, accepted: bool) -> Backup | None:
        """A backup with its vault; None, with a warning, if it is accepted into another one, or fits into none."""
        if accepted and backup.vault_id in self._vaults:
            return backup
        if accepted:
            self._former[backup.vault_id].append(backup.id)
            return None
        against = {vault.id: vault.against(backup) for vault in self._vaults.values()}
        fitting = [self._vaults[vault_id] for vault_id, reason in against.items() if not reason]
        for vault in fitting:
            # If the size of a vault is unknown, the service decides.
            if not vault.size or self._offered[vault.id] + backup.resource_size <= vault.free:
                self._offered[vault.id] += backup.resource_size
                return replace(backup, vault_id=vault.id)
        if fitting:
            self._full[fitting[0].id].append(backup)
        else:
            reasons = "; ".join(f"vault {vault_id} {reason}" for vault_id, reason in against.items())
            self._odd.append(f"backup {backup.id} is left pending: {reasons}")
        return None

    def warnings(self) -> Iterator[str]:
        """Warnings about what does not fit, with figures."""
        yield from self._odd
        for vault_id, former in self._former.items():
            are, them = ("is", "it") if len(former) == 1 else ("are", "them")
            yield (
                f"backup {', '.join(former)} {are} in vault {vault_id}, which is not in vault_id: "
                f"add {vault_id} to keep {them}"
            )
        for vault_id, pending in self._full.items():
            vault = self._vaults[vault_id]
            needed = self._offered[vault_id] + sum(backup.resource_size for backup in pending)
            yield (
                f"vault {vault_id} has {vault.free:.0f} GB of {vault.size} GB left, and the offers need {needed} GB: "
                f"enlarge it by {needed - vault.free:.0f} GB; left pending: {', '.join(one.id for one in pending)}"
            )
