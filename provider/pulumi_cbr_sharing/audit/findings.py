"""A share as an audit sees it, the kinds of findings with their severities, and a finding."""

from __future__ import annotations

import hashlib

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.audit.declarations import Declaration, Place
    from pulumi_cbr_sharing.recipients_file import AgreedException, Recipient


Severity = Literal["high", "medium", "low", "none"]
Change = Literal["new", "changed", "unchanged"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
CHANGES: tuple[Change, ...] = get_args(Change)
NOT_LOOKED_AT = "not-looked-at"


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        severity: the default severity.
        title: a few words.
        meaning: what it means, and why it matters.
    """

    severity: Severity
    title: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    "undeclared": Kind(
        "high",
        "A share that nobody declared",
        "A backup is shared with a project, and no program declares it. The severity is medium if the recipient is "
        "known as friendly, and low if another project shares with us.",
    ),
    "missing": Kind(
        "medium", "A declared share that does not exist", "A program declares a share that does not exist in the cloud."
    ),
    "rejected": Kind("medium", "A share that the recipient rejected", "The recipient cannot see the backup."),
    "pending-too-long": Kind(
        "low", "An offer without an answer", "The recipient has neither accepted nor rejected the share for too long."
    ),
    "accepted-elsewhere": Kind(
        "medium",
        "Accepted into another vault than declared",
        "A program declares one vault, and the backup was accepted into another.",
    ),
    "recipient-not-allowed": Kind(
        "high", "A recipient that is not in the recipients file", "Nobody agreed that this project may receive backups."
    ),
    "pinned-by-image": Kind(
        "low",
        "A share that cannot be cancelled",
        "The recipient registered an image from the backup; until the image is deleted, the service refuses to cancel "
        "the share, and to delete the backup.",
    ),
    "backup-expires": Kind(
        "low", "A shared backup that expires", "When the backup expires, the recipient's copy is deleted, too."
    ),
    "recovery-point-too-old": Kind(
        "medium",
        "A recipient's newest backup is too old",
        "The newest backup of a server or disk that the recipient has accepted is older than it may be.",
    ),
    "exception-expired": Kind(
        "medium", "An exception that has expired", "The exception no longer covers anything: renew or remove it."
    ),
    "exception-unused": Kind("low", "An exception that covers nothing", "No finding needs it: remove it."),
    NOT_LOOKED_AT: Kind(
        "none",
        "Something that could not be checked",
        "Nothing is known about it: it counts neither as drift nor as clean.",
    ),
}


@dataclass(frozen=True)
class Share:
    """A backup and one project that it is shared with: in the cloud, in a program, or in both.

    Attributes:
        backup: the backup; if it was not seen, its id and owner, as far as they are known.
        member: the recipient and its answer; the status is "" if the share is not in the cloud.
        account: the name of the connection that it was seen with; "" for the default one.
        recipient_known: the recipient, if it is in the recipients file.
        declared_by: who declares that it is shared.
        accepted_by: who declares that it is accepted.
        perhaps_declared: whether a program shares the backup with recipients that cannot be read.
        incoming: whether it is seen from the recipient's side alone.
    """

    backup: Backup
    member: Member
    account: str = ""
    recipient_known: Recipient | None = None
    declared_by: tuple[Declaration, ...] = ()
    accepted_by: tuple[Declaration, ...] = ()
    perhaps_declared: bool = False
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
class Finding:
    """One finding.

    Attributes:
        kind: a key of `KINDS`.
        message: what was found, in one sentence.
        remedy: what to do, in words.
        share: what it is about; without ids if it is about no backup, or about no recipient.
        severity: `high`, `medium`, `low` or `none`.
        command: the command of the remedy, for a shell; None if there is none.
        cause: why, if that is known.
        subject: what it is about, if that is no share: a project, a file, a resource.
        exception: the exception that covers it, or that it is about.
        covered: whether the exception covers it; then it does not count.
        place: the line of the program, or of the recipients file.
        change: since the baseline; None without one.
        before: what the baseline says of a changed one: `status`, `severity`, `covered`.
    """

    kind: str
    message: str
    remedy: str
    share: Share
    severity: Severity
    command: str | None = None
    cause: str | None = None
    subject: str = ""
    exception: AgreedException | None = None
    covered: bool = False
    place: Place | None = None
    change: Change | None = None
    before: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """An id that is the same at each run for the same kind and share, or subject if there is no backup."""
        share = self.share
        words = f"{self.kind}\n{share.owner}\n{share.backup.id or self.subject}\n{share.recipient}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @property
    def rank(self) -> tuple[object, ...]:
        """The sort key: findings that count first, more severe ones first."""
        order = (self.covered, SEVERITIES.index(self.severity), list(KINDS).index(self.kind))
        return (*order, self.share.owner, self.share.recipient, self.share.backup.id)


def finding(share: Share, kind: str, message: str, remedy: str, **more: Any) -> Finding:
    """A finding about a share, with the severity of its kind, at the first line that declares it."""
    place = next((one.place for one in share.declarations if one.place), None)
    return Finding(kind, message, remedy, share, **{"severity": KINDS[kind].severity, "place": place, **more})
