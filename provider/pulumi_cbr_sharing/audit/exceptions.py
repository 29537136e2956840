"""Applies agreed exceptions: covered findings are marked; one that is expired or unused is a finding itself."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.audit.declared import Place
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, Finding


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.recipients_file import AgreedException, RecipientsFile


def with_exceptions(findings: Sequence[Finding], file: RecipientsFile, live: Live, today: date) -> list[Finding]:
    """The findings, with covered ones marked, and the findings about the exceptions themselves."""
    valid = [one for one in file.exceptions if one.until >= today]
    marked = [_marked(finding, valid) for finding in findings]
    used = [one for one in valid if any(_covers(one, finding) for finding in findings)]
    unused = [one for one in valid if one not in used and _could_be_judged(one, findings, live)]
    expired = [one for one in file.exceptions if one.until < today]
    return [
        *marked,
        *(_about(one, file, "exception-expired", f"expired on {one.until}") for one in expired),
        *(_about(one, file, "exception-unused", "covers nothing") for one in unused),
    ]


def _marked(finding: Finding, exceptions: Sequence[AgreedException]) -> Finding:
    exception = next((one for one in exceptions if _covers(one, finding)), None)
    return replace(finding, exception=exception, covered=True) if exception else finding


def _covers(exception: AgreedException, finding: Finding) -> bool:
    is_about_a_share = finding.kind != NOT_LOOKED_AT and bool(finding.backup_id and finding.recipient)
    return is_about_a_share and exception.covers(finding.backup_id, finding.recipient)


def _could_be_judged(exception: AgreedException, findings: Sequence[Finding], live: Live) -> bool:
    """Whether everything that it might cover was checked."""
    if not live.scope.is_everything and exception.backup not in live.backups:
        return False
    return not any(_might_concern(exception, one) for one in findings if one.kind == NOT_LOOKED_AT)


def _might_concern(exception: AgreedException, unseen: Finding) -> bool:
    return not unseen.backup_id or fnmatchcase(unseen.backup_id, exception.backup)


def _about(exception: AgreedException, file: RecipientsFile, kind: str, trouble: str) -> Finding:
    return Finding(
        kind,
        f"the exception for backup {exception.backup} and project {exception.recipient} {trouble}",
        f"ask {exception.owner}, then renew it or remove it: {file.path}, line {exception.line}",
        backup_id=exception.backup,
        recipient=exception.recipient,
        severity=KINDS[kind].severity,
        recipient_class=file.class_of(exception.recipient),
        recipient_known=(file.recipients or {}).get(exception.recipient),
        exception=exception,
        cause=trouble,
        place=Place(file.path, exception.line),
    )
