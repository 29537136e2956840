"""The rules: one pure function for each kind of finding about a share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, finding
from pulumi_cbr_sharing.errors import one_line
from pulumi_cbr_sharing.timestamps import Newest, moment, newest_of, too_old


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pulumi_cbr_sharing.audit.declarations import Declaration, Source
    from pulumi_cbr_sharing.audit.findings import Finding, Severity, Share
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.recipients_file import RecipientsFile


@dataclass(frozen=True)
class Limits:
    """The limits of the rules; None switches a rule off.

    Attributes:
        pending: how long a recipient may take to answer.
        expires_within: how soon a shared backup may expire.
        max_age: how old the newest backup may be that a recipient has accepted.
        now: the time of the audit.
    """

    pending: timedelta | None = timedelta(days=7)
    expires_within: timedelta | None = None
    max_age: timedelta | None = None
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


def command(share: Share, verb: str, *ids: str) -> str:
    """A command about a share, with the account that it was seen with."""
    return " ".join(("cbr-sharing", verb, *ids, *(("--connection", share.account) if share.account else ())))


def unshare(share: Share) -> str:
    """The command that cancels a share."""
    return command(share, "unshare", share.backup.id, share.recipient)


def repair(declarations: Iterable[Declaration]) -> tuple[str, str]:
    """The words, and the command, that make the cloud match the declaration."""
    first = next(iter(declarations))
    if first.urn.startswith("urn:pulumi:"):
        project, _, stack = first.stack.partition("/")
        return f"run `pulumi up --refresh` in project {project}", f"pulumi up --refresh --stack {stack}"
    return f"run `terraform apply` where {first.urn} is declared", "terraform apply"


def _or_cancel(share: Share, words: str, *, may_cancel: bool) -> tuple[str, str | None]:
    """A remedy with cancelling as the other way, and its command; not if a program may well declare the share."""
    return (f"{words}, or cancel the share", unshare(share)) if may_cancel else (words, None)


def undeclared(share: Share, sources: Sequence[Source]) -> Iterator[Finding]:
    """A share that no program declares; if it is incoming, one that no accepter declares."""
    if share.declared_by or share.perhaps_declared:
        return
    unread = [one for one in sources if one.trouble]
    who = "no program that could be read" if unread else "no program"
    if not share.incoming and sources and not unread:
        yield finding(
            share,
            "undeclared",
            f"{_what(share)} is shared with {_whom(share)}, and no program declares it",
            "declare it (`cbr-sharing adopt` prints the program), or cancel it",
            command=unshare(share),
            severity=_severity(share),
        )
    elif not share.incoming:  # an inventory: whether it is declared is not known, so nobody is told to cancel it
        compared = f"{who} declares it" if unread else "no program was compared"
        yield finding(
            share,
            "undeclared",
            f"{_what(share)} is shared with {_whom(share)}: {compared}",
            "compare it with the programs that declare shares, by --stack or --state",
            severity=_severity(share),
        )
    elif not share.accepted_by and share.member.status != "rejected":
        advice = (
            "accept it with a BackupShareAccepter, or reject it" if sources and not unread else "ask who accepts it"
        )
        yield finding(
            share,
            "undeclared",
            f"project {share.owner} shares {_what(share)} with us ({share.member.status}), and {who} accepts it",
            advice,
            command=command(share, "reject", share.backup.id) if sources and not unread else None,
            severity="low",
        )


def _severity(share: Share) -> Severity:
    if share.member.status == "rejected":  # so that the recipient does not see it
        return "low"
    return "medium" if share.recipient_class == "friendly" else "high"


def rejected(share: Share, *, may_cancel: bool) -> Iterator[Finding]:
    """The recipient rejected the share, or gave it back."""
    if share.member.status == "rejected" and (share.declared_by or not share.incoming):
        again = f"offer it again: {repair(share.declared_by)[0]}" if share.declared_by else "ask the recipient why"
        remedy, fix = _or_cancel(share, again, may_cancel=may_cancel)
        message = f"{_whom(share)} rejected the share of {_what(share)}"
        yield finding(share, "rejected", message, remedy, command=fix)


def pending_too_long(share: Share, limits: Limits, *, may_cancel: bool) -> Iterator[Finding]:
    """The recipient has not answered in time."""
    since = moment(share.since)
    if limits.pending is None or share.member.status != "pending" or since is None:
        return
    if limits.now - since > limits.pending:
        remedy, fix = _or_cancel(share, "ask the recipient to accept it", may_cancel=may_cancel)
        days = (limits.now - since).days
        message = f"{_whom(share)} has not answered the offer of {_what(share)} for {days} days"
        yield finding(share, "pending-too-long", message, remedy, command=fix)


def accepted_elsewhere(share: Share) -> Iterator[Finding]:
    """The recipient accepted the backup into another vault than its accepter declares."""
    vault = share.member.vault_id
    elsewhere = tuple(one for one in share.accepted_by if vault and one.vault and one.vault != vault)
    if share.member.status == "accepted" and elsewhere:
        words, fix = repair(elsewhere)
        yield finding(
            replace(share, declared_by=(), accepted_by=elsewhere),
            "accepted-elsewhere",
            f"{_whom(share)} accepted {_what(share)} into vault {vault}, but vault {elsewhere[0].vault} is declared",
            f"declare vault {vault}; or reject it, then {words} to accept it again",
            command=fix,
        )


def recipient_not_allowed(share: Share, file: RecipientsFile, *, may_cancel: bool) -> Iterator[Finding]:
    """The recipient is not in the recipients file."""
    if share.incoming or file.recipients is None or share.recipient in file.recipients:
        return
    words = f"add the project to recipients in {file.path}, if it may receive backups"
    remedy, fix = _or_cancel(share, words, may_cancel=may_cancel)
    message = f"{_what(share)} is shared with {_whom(share)}, which is not in {file.path}"
    yield finding(share, "recipient-not-allowed", message, remedy, command=fix)


def pinned_by_image(share: Share) -> Iterator[Finding]:
    """The recipient registered an image, so the share cannot be cancelled."""
    if share.member.image_id and not share.incoming:
        yield finding(
            share,
            "pinned-by-image",
            f"the share of {_what(share)} with {_whom(share)} cannot be cancelled: image {share.member.image_id}",
            "ask the recipient to delete the image first",
            cause=f"image {share.member.image_id} was registered from the backup",
        )


def backup_expires(share: Share, limits: Limits) -> Iterator[Finding]:
    """The backup expires soon, and the recipient's copy with it."""
    expires = moment(share.backup.expired_at)
    if limits.expires_within is None or expires is None or share.member.status == "rejected":
        return
    if expires <= limits.now + limits.expires_within:
        yield finding(
            share,
            "backup-expires",
            f"{_what(share)} expires at {share.backup.expired_at}, and so does the copy of {_whom(share)}",
            "share a newer backup, or keep this one longer",
        )


def recovery_point_too_old(shares: Iterable[Share], limits: Limits, unseen: Collection[Backup]) -> Iterator[Finding]:
    """The newest that a recipient has of a server is too old.

    Args:
        shares: all that were seen.
        limits: how old it may be.
        unseen: the backups that were not looked at; the recipient may have accepted a newer one of them.
    """
    if limits.max_age is None:
        return
    accepted = [share for share in shares if share.member.status == "accepted"]
    accepted = [share for share in accepted if share.backup.whole and share.backup.resource_id]
    newest = newest_of(accepted, attrgetter("owner", "backup.resource_id", "recipient"), attrgetter("backup.order"))
    for share in newest.values():
        server = one_line(share.backup.resource_name or share.backup.resource_id, 60)
        which = f"of {server} that {_whom(share)} has accepted"
        told = too_old(Newest(which, share.backup.created_at, share.backup.id), limits.max_age, limits.now)
        newer = (
            one for one in unseen if one.resource_id == share.backup.resource_id and one.created > share.backup.created
        )
        if told and not any(newer):
            yield finding(
                share,
                "recovery-point-too-old",
                told,
                "share a newer backup (VaultShare does it nightly), and have it accepted",
            )


def missing(share: Share, live: Live) -> Iterator[Finding]:
    """A declared share that is not in the cloud, or that nobody has accepted although an accepter is declared."""
    backup, account = live.backups.get(share.backup.id), live.accounts.get(share.owner)
    if share.member.status == "pending" and share.accepted_by:
        yield _missing(share, "it is offered but not accepted")
    elif share.is_live or live.is_out_of_scope(share.backup.id):
        return
    elif backup and share.backup.id not in live.not_known:
        yield _missing(share, "the backup is not shared with it")
    elif not backup and account and account.listed:
        yield _missing(share, "the backup no longer exists")
    elif account or not (share.owner or all(one.listed for one in live.accounts.values())):
        return  # what could not be read of the account that has it, or may have it, is a finding of its own
    elif share.accepted_by and share.recipient in live.accounts:
        yield from _not_offered(share, live)
    elif share.owner:
        yield _not_found(share, f"its project {share.owner} is not audited", "add a --connection for its account")
    else:
        cause = "no audited project has the backup, and the state does not say whose it is"
        yield _not_found(share, cause, "add a --connection for its account, or refresh the state")


def _not_offered(share: Share, live: Live) -> Iterator[Finding]:
    """An accepter of another project's backup, seen from the recipient's side."""
    if any(
        one.incoming and one.project == share.recipient and one.backup in ("", share.backup.id) for one in live.unseen
    ):
        return
    if live.accounts[share.recipient].offers_read:
        yield _missing(share, "it is no longer offered")
    else:
        yield _not_found(share, "what other projects share was not checked", "add --incoming")


def _missing(share: Share, cause: str) -> Finding:
    what = "is shared with" if share.declared_by else "is accepted by"
    words, fix = repair(share.declarations)
    return finding(
        share,
        "missing",
        f"a program declares that backup {share.backup.id} {what} project {share.recipient}: {cause}",
        f"{words}, or remove it from the program",
        cause=cause,
        command=fix,
    )


def _not_found(share: Share, cause: str, remedy: str) -> Finding:
    what = f"the declared share of backup {share.backup.id} with project {share.recipient} was not looked at"
    return finding(share, NOT_LOOKED_AT, f"{what}: {cause}", remedy, cause=cause)


def _what(share: Share) -> str:
    """The backup, with the name of what was backed up."""
    name = one_line(share.backup.resource_name or share.backup.name, 60)
    return f"backup {share.backup.id}" + (f" of {name}" if name else "")


def _whom(share: Share) -> str:
    """The recipient, with its name and class."""
    known = share.recipient_known
    named = f" ({one_line(known.name, 60)}, {known.class_})" if known else ""
    return f"project {share.recipient}{named}"
