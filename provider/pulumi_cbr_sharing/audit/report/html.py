"""The report as one self-contained page: findings first, then who can see what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS
from pulumi_cbr_sharing.audit.templates import rendered


if TYPE_CHECKING:
    from collections.abc import Mapping


def as_html(report: Mapping[str, Any]) -> str:
    """The page; recipients with the most accepted shares come first."""
    counts = Counter((share["recipient_project_id"], share["status"]) for share in report["shares"])
    recipients = {share["recipient_project_id"]: share for share in report["shares"]}
    projects = sorted(
        recipients.items(), key=lambda one: (-counts[one[0], "accepted"], one[1]["recipient_name"] or "", one[0])
    )
    return rendered("report/page.html.j2", report=report, projects=projects, counts=counts, kinds=KINDS)
