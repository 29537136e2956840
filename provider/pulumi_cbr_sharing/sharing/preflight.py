"""What a preview asks the cloud, and what the cloud would refuse.

Each thing is asked once, with short time-outs, and nothing if plan checks are switched off. A problem is what the
service is known to refuse. If the cloud gives no answer, that is a warning: no preview fails because the network or a
permission is missing. A refused credential does fail it, because asking again might lock it.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr.backups import get_backup
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.cbr.vaults import REPLICATION, get_vault
from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    Refused,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
    one_line,
)
from pulumi_cbr_sharing.sharing.inputs import Problem
from pulumi_cbr_sharing.sharing.shares import REJECTED, Shares, both


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.ledger import Ledger

    Errors = tuple[type[CbrSharingError], ...]


T = TypeVar("T")
# After one of these, the cloud is not asked again in this run's previews.
_OUT_OF_REACH = (Unreachable, ServerFault, Throttled, UnexpectedAnswer)
_UNCHECKED = "the preview is not checked against the cloud"


class Preflight:
    """Checks the resources that a program is about to create; safe for many threads.

    Args:
        client: calls the API.
        ledger: what the program declares.
        tell: shows the user a line, once for each text, or for each `once_for`.

    Raises:
        CredentialRefused, SettingsError: from every method; all later calls would fail, too.
    """

    def __init__(self, client: Client, ledger: Ledger, tell: Callable[..., None]) -> None:
        self._client, self._ledger, self._tell = client, ledger, tell
        self._coming: defaultdict[str, set[str]] = defaultdict(set)
        self._out_of_reach = False
        self._lock = threading.Lock()

    def problems_with_member(self, backup_id: str, project_id: str | None, *, adopt: bool) -> Iterator[Problem]:
        """The backup cannot be shared, has ten recipients, or has this recipient (if it is known) already."""
        trouble, members = self._backup_and_members(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif project_id is None or members is None:
            return
        elif there := members.get(project_id):
            if adopt or self._ledger.owns(backup_id, project_id):
                self._tell_of(backup_id, [there])
            else:
                yield Problem.it("dest_project_id", f"{stranger(there)}")
        elif trouble := self._trouble_with_room(backup_id, project_id, members):
            yield Problem.it("dest_project_id", trouble)

    def problems_with_set(self, backup_id: str, project_ids: Collection[str] | None) -> Iterator[Problem]:
        """The backup cannot be shared. Tells of recipients that are not among those declared, if these are known."""
        trouble, members = self._backup_and_members(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif project_ids is not None and members is not None:
            self._tell_of(backup_id, [members[project] for project in sorted(project_ids) if project in members])
            if undeclared := sorted(set(members) - set(project_ids)):
                names = ", ".join(undeclared)
                self._tell(f"warning: backup {backup_id} is also shared with {names}: this BackupShare cancels that")

    def problems_with_acceptance(self, backup_id: str | None, vault_id: str) -> Iterator[Problem]:
        """The vault does not exist, or the backup is the recipient's own or in another vault.

        As long as the backup is not known, only the vault is checked.
        """
        vault, seen = both(partial(self._vault, vault_id), partial(self._received, backup_id))
        if isinstance(vault, str):
            yield Problem.it("vault_id", vault)
        elif vault and vault.protect_type == REPLICATION:
            yield Problem.it("vault_id", "is for replicas: give a vault of type backup")
        if seen and (trouble := self._in_another_vault(seen, vault_id)):
            yield Problem.it("backup_id", trouble)
        elif seen and seen.vault_id:
            self._tell(f"backup {backup_id} was accepted into vault {vault_id} before: the update adopts that")

    def problems_with_move(self, backup_id: str, vault_id: str) -> Iterator[Problem]:
        """The vault that an accepted backup is to go into does not exist, or does not take it."""
        vault, seen = both(partial(self._vault, vault_id), partial(self._received, backup_id))
        if isinstance(vault, str):
            yield Problem.it("vault_id", vault)
        elif vault and seen and seen.vault_id != vault_id and (trouble := vault.against(seen)):
            yield Problem.it("vault_id", f"{trouble}: the backup stays in vault {seen.vault_id}")

    def project(self, account: str, recorded: str | None, *, planning: bool) -> str | None:
        """The project of an account. Without an answer it is the recorded one; a preview goes on without any.

        Raises:
            Refused: the account has no project in the region, or several, and none is recorded.
            CbrSharingError: there is no answer to an update, and none is recorded.
        """
        look = (project_of_account, account, self._client.settings.region)
        if recorded:
            found = self._ask(*look, final=(), otherwise=f"the share keeps project {recorded}")
        elif planning:
            found = self._ask(*look, final=(Refused,), otherwise="the preview goes on without the project")
        else:
            found = self._client.cached(*look)
        return found.id if found else recorded

    def _backup_and_members(self, backup_id: str) -> tuple[str | None, Mapping[str, Member] | None]:
        """What is wrong with a backup that is to be shared, and its members; both are read at the same time."""
        return both(partial(self._trouble_with_backup, backup_id), partial(self._ask, _all_members, backup_id))

    def _trouble_with_backup(self, backup_id: str) -> str | None:
        try:
            backup = self._ask(get_backup, backup_id)
        except NotFound:
            return f"{self._not_there()}; when a backup is deleted or expires, its shares are gone, too"
        if backup and backup.project_id not in ("", self._client.known_project_id):
            return (
                f"is a backup that project {one_line(backup.project_id, 40)} shares with this one, and a received "
                "backup cannot be shared again: let its owner share it"
            )
        return None

    def _trouble_with_room(self, backup_id: str, project_id: str, live: Collection[str]) -> str | None:
        """Why the backup cannot have one more recipient, unless one of them leaves it before."""
        leaving = self._ledger.leaving(backup_id) & set(live)
        with self._lock:
            self._coming[backup_id].add(project_id)
            count = len(set(live) | self._coming[backup_id])
            if count > MOST_RECIPIENTS and not leaving:
                self._coming[backup_id].remove(project_id)
        if count <= MOST_RECIPIENTS:
            return None
        if leaving:
            self._tell(
                f"warning: backup {backup_id} has no room for project {project_id} until it leaves "
                f"{' or '.join(sorted(leaving))}, which needs `delete_before_replace=True` on the resource that changes"
            )
            return None
        return (
            f"is one too many: backup {backup_id} is shared with {len(live)} projects, this program adds "
            f"{count - len(live)}, and the maximum is {MOST_RECIPIENTS}: remove a recipient in an earlier run"
        )

    def _tell_of(self, backup_id: str, there: Collection[Member]) -> None:
        for member in there:
            if member.status == REJECTED:
                self._tell(f"backup {backup_id} was rejected by {member.dest_project_id}: the update offers it again")
            else:
                since = member.created_at or "an unknown time"
                self._tell(
                    f"backup {backup_id} is shared with {member.dest_project_id} since {since} ({member.status}): the "
                    "update adopts that"
                )

    def _vault(self, vault_id: str) -> Vault | str | None:
        """A vault, or the end of a sentence that it does not exist; None if there is no answer."""
        try:
            return self._ask(get_vault, vault_id)
        except NotFound:
            return self._not_there()

    def _received(self, backup_id: str | None) -> Backup | None:
        try:
            return self._ask(get_backup, backup_id) if backup_id else None
        except NotFound:  # nothing accepted yet
            return None

    def _in_another_vault(self, received: Backup, vault_id: str) -> str | None:
        if received.project_id == self._client.known_project_id:
            return f"is a backup of project {received.project_id} itself: use the recipient's Connection"
        if received.vault_id in {"", vault_id}:
            return None
        return f"was accepted into vault {received.vault_id} before: set that vault_id, or give the share back first"

    def _not_there(self) -> str:
        return f"does not exist in project {self._client.known_project_id}: check the id, the region and the project"

    def _ask(
        self, look: Callable[..., T], *given: object, final: Errors = (NotFound,), otherwise: str = _UNCHECKED
    ) -> T | None:
        """What `look(client, *given)` reads; None, and a warning, if there is no answer.

        Args:
            look: a function of `cbr/`.
            *given: its arguments.
            final: errors that are raised.
            otherwise: what follows from having no answer, for the warning.
        """
        if self._out_of_reach or not self._client.settings.plan_checks:
            return None
        try:
            return self._client.brief.cached(look, *given)
        except CbrSharingError as error:
            if isinstance(error, (CredentialRefused, SettingsError, *final)):
                raise
            if isinstance(error, _OUT_OF_REACH):
                self._out_of_reach = True
                rest, reason = "; the other checks are skipped, too", "out of reach"  # said once, whatever the error
            else:
                rest, reason = "", f"{otherwise}: {error.reason if isinstance(error, ApiError) else type(error)}"
            self._tell(f"warning: {otherwise}: {error}{rest}", once_for=reason)
            return None


def stranger(member: Member) -> str:
    """Why a share that is there already is an error without adoption."""
    since = member.created_at or "an unknown time"
    return (
        f"is a recipient already ({one_line(member.status, 20)}, since {since}), and adopt is False: if this program "
        "shared it under another name, give the resource `aliases`; else set adopt to True: then this resource owns "
        "the share, and cancels it on destroy"
    )


def _all_members(client: Client, backup_id: str) -> Mapping[str, Member] | None:
    return Shares(client).all_of(backup_id)
