"""What the cloud would refuse, found during a preview: it reads the backup, its members and the recipient's vault.

A problem is what the service is known to refuse. What it may refuse, or may allow by the time of the update, is a
warning.
"""

from __future__ import annotations

import threading

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.backups import AVAILABLE, BECOMING_AVAILABLE, get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.cbr.vaults import KINDS, REPLICATION, get_vault
from pulumi_cbr_sharing.errors import NotFound, one_line
from pulumi_cbr_sharing.sharing.inputs import Problem
from pulumi_cbr_sharing.sharing.threads import POOL


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.ledger import Ledger
    from pulumi_cbr_sharing.sharing.looks import Looks


SHAREABLE = ("OS::Nova::Server", "OS::Cinder::Volume")
_list_offers = partial(list_backups, own_type="shared")


class Preflight:
    """Checks the resources that a program is about to create; safe for many threads.

    Raises:
        CredentialRefused, SettingsError: from every method; all later calls would fail, too.
    """

    def __init__(self, client: Client, ledger: Ledger, looks: Looks) -> None:
        self._client, self._ledger, self._looks = client, ledger, looks
        self._coming: defaultdict[str, set[str]] = defaultdict(set)
        self._filling: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._lock = threading.Lock()

    def problems_with_member(self, backup_id: str, project_id: str | None, *, adopt: bool) -> Iterator[Problem]:
        """The backup cannot be shared, has ten recipients, or has this recipient (if it is known) already."""
        trouble, members = self._backup_and_members(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif trouble := self._room(backup_id, project_id, members, adopt=adopt):
            yield Problem.it("dest_project_id", trouble)

    def problems_with_set(self, backup_id: str, project_ids: Collection[str] | None) -> Iterator[Problem]:
        """The backup cannot be shared. Warns of recipients that are not among those declared, if these are known."""
        trouble, members = self._backup_and_members(backup_id)
        if trouble:
            yield Problem.it("backup_id", trouble)
        elif project_ids is not None and (undeclared := sorted(set(members or ()) - set(project_ids))):
            self._looks.warn(
                f"backup {backup_id} is also shared with {', '.join(undeclared)}: this BackupShare cancels that"
            )

    def problems_with_acceptance(self, backup_id: str | None, vault_id: str) -> Iterator[Problem]:
        """The vault does not exist, or the backup is the recipient's own or in another vault. Warns if it does not fit.

        As long as the backup is not known, only the vault is checked.
        """
        seen = POOL.submit(self._received, backup_id)
        offered = POOL.submit(self._offer, backup_id)
        try:
            vault = self._looks.ask(get_vault, vault_id)
        except NotFound:
            vault = None
            yield Problem.it("vault_id", self._not_there())
        if vault and vault.protect_type == REPLICATION:
            yield Problem.it("vault_id", "is for replicas: give a vault of type backup")
        elif vault and vault.status not in ("", AVAILABLE):
            self._looks.warn(f"vault {vault_id} is in status {one_line(vault.status, 30)}, so the share may be refused")
        received, offer = seen.result(), offered.result()
        if received and (trouble := self._in_another_vault(received, vault_id)):
            yield Problem.it("backup_id", trouble)
        elif vault and offer and not (received and received.vault_id):
            self._warn_of_misfit(offer, vault)

    def problems_with_move(self, backup_id: str, vault_id: str) -> Iterator[Problem]:
        """The vault that an accepted backup is to go into does not exist, or does not take it."""
        received = POOL.submit(self._received, backup_id)
        try:
            vault, seen = self._looks.ask(get_vault, vault_id), received.result()
        except NotFound:
            yield Problem.it("vault_id", self._not_there())
        else:
            if vault and seen and seen.vault_id != vault_id and (trouble := vault.against(seen)):
                yield Problem.it("vault_id", f"{trouble}: the backup stays in vault {seen.vault_id}")

    def _backup_and_members(self, backup_id: str) -> tuple[str | None, Mapping[str, Member] | None]:
        """What is wrong with a backup that is to be shared, and its members; both are read at the same time."""
        members = POOL.submit(self._looks.members, backup_id)
        return self._trouble_with_backup(backup_id), members.result()

    def _room(
        self, backup_id: str, project_id: str | None, live: Mapping[str, Member] | None, *, adopt: bool
    ) -> str | None:
        """Why the backup cannot have one more recipient, as far as that is known."""
        if project_id is None or live is None:
            return None
        if there := live.get(project_id):
            since = f"({one_line(there.status, 20)}, since {there.created_at or 'an unknown time'})"
            refused = f"is a recipient already {since}, and adopt is False: cancel that share, or set adopt to True"
            return None if adopt else refused
        leaving = self._ledger.members.leaving(backup_id)
        with self._lock:
            staying = set(live) - leaving
            every = staying | self._coming[backup_id] | {project_id}
            if len(every) > MOST_RECIPIENTS:
                return _no_room(backup_id, staying, every)
            self._coming[backup_id].add(project_id)
        return None

    def _trouble_with_backup(self, backup_id: str) -> str | None:
        try:
            backup = self._looks.ask(get_backup, backup_id)
        except NotFound:
            return f"{self._not_there()}; when a backup is deleted or expires, its shares are gone, too"
        if backup and backup.project_id not in ("", self._client.known_project_id):
            return (
                f"is a backup that project {one_line(backup.project_id, 40)} shares with this one, and a received "
                "backup cannot be shared again: let its owner share it"
            )
        for doubt in _doubts(backup) if backup else ():
            self._looks.warn(f"backup {backup_id} {doubt}")
        return None

    def _not_there(self) -> str:
        return f"does not exist in project {self._client.known_project_id}: check the id, the region and the project"

    def _received(self, backup_id: str | None) -> Backup | None:
        try:
            return self._looks.ask(get_backup, backup_id) if backup_id else None
        except NotFound:  # nothing accepted yet
            return None

    def _offer(self, backup_id: str | None) -> Backup | None:
        offers = self._looks.ask(_list_offers) if backup_id else None
        return next((backup for backup in offers or () if backup.id == backup_id), None)

    def _in_another_vault(self, received: Backup, vault_id: str) -> str | None:
        if received.project_id == self._client.known_project_id:
            return f"is a backup of project {received.project_id} itself: use the recipient's Connection"
        if received.vault_id in {"", vault_id}:
            return None
        return f"was accepted into vault {received.vault_id} before: set that vault_id, or give the share back first"

    def _warn_of_misfit(self, offer: Backup, vault: Vault) -> None:
        """Only warn: what the service refuses here (codes 6712, 6713 and 6114) is inferred."""
        kind = KINDS.get(offer.resource_type)
        if kind and vault.object_type and kind != vault.object_type:
            self._looks.warn(
                f"vault {vault.id} is for {vault.object_type} backups, but backup {offer.id} is of a {kind}"
            )
        with self._lock:
            coming = self._filling[vault.id]
            coming[offer.id] = offer.resource_size
            count, needed = len(coming), sum(coming.values())
        if vault.size and needed > vault.free:
            what = f"backup {offer.id} needs" if count == 1 else f"the {count} backups that this program accepts need"
            self._looks.warn(
                f"vault {vault.id} has {vault.free:.0f} GB of {vault.size} GB left, but {what} {needed} GB: enlarge "
                "the vault, or the share may be refused"
            )


def _doubts(backup: Backup) -> Iterator[str]:
    """Why sharing may be refused, or has to wait."""
    if backup.status in BECOMING_AVAILABLE:
        yield f"is {backup.status}: the update waits for it, as long as wait_for_backup allows"
    elif backup.status != AVAILABLE:
        yield f"is in status {one_line(backup.status, 30) or 'unknown'}, and only available backups can be shared"
    if backup.resource_type and backup.resource_type not in SHAREABLE:
        kind = one_line(backup.resource_type, 60)
        yield f"is of kind {kind}: only backups of servers, and in some regions of disks, can be shared"
    if backup.encrypted:
        yield "has encrypted disks, which some regions do not share"


def _no_room(backup_id: str, staying: Collection[str], every: Collection[str]) -> str:
    if len(staying) >= MOST_RECIPIENTS:
        have = f"is shared with {len(staying)} projects already"
    else:
        have = f"is shared with {len(staying)}, and this program adds {len(every) - len(staying)}"
    return (
        f"is one too many: backup {backup_id} {have}, and the maximum is {MOST_RECIPIENTS}: remove a recipient in an "
        "earlier run"
    )
