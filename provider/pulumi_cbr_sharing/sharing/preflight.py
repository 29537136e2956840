"""What the cloud would refuse, told while a plan is made: the live backup, its members, the recipient's vault.

A problem is what the service is known to refuse. What it may refuse, or may allow by the time it is asked, is a
warning; so is what nobody could be asked for, see `looks.py`.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr.backups import AVAILABLE, BECOMING_AVAILABLE
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.errors import (
    NotFound,
    one_line,
)
from pulumi_cbr_sharing.sharing.inputs import Problem
from pulumi_cbr_sharing.sharing.looks import Looks


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.cache import SingleFlightCache
    from pulumi_cbr_sharing.sharing.ledger import Ledger


T = TypeVar("T")

# What a vault calls the kind of a backup's resource. The first two can be shared, the disk where the region allows it.
KINDS = {"OS::Nova::Server": "server", "OS::Cinder::Volume": "disk", "OS::Sfs::Turbo": "turbo"}
SHAREABLE = ("OS::Nova::Server", "OS::Cinder::Volume")
MB_PER_GB = 1024


class Preflight:
    """Judges the resources that a program is about to make by the live cloud; safe for many threads.

    Raises:
        CredentialRefused, SettingsError: by every method; they would end every later call, too.
    """

    def __init__(self, client: Client, ledger: Ledger, cache: SingleFlightCache) -> None:
        self._client, self._ledger, self._looks = client, ledger, Looks(client, cache)
        self._coming: defaultdict[str, set[str]] = defaultdict(set)
        self._filling: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._lock = threading.Lock()

    def problems_with_member(self, backup_id: str, project_id: str | None, *, adopt: bool) -> Iterator[Problem]:
        """One more recipient: the backup cannot be shared, has no room, or has the recipient already.

        Args:
            backup_id: the backup.
            project_id: the recipient; None if it is not known yet.
            adopt: whether a share that exists may be taken over.
        """
        trouble, members = self._shared(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif (
            project_id and members is not None and (trouble := self._room(backup_id, project_id, members, adopt=adopt))
        ):
            yield Problem.it("dest_project_id", trouble)

    def problems_with_set(self, backup_id: str, project_ids: Collection[str] | None) -> Iterator[Problem]:
        """All recipients of a backup: it cannot be shared; a warning of whoever is about to lose it.

        Args:
            backup_id: the backup.
            project_ids: the recipients; None if they are not known yet.
        """
        trouble, members = self._shared(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif project_ids is not None and (undeclared := sorted(set(members or ()) - set(project_ids))):
            self._looks.warn(f"backup {backup_id} is shared with {', '.join(undeclared)}, too: this set cancels that")

    def problems_with_acceptance(self, backup_id: str | None, vault_id: str) -> Iterator[Problem]:
        """A vault that is missing, or a backup that is the recipient's own or in another vault; warns of a misfit.

        Args:
            backup_id: the backup on offer; None if it is not known yet.
            vault_id: the recipient's vault.
        """
        looks: list[Callable[[], object]] = [partial(self._vault, vault_id)]
        if backup_id:
            looks += [partial(self._received, backup_id), self._looks.offers]
        self._looks.at_once(*looks)
        vault = self._vault(vault_id)
        if isinstance(vault, str):
            yield Problem.it("vault_id", vault)
        if backup_id and (trouble := self._in_another_vault(backup_id, vault_id)):
            yield Problem.it("backup_id", trouble)
        elif backup_id and vault and not isinstance(vault, str):
            self._warn_of_misfit(backup_id, vault)

    def _shared(self, backup_id: str) -> tuple[str | None, Mapping[str, Member] | None]:
        """What is wrong with a backup that is to be shared, and its members; both are looked at at the same time."""
        self._looks.at_once(partial(self._backup, backup_id), partial(self._looks.members, backup_id))
        trouble = self._backup(backup_id)
        return trouble, None if trouble else self._looks.members(backup_id)

    def _room(self, backup_id: str, project_id: str, live: Mapping[str, Member], *, adopt: bool) -> str | None:
        there = live.get(project_id)
        if there:
            taken_over = "and adopt is False: cancel that share, or let adopt be True"
            return None if adopt else f"{_is_recipient(there)}, {taken_over}"
        leaving = self._ledger.leaving(backup_id)
        with self._lock:
            staying = set(live) - leaving
            every = staying | self._coming[backup_id] | {project_id}
            if len(every) > MOST_RECIPIENTS:
                return _no_room(backup_id, staying, every)
            self._coming[backup_id].add(project_id)
        return None

    def _in_another_vault(self, backup_id: str, vault_id: str) -> str | None:
        seen = self._received(backup_id)
        if seen is None:
            return None
        if seen.project_id == self._client.known_project_id:
            return f"is a backup of project {seen.project_id} itself: give the recipient's Connection"
        if seen.vault_id in ("", vault_id, self._ledger.left_by(backup_id, vault_id)):
            return None
        return f"was accepted into vault {seen.vault_id} before: give that vault_id, or give the share back first"

    def _backup(self, backup_id: str) -> str | None:
        """What is wrong with a backup that is to be shared."""
        try:
            backup = self._looks.backup(backup_id)
        except NotFound:
            return f"{self._not_there()}; a backup that was deleted or has expired is gone with its shares"
        if backup and backup.project_id not in ("", self._client.known_project_id):
            return (
                f"is a backup that project {one_line(backup.project_id, 40)} shares with this one, and what was "
                "received cannot be shared on: let its owner share it"
            )
        for doubt in _doubts(backup) if backup else ():
            self._looks.warn(f"backup {backup_id} {doubt}")
        return None

    def _vault(self, vault_id: str) -> Vault | str | None:
        """The vault, what is wrong with it, or None if it cannot be told."""
        try:
            vault = self._looks.vault(vault_id)
        except NotFound:
            return self._not_there()
        if vault and vault.status not in ("", AVAILABLE):
            self._looks.warn(f"vault {vault_id} is in status {one_line(vault.status, 30)}, so the share may be refused")
        return vault

    def _not_there(self) -> str:
        return f"does not exist in project {self._client.known_project_id}: check the id, the region and the project"

    def _received(self, backup_id: str) -> Backup | None:
        try:
            return self._looks.backup(backup_id)
        except NotFound:  # nothing accepted yet
            return None

    def _warn_of_misfit(self, backup_id: str, vault: Vault) -> None:
        """Codes 6713 and 6114 are inferred, so what seems not to fit is the service's to refuse."""
        offered = next((backup for backup in self._looks.offers() if backup.id == backup_id), None)
        received = self._received(backup_id)
        if offered is None or (received and received.vault_id):
            return
        kind = KINDS.get(offered.resource_type)
        if kind and vault.object_type and kind != vault.object_type:
            self._looks.warn(
                f"vault {vault.id} is for {vault.object_type} backups, and backup {backup_id} is of a {kind}"
            )
        with self._lock:
            coming = self._filling[vault.id]
            coming[backup_id] = offered.resource_size
            count, needed = len(coming), sum(coming.values())
        room = vault.size - vault.used / MB_PER_GB
        if vault.size and needed > room:
            what = f"backup {backup_id} is" if count == 1 else f"the {count} backups that this program accepts are"
            self._looks.warn(
                f"vault {vault.id} has {room:.0f} GB of {vault.size} GB left, and {what} of {needed} GB: enlarge the "
                "vault, or the share may be refused"
            )


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
