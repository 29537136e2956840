"""Reads every backup of the audited projects with its members, and what other projects offer.

What cannot be read is recorded, never guessed.
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
from pulumi_cbr_sharing.errors import (
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    PermissionDenied,
    Throttled,
    Unreachable,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_cbr_sharing.audit.read_only import ReadOnlyClient

    Progress = Callable[[int, int], None]


PARALLEL = 8  # requests in flight
AGAIN = "run the audit again"


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
class Account:
    """An audited project.

    Attributes:
        name: of its connection; "" for the default one.
        listed: whether its backups could be listed.
        offers_read: whether the backups that others offer to it could all be listed.
    """

    name: str
    project_id: str
    region: str | None
    endpoint: str
    listed: bool = False
    offers_read: bool = False


@dataclass(frozen=True)
class LiveBackup:
    """A backup, the members that are known, and why these may not be all; None if they are."""

    backup: Backup
    members: tuple[Member, ...] = ()
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Trouble:
    """Why something could not be checked, and what to do."""

    cause: str
    remedy: str = AGAIN

    @classmethod
    def of(cls, error: CbrSharingError) -> Trouble:
        """What an error means for the audit; its own text may have a remedy, too."""
        if isinstance(error, (PermissionDenied, CredentialRefused)):
            return cls(str(error), "run the audit again with credentials that may read it")
        if isinstance(error, Throttled):
            return cls(str(error), f"{AGAIN} with a smaller --parallel")
        if isinstance(error, Unreachable):
            return cls(str(error), f"check region, endpoint and network, then {AGAIN}")
        return cls(str(error))


@dataclass(frozen=True)
class Unseen:
    """What could not be checked: a whole project, or one backup that is shared with it.

    Attributes:
        what: the beginning of a sentence.
    """

    what: str
    project: str
    trouble: Trouble
    backup: str = ""
    incoming: bool = False


@dataclass
class Live:
    """What was seen.

    Attributes:
        incoming: whether it was asked for what other projects share.
        accounts: the audited projects, by project id.
        backups: the backups that were checked, by id.
        others: backups that were listed but are out of scope, by id.
        vault_names: the names of vaults that are known, by id.
        offers: what other projects share, if that was asked for: each backup, with the audited project as a member.
        unseen: what could not be checked.
    """

    scope: Scope
    incoming: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)
    backups: dict[str, LiveBackup] = field(default_factory=dict)
    others: dict[str, Backup] = field(default_factory=dict)
    vault_names: dict[str, str] = field(default_factory=dict)
    offers: list[tuple[Backup, Member]] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)

    def is_listed(self, project: str) -> bool:
        """Whether all backups of a project are known."""
        return project in self.accounts and self.accounts[project].listed

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
        yield from ((backup, member) for backup, member in self.offers if not self.is_listed(backup.project_id))


def look(
    clients: Mapping[str, ReadOnlyClient],
    scope: Scope | None = None,
    *,
    incoming: bool = False,
    parallel: int = PARALLEL,
    progress: Progress = lambda _done, _all: None,
) -> Live:
    """Read the backups of accounts. What cannot be read is recorded in `unseen`.

    Args:
        clients: those of the audited accounts, by the names of their connections.
        scope: which backups; None means all.
        incoming: whether to read what other projects share, too.
        parallel: the number of requests in flight.
        progress: called with the number of finished backups, and of all that are known so far.

    Raises:
        SettingsError: the project of an account cannot be determined.
    """
    live = Live(scope or Scope(), incoming)
    for name, client in clients.items():
        project, settings = client.project_id, client.settings
        if project not in live.accounts:
            live.accounts[project] = Account(name, project, settings.region, settings.cbr)
            _look_into(live, client, parallel, progress)
            if incoming:
                _look_at_offers(live, client, parallel)
    live.unseen += [*_empty(live), *_not_found_in(live)]
    return live


def _look_into(live: Live, client: ReadOnlyClient, parallel: int, progress: Progress) -> None:
    project = client.project_id
    try:
        found = [replace(backup, project_id=project) for backup in list_backups(client)]
    except CbrSharingError as error:
        live.unseen.append(Unseen(f"project {project} could not be checked", project, Trouble.of(error)))
        return
    live.accounts[project] = replace(live.accounts[project], listed=True)
    live.others.update((backup.id, backup) for backup in found if not live.scope.has(backup))
    wanted = [backup for backup in found if live.scope.has(backup)]
    with suppress(CbrSharingError):  # an account that may not list its vaults is audited, too, without their names
        live.vault_names.update((vault.id, vault.name) for vault in list_vaults(client))
    before = len(live.backups)
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        for done, seen in enumerate(pool.map(partial(_look_at, client), wanted), 1):
            if seen:
                live.backups[seen.backup.id] = seen
            progress(before + done, before + len(wanted))


def _look_at(client: ReadOnlyClient, backup: Backup) -> LiveBackup | None:
    """A backup with its members; None if it is gone since it was listed."""
    try:
        found = list_members(client, backup.id)
    except BackupNotFound as error:
        return _not_found(client, backup, error)
    except CbrSharingError as error:
        return LiveBackup(backup, trouble=Trouble.of(error))
    trouble = None if found.complete else Trouble("the list of its members does not match its own count")
    return LiveBackup(backup, tuple(found.members.values()), trouble)


def _not_found(client: ReadOnlyClient, backup: Backup, error: BackupNotFound) -> LiveBackup | None:
    """A backup whose members were not found: it is gone only if it cannot be read either."""
    try:
        get_backup(client, backup.id)
    except BackupNotFound:
        return None
    except CbrSharingError as other:
        return LiveBackup(backup, trouble=Trouble.of(other))
    return LiveBackup(backup, trouble=Trouble(f"{error}; but it can be read"))


def _look_at_offers(live: Live, client: ReadOnlyClient, parallel: int) -> None:
    project = client.project_id
    what = f"what other projects share with project {project} could not be checked"
    try:
        listed = [
            (backup, status)
            for status in get_args(Status)
            for backup in list_backups(client, own_type="shared", member_status=status)
        ]
    except CbrSharingError as error:
        live.unseen.append(Unseen(what, project, Trouble.of(error), incoming=True))
        return
    live.accounts[project] = replace(live.accounts[project], offers_read=True)
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
        what = f"the offer of backup {backup.id} to project {client.project_id} could not be checked"
        return Unseen(what, client.project_id, Trouble.of(error), backup.id, incoming=True)


def _own_membership(client: ReadOnlyClient, backup: Backup, status: str) -> Member:
    try:
        return get_member(client, backup.id, client.project_id)
    except (NotFound, PermissionDenied):
        vault = get_backup(client, backup.id).vault_id if status == "accepted" else None
        return Member(client.project_id, status, backup_id=backup.id, vault_id=vault)


def _empty(live: Live) -> Iterator[Unseen]:
    """Projects where nothing at all was seen: a mistyped region or project looks like this, too."""
    owners = {backup.project_id for backup in live.others.values()}
    owners |= {seen.backup.project_id for seen in live.backups.values()}
    owners |= {member.dest_project_id for _, member in live.offers}
    for one in live.accounts.values():
        if one.listed and one.project_id not in owners:
            trouble = Trouble(f"none is listed in region {one.region or 'not named'} at {one.endpoint}", _MEANT)
            yield Unseen(f"no backup of project {one.project_id} was seen", one.project_id, trouble)


def _not_found_in(live: Live) -> Iterator[Unseen]:
    """Vaults and backups that were named, but not seen; what an unread list has is not known anyway."""
    if not all(account.listed for account in live.accounts.values()):
        return
    seen = [*(one.backup for one in live.backups.values()), *(backup for backup, _ in live.offers)]
    for vault in sorted(live.scope.vaults - {backup.vault_id for backup in seen}):
        cause = "it has no backup" if vault in live.vault_names else "no audited project is known to have it"
        yield Unseen(f"no backup in vault {vault} was looked at", "", Trouble(cause, _MEANT))
    for backup in sorted(live.scope.backups - {one.id for one in seen}):
        yield Unseen(f"backup {backup} was not looked at", "", Trouble("no audited project has it", _MEANT), backup)


_MEANT = "check that the ids, the region and the account are those that you mean"
