"""The report of an audit for a terminal: a table, the most severe findings first, and what to do about each."""

from __future__ import annotations

import io

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulumi_cbr_sharing.audit.report.document import counts_of
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


COLOURS = {"high": "bold red", "medium": "yellow", "low": "cyan", "none": "magenta"}
WIDE = 180  # columns, if there is no terminal


def as_text(report: Mapping[str, Any], *, colour: bool = False, width: int | None = None) -> str:
    """The report as a table.

    Args:
        report: as `audit.report.document` makes it.
        colour: whether to use colours.
        width: columns.
    """
    console = Console(
        file=io.StringIO(),
        force_terminal=colour,
        no_color=None if colour else True,
        width=width or WIDE,
        highlight=False,
    )
    if report["findings"]:
        console.print(_table(report["findings"]))
        console.print(Text("\n".join(_remedies(report["findings"]))), soft_wrap=True)
    for line in _about(report):
        console.print(Text(line), soft_wrap=True)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def _table(findings: list[Mapping[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right")
    for name in ("severity", "finding", "backup", "recipient", "status", "declared by"):
        table.add_column(name, overflow="fold")
    for number, one in enumerate(findings, 1):
        severity = Text(one["severity"], COLOURS[one["severity"]])
        table.add_row(str(number), severity, *map(Text, _cells(one)))
    return table


def _cells(one: Mapping[str, Any]) -> Iterator[str]:
    covered = f"covered until {one['exception']['until']}" if one["covered"] else None
    yield _lines(one["kind"], "new" if one["new"] else None, covered)
    yield _lines(one["resource_name"] or one["backup_name"], one["backup_id"])
    yield _lines(one["recipient_name"], one["recipient_project_id"])
    yield _lines(one["status"], (one["since"] or "")[:10])
    yield _lines(*(f"{declared['stack']} {declared['urn'].rpartition('::')[2]}" for declared in one["declared_by"]))


def _remedies(findings: list[Mapping[str, Any]]) -> Iterator[str]:
    """What to do about each finding, and why, by its number in the table."""
    yield "What to do:"
    for number, one in enumerate(findings, 1):
        cause = f"{one['cause']}: " if one["cause"] else ""
        yield f"{number:4}  {one_line(cause + one['remedy'], 600)}"
    yield ""


def _lines(*texts: str | None) -> str:
    return "\n".join(one_line(text, 80) for text in texts if text)


def _about(report: Mapping[str, Any]) -> Iterator[str]:
    covered = sum(one["covered"] for one in report["findings"])
    names = ", ".join(f"{one['account'] or 'default'} ({one['project_id']})" for one in report["projects"])
    yield f"{names}: backups {report['backups']}, shares {len(report['shares'])}; {counts_of(report)}"
    if covered:
        yield f"{covered} of them covered by exceptions"
    if report["gone"] is not None:
        new = sum(bool(one["new"]) for one in report["findings"])
        yield f"since the baseline: {new} new, {len(report['gone'])} gone"
    if not report["complete"]:
        yield "NOT COMPLETE: what was not checked is neither drift nor clean"
