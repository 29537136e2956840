"""The backups, vaults and members of the emulated cloud, and the documented rules of the API.

There is no HTTP here. A rule raises a Refusal; methods return the records themselves, not copies.
"""

from __future__ import annotations

import re
import time

from collections import Counter
from typing import TYPE_CHECKING, Literal

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal, Row
from pulumi_cbr_sharing.emulator.records import Backup, Member, Policy, Vault, backup_of, make_older, new_id, now


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from pulumi_cbr_sharing.emulator.behaviours import Switches


MOST_MEMBERS = 10
SHAREABLE = ("OS::Nova::Server", "OS::Cinder::Volume")
ANSWERS = ("pending", "accepted", "rejected")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PROJECT = re.compile(r"[0-9a-f]{32}")

OwnType = Literal["private", "shared", "all_granted"]


class State:
    """All records of the cloud; `exists` tells whether there is a project."""

    def __init__(self, exists: Callable[[str], bool], switches: Switches) -> None:
        self._exists, self._switches = exists, switches
        self.backups: dict[str, Backup] = {}
        self.vaults: dict[str, Vault] = {}
        self.policies: dict[str, Policy] = {}

    def _existing(self, backup_id: str) -> Backup:
        _need(_UUID.fullmatch(backup_id), behaviours.MALFORMED)
        self.settle()
        if backup_id not in self.backups:
            raise Refusal(behaviours.BACKUP_NOT_FOUND)
        return self.backups[backup_id]

    def owned(self, project_id: str, backup_id: str) -> Backup:
        """A backup that the project owns."""
        backup = self._existing(backup_id)
        _need(backup.project_id == project_id, behaviours.BACKUP_NOT_FOUND)
        return backup

    def visible(self, project_id: str, backup_id: str, *, offers: bool) -> Backup:
        """A backup that the project owns or has accepted, or an offer, if those are shown."""
        backup = self._existing(backup_id)
        seen = ("accepted", "pending") if offers else ("accepted",)
        _need(backup.project_id == project_id or _answer(backup, project_id) in seen, behaviours.BACKUP_NOT_FOUND)
        return backup

    def share(self, project_id: str, backup_id: str, recipients: Sequence[str]) -> list[Member]:
        """Add members; duplicate projects count once."""
        _need(recipients and all(_PROJECT.fullmatch(one) for one in recipients), behaviours.MALFORMED)
        _need(_answer(self._existing(backup_id), project_id) != "accepted", behaviours.RECEIVED_BACKUP)
        backup = self.owned(project_id, backup_id)
        _check_shareable(backup)
        wanted = list(dict.fromkeys(recipients))
        known = [one for one in wanted if self._exists(one) and one != project_id]
        free = [one for one in known if self._may_offer(backup, one)]
        wrong = behaviours.BAD_RECIPIENT if len(known) < len(wanted) else behaviours.ALREADY_SHARED
        some = self._switches.one_wrong == "adds the others"
        _need(len(free) == len(wanted) or some, wrong)
        _need(len(backup.members.keys() | set(free)) <= MOST_MEMBERS, behaviours.TOO_MANY_MEMBERS)
        added = [Member(backup_id, one) for one in free]
        backup.members.update({member.dest_project_id: member for member in added})
        _need(len(free) == len(wanted), wrong)
        return added

    def _may_offer(self, backup: Backup, recipient: str) -> bool:
        again = ("rejected", None) if self._switches.share_again == "offered" else (None,)
        return _answer(backup, recipient) in again

    def members(self, project_id: str, backup_id: str) -> list[Member]:
        """The members of an own backup; a recipient may see itself."""
        backup = self._existing(backup_id)
        if self._switches.recipient_lists and project_id in backup.members:
            return [backup.members[project_id]]
        return list(self.owned(project_id, backup_id).members.values())

    def member(self, project_id: str, backup_id: str, recipient: str) -> Member:
        """A member, for the owner or the recipient itself."""
        _need(_PROJECT.fullmatch(recipient), behaviours.MALFORMED)
        backup = self._existing(backup_id)
        _need(project_id in (backup.project_id, recipient), behaviours.BACKUP_NOT_FOUND)
        _need(recipient in backup.members, behaviours.MEMBER_NOT_FOUND)
        return backup.members[recipient]

    def shown_member(self, project_id: str, backup_id: str, recipient: str) -> Member:
        """A member that is read."""
        member = self.member(project_id, backup_id, recipient)
        _need(project_id != recipient or self._switches.recipient_reads, behaviours.BACKUP_NOT_FOUND)
        return member

    def answer(self, project_id: str, backup_id: str, recipient: str, status: str, vault_id: str | None) -> Member:
        """Accept or reject a share; rejecting an accepted one gives it back."""
        member = self.member(project_id, backup_id, recipient)
        # No client was seen to answer for another project, so the code does not matter.
        _need(project_id == recipient, behaviours.MEMBER_NOT_FOUND)
        _need(status in ANSWERS and (status != "pending" or self._switches.answers_pending), behaviours.BAD_ANSWER)
        revived = member.status == "rejected" and status == "accepted"
        _need(self._switches.accepts_after_reject or not revived, behaviours.BAD_ANSWER)
        if status == "accepted":
            self._check_vault(member, vault_id)
        member.status, member.vault_id = status, vault_id if status == "accepted" else None
        member.updated_at, member.shown_at = now(), time.time() + self._switches.accept_seconds
        return member

    def _check_vault(self, member: Member, vault_id: str | None) -> None:
        _need(isinstance(vault_id, str) and vault_id, behaviours.BAD_ANSWER)
        vault, backup = self.vault(member.dest_project_id, str(vault_id)), self.backups[member.backup_id]
        _need(vault.status == "available", behaviours.VAULT_STATUS)
        kind = "server" if backup.resource_type == "OS::Nova::Server" else "disk"
        _need((vault.object_type, vault.protect_type) == (kind, "backup"), behaviours.VAULT_KIND)
        more = 0 if member.vault_id == vault_id else backup.size
        _need(self.used(vault) + more <= vault.size, behaviours.VAULT_TOO_SMALL)

    def unshare(self, project_id: str, backup_id: str, recipient: str) -> None:
        """Cancel a share; a recipient may leave."""
        leaves = project_id == recipient and self._switches.recipient_leaves
        backup = self._existing(backup_id) if leaves else self.owned(project_id, backup_id)
        member = self.member(project_id, backup_id, recipient)
        _need(member.image_id is None, behaviours.IMAGE_REGISTERED)
        del backup.members[recipient]

    def delete_backup(self, project_id: str, backup_id: str, seconds: float) -> None:
        """Delete a backup, after some time also its shares and the recipients' copies."""
        backup = self.owned(project_id, backup_id)
        _need(not _has_image(backup), behaviours.BACKUP_HAS_IMAGE)
        if backup.gone_at is None:
            backup.status, backup.ready_at, backup.gone_at = "deleting", None, time.time() + seconds

    def backups_of(self, project_id: str, own_type: OwnType, member_status: str | None) -> Iterator[Backup]:
        """The backups that a project lists: its own, those shared with it, or both."""
        self.settle()
        for backup in self.backups.values():
            member = backup.members.get(project_id)
            own = backup.project_id == project_id and own_type in ("private", "all_granted")
            offered = member and own_type in ("shared", "all_granted") and member_status in (None, member.status)
            if own or offered:
                yield backup

    def vault(self, project_id: str, vault_id: str) -> Vault:
        """A vault of the project."""
        self.settle()
        vault = self.vaults.get(vault_id)
        if vault is None or vault.project_id != project_id:
            raise Refusal(behaviours.VAULT_NOT_FOUND)
        return vault

    def delete_vault(self, vault: Vault, seconds: float) -> None:
        """Delete a vault with its backups, after some time."""
        own = [backup for backup in self.backups.values() if backup.vault_id == vault.id]
        _need(not any(map(_has_image, own)), behaviours.BACKUP_HAS_IMAGE)
        for backup in own:
            self.delete_backup(vault.project_id, backup.id, seconds)
        vault.gone_at = time.time() + seconds if vault.gone_at is None else vault.gone_at

    def used(self, vault: Vault) -> int:
        """The used capacity of a vault in GB: own backups and received ones."""
        self.settle()
        own = sum(backup.size for backup in self.backups.values() if backup.vault_id == vault.id)
        members = [(backup, member) for backup in self.backups.values() for member in backup.members.values()]
        return own + sum(backup.size for backup, member in members if member.vault_id == vault.id)

    def back_up(self, vault: Vault, seconds: float) -> tuple[str, list[Backup]]:
        """Back up all resources of a vault; the backups are available after `checkpoint_seconds`."""
        checkpoint = new_id()
        made = [backup_of(vault, resource, checkpoint, time.time() + seconds) for resource in vault.resources]
        _need(self.used(vault) + sum(backup.size for backup in made) <= vault.size, behaviours.VAULT_TOO_SMALL)
        self.backups.update({backup.id: backup for backup in made})
        return checkpoint, made

    def age(self, passed: timedelta) -> None:
        """Make all records older, then do what was due in that time."""
        members = [member for backup in self.backups.values() for member in backup.members.values()]
        records: list[Vault | Backup | Member | Policy] = [*self.vaults.values(), *self.backups.values()]
        records += [*self.policies.values(), *members]
        for record in records:
            make_older(record, passed)
        self.settle()

    def settle(self) -> None:
        """Do what is due: backups become available, expire, or are deleted."""
        for backup in list(self.backups.values()):
            if backup.ready_at is not None and backup.ready_at <= time.time():
                backup.status, backup.ready_at = "available", None
            deleted = backup.gone_at is not None and backup.gone_at <= time.time()
            expired = backup.expired_at is not None and backup.expired_at <= now()
            if deleted or expired:
                del self.backups[backup.id]
        for vault in [one for one in self.vaults.values() if one.gone_at is not None and one.gone_at <= time.time()]:
            self._empty(vault)
            del self.vaults[vault.id]

    def _empty(self, vault: Vault) -> None:
        """Take the copies of recipients out of a vault."""
        for backup in self.backups.values():
            for member in [one for one in backup.members.values() if one.vault_id == vault.id]:
                member.status, member.vault_id = "rejected", None
                if self._switches.deleted_vault == "cancels":
                    del backup.members[member.dest_project_id]

    def retain(self, vault: Vault) -> None:
        """Delete what the policies of a vault do not keep: all but the newest backups of each resource."""
        policies = [self.policies[one] for one in vault.policies if self.policies[one].enabled]
        kept = [policy.definition.get("max_backups") for policy in policies]
        most = min((one for one in kept if isinstance(one, int) and one > 0), default=len(self.backups))
        seen = Counter[str]()
        for backup in sorted(self.backups.values(), key=lambda one: one.created_at, reverse=True):
            if backup.vault_id == vault.id:
                seen[backup.resource_id] += 1
                if seen[backup.resource_id] > most:
                    del self.backups[backup.id]


def _check_shareable(backup: Backup) -> None:
    _need(backup.resource_type in SHAREABLE, behaviours.KIND_NOT_SHAREABLE)
    _need(backup.status == "available", behaviours.NOT_AVAILABLE)
    _need(not backup.encrypted, behaviours.ENCRYPTED)
    _need(backup.shareable, behaviours.SHARING_FORBIDDEN)


def _answer(backup: Backup, project_id: str) -> str | None:
    member = backup.members.get(project_id)
    return member.status if member else None


def _has_image(backup: Backup) -> bool:
    return any(member.image_id for member in backup.members.values())


def _need(condition: object, otherwise: Row) -> None:
    if not condition:
        raise Refusal(otherwise)
