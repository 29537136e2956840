"""One live share, as the rules judge it: the backup, the recipient, who declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS, Finding
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pulumi_cbr_sharing.audit.declared import Declaration, Declared
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.recipients_file import Recipient, RecipientsFile


@dataclass(frozen=True)
class Share:
    """A backup and one project that it is shared with.

    Attributes:
        backup: the backup.
        member: the recipient and its answer.
        owner: the project that shares.
        account: the connection that it was seen with.
        vault_name: of the backup's vault, if it is known.
        recipient_class, recipient_known: what the file of recipients says.
        declared_by: who declares that it is shared.
        accepted_by: who declares that it is accepted.
        incoming: whether it is seen from the recipient's side alone.
    """

    backup: Backup
    member: Member
    owner: str
    account: str
    vault_name: str
    recipient_class: str
    recipient_known: Recipient | None
    declared_by: tuple[Declaration, ...]
    accepted_by: tuple[Declaration, ...]
    incoming: bool = False

    @property
    def recipient(self) -> str:
        """The recipient's project."""
        return self.member.dest_project_id

    @property
    def is_recovery_point(self) -> bool:
        """Whether the recipient could recover a server or disk from it."""
        return self.member.status == "accepted" and self.backup.whole and bool(self.backup.resource_id)

    @property
    def since(self) -> str | None:
        """When the status became what it is."""
        answered = None if self.member.status == "pending" else self.member.updated_at
        return answered or self.member.created_at

    @property
    def since_moment(self) -> datetime | None:
        """The same, as a moment."""
        return moment(self.since)

    def finding(self, kind: str, message: str, remedy: str, **more: Any) -> Finding:
        """A finding about this share."""
        declared = self.declared_by + self.accepted_by
        facts: dict[str, Any] = {
            "owner": self.owner,
            "backup_id": self.backup.id,
            "recipient": self.recipient,
            "severity": KINDS[kind].severity,
            "account": self.account,
            "backup": self.backup,
            "vault_name": self.vault_name,
            "recipient_class": self.recipient_class,
            "recipient_known": self.recipient_known,
            "status": self.member.status,
            "since": self.since,
            "declared_by": declared,
            "incoming": self.incoming,
            "place": next((one.place for one in declared if one.place), None),
        }
        return Finding(kind, message, remedy, **{**facts, **more})


def shares_of(live: Live, declared: Declared, file: RecipientsFile) -> Iterator[Share]:
    """Every live share that was seen, from the owner's side where that was looked at."""
    for seen in live.backups.values():
        for member in seen.members:
            yield _share(live, declared, file, seen.backup, member, owner=seen.owner, account=seen.account)
    for offer in live.offers:
        if offer.backup.project_id not in live.listed:
            yield _share(
                live,
                declared,
                file,
                offer.backup,
                offer.member,
                owner=offer.backup.project_id,
                account=offer.account,
                incoming=True,
            )


def _share(
    live: Live,
    declared: Declared,
    file: RecipientsFile,
    backup: Backup,
    member: Member,
    *,
    owner: str,
    account: str,
    incoming: bool = False,
) -> Share:
    key = backup.id, member.dest_project_id
    return Share(
        backup,
        member,
        owner,
        account,
        live.vault_names.get(backup.vault_id, ""),
        file.class_of(member.dest_project_id),
        (file.recipients or {}).get(member.dest_project_id),
        tuple(declared.shares.get(key, ())),
        tuple(declared.acceptances.get(key, ())),
        incoming,
    )
