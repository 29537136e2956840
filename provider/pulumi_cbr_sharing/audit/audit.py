"""Runs an audit: compares declarations, live shares and agreed exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit import rules
from pulumi_cbr_sharing.audit.baseline import Baseline, compared, gone_since
from pulumi_cbr_sharing.audit.declarations import Place, by_recipient
from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, SEVERITIES, Share, finding
from pulumi_cbr_sharing.audit.not_checked import not_checked, of_baseline, was_checked
from pulumi_cbr_sharing.cbr.backups import Backup
from pulumi_cbr_sharing.cbr.members import Member
from pulumi_cbr_sharing.recipients_file import RecipientsFile


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.audit.declarations import Declaration, Source
    from pulumi_cbr_sharing.audit.findings import Finding
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.audit.rules import Limits
    from pulumi_cbr_sharing.recipients_file import AgreedException


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
class RecipientsInForce:
    """The recipients file that an audit judges by.

    Attributes:
        file: its content.
        trouble: why it has no list of recipients; None if it has one.
        sha256: of its bytes; "" if it could not be read.
    """

    file: RecipientsFile = field(default_factory=RecipientsFile)
    trouble: str | None = "there is no recipients file"
    sha256: str = ""


@dataclass(frozen=True)
class Evidence:
    """What an audit compares: the programs, the cloud, and the recipients file."""

    live: Live
    sources: Sequence[Source]
    recipients: RecipientsInForce

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

    def shares(self) -> list[Share]:
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
        backup = seen[0] if seen else None
        if backup is None and backup_id in self.live.backups:
            backup = self.live.backups[backup_id].backup
        owner = next((one.owner for one in declared_by + accepted_by if one.owner), "")
        incoming = backup is not None and not self.live.is_listed(backup.project_id)
        viewer = project if incoming else backup.project_id if backup else owner
        return Share(
            backup or Backup(backup_id, status="", project_id=owner),
            seen[1] if seen else Member(project, status=""),
            self.live.accounts[viewer].name if viewer in self.live.accounts else "",
            self.recipients.file.known(project),
            declared_by,
            accepted_by,
            perhaps_declared=backup_id in hidden,
            incoming=incoming,
        )


@dataclass(frozen=True)
class Report:
    """The result of an audit.

    Attributes:
        evidence: what was compared.
        limits: those of the rules, with the time of the audit.
        findings: the most severe first, covered ones last.
        shares: every live share that was seen.
        baseline: the earlier report that it was compared with.
        gone: findings of the baseline that no longer exist; None without a baseline.
    """

    evidence: Evidence
    limits: Limits
    findings: Sequence[Finding]
    shares: Sequence[Share]
    baseline: Baseline | None
    gone: Sequence[Mapping[str, Any]] | None

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


def audit(evidence: Evidence, limits: Limits | None = None, baseline: Baseline | None = None) -> Report:
    """Compare declared shares with live ones."""
    limits, shares = limits or rules.Limits(), evidence.shares()
    judged = [
        *_of_shares(shares, evidence, limits),
        *not_checked(evidence.sources, evidence.recipients.trouble, evidence.live),
    ]
    if baseline and baseline.trouble:
        judged.append(of_baseline(baseline.name, baseline.trouble))
    found = compared(_merged(_with_exceptions(judged, evidence, limits)), baseline)
    return Report(
        evidence,
        limits,
        sorted(found.values(), key=lambda finding: finding.rank),
        [share for share in shares if share.is_live],
        baseline,
        gone_since(baseline, found, lambda one: _is_known(one, evidence)),
    )


def _of_shares(shares: Sequence[Share], evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    live = [share for share in shares if share.is_live]
    may_cancel = evidence.programs_are_read
    for share in live:
        yield from rules.undeclared(share, evidence.sources)
        yield from rules.rejected(share, may_cancel=may_cancel)
        yield from rules.pending_too_long(share, limits, may_cancel=may_cancel)
        yield from rules.accepted_elsewhere(share)
        yield from rules.recipient_not_allowed(share, evidence.recipients.file, may_cancel=may_cancel)
        yield from rules.pinned_by_image(share)
        yield from rules.backup_expires(share, limits)
    yield from rules.recovery_point_too_old(live, limits, evidence.live.not_looked_at())
    for share in shares:
        yield from rules.missing(share, evidence.live)


def _with_exceptions(findings: Sequence[Finding], evidence: Evidence, limits: Limits) -> list[Finding]:
    """The findings, with covered ones marked; an exception that is expired or unused is a finding itself."""
    file, today = evidence.recipients.file, limits.now.date()
    valid = [one for one in file.exceptions if one.until >= today]
    used = {id(one) for one in valid for finding in findings if covers(one, finding)}
    all_known = evidence.programs_are_known and not evidence.recipients.trouble
    unused = [one for one in valid if id(one) not in used and all_known and was_checked(evidence.live, one.backup)]
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


def _is_known(earlier: Mapping[str, Any], evidence: Evidence) -> bool:
    """Whether this audit could have found what a baseline has; else it is not gone, but not checked."""
    kind = earlier["kind"]
    if kind == "recipient-not-allowed" and evidence.recipients.trouble:
        return False
    if kind == "undeclared" and evidence.hides_ids:
        return False
    if kind not in FROM_THE_CLOUD and not evidence.programs_are_known:
        return False
    backup, owner = (str(earlier[name] or "").replace("…", "*") for name in ("backup_id", "owner_project_id"))
    owner = next((project for project in evidence.live.accounts if fnmatchcase(project, owner)), owner)  # if redacted
    return was_checked(evidence.live, backup, owner)


def _counts(finding: Finding, fail_on: Collection[str]) -> bool:
    if finding.covered or finding.kind == NOT_LOOKED_AT:
        return False
    worst = [SEVERITIES.index(one) for one in fail_on if one in SEVERITIES and one != "none"]
    return finding.kind in fail_on or any(SEVERITIES.index(finding.severity) <= rank for rank in worst)
