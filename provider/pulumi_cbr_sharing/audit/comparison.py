"""An audit: compares what programs declare with the shares in the cloud, and applies what was agreed."""

from __future__ import annotations

import re

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit import judge
from pulumi_cbr_sharing.audit.baseline import Baseline, compared, gone_since
from pulumi_cbr_sharing.audit.declarations import Place, by_recipient
from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, SEVERITIES, Share, finding
from pulumi_cbr_sharing.audit.not_checked import not_checked, of_baseline, was_checked
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pulumi_cbr_sharing.audit.declarations import Declaration, Source
    from pulumi_cbr_sharing.audit.findings import Finding
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.recipients_file import AgreedException, RecipientsFile


CLEAN, FOUND, NOT_COMPLETE = 0, 2, 3
FAIL_ON = ("low",)  # that severity, and what is worse
FROM_THE_CLOUD = {  # findings that no program that could not be read would have ended
    "undeclared",
    "rejected",
    "recipient-not-allowed",
    "pinned-by-image",
    "backup-expires",
    "pending-too-long",
    "recovery-point-too-old",
}


@dataclass(frozen=True)
class Audit:
    """A comparison of programs, the cloud and the recipients file, and its result.

    Attributes:
        live: the cloud.
        sources: the programs.
        recipients: the file that recipients are judged by.
        limits: those of the rules, with the time of the audit.
        baseline: an earlier report to compare with.
    """

    live: Live
    sources: Sequence[Source]
    recipients: RecipientsFile
    limits: judge.Limits = field(default_factory=judge.Limits)
    baseline: Baseline | None = None

    @property
    def programs_are_read(self) -> bool:
        """Whether programs were named, and all could be read."""
        return bool(self.sources) and not any(source.trouble for source in self.sources)

    @property
    def hides_ids(self) -> bool:
        """Whether a program declares something by ids that cannot be read."""
        return any(one.hidden for source in self.sources for one in source.declarations)

    @property
    def programs_are_known(self) -> bool:
        """Whether all that programs declare is known."""
        return self.programs_are_read and not self.hides_ids

    @cached_property
    def shares(self) -> Sequence[Share]:
        """Every share that is live or declared, by owner, backup and recipient."""
        declared = [one for source in self.sources for one in source.declarations]
        sharing = by_recipient(one for one in declared if one.role != "accepter")
        accepting = by_recipient(one for one in declared if one.role == "accepter")
        hidden = {one.backup for one in declared if one.hidden and one.role != "accepter"}
        live = {(backup.id, member.dest_project_id): (backup, member) for backup, member in self.live.shares()}
        found = [
            self._share(key, live.get(key), sharing.get(key, ()), accepting.get(key, ()), hidden)
            for key in dict.fromkeys([*live, *sharing, *accepting])
        ]
        return sorted(found, key=lambda one: (one.owner, one.backup.id, one.recipient))

    def _share(
        self,
        key: tuple[str, str],
        seen: tuple[Backup, Member] | None,
        declared_by: tuple[Declaration, ...],
        accepted_by: tuple[Declaration, ...],
        hidden: Collection[str | None],
    ) -> Share:
        backup_id, project = key
        backup = seen[0] if seen else self.live.backups.get(backup_id)
        owner = next((one.owner for one in declared_by + accepted_by if one.owner), "")
        incoming = backup is not None and not self.live.is_listed(backup.project_id)
        viewer = project if incoming else backup.project_id if backup else owner
        return Share(
            backup or Backup(backup_id, status="", project_id=owner),
            seen[1] if seen else Member(project, status=""),
            self.live.accounts[viewer].name if viewer in self.live.accounts else "",
            self.recipients.known(project),
            declared_by,
            accepted_by,
            perhaps_declared=backup_id in hidden,
            incoming=incoming,
        )

    @property
    def live_shares(self) -> Sequence[Share]:
        """Those that are in the cloud."""
        return [share for share in self.shares if share.is_live]

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """The most severe first, covered ones last; each with what has changed since the baseline."""
        judged = [*self._of_shares(), *not_checked(self.sources, self.recipients.not_in_force, self.live)]
        if self.baseline and self.baseline.trouble:
            judged.append(of_baseline(self.baseline.name, self.baseline.trouble))
        found = compared(_merged(_with_exceptions(judged, self)), self.baseline)
        return sorted(found.values(), key=lambda finding: finding.rank)

    @property
    def gone(self) -> Sequence[Mapping[str, Any]] | None:
        """Findings of the baseline that no longer exist; None without a baseline."""
        return gone_since(self.baseline, {one.id for one in self.findings}, lambda one: _is_known(one, self))

    @property
    def complete(self) -> bool:
        """Whether everything could be checked."""
        return not any(finding.kind == NOT_LOOKED_AT for finding in self.findings)

    def exit_code(self, fail_on: Collection[str] = FAIL_ON) -> int:
        """The exit code of the command.

        Args:
            fail_on: kinds of findings, and severities, which include the higher ones; `none` never fails.
        """
        if any(_counts(finding, fail_on) for finding in self.findings):
            return FOUND
        return CLEAN if self.complete else NOT_COMPLETE

    def _of_shares(self) -> Iterator[Finding]:
        may_cancel = self.programs_are_read
        for share in self.live_shares:
            yield from judge.undeclared(share, self.sources)
            yield from judge.rejected(share, may_cancel=may_cancel)
            yield from judge.pending_too_long(share, self.limits, may_cancel=may_cancel)
            yield from judge.accepted_elsewhere(share)
            yield from judge.recipient_not_allowed(share, self.recipients, may_cancel=may_cancel)
            yield from judge.pinned_by_image(share)
            yield from judge.backup_expires(share, self.limits)
        yield from judge.recovery_point_too_old(self.live_shares, self.limits, self.live.not_known.values())
        for share in self.shares:
            yield from judge.missing(share, self.live)


def _with_exceptions(findings: Sequence[Finding], audit: Audit) -> list[Finding]:
    """The findings, with covered ones marked; an exception that is expired or unused is a finding itself."""
    file, today = audit.recipients, audit.limits.now.date()
    valid = [one for one in file.exceptions if one.until >= today]
    used = {id(one) for one in valid for finding in findings if covers(one, finding)}
    all_known = audit.programs_are_known and not file.not_in_force
    unused = [one for one in valid if id(one) not in used and all_known and was_checked(audit.live, one.backup)]
    expired = [one for one in file.exceptions if one.until < today]
    return [
        *(_marked(finding, valid) for finding in findings),
        *(_about(one, file, "exception-expired", f"expired on {one.until}") for one in expired),
        *(_about(one, file, "exception-unused", "covers nothing") for one in unused),
    ]


def _marked(finding: Finding, exceptions: Sequence[AgreedException]) -> Finding:
    exception = next((one for one in exceptions if covers(one, finding)), None)
    return replace(finding, exception=exception, covered=True) if exception else finding


def covers(exception: AgreedException, finding: Finding) -> bool:
    """Whether an exception covers a finding about a share."""
    share = finding.share
    is_about_a_share = finding.kind != NOT_LOOKED_AT and bool(share.backup.id and share.recipient)
    return is_about_a_share and exception.covers(share.backup.id, share.recipient)


def _about(exception: AgreedException, file: RecipientsFile, kind: str, trouble: str) -> Finding:
    known = file.known(exception.recipient)
    share = Share.unseen(exception.backup, exception.recipient, recipient_known=known)
    return finding(
        share,
        kind,
        f"the exception for backup {exception.backup} and project {exception.recipient} {trouble}",
        f"ask {exception.owner}, then renew it or remove it: {file.path}, line {exception.line}",
        exception=exception,
        cause=trouble,
        place=Place(file.path, exception.line),
    )


def _merged(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Each id once, with all its declarations."""
    by_id: dict[str, Finding] = {}
    for one in findings:
        first = by_id.setdefault(one.id, one)
        both = dict.fromkeys((*first.share.declared_by, *one.share.declared_by))
        by_id[one.id] = replace(first, share=replace(first.share, declared_by=tuple(both)))
    return by_id


def _is_known(earlier: Mapping[str, Any], audit: Audit) -> bool:
    """Whether this audit could have found what a baseline has; else it is not gone, but not checked."""
    kind = earlier["kind"]
    if kind == "recipient-not-allowed" and audit.recipients.not_in_force:
        return False
    if kind == "undeclared" and audit.hides_ids:
        return False
    if kind not in FROM_THE_CLOUD and not audit.programs_are_known:
        return False
    backup, owner = (str(earlier[name] or "").replace("…", "*") for name in ("backup_id", "owner_project_id"))
    owner = next((project for project in audit.live.accounts if fnmatchcase(project, owner)), owner)  # if redacted
    return was_checked(audit.live, backup, owner)


def _counts(finding: Finding, fail_on: Collection[str]) -> bool:
    if finding.covered or finding.kind == NOT_LOOKED_AT:
        return False
    worst = [SEVERITIES.index(one) for one in fail_on if one in SEVERITIES and one != "none"]
    return finding.kind in fail_on or any(SEVERITIES.index(finding.severity) <= rank for rank in worst)


def recovery_points(shares: Iterable[Share], now: datetime) -> list[dict[str, Any]]:
    """For each server or disk and recipient: the newest backup that is shared, and the newest that can be restored.

    A recipient can restore what it has accepted, if the backup is whole. A rejected share counts if there is no other.

    Args:
        shares: all that are live.
        now: the time of the audit.
    """
    by_cell: dict[tuple[str, str, str], list[Share]] = {}
    for share in shares:
        server = share.backup.resource_id or share.backup.id
        by_cell.setdefault((share.owner, server, share.recipient), []).append(share)
    cells = [_cell(sorted(copies, key=lambda one: one.backup.order), now) for copies in by_cell.values()]
    return sorted(cells, key=lambda one: (_natural(one["resource_name"]), one["resource_id"] or "", _whom(one)))


def _natural(name: str | None) -> list[tuple[int, str]]:
    """Sorts `web-9` before `web-10`."""
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d{0,9})", name or "")]


def _whom(cell: dict[str, Any]) -> str:
    return f"{cell['recipient_name'] or ''}{cell['recipient_project_id']}"


def _cell(copies: Sequence[Share], now: datetime) -> dict[str, Any]:
    visible = [one for one in copies if one.member.status != "rejected"]
    restorable = [one for one in visible if one.member.status == "accepted" and one.backup.whole]
    newest = (visible or copies)[-1]
    known = newest.recipient_known
    return {
        "owner_project_id": newest.owner,
        "resource_id": newest.backup.resource_id or None,
        "resource_name": newest.backup.resource_name or newest.backup.name or None,
        "resource_type": newest.backup.resource_type or None,
        "recipient_project_id": newest.recipient,
        "recipient_name": known.name if known else None,
        "recipient_class": newest.recipient_class,
        "copies": len(visible),
        "undeclared": sum(not (one.declared_by or one.perhaps_declared or one.incoming) for one in visible),
        "newest": _copy(newest, now),
        "restorable": _copy(restorable[-1], now) if restorable else None,
    }


def _copy(share: Share, now: datetime) -> dict[str, Any]:
    made = moment(share.backup.created_at)
    return {
        "backup_id": share.backup.id,
        "created": share.backup.created_at or None,
        "age_hours": round((now - made).total_seconds() / 3600, 1) if made else None,
        "status": share.member.status,
    }
