"""The report as JSON, described by `schema.json` in this folder. The other formats are made from it."""

from __future__ import annotations

import json
import re

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.baseline import SCHEMA_VERSION


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_cbr_sharing.audit.audit import Report
    from pulumi_cbr_sharing.audit.declared import Declaration
    from pulumi_cbr_sharing.audit.findings import Finding
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.audit.share import Share
    from pulumi_cbr_sharing.recipients_file import AgreedException


Document = dict[str, Any]
SHOWN = 8  # characters of an id
_ID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b([0-9a-f]{8})[0-9a-f]{24}\b")


def document(report: Report, *, redact: bool = False) -> Document:
    """The whole report.

    Args:
        report: the result of an audit.
        redact: shorten every id to its first characters.
    """
    live = report.evidence.live
    covered = {(one.share.backup.id, one.share.recipient): one.exception for one in report.findings if one.covered}
    made: Document = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": report.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "complete": report.complete,
        "summary": report.summary,
        "projects": [{"project_id": id_, "account": name} for id_, name in live.projects.items()],
        "backups": len(live.backups),
        "findings": [_finding(one, live) for one in report.findings],
        "gone": None if report.gone is None else [dict(one) for one in report.gone],
        "shares": [
            {**_share(one, live), "exception": _exception(covered.get((one.backup.id, one.recipient)))}
            for one in report.shares
        ],
    }
    return _redacted(made) if redact else made


def as_json(made: Mapping[str, Any]) -> Iterator[str]:
    """The report as text, in pieces: one of thousands of shares would take a lot of memory."""
    yield from json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(made)
    yield "\n"


def schema() -> Document:
    """The JSON Schema of the report."""
    return dict(json.loads(files(__package__).joinpath("schema.json").read_text(encoding="utf-8")))


def counts_of(report: Mapping[str, Any]) -> str:
    """The number of findings of each kind, in words."""
    return ", ".join(f"{count} {kind}" for kind, count in report["summary"].items() if count) or "no finding"


def _finding(one: Finding, live: Live) -> Document:
    return {
        "id": one.id,
        "kind": one.kind,
        "severity": one.severity,
        "message": one.message,
        "remedy": one.remedy,
        "cause": one.cause,
        **_share(one.share, live),
        "owner_project_id": one.share.owner or None,
        "declared_by": _declarations(one.share.declarations),
        "exception": _exception(one.exception),
        "covered": one.covered,
        "location": {"file": one.place.file, "line": one.place.line} if one.place else None,
        "new": one.new,
    }


def _share(one: Share, live: Live) -> Document:
    backup, known = one.backup, one.recipient_known
    return {
        "account": live.projects.get(one.recipient if one.incoming else one.owner, ""),
        "owner_project_id": one.owner,
        "backup_id": backup.id or None,
        "backup_name": backup.name or None,
        "vault_id": backup.vault_id or None,
        "vault_name": live.vault_names.get(backup.vault_id) or None,
        "resource_id": backup.resource_id or None,
        "resource_name": backup.resource_name or None,
        "resource_type": backup.resource_type or None,
        "size_gb": backup.resource_size if backup.status else None,
        "created": backup.created_at or None,
        "expires": backup.expired_at or None,
        "recipient_project_id": one.recipient or None,
        "recipient_name": known.name if known else None,
        "recipient_owner": known.owner if known else None,
        "recipient_class": one.recipient_class or None,
        "status": one.member.status or None,
        "since": one.since,
        "incoming": one.incoming,
        "declared_by": _declarations(one.declared_by),
    }


def _declarations(declared: Iterable[Declaration]) -> list[Document]:
    return [{"stack": one.stack, "urn": one.urn} for one in declared]


def _exception(one: AgreedException | None) -> Document | None:
    if one is None:
        return None
    return {
        "backup": one.backup,
        "recipient": one.recipient,
        "reason": one.reason,
        "owner": one.owner,
        "until": one.until.isoformat(),
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: text if key == "id" else _redacted(text) for key, text in value.items()}
    if isinstance(value, list):
        return [_redacted(one) for one in value]
    return _ID.sub(lambda match: f"{match[1] or match[2]}…", value) if isinstance(value, str) else value
