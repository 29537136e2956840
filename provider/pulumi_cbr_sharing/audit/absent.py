"""Declared shares that are missing from the cloud, and what could not be checked."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, Finding, finding
from pulumi_cbr_sharing.audit.rules import repair
from pulumi_cbr_sharing.audit.share import Share


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pulumi_cbr_sharing.audit.declared import Declaration
    from pulumi_cbr_sharing.audit.live import Live, LiveBackup, Unseen
    from pulumi_cbr_sharing.audit.share import Evidence


def missing(share: Share, live: Live) -> Iterator[Finding]:
    """A declared share that is not in the cloud, or that nobody has accepted although an accepter is declared."""
    backup = live.backups.get(share.backup.id)
    if share.member.status == "pending" and share.accepted_by:
        yield _missing(share, "it is offered but not accepted")
    elif share.is_live or live.is_out_of_scope(share.backup.id):
        return
    elif backup and not backup.trouble:
        yield _missing(share, "the backup is not shared with it")
    elif not backup and share.owner in live.listed:
        yield _missing(share, "the backup no longer exists")
    elif share.owner in live.projects:  # what could not be read of it is a finding of its own
        return
    elif share.accepted_by and share.recipient in live.projects:
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
    if share.recipient in live.offers_read:
        yield _missing(share, "it is no longer offered")
    else:
        yield _not_found(share, "shares from other projects were not checked", "add --incoming")


def _missing(share: Share, cause: str) -> Finding:
    what = "is shared with" if share.declared_by else "is accepted by"
    return finding(
        share,
        "missing",
        f"a program declares that backup {share.backup.id} {what} project {share.recipient}: {cause}",
        f"{repair(share.declarations)}; or remove it from the program",
        cause=cause,
    )


def _not_found(share: Share, cause: str, remedy: str) -> Finding:
    what = f"the declared share of backup {share.backup.id} with project {share.recipient} was not looked at"
    return _not_looked_at(share, what, cause, remedy)


def not_looked_at(evidence: Evidence) -> Iterator[Finding]:
    """Findings about what could not be read, in the states and in the cloud."""
    live = evidence.live
    for one in evidence.declared.all:
        if one.hidden and not live.is_out_of_scope(one.backup):
            yield _unreadable(one)
    yield from (_of_backup(seen) for seen in live.backups.values() if seen.trouble)
    yield from map(_of_project, live.unseen)


def _unreadable(one: Declaration) -> Finding:
    share = Share.unseen(one.backup or "", owner=one.owner or "", declared_by=(one,))
    remedy = "give the ids as plain values: they are not secret"
    return _not_looked_at(share, f"{one.urn} was not compared", "its ids are encrypted in the state", remedy)


def _of_backup(seen: LiveBackup) -> Finding:
    share = replace(Share.unseen(), backup=seen.backup)
    what = f"the recipients of backup {seen.backup.id} could not be read"
    return _not_looked_at(share, what, seen.trouble or "", "run the audit again")


def _of_project(unseen: Unseen) -> Finding:
    if unseen.incoming:
        share = Share.unseen(unseen.backup, unseen.project, incoming=True)
        what = f"shares of other projects with project {unseen.project} could not be checked"
    else:
        share = Share.unseen(unseen.backup, owner=unseen.project)
        what = f"project {unseen.project} could not be checked"
    return _not_looked_at(share, what, unseen.cause, "run the audit again with credentials that may read it")


def _not_looked_at(share: Share, what: str, cause: str, remedy: str) -> Finding:
    return finding(share, NOT_LOOKED_AT, f"{what}: {cause}", remedy, cause=cause)


def was_checked(live: Live, findings: Iterable[Finding], backup: str, owner: str | None = None) -> bool:
    """Whether everything about a backup was checked.

    Args:
        live: what was seen.
        findings: all of them; those about what could not be checked count.
        backup: its id, or the pattern of an exception.
        owner: its project; "" if it is not known, None for any project.
    """
    if owner and owner not in live.listed:
        return False
    if not live.scope.is_everything and backup not in live.backups:
        return False
    return not any(
        (owner is None or one.share.owner in (owner, ""))
        and (not one.share.backup.id or fnmatchcase(one.share.backup.id, backup))
        for one in findings
        if one.kind == NOT_LOOKED_AT
    )
