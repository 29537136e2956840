"""What an audit can find: the kinds, how bad each is, and one finding with all that is known of it."""

from __future__ import annotations

import hashlib

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.audit.declared import Declaration, Place
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.recipients_file import AgreedException, Recipient


Severity = Literal["high", "medium", "low", "none"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "none")
NOT_LOOKED_AT = "not-looked-at"


class Kind(NamedTuple):
    """A kind of finding.

    Attributes:
        severity: how bad it is, unless the finding itself says otherwise.
        title: in a few words.
        meaning: what it means, and why that matters.
    """

    severity: Severity
    title: str
    meaning: str


KINDS: Mapping[str, Kind] = {
    "undeclared": Kind(
        "high",
        "A share that nobody declared",
        "A backup is shared with a project, and no program declares it. It is of medium severity if the recipient is "
        "known as friendly, and of low severity if others share with us.",
    ),
    "missing": Kind(
        "medium", "A declared share that is not there", "A program declares a share, and the cloud has none."
    ),
    "rejected": Kind("medium", "A share that the recipient rejected", "The recipient cannot see the backup."),
    "pending-too-long": Kind(
        "low", "An offer without an answer", "The recipient has neither accepted nor rejected the share for too long."
    ),
    "accepted-elsewhere": Kind(
        "medium",
        "Accepted into another vault than declared",
        "A program accepts the backup into one vault, and it was accepted into another.",
    ),
    "recipient-not-allowed": Kind(
        "high", "A recipient that is not in the file of recipients", "Nobody agreed that this project receives backups."
    ),
    "pinned-by-image": Kind(
        "low",
        "A share that cannot be cancelled",
        "The recipient registered an image from the backup; until the image is deleted, the service refuses to cancel "
        "the share, and to delete the backup.",
    ),
    "backup-expires": Kind(
        "low", "A shared backup that expires", "When the backup expires, the recipient's copy goes with it."
    ),
    "recovery-point-too-old": Kind(
        "medium",
        "A recipient's newest backup is too old",
        "The newest backup of a server or disk that the recipient has accepted is older than it may be.",
    ),
    "exception-expired": Kind(
        "medium", "An exception that has ended", "The exception covers nothing any more: renew it, or remove it."
    ),
    "exception-unused": Kind("low", "An exception that covers nothing", "There is nothing that needs it: remove it."),
    NOT_LOOKED_AT: Kind(
        "none",
        "Something that could not be looked at",
        "Nothing is known of it: it counts neither as drift nor as clean.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        kind: a key of `KINDS`.
        message: what is the case, in one sentence.
        remedy: what to do about it: lines of a program, or a command.
        owner: the project that owns the backup.
        backup_id: the backup; "" if it is about none, or about all of a project.
        recipient: the recipient's project; "" if it is about none. For an exception, its pattern.
        severity: how bad it is.
        account: the connection that it was seen with.
        backup: what is known of the backup.
        vault_name: of the backup's vault.
        recipient_class: `friendly`, `third-party`, `unknown`; "" without a recipient.
        recipient_known: the recipient, if it is in the file of recipients.
        status, since: of the share.
        declared_by: the resources that declare it.
        exception: what covers it, or what it is about.
        covered: whether the exception covers it, so that it counts no more.
        cause: why it is so, where that is known.
        incoming: whether others share with us.
        place: where the program declares it, or the exception stands.
        new: whether the baseline did not have it; None without a baseline.
    """

    kind: str
    message: str
    remedy: str
    owner: str = ""
    backup_id: str = ""
    recipient: str = ""
    severity: Severity = "none"
    account: str = ""
    backup: Backup | None = None
    vault_name: str = ""
    recipient_class: str = ""
    recipient_known: Recipient | None = None
    status: str | None = None
    since: str | None = None
    declared_by: tuple[Declaration, ...] = ()
    exception: AgreedException | None = None
    covered: bool = False
    cause: str | None = None
    incoming: bool = False
    place: Place | None = None
    new: bool | None = None

    @property
    def id(self) -> str:
        """The same at each run, for the same share and kind; without a backup, for the same resource."""
        what = self.backup_id or (self.declared_by[0].urn if self.declared_by else "")
        words = "\n".join((self.kind, self.owner, what, self.recipient, "incoming" if self.incoming else ""))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @property
    def rank(self) -> tuple[object, ...]:
        """Order: what counts first, what is worse first."""
        order = (self.covered, SEVERITIES.index(self.severity), list(KINDS).index(self.kind))
        return (*order, self.owner, self.backup_id, self.recipient)
