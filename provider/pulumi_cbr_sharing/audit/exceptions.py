"""Applies agreed exceptions: covered findings are marked; one that is expired or unused is a finding itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.absent import was_checked
from pulumi_cbr_sharing.audit.declared import Place
from pulumi_cbr_sharing.audit.findings import NOT_LOOKED_AT, Finding, finding
from pulumi_cbr_sharing.audit.share import Share


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pulumi_cbr_sharing.audit.share import Evidence
    from pulumi_cbr_sharing.recipients_file import AgreedException, RecipientsFile


def with_exceptions(findings: Sequence[Finding], evidence: Evidence, today: date) -> list[Finding]:
    """The findings, with covered ones marked, and the findings about the exceptions themselves."""
    file = evidence.file
    valid = [one for one in file.exceptions if one.until >= today]
    used = [one for one in valid if any(_covers(one, finding) for finding in findings)]
    unused = [one for one in valid if one not in used and was_checked(evidence.live, findings, one.backup)]
    expired = [one for one in file.exceptions if one.until < today]
    return [
        *(_marked(finding, valid) for finding in findings),
        *(_about(one, file, "exception-expired", f"expired on {one.until}") for one in expired),
        *(_about(one, file, "exception-unused", "covers nothing") for one in unused),
    ]


def _marked(finding: Finding, exceptions: Sequence[AgreedException]) -> Finding:
    exception = next((one for one in exceptions if _covers(one, finding)), None)
    return replace(finding, exception=exception, covered=True) if exception else finding


def _covers(exception: AgreedException, finding: Finding) -> bool:
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
