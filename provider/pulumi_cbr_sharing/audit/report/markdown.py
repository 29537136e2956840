"""The report as Markdown, for a job summary or a comment; empty if there is a baseline, and nothing is new or gone."""

from __future__ import annotations

import html
import re

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.report.document import counts_of
from pulumi_cbr_sharing.audit.templates import rendered
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Mapping


MOST_ROWS = 200  # a comment on GitHub can have 65,536 characters


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report, or ""."""
    return rendered("report/summary.md.j2", report=report, counts=counts_of(report), most_rows=MOST_ROWS, cell=_cell)


def _cell(*texts: str | None) -> str:
    """Foreign texts, escaped: no link, no tag, no other cell, no mention."""
    escaped = html.escape(one_line(" ".join(filter(None, texts)), 400), quote=False)
    return re.sub(r"([\\`*_\[\]|~@#])", r"\\\1", escaped)
