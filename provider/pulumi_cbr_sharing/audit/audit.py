"""Runs an audit: compares declarations, live shares and agreed exceptions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit import rules
from pulumi_cbr_sharing.audit.absent import missing, not_looked_at, was_checked
from pulumi_cbr_sharing.audit.exceptions import with_exceptions
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, SEVERITIES, Finding


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pulumi_cbr_sharing.audit.baseline import Baseline
    from pulumi_cbr_sharing.audit.rules import Limits
    from pulumi_cbr_sharing.audit.share import Evidence, Share


CLEAN, FOUND, NOT_COMPLETE = 0, 2, 3
FAIL_ON = ("low",)  # that severity, and what is worse


@dataclass(frozen=True)
class Report:
    """The result of an audit.

    Attributes:
        at: when it ran.
        evidence: what was compared.
        findings: the most severe first, covered ones last.
        shares: every live share that was seen.
        gone: findings of the baseline that no longer exist, as the baseline has them; None without a baseline.
    """

    at: datetime
    evidence: Evidence
    findings: Sequence[Finding]
    shares: Sequence[Share]
    gone: Sequence[Mapping[str, Any]] | None

    @property
    def complete(self) -> bool:
        """Whether everything could be checked."""
        return not self.summary[NOT_LOOKED_AT]

    @property
    def summary(self) -> dict[str, int]:
        """The number of findings of each kind, including the covered ones."""
        counts = Counter(finding.kind for finding in self.findings)
        return {kind: counts[kind] for kind in KINDS}

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
    judged = [*_of_shares(shares, evidence, limits), *not_looked_at(evidence)]
    found = _merged(with_exceptions(judged, evidence, limits.now.date()))
    if baseline is not None:
        found = {id_: replace(finding, new=id_ not in baseline) for id_, finding in found.items()}
    return Report(
        limits.now,
        evidence,
        sorted(found.values(), key=lambda finding: finding.rank),
        [share for share in shares if share.is_live],
        None if baseline is None else _gone(baseline, found, evidence),
    )


def _of_shares(shares: Sequence[Share], evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    live = [share for share in shares if share.is_live]
    for share in live:
        yield from rules.undeclared(share, evidence.declared)
        yield from rules.rejected(share)
        yield from rules.pending_too_long(share, limits)
        yield from rules.accepted_elsewhere(share)
        yield from rules.recipient_not_allowed(share, evidence.file)
        yield from rules.pinned_by_image(share)
        yield from rules.backup_expires(share, limits)
    yield from rules.recovery_point_too_old(live, limits, evidence.live.not_looked_at())
    for share in shares:
        yield from missing(share, evidence.live)


def _merged(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Each id once, with all its declarations."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        if first := by_id.get(finding.id):
            both = dict.fromkeys((*first.share.declared_by, *finding.share.declared_by))
            finding = replace(first, share=replace(first.share, declared_by=tuple(both)))  # noqa: PLW2901
        by_id[finding.id] = finding
    return by_id


def _gone(baseline: Baseline, found: Mapping[str, Finding], evidence: Evidence) -> list[Mapping[str, Any]]:
    """The findings of the baseline that no longer exist, except of backups that were not checked this time."""
    return [
        one
        for id_, one in sorted(baseline.items())
        if id_ not in found
        and was_checked(
            evidence.live,
            found.values(),
            str(one.get("backup_id") or ""),
            str(one.get("owner_project_id") or ""),
        )
    ]


def _counts(finding: Finding, fail_on: Collection[str]) -> bool:
    if finding.covered or finding.kind == NOT_LOOKED_AT:
        return False
    worst = [SEVERITIES.index(one) for one in fail_on if one in SEVERITIES and one != "none"]
    return finding.kind in fail_on or any(SEVERITIES.index(finding.severity) <= rank for rank in worst)
