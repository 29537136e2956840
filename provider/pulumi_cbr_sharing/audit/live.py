"""Reads every backup of the audited projects with its members, and what other projects offer: it only reads.

What cannot be read is recorded, never guessed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from pulumi_cbr_sharing.cbr.backups import Backup, get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import Member, Status, get_member, list_members
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.errors import (
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    PermissionDenied,
    Refused,
    Throttled,
    Unreachable,
)
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pulumi_cbr_sharing.http.messages import Call
    from pulumi_cbr_sharing.settings.resolve import Settings

    Progress = Callable[[int, int], None]
    Shared = tuple[Backup, Member]


PARALLEL = 8  # requests in flight
MOST_RETRIES = 4  # an audit of thousands of backups reports what it could not read, rather than wait
AGAIN = "run the audit again"
_MEANT = "check that the ids, the region and the account are those that you mean"


class ReadOnlyClient(Client):
    """A client that sends reads only. The only POSTs are those to sign in."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(replace(settings, max_retries=min(settings.max_retries, MOST_RETRIES)), **options)

    def send(self, call: Call, **options: Any) -> Any:
        """Send a read.

        Raises:
            Refused: the call is not a read.
        """
        if call.method != "GET" and not call.signs_in:
            raise Refused(f"{call.doing}: an audit only reads")
        return super().send(call, **options)


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
class Unseen:
    """What could not be checked: a whole project, the recipients of one of its backups, or an offer to it.

    Attributes:
        what: the beginning of a sentence.
        project: the audited project; "" if it is not known.
        backup: its id; "" if it is about all.
    """

    what: str
    cause: str
    remedy: str = AGAIN
    project: str = ""
    backup: str = ""
    incoming: bool = False

    @classmethod
    def of(cls, error: CbrSharingError, what: str, project: str, backup: str = "", *, incoming: bool = False) -> Unseen:
        """What an error means for the audit; its own text may have a remedy, too."""
        remedy = AGAIN
        if isinstance(error, (PermissionDenied, CredentialRefused)):
            remedy = f"{AGAIN} with credentials that may read it"
        elif isinstance(error, Throttled):
            remedy = f"{AGAIN} with a smaller --parallel"
        elif isinstance(error, Unreachable):
            remedy = f"check region, endpoint and network, then {AGAIN}"
        return cls(what, str(error), remedy, project, backup, incoming)


@dataclass
class Live:
    """What was seen.

    Attributes:
        incoming: whether it was asked for what other projects share.
        accounts: the audited projects, by project id.
        backups: the backups that were checked, by id.
        shared: each of them with each member that is known.
        others: backups that were listed but are out of scope, by id.
        vault_names: the names of vaults that are known, by id.
        offers: what other projects share, if that was asked for: each backup, with the audited project as a member.
        unseen: what could not be checked.
    """

    scope: Scope
    incoming: bool = False
    accounts: dict[str, Account] = field(default_factory=dict)
    backups: dict[str, Backup] = field(default_factory=dict)
    shared: list[Shared] = field(default_factory=list)
    others: dict[str, Backup] = field(default_factory=dict)
    vault_names: dict[str, str] = field(default_factory=dict)
    offers: list[Shared] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)

    def is_listed(self, project: str) -> bool:
        """Whether all backups of a project are known."""
        return project in self.accounts and self.accounts[project].listed

    def is_out_of_scope(self, backup_id: str | None) -> bool:
        """Whether a backup was not to be audited; None is one whose id is not known."""
        return backup_id in self.others or bool(self.scope.backups and backup_id not in {None, *self.scope.backups})

    @cached_property
    def not_known(self) -> dict[str, Backup]:
        """Backups that are out of scope, or whose members are not all known; asked for once all is read."""
        unread = {one.backup for one in self.unseen}
        return {**self.others, **{id_: one for id_, one in self.backups.items() if id_ in unread}}

    def shares(self) -> Iterator[Shared]:
        """Each backup with each member, from the owner's side where that was listed."""
        yield from self.shared
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
        live.unseen.append(Unseen.of(error, f"project {project} could not be checked", project))
        return
    live.accounts[project] = replace(live.accounts[project], listed=True)
    live.others.update((backup.id, backup) for backup in found if not live.scope.has(backup))
    wanted = [backup for backup in found if live.scope.has(backup)]
    with suppress(CbrSharingError):  # an account that may not list its vaults is audited, too, without their names
        live.vault_names.update((vault.id, vault.name) for vault in list_vaults(client))
    before = len(live.backups)
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        for done, (backup, seen) in enumerate(pool.map(lambda one: (one, _look_at(client, one)), wanted), 1):
            if seen is not None:
                live.backups[backup.id] = backup
                live.shared += [(backup, one) for one in seen if isinstance(one, Member)]
                live.unseen += [one for one in seen if isinstance(one, Unseen)]
            progress(before + done, before + len(wanted))


def _look_at(client: ReadOnlyClient, backup: Backup) -> list[Member | Unseen] | None:
    """The members of a backup, and why these may not be all; None if it is gone since it was listed."""
    what, cause = f"the recipients of backup {backup.id} could not be read", None
    members: Iterable[Member] = ()
    try:
        try:
            found = list_members(client, backup.id)
            members = found.rows.values()
            cause = None if found.complete else "the list of its members does not match its own count"
        except BackupNotFound as error:
            get_backup(client, backup.id)  # it is gone only if it cannot be read either
            cause = f"{error}; but it can be read"
    except BackupNotFound:
        return None
    except CbrSharingError as error:
        return [Unseen.of(error, what, backup.project_id, backup.id)]
    return [*members, *([Unseen(what, cause, AGAIN, backup.project_id, backup.id)] if cause else [])]


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
        live.unseen.append(Unseen.of(error, what, project, incoming=True))
        return
    live.accounts[project] = replace(live.accounts[project], offers_read=True)
    with ThreadPoolExecutor(parallel, thread_name_prefix="audit") as pool:
        for seen in pool.map(lambda one: _offer(client, *one), listed):
            if isinstance(seen, Unseen):
                live.unseen.append(seen)
            elif live.scope.has(seen[0]):
                live.offers.append(seen)


def _offer(client: ReadOnlyClient, backup: Backup, status: str) -> Shared | Unseen:
    """An offer with its times, if the service lets the recipient read its own membership (that is not known)."""
    try:
        with suppress(NotFound, PermissionDenied):
            return backup, get_member(client, backup.id, client.project_id)
        vault = get_backup(client, backup.id).vault_id if status == "accepted" else None
    except CbrSharingError as error:
        what = f"the offer of backup {backup.id} to project {client.project_id} could not be checked"
        return Unseen.of(error, what, client.project_id, backup.id, incoming=True)
    return backup, Member(client.project_id, status, backup_id=backup.id, vault_id=vault)


def _empty(live: Live) -> Iterator[Unseen]:
    """Projects where nothing at all was seen: a mistyped region or project looks like this, too."""
    seen = {backup.project_id for backup in (*live.others.values(), *live.backups.values())}
    seen |= {member.dest_project_id for _, member in live.offers}
    for one in live.accounts.values():
        if one.listed and one.project_id not in seen:
            cause = f"none is listed in region {one.region or 'not named'} at {one.endpoint}"
            yield Unseen(f"no backup of project {one.project_id} was seen", cause, _MEANT, one.project_id)


def _not_found_in(live: Live) -> Iterator[Unseen]:
    """Vaults and backups that were named, but not seen; what an unread list has is not known anyway."""
    if not all(account.listed for account in live.accounts.values()):
        return
    seen = [*live.backups.values(), *(backup for backup, _ in live.offers)]
    for vault in sorted(live.scope.vaults - {backup.vault_id for backup in seen}):
        cause = "it has no backup" if vault in live.vault_names else "no audited project is known to have it"
        yield Unseen(f"no backup in vault {vault} was looked at", cause, _MEANT)
    for backup in sorted(live.scope.backups - {one.id for one in seen}):
        yield Unseen(f"backup {backup} was not looked at", "no audited project has it", _MEANT, backup=backup)
