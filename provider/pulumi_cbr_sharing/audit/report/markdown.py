"""The report as Markdown, for a job summary or a comment; empty if nothing changed."""

from __future__ import annotations

import html
import re

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


MOST_ROWS = 200  # a comment on GitHub can have 65,536 characters


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report; "" if there is a baseline, and nothing is new or gone."""
    findings, gone = report["findings"], report["gone"]
    new = [one for one in findings if one["new"]]
    if gone is not None and not (new or gone):
        return ""
    return "\n".join([*_head(report), *(_all(findings) if gone is None else _changes(findings, new, gone))]) + "\n"


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in report["summary"].items() if count)
    yield "## Shared backups"
    yield ""
    yield f"Backups {report['backups']}, shares {len(report['shares'])}: {counts or 'no finding'}."
    if not report["complete"]:
        yield ""
        yield "**Not complete:** what was not checked is neither drift nor clean."


def _all(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if findings:
        yield from _table(findings)


def _changes(
    findings: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], gone: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    if new:
        yield from ("", "### New", *_table(new))
    if gone:
        yield from ("", "### Gone", "")
        yield from (f"* {_cell(one['kind'])}: {_cell(one.get('message'))}" for one in gone[:MOST_ROWS])
    if unchanged := len(findings) - len(new):
        yield from ("", f"Unchanged: {unchanged}.")


def _table(findings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield "| severity | finding | backup | recipient | what to do |"
    yield "| --- | --- | --- | --- | --- |"
    for one in findings[:MOST_ROWS]:
        yield f"| {' | '.join(_cell(text) for text in _cells(one))} |"
    if len(findings) > MOST_ROWS:
        yield ""
        yield f"And {len(findings) - MOST_ROWS} more."


def _cells(one: Mapping[str, Any]) -> Iterator[str]:
    yield one["severity"]
    yield one["kind"] + (f" (covered until {one['exception']['until']})" if one["covered"] else "")
    yield " ".join(filter(None, (one["resource_name"] or one["backup_name"], one["backup_id"])))
    yield " ".join(filter(None, (one["recipient_name"], one["recipient_project_id"])))
    yield one["remedy"]


def _cell(text: Any) -> str:
    """Foreign text, escaped: no link, no tag, no other cell, no mention."""
    escaped = html.escape(one_line(text or "", 400), quote=False)
    return re.sub(r"([\\`*_\[\]|~@#])", r"\\\1", escaped)
