"""Reads every backup of the audited projects with its members, and what other projects offer.

A `ReadOnlyClient` refuses every call that is not a read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pulumi_cbr_sharing.audit.bounded import bounded_map
from pulumi_cbr_sharing.cbr.backups import Backup, get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import Member, get_member, list_members
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.errors import BackupNotFound, CbrSharingError, NotFound, PermissionDenied


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi_cbr_sharing.audit.read_only import ReadOnlyClient


PARALLEL = 8  # requests in flight
OFFERS: tuple[Literal["pending", "accepted", "rejected"], ...] = ("pending", "accepted", "rejected")


@dataclass(frozen=True)
class Account:
    """An audited account: the name of its connection, and its client."""

    name: str
    client: ReadOnlyClient


@dataclass(frozen=True)
class Scope:
    """Which backups are audited: all, those in some vaults, or single ones."""

    vaults: frozenset[str] = frozenset()
    backups: frozenset[str] = frozenset()

    def has(self, backup: Backup) -> bool:
        """Whether a backup is in scope."""
        return (not self.vaults or backup.vault_id in self.vaults) and (not self.backups or backup.id in self.backups)

    @property
    def is_everything(self) -> bool:
        """Whether all backups are in scope."""
        return not (self.vaults or self.backups)


@dataclass(frozen=True)
class LiveBackup:
    """A backup and its members.

    Attributes:
        owner: the project that owns it.
        account: the name of the connection that it was seen with.
        members: the members that are known.
        whole: whether these are all.
        trouble: why not, if they are not.
        gone: whether it was listed, but no longer exists.
    """

    backup: Backup
    owner: str
    account: str
    members: tuple[Member, ...] = ()
    whole: bool = True
    trouble: str | None = None
    gone: bool = False


@dataclass(frozen=True)
class Offer:
    """A backup that another project shares with an audited one."""

    backup: Backup
    recipient: str
    account: str
    member: Member


@dataclass(frozen=True)
class Unseen:
    """What could not be checked, and why: a whole project, or one backup that is shared with it."""

    project: str
    account: str
    cause: str
    backup: str = ""
    incoming: bool = False


@dataclass
class Live:
    """What was seen.

    Attributes:
        projects: the audited projects, each with the name of its account.
        listed: the projects whose backups were listed.
        backups: the backups that were checked, by id.
        others: backups that were listed but are out of scope, by id.
        vault_names: the names of vaults that are known, by id.
        offers: what other projects share, if that was asked for.
        offers_read: the projects whose incoming offers were all listed.
        unseen: what could not be checked.
    """

    scope: Scope
    projects: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    backups: dict[str, LiveBackup] = field(default_factory=dict)
    others: dict[str, Backup] = field(default_factory=dict)
    vault_names: dict[str, str] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    offers_read: set[str] = field(default_factory=set)
    unseen: list[Unseen] = field(default_factory=list)


def look(
    accounts: Sequence[Account],
    scope: Scope | None = None,
    *,
    incoming: bool = False,
    parallel: int = PARALLEL,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Live:
    """Read the backups of accounts. What cannot be read is recorded in `unseen`.

    Args:
        accounts: the audited accounts.
        scope: which backups; None means all.
        incoming: whether to read what other projects share, too.
        parallel: the number of requests in flight.
        progress: called with the number of finished backups, and of all.

    Raises:
        SettingsError: the project of an account cannot be determined.
    """
    live = Live(scope or Scope())
    for account in accounts:
        _look_into(live, account, parallel, progress)
        if incoming:
            _look_at_offers(live, account, parallel)
    return live


def _look_into(live: Live, account: Account, parallel: int, progress: Callable[[int, int], None]) -> None:
    project = account.client.project_id
    if project in live.projects:
        return
    live.projects[project] = account.name
    try:
        found = list_backups(account.client)
    except CbrSharingError as error:
        live.unseen.append(Unseen(project, account.name, str(error)))
        return
    live.listed.add(project)
    live.others.update((backup.id, backup) for backup in found if not live.scope.has(backup))
    wanted = [backup for backup in found if live.scope.has(backup)]
    _name_vaults(live, account)
    for done, seen in enumerate(bounded_map(lambda one: _look_at(account, project, one), wanted, parallel), 1):
        live.backups[seen.backup.id] = seen
        progress(done, len(wanted))


def _name_vaults(live: Live, account: Account) -> None:
    """Names are optional: an account that may not list its vaults is audited, too."""
    try:
        live.vault_names.update((vault.id, vault.name) for vault in list_vaults(account.client))
    except CbrSharingError:
        return


def _look_at(account: Account, project: str, backup: Backup) -> LiveBackup:
    try:
        found = list_members(account.client, backup.id)
        trouble = None if found.complete else "the list of its members does not match its own count"
        members = tuple(sorted(found.members.values(), key=lambda member: member.dest_project_id))
        return LiveBackup(backup, project, account.name, members, found.complete, trouble)
    except BackupNotFound as error:
        return _gone(account, project, backup, error)
    except CbrSharingError as error:
        return LiveBackup(backup, project, account.name, whole=False, trouble=str(error))


def _gone(account: Account, project: str, backup: Backup, error: BackupNotFound) -> LiveBackup:
    """A backup whose members were not found: it is gone only if it cannot be read either."""
    try:
        get_backup(account.client, backup.id)
    except BackupNotFound:
        return LiveBackup(backup, project, account.name, gone=True)
    except CbrSharingError as other:
        return LiveBackup(backup, project, account.name, whole=False, trouble=str(other))
    return LiveBackup(backup, project, account.name, whole=False, trouble=f"{error}; but it can be read")


def _look_at_offers(live: Live, account: Account, parallel: int) -> None:
    project = account.client.project_id
    if project in live.offers_read:
        return
    try:
        listed = [
            (backup, status)
            for status in OFFERS
            for backup in list_backups(account.client, own_type="shared", member_status=status)
        ]
    except CbrSharingError as error:
        live.unseen.append(Unseen(project, account.name, str(error), incoming=True))
        return
    live.offers_read.add(project)
    for seen in bounded_map(lambda one: _offer(account, project, *one), listed, parallel):
        if isinstance(seen, Unseen):
            live.unseen.append(seen)
        elif live.scope.has(seen.backup):
            live.offers.append(seen)


def _offer(account: Account, project: str, backup: Backup, status: str) -> Offer | Unseen:
    """An offer with its times, if the service lets the recipient read its own membership (that is not known)."""
    try:
        return Offer(backup, project, account.name, _own_membership(account, backup, status))
    except CbrSharingError as error:
        return Unseen(project, account.name, str(error), backup.id, incoming=True)


def _own_membership(account: Account, backup: Backup, status: str) -> Member:
    try:
        return get_member(account.client, backup.id, account.client.project_id)
    except (NotFound, PermissionDenied):
        vault = get_backup(account.client, backup.id).vault_id if status == "accepted" else None
        return Member(account.client.project_id, status, backup_id=backup.id, vault_id=vault)
