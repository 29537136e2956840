"""The findings as CSV: one line for each, lists joined with blanks."""

from __future__ import annotations

import csv
import io

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.report.summary import list_in_force
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Mapping


COLUMNS = (
    "id",
    "severity",
    "kind",
    "change",
    "covered",
    "account",
    "owner_project_id",
    "backup_id",
    "backup_name",
    "vault_id",
    "vault_name",
    "resource_id",
    "resource_name",
    "resource_type",
    "size_gb",
    "created",
    "expires",
    "recipient_project_id",
    "recipient_name",
    "recipient_owner",
    "recipient_class",
    "status",
    "since",
    "incoming",
    "declared_by",
    "exception",
    "message",
    "cause",
    "remedy",
    "command",
)
# A spreadsheet takes a text that begins with these for a formula, and names are foreign texts.
FORMULAS = ("=", "+", "-", "@")


def as_csv(report: Mapping[str, Any]) -> str:
    """The findings of a report; the last column has the recipients file by which they were judged."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "recipients_in_force"))
    in_force = _text(list_in_force(report))
    writer.writerows((*(_cell(finding[name]) for name in COLUMNS), in_force) for finding in report["findings"])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _text(" ".join(one["urn"] for one in value))
    if isinstance(value, dict):
        return _text(f"until {value['until']}: {value['reason']} ({value['owner']})")
    return _text(str(value))


def _text(text: str) -> str:
    line = one_line(text, 4000)
    return f"'{line}" if line.startswith(FORMULAS) else line
