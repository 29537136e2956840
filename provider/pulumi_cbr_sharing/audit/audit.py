"""Runs an audit: compares declarations, live shares and agreed exceptions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit import rules
from pulumi_cbr_sharing.audit.absent import absent
from pulumi_cbr_sharing.audit.baseline import gone
from pulumi_cbr_sharing.audit.exceptions import with_exceptions
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, SEVERITIES, Finding
from pulumi_cbr_sharing.audit.rules import Limits
from pulumi_cbr_sharing.audit.share import Share, shares_of
from pulumi_cbr_sharing.recipients_file import RecipientsFile


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from pulumi_cbr_sharing.audit.baseline import Baseline
    from pulumi_cbr_sharing.audit.declared import Declared
    from pulumi_cbr_sharing.audit.live import Live


CLEAN, FAILED, FOUND, NOT_COMPLETE = 0, 1, 2, 3
FAIL_ON = ("low",)  # that severity, and what is worse


@dataclass(frozen=True)
class Report:
    """The result of an audit.

    Attributes:
        at: when it ran.
        findings: the most severe first, covered ones last.
        shares: every live share that was seen.
        gone: findings of the baseline that no longer exist, as the baseline has them; None without a baseline.
        projects: the audited projects, each with the name of its account.
        backups: how many backups were checked.
        recipients_path: the path of the recipients file.
    """

    at: datetime
    findings: tuple[Finding, ...]
    shares: tuple[Share, ...]
    gone: tuple[Mapping[str, Any], ...] | None
    projects: Mapping[str, str]
    backups: int
    recipients_path: str

    @property
    def complete(self) -> bool:
        """Whether everything could be checked."""
        return not any(finding.kind == NOT_LOOKED_AT for finding in self.findings)

    @property
    def summary(self) -> dict[str, int]:
        """The number of findings of each kind, including the covered ones."""
        return {kind: sum(finding.kind == kind for finding in self.findings) for kind in KINDS}

    @property
    def changed(self) -> bool:
        """Whether anything is new or gone since the baseline; without a baseline, whether there is any finding."""
        if self.gone is None:
            return bool(self.findings)
        return bool(self.gone) or any(finding.new for finding in self.findings)

    def exit_code(self, fail_on: Collection[str] = FAIL_ON) -> int:
        """The exit code of the command.

        Args:
            fail_on: kinds of findings, and severities, which include the higher ones; `none` never fails.
        """
        if any(_counts(finding, fail_on) for finding in self.findings):
            return FOUND
        return CLEAN if self.complete else NOT_COMPLETE


def audit(
    declared: Declared,
    live: Live,
    file: RecipientsFile | None = None,
    limits: Limits | None = None,
    baseline: Baseline | None = None,
) -> Report:
    """Compare declared shares with live ones."""
    file, limits = file or RecipientsFile(), limits or Limits()
    shares = tuple(sorted(shares_of(live, declared, file), key=lambda one: (one.owner, one.backup.id, one.recipient)))
    found = [*_of_shares(shares, live, declared, file, limits), *absent(live, declared, file)]
    everything = with_exceptions(list(_merged(found)), file, live, limits.now.date())
    findings = sorted(_merged(everything), key=lambda finding: finding.rank)
    if baseline is not None:
        findings = [replace(finding, new=finding.id not in baseline) for finding in findings]
    return Report(
        limits.now,
        tuple(findings),
        shares,
        None if baseline is None else tuple(gone(baseline, {one.id for one in findings}, _Judged(live, findings))),
        dict(live.projects),
        len(live.backups),
        file.path,
    )


def _of_shares(
    shares: Sequence[Share], live: Live, declared: Declared, file: RecipientsFile, limits: Limits
) -> Iterator[Finding]:
    for share in shares:
        yield from rules.undeclared(share, declared)
        yield from rules.rejected(share)
        yield from rules.pending_too_long(share, limits)
        yield from rules.accepted_elsewhere(share)
        yield from rules.recipient_not_allowed(share, file)
        yield from rules.pinned_by_image(share)
        yield from rules.backup_expires(share, limits)
    yield from rules.recovery_point_too_old(shares, limits, _Newer(live).is_open)


class _Newer:
    """Whether there are newer backups of a server that could not be checked, or are out of scope."""

    def __init__(self, live: Live) -> None:
        unseen = [*live.others.values(), *(seen.backup for seen in live.backups.values() if not seen.whole)]
        self._unseen = [(backup.resource_id, backup.created) for backup in unseen]

    def is_open(self, share: Share) -> bool:
        """Whether the recipient may have accepted a newer one."""
        backup = share.backup
        return any(resource == backup.resource_id and created > backup.created for resource, created in self._unseen)


def _merged(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Each id once, with all its declarations."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        if first := by_id.get(finding.id):
            both = tuple(dict.fromkeys((*first.declared_by, *finding.declared_by)))
            finding = replace(first, declared_by=both)  # noqa: PLW2901
        by_id[finding.id] = finding
    yield from by_id.values()


class _Judged:
    """Whether a backup of a project was checked."""

    def __init__(self, live: Live, findings: Sequence[Finding]) -> None:
        self._live = live
        self._unseen = {(one.owner, one.backup_id) for one in findings if one.kind == NOT_LOOKED_AT}

    def __call__(self, owner: str, backup: str) -> bool:
        if owner and owner not in self._live.listed:
            return False
        if not self._live.scope.is_everything and backup not in self._live.backups:
            return False
        return not any(one in self._unseen for one in ((owner, backup), (owner, ""), ("", backup), ("", "")))


def _counts(finding: Finding, fail_on: Collection[str]) -> bool:
    if finding.covered or finding.kind == NOT_LOOKED_AT:
        return False
    worst = [SEVERITIES.index(one) for one in fail_on if one in SEVERITIES and one != "none"]
    return finding.kind in fail_on or any(SEVERITIES.index(finding.severity) <= rank for rank in worst)
