"""Reads every backup of the audited projects with its members, and what other projects offer.

A `ReadOnlyClient` refuses every call that is not a read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, get_args

from pulumi_cbr_sharing.cbr.backups import Backup, get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import Member, Status, get_member, list_members
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.errors import BackupNotFound, CbrSharingError, NotFound, PermissionDenied


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_cbr_sharing.audit.read_only import ReadOnlyClient


PARALLEL = 8  # requests in flight


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
        members: the members that are known.
        trouble: why these may not be all; None if they are.
    """

    backup: Backup
    members: tuple[Member, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True)
class Unseen:
    """What could not be checked, and why: a whole project, or one backup that is shared with it."""

    project: str
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
        offers: what other projects share, if that was asked for: each backup, with the audited project as a member.
        offers_read: the projects whose incoming offers were all listed.
        unseen: what could not be checked.
    """

    scope: Scope
    projects: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    backups: dict[str, LiveBackup] = field(default_factory=dict)
    others: dict[str, Backup] = field(default_factory=dict)
    vault_names: dict[str, str] = field(default_factory=dict)
    offers: list[tuple[Backup, Member]] = field(default_factory=list)
    offers_read: set[str] = field(default_factory=set)
    unseen: list[Unseen] = field(default_factory=list)

    def is_out_of_scope(self, backup_id: str | None) -> bool:
        """Whether a backup was not to be audited; None is one whose id is not known."""
        named = self.scope.backups
        return backup_id in self.others or bool(backup_id and named and backup_id not in named)

    def not_looked_at(self) -> list[Backup]:
        """Backups that are out of scope, or whose members are not all known."""
        return [*self.others.values(), *(seen.backup for seen in self.backups.values() if seen.trouble)]

    def shares(self) -> Iterator[tuple[Backup, Member]]:
        """Each backup with each member, from the owner's side where that was listed."""
        for seen in self.backups.values():
            yield from ((seen.backup, member) for member in seen.members)
        yield from ((backup, member) for backup, member in self.offers if backup.project_id not in self.listed)


def look(
    clients: Mapping[str, ReadOnlyClient],
    scope: Scope | None = None,
    *,
    incoming: bool = False,
    parallel: int = PARALLEL,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Live:
    """Read the backups of accounts. What cannot be read is recorded in `unseen`.

    Args:
        clients: those of the audited accounts, by the names of their connections.
        scope: which backups; None means all.
        incoming: whether to read what other projects share, too.
        parallel: the number of requests in flight.
        progress: called with the number of finished backups, and of all.

    Raises:
        SettingsError: the project of an account cannot be determined.
    """
    live = Live(scope or Scope())
    for name, client in clients.items():
        if client.project_id not in live.projects:
            live.projects[client.project_id] = name
            _look_into(live, client, parallel, progress)
            if incoming:
                _look_at_offers(live, client, parallel)
    return live


def _look_into(live: Live, client: ReadOnlyClient, parallel: int, progress: Callable[[int, int], None]) -> None:
    project = client.project_id
    try:
        found = [replace(backup, project_id=project) for backup in list_backups(client)]
    except CbrSharingError as error:
        live.unseen.append(Unseen(project, str(error)))
        return
    live.listed.add(project)
    live.others.update((backup.id, backup) for backup in found if not live.scope.has(backup))
    wanted = [backup for backup in found if live.scope.has(backup)]
    with suppress(CbrSharingError):  # an account that may not list its vaults is audited, too, without their names
        live.vault_names.update((vault.id, vault.name) for vault in list_vaults(client))
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        for done, seen in enumerate(pool.map(partial(_look_at, client), wanted), 1):
            if seen:
                live.backups[seen.backup.id] = seen
            progress(done, len(wanted))


def _look_at(client: ReadOnlyClient, backup: Backup) -> LiveBackup | None:
    """A backup with its members; None if it is gone since it was listed."""
    try:
        found = list_members(client, backup.id)
    except BackupNotFound as error:
        return _not_found(client, backup, error)
    except CbrSharingError as error:
        return LiveBackup(backup, trouble=str(error))
    trouble = None if found.complete else "the list of its members does not match its own count"
    return LiveBackup(backup, tuple(found.members.values()), trouble)


def _not_found(client: ReadOnlyClient, backup: Backup, error: BackupNotFound) -> LiveBackup | None:
    """A backup whose members were not found: it is gone only if it cannot be read either."""
    try:
        get_backup(client, backup.id)
    except BackupNotFound:
        return None
    except CbrSharingError as other:
        return LiveBackup(backup, trouble=str(other))
    return LiveBackup(backup, trouble=f"{error}; but it can be read")


def _look_at_offers(live: Live, client: ReadOnlyClient, parallel: int) -> None:
    project = client.project_id
    try:
        listed = [
            (backup, status)
            for status in get_args(Status)
            for backup in list_backups(client, own_type="shared", member_status=status)
        ]
    except CbrSharingError as error:
        live.unseen.append(Unseen(project, str(error), incoming=True))
        return
    live.offers_read.add(project)
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        for seen in pool.map(lambda one: _offer(client, *one), listed):
            if isinstance(seen, Unseen):
                live.unseen.append(seen)
            elif live.scope.has(seen[0]):
                live.offers.append(seen)


def _offer(client: ReadOnlyClient, backup: Backup, status: str) -> tuple[Backup, Member] | Unseen:
    """An offer with its times, if the service lets the recipient read its own membership (that is not known)."""
    try:
        return backup, _own_membership(client, backup, status)
    except CbrSharingError as error:
        return Unseen(client.project_id, str(error), backup.id, incoming=True)


def _own_membership(client: ReadOnlyClient, backup: Backup, status: str) -> Member:
    try:
        return get_member(client, backup.id, client.project_id)
    except (NotFound, PermissionDenied):
        vault = get_backup(client, backup.id).vault_id if status == "accepted" else None
        return Member(client.project_id, status, backup_id=backup.id, vault_id=vault)
