"""The kinds of findings, and their severities."""

from __future__ import annotations

import hashlib

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.audit.declared import Place
    from pulumi_cbr_sharing.audit.share import Share
    from pulumi_cbr_sharing.recipients_file import AgreedException


Severity = Literal["high", "medium", "low", "none"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
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
class Finding:
    """One finding.

    Attributes:
        kind: a key of `KINDS`.
        message: what was found, in one sentence.
        remedy: what to do: a line of a program, or a command.
        share: what it is about; without ids if it is about no backup, or about no recipient.
        severity: `high`, `medium`, `low` or `none`.
        cause: why, if that is known.
        exception: the exception that covers it, or that it is about.
        covered: whether the exception covers it; then it does not count.
        place: the line of the program, or of the recipients file.
        new: whether it is not in the baseline; None without a baseline.
    """

    kind: str
    message: str
    remedy: str
    share: Share
    severity: Severity
    cause: str | None = None
    exception: AgreedException | None = None
    covered: bool = False
    place: Place | None = None
    new: bool | None = None

    @property
    def id(self) -> str:
        """An id that is the same at each run for the same kind and share, or resource if there is no backup."""
        share = self.share
        what = share.backup.id or (share.declarations[0].urn if share.declarations else "")
        words = f"{self.kind}\n{share.owner}\n{what}\n{share.recipient}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @property
    def rank(self) -> tuple[object, ...]:
        """The sort key: findings that count first, more severe ones first."""
        order = (self.covered, SEVERITIES.index(self.severity), list(KINDS).index(self.kind))
        return (*order, self.share.owner, self.share.backup.id, self.share.recipient)


def finding(share: Share, kind: str, message: str, remedy: str, **more: Any) -> Finding:
    """A finding about a share, with the severity of its kind, at the first line that declares it."""
    place = next((one.place for one in share.declarations if one.place), None)
    return Finding(kind, message, remedy, share, **{"severity": KINDS[kind].severity, "place": place, **more})
