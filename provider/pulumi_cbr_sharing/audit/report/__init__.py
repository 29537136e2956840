"""The report as JSON, described by `schema.json` in this folder. All other formats are made from it, and it alone."""

from __future__ import annotations

import json
import os
import re

from collections import Counter
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.baseline import SCHEMA_VERSION
from pulumi_cbr_sharing.audit.comparison import FAIL_ON, covers, recovery_points
from pulumi_cbr_sharing.audit.findings import CHANGES, KINDS, NOT_LOOKED_AT, SEVERITIES


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from pulumi_cbr_sharing.audit.comparison import Audit
    from pulumi_cbr_sharing.audit.declarations import Declaration
    from pulumi_cbr_sharing.audit.findings import Finding, Share
    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.recipients_file import AgreedException


Document = dict[str, Any]
SHOWN = 8  # characters of an id
SECRET = "[secret]"  # noqa: S105 - what stands for one
_ID = re.compile(r"([0-9a-f]{8})(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,})", re.IGNORECASE)


def document(audit: Audit, *, fail_on: Collection[str] = FAIL_ON, redact: bool = False) -> Document:
    """The whole audit.

    Args:
        audit: the audit.
        fail_on: the kinds and severities that it fails on, as in `Audit.exit_code`.
        redact: shorten every id to its first characters, and leave out commands, which could not be run then.
    """
    live = audit.live
    covered = {(one.share.backup.id, one.share.recipient): one.exception for one in audit.findings if one.covered}
    made: Document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "cbr-sharing audit", "version": version("pulumi-cbr-sharing")},
        "generated_at": _rfc3339(audit.limits.now),
        "complete": audit.complete,
        "exit_code": audit.exit_code(fail_on),
        "compared": _compared(audit, fail_on, redact=redact),
        "summary": _summary(audit),
        "recovery_points": recovery_points(audit.live_shares, audit.limits.now),
        "findings": [_finding(one, live) for one in audit.findings],
        "gone": None if audit.gone is None else [dict(one) for one in audit.gone],
        "exceptions": _exceptions(audit),
        "shares": [
            {**_share(one, live), "exception": _exception(covered.get((one.backup.id, one.recipient)))}
            for one in audit.live_shares
        ],
    }
    secret = {id_ for source in audit.sources for one in source.declarations for id_ in one.secret}
    if secret:
        made = _replaced(made, re.compile("|".join(map(re.escape, sorted(secret)))), lambda _: SECRET)
    return _replaced(made, _ID, lambda match: f"{match[1]}…") if redact else made


def as_json(made: Mapping[str, Any]) -> Iterator[str]:
    """The report as text, in pieces: one of thousands of shares would take a lot of memory."""
    yield from json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(made)
    yield "\n"


def schema() -> Document:
    """The JSON Schema of the audit."""
    return dict(json.loads(files(__package__).joinpath("schema.json").read_text(encoding="utf-8")))


def _compared(audit: Audit, fail_on: Collection[str], *, redact: bool) -> Document:
    live, limits, recipients, baseline = audit.live, audit.limits, audit.recipients, audit.baseline
    owners = Counter(backup.project_id for backup in live.backups.values())
    return {
        "accounts": [
            {
                "account": one.name,
                "project_id": one.project_id,
                "region": one.region,
                "endpoint": one.endpoint,
                "listed": one.listed,
                "backups": owners[one.project_id],
            }
            for one in live.accounts.values()
        ],
        "programs": [
            {
                "kind": one.kind,
                "name": one.name,
                "written_at": one.at,
                "declarations": None if one.trouble else len(one.declarations),
                "trouble": one.trouble,
            }
            for one in audit.sources
        ],
        "recipients_file": {
            "path": _relative(recipients.path),
            "sha256": recipients.sha256 or None,
            "recipients": None if recipients.recipients is None else len(recipients.recipients),
            "exceptions": len(recipients.exceptions),
            "trouble": recipients.not_in_force,
        },
        "baseline": {"path": baseline.name, "generated_at": baseline.at or None, "trouble": baseline.trouble}
        if baseline
        else None,
        "options": {
            "vaults": sorted(live.scope.vaults),
            "backups": sorted(live.scope.backups),
            "incoming": live.incoming,
            "pending_hours": _hours(limits.pending),
            "expires_within_hours": _hours(limits.expires_within),
            "max_age_hours": _hours(limits.max_age),
            "fail_on": list(fail_on),
            "redact": redact,
        },
    }


def _hours(limit: timedelta | None) -> float | None:
    return None if limit is None else limit.total_seconds() / 3600


def _summary(audit: Audit) -> Document:
    """How much there is of what. Covered findings do not count among kinds and severities."""
    counting = [one for one in audit.findings if not one.covered]
    kinds, severities = Counter(one.kind for one in counting), Counter(one.severity for one in counting)
    changes = Counter(one.change for one in audit.findings)
    return {
        "findings": len([one for one in counting if one.kind != NOT_LOOKED_AT]),
        "not_checked": kinds[NOT_LOOKED_AT],
        "covered": len(audit.findings) - len(counting),
        "severities": {name: severities[name] for name in SEVERITIES if name != "none"},
        "kinds": {name: kinds[name] for name in KINDS},
        "changes": None
        if audit.gone is None
        else {**{name: changes[name] for name in CHANGES}, "gone": len(audit.gone)},
        "backups": len(audit.live.backups),
        "shares": len(audit.live_shares),
    }


def _finding(one: Finding, live: Live) -> Document:
    return {
        "id": one.id,
        "kind": one.kind,
        "severity": one.severity,
        "message": one.message,
        "remedy": one.remedy,
        "command": one.command,
        "cause": one.cause,
        **_share(one.share, live),
        "owner_project_id": one.share.owner or None,
        "declared_by": _declarations(one.share.declarations),
        "exception": _exception(one.exception),
        "covered": one.covered,
        "location": {"file": _relative(one.place.file), "line": one.place.line} if one.place else None,
        "change": one.change,
        "before": dict(one.before) if one.before else None,
    }


def _relative(name: str) -> str:
    """The file, relative to the working directory if it is inside it, as code hosts want it."""
    path = Path(os.path.normpath(name))
    below = path.is_absolute() and path.is_relative_to(Path.cwd())
    return (path.relative_to(Path.cwd()) if below else path).as_posix()


def _share(one: Share, live: Live) -> Document:
    backup, known = one.backup, one.recipient_known
    return {
        "account": one.account,
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


def _exceptions(audit: Audit) -> list[Document]:
    """Who agreed to what, until when, and whether it is needed: those that end first come first."""
    today, file = audit.limits.now.date(), audit.recipients
    about = {(one.kind, id(one.exception)) for one in audit.findings if one.exception and not one.covered}
    found: list[Document] = []
    for one in sorted(file.exceptions, key=lambda each: (each.until, each.line)):
        needed_by = [finding.id for finding in audit.findings if finding.covered and covers(one, finding)]
        state = "in use" if needed_by else "unused" if ("exception-unused", id(one)) in about else "not checked"
        known = file.known(one.recipient)
        found.append(
            {
                **(_exception(one) or {}),
                "recipient_name": known.name if known else None,
                "line": one.line,
                "state": "expired" if one.until < today else state,
                "covers": needed_by,
            }
        )
    return found


def _rfc3339(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _replaced(value: Any, pattern: re.Pattern[str], by: Any) -> Any:
    """A document with all matches replaced in its texts, except in ids of findings; commands with one are left out."""
    if isinstance(value, dict):
        return {
            key: one
            if key in ("id", "covers", "sha256")
            else (None if key == "command" and one and pattern.search(one) else _replaced(one, pattern, by))
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_replaced(one, pattern, by) for one in value]
    return pattern.sub(by, value) if isinstance(value, str) else value
