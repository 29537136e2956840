"""What the cloud would refuse, told while a plan is made: the live backup, its members, the recipient's vault.

    GET /v3/{project_id}/backups/{backup_id}            is it there, whose is it, can it be shared
    GET /v3/{project_id}/backups/{backup_id}/members    is there room for one more
    GET /v3/{project_id}/vaults/{vault_id}              is it there, does it fit
    GET /v3/{project_id}/backups?own_type=shared        what is offered to the recipient

Each is asked once a process, and briefly. A trouble is what the service is known to refuse; what it may refuse, or may
allow by the time it is asked, is a warning. So is a cloud that gives no answer: no plan fails for want of a network
or of a permission to look. A refused credential is an answer, and fails the plan, because asking again burns it.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr.backups import AVAILABLE, BECOMING_AVAILABLE, get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS, list_members
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import (
    ApiError,
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
    one_line,
)
from pulumi_cbr_sharing.sharing.cache import Once


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client


T = TypeVar("T")

# What a vault calls the kind of a backup's resource. The first two can be shared, the disk where the region allows it.
KINDS = {"OS::Nova::Server": "server", "OS::Cinder::Volume": "disk", "OS::Sfs::Turbo": "turbo"}
SHAREABLE = ("OS::Nova::Server", "OS::Cinder::Volume")
MB_PER_GB = 1024
# After one of these the cloud is not asked again for this run's plan.
_OUT_OF_REACH = (Unreachable, ServerFault, Throttled, UnexpectedAnswer)


class PlanChecks:
    """Looks at the live cloud for the resources that a program is about to make.

    Every method returns what is wrong, as the end of a sentence about the property, or None; unless the settings
    switch it off, in which case nothing is asked and nothing is wrong.

    Raises:
        CredentialRefused, SettingsError: by every method; they would end every later call, too.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: set[str] = set()
        self._out_of_reach = False
        self._coming: defaultdict[str, set[str]] = defaultdict(set)
        self._leaving: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()
        self._backup = Once(self._see_backup)
        self._members = Once(self._see_members)
        self._vault = Once(self._see_vault)
        self._offers = Once(lambda _: self._ask(lambda client: list_backups(client, own_type="shared")))
        self._received = Once(self._see_received)

    def trouble_with_backup(self, backup_id: str) -> str | None:
        """A backup that is to be shared: missing, or received; warns of a status or kind that may be refused."""
        return self._backup(backup_id)

    def trouble_with_recipient(self, backup_id: str, project_id: str, *, adopt: bool) -> str | None:
        """One more recipient: there is no room for it, or it is there and may not be taken over."""
        live = self._members(backup_id)
        if live is None:
            return None
        there = live.get(project_id)
        if there and not adopt:
            return f"{_is_recipient(there)}, and adopt is False: cancel that share, or let adopt be True"
        if there:
            return None
        with self._lock:
            staying = set(live) - self._leaving[backup_id]
            every = staying | self._coming[backup_id] | {project_id}
            if len(every) > MOST_RECIPIENTS:
                return _no_room(backup_id, staying, every)
            self._coming[backup_id].add(project_id)
        return None

    def warn_of_undeclared(self, backup_id: str, project_ids: Collection[str]) -> None:
        """Warn of recipients that a set is about to remove."""
        undeclared = sorted(set(self._members(backup_id) or ()) - set(project_ids))
        if undeclared:
            self._warn(f"backup {backup_id} is shared with {', '.join(undeclared)}, too: this set cancels that")

    def is_full(self, backup_id: str) -> bool:
        """Whether a backup has all the recipients that it can have, with those that this program adds."""
        try:
            live = self._members(backup_id)
        except CbrSharingError:  # who shares is told
            return False
        with self._lock:
            return len(set(live or ()) | self._coming[backup_id]) >= MOST_RECIPIENTS

    def leaves(self, backup_id: str, whom: str) -> None:
        """Note that a recipient, or the vault of one, makes room before its replacement comes."""
        with self._lock:
            self._leaving[backup_id].add(whom)

    def trouble_with_own(self, backup_id: str, vault_id: str) -> str | None:
        """A backup that is to be accepted: it is the recipient's own, or is in another vault of it already."""
        seen = self._received(backup_id)
        if seen is None:
            return None
        if seen.project_id == self._client.project_id:
            return f"is a backup of project {seen.project_id} itself: give the recipient's Connection"
        if vault_id == seen.vault_id or seen.vault_id in self._leaving[backup_id]:
            return None
        return f"was accepted into vault {seen.vault_id} before: give that vault_id, or give the share back first"

    def trouble_with_vault(self, backup_id: str | None, vault_id: str) -> str | None:
        """A vault that is to receive a backup: missing; warns if it seems not to fit.

        Args:
            backup_id: None if it is not known yet.
            vault_id: the recipient's vault.
        """
        vault = self._vault(vault_id)
        if not isinstance(vault, str) and vault is not None and backup_id:
            self._warn_of_misfit(backup_id, vault)
        return vault if isinstance(vault, str) else None

    def _see_backup(self, backup_id: str) -> str | None:
        client = self._client
        try:
            backup = self._ask(lambda brief: get_backup(brief, backup_id))
        except BackupNotFound:
            return (
                f"is the id of no backup in project {client.project_id}: check the id, the region and the project; a "
                "backup that was deleted or has expired is gone with its shares"
            )
        if backup is None:
            return None
        if backup.project_id not in ("", client.project_id):
            return (
                f"is a backup that project {one_line(backup.project_id, 40)} shares with this one, and what was "
                "received cannot be shared on: let its owner share it"
            )
        for doubt in _doubts(backup):
            self._warn(f"backup {backup_id} {doubt}")
        return None

    def _see_members(self, backup_id: str) -> Mapping[str, Member] | None:
        try:
            return self._ask(lambda client: list_members(client, backup_id).all())
        except BackupNotFound:  # told by the look at the backup
            return None

    def _see_vault(self, vault_id: str) -> Vault | str | None:
        try:
            vault = self._ask(lambda client: get_vault(client, vault_id))
        except NotFound:
            return (
                f"is the id of no vault in project {self._client.project_id}: check the id, the region and the project"
            )
        if vault and vault.status not in ("", AVAILABLE):
            self._warn(f"vault {vault_id} is in status {one_line(vault.status, 30)}, so the share may be refused")
        return vault

    def _see_received(self, backup_id: str) -> Backup | None:
        try:
            return self._ask(lambda client: get_backup(client, backup_id))
        except BackupNotFound:  # nothing accepted yet
            return None

    def _warn_of_misfit(self, backup_id: str, vault: Vault) -> None:
        """Codes 6713 and 6114 are inferred, so what seems not to fit is the service's to refuse."""
        offered = next((backup for backup in self._offers("") or () if backup.id == backup_id), None)
        if offered is None or self._received(backup_id):
            return
        kind = KINDS.get(offered.resource_type)
        if kind and vault.object_type and kind != vault.object_type:
            self._warn(f"vault {vault.id} is for {vault.object_type} backups, and backup {backup_id} is of a {kind}")
        room = vault.size - vault.used / MB_PER_GB
        if vault.size and offered.resource_size > room:
            self._warn(
                f"vault {vault.id} has {room:.0f} GB of {vault.size} GB left, and backup {backup_id} is of "
                f"{offered.resource_size} GB: enlarge the vault, or the share may be refused"
            )

    def _ask(self, look: Callable[[Client], T]) -> T | None:
        """What the cloud says; None, with a warning, if it says nothing.

        Raises:
            NotFound: what was looked for is not there.
            CredentialRefused, SettingsError: nothing else will succeed either.
        """
        if self._out_of_reach or not self._client.settings.plan_checks:
            return None
        try:
            return look(self._client.brief)
        except (NotFound, CredentialRefused, SettingsError):
            raise
        except CbrSharingError as error:
            self._out_of_reach = isinstance(error, _OUT_OF_REACH)
            rest = "; nor is the rest of it" if self._out_of_reach else ""
            self._warn(f"the plan is not compared with the cloud: {error}{rest}", once_for=_reason(error))
        return None

    def _warn(self, text: str, once_for: str | None = None) -> None:
        with self._lock:
            told = (once_for or text) in self._told
            self._told.add(once_for or text)
        if not told:
            self._client.notify(f"warning: {text}")


def _reason(error: CbrSharingError) -> str:
    """What tells one refusal from another, whatever was being looked at: a missing permission is said once."""
    return error.reason if isinstance(error, ApiError) else type(error).__name__


def _doubts(backup: Backup) -> Iterator[str]:
    """Why sharing may be refused or has to wait."""
    if backup.status in BECOMING_AVAILABLE:
        yield f"is {backup.status}: create waits for it, as long as wait_for_backup allows"
    elif backup.status != AVAILABLE:
        yield f"is in status {one_line(backup.status, 30) or 'unknown'}, and only an available one can be shared"
    if backup.resource_type and backup.resource_type not in SHAREABLE:
        kind = one_line(backup.resource_type, 60)
        yield f"is of kind {kind}: only those of servers, and of disks where allowed, can be shared"
    if backup.encrypted:
        yield "holds encrypted disks, which may not be shared everywhere"


def _is_recipient(member: Member) -> str:
    return f"is a recipient already ({one_line(member.status, 20)}, since {member.created_at or 'an unknown time'})"


def _no_room(backup_id: str, staying: Collection[str], every: Collection[str]) -> str:
    if len(staying) >= MOST_RECIPIENTS:
        have = f"is shared with {len(staying)} projects already"
    else:
        have = f"is shared with {len(staying)}, and this program adds {len(every) - len(staying)}"
    return (
        f"is one too many: backup {backup_id} {have}, and {MOST_RECIPIENTS} is the most: remove a recipient in a run "
        "before this one"
    )
