"""A share, as the rules judge it: in the cloud, in a program, or in both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.recipients_file import RecipientsFile


if TYPE_CHECKING:
    from pulumi_cbr_sharing.audit.declared import Declaration, Declared
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.recipients_file import Recipient


@dataclass(frozen=True)
class Share:
    """A backup and one project that it is shared with.

    Attributes:
        backup: the backup; if it was not seen, its id and owner, as far as they are known.
        member: the recipient and its answer; the status is "" if the share is not in the cloud.
        recipient_known: the recipient, if it is in the recipients file.
        declared_by: who declares that it is shared.
        accepted_by: who declares that it is accepted.
        incoming: whether it is seen from the recipient's side alone.
    """

    backup: Backup
    member: Member
    recipient_known: Recipient | None = None
    declared_by: tuple[Declaration, ...] = ()
    accepted_by: tuple[Declaration, ...] = ()
    incoming: bool = False

    @classmethod
    def unseen(cls, backup_id: str = "", recipient: str = "", owner: str = "", **more: Any) -> Share:
        """A share that is not in the cloud, as far as it is known."""
        return cls(Backup(backup_id, status="", project_id=owner), Member(recipient, status=""), **more)

    @property
    def owner(self) -> str:
        """The project that shares."""
        return self.backup.project_id

    @property
    def recipient(self) -> str:
        """The recipient's project, or the pattern of an exception; "" if it is about none."""
        return self.member.dest_project_id

    @property
    def recipient_class(self) -> str:
        """`friendly`, `third-party`, `unknown`; "" without a recipient."""
        return self.recipient_known.class_ if self.recipient_known else "unknown" if self.recipient else ""

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """The resources that declare it, on either side."""
        return self.declared_by + self.accepted_by

    @property
    def is_live(self) -> bool:
        """Whether it is in the cloud."""
        return bool(self.member.status)

    @property
    def since(self) -> str | None:
        """When the status became what it is."""
        answered = None if self.member.status == "pending" else self.member.updated_at
        return answered or self.member.created_at


@dataclass(frozen=True)
class Evidence:
    """What an audit compares: the cloud, the programs, and the recipients file."""

    live: Live
    declared: Declared
    file: RecipientsFile = field(default_factory=RecipientsFile)

    def shares(self) -> list[Share]:
        """Every share that is live or declared, by owner, backup and recipient."""
        live = {(backup.id, member.dest_project_id): (backup, member) for backup, member in self.live.shares()}
        keys = dict.fromkeys([*live, *self.declared.shares, *self.declared.acceptances])
        found = [self._share(key, *live.get(key, (None, None))) for key in keys]
        return sorted(found, key=lambda one: (one.owner, one.backup.id, one.recipient))

    def _share(self, key: tuple[str, str], backup: Backup | None, member: Member | None) -> Share:
        backup_id, project = key
        declared_by = tuple(self.declared.shares.get(key, ()))
        accepted_by = tuple(self.declared.acceptances.get(key, ()))
        if backup is None and backup_id in self.live.backups:
            backup = self.live.backups[backup_id].backup
        owner = next((one.owner for one in declared_by + accepted_by if one.owner), "")
        return Share(
            backup or Backup(backup_id, status="", project_id=owner),
            member or Member(project, status=""),
            self.file.known(project),
            declared_by,
            accepted_by,
            incoming=backup is not None and backup.project_id not in self.live.listed,
        )
