"""The report for a terminal, and its findings for a spreadsheet.

Text begins with the summary, then come the findings by kind, within 80 columns. CSV has a line for each finding, lists
joined with blanks.
"""

from __future__ import annotations

import csv
import io
import shlex
import textwrap

from itertools import groupby
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT
from pulumi_cbr_sharing.audit.report import summary
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


WIDTH = 80
COLOURS = {"high": "\x1b[1;31m", "medium": "\x1b[33m", "low": "\x1b[36m", "none": "\x1b[35m"}
PLAIN = "\x1b[0m"
HEADINGS = (
    "id, severity, kind, change, covered, account, owner_project_id, backup_id, backup_name, vault_id, "
    "vault_name, resource_id, resource_name, resource_type, size_gb, created, expires, recipient_project_id, "
    "recipient_name, recipient_owner, recipient_class, status, since, incoming, declared_by, exception, message, "
    "cause, remedy, command"
)
COLUMNS = HEADINGS.split(", ")
# A spreadsheet takes a text that begins with these for a formula, and names are foreign texts.
FORMULAS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def as_text(report: Mapping[str, Any], *, colour: bool = False) -> str:
    """The report; with colours for a terminal."""
    return "".join(f"{line}\n" for line in _lines(report, colour=colour))


def _lines(report: Mapping[str, Any], *, colour: bool) -> Iterator[str]:
    yield from _wrapped(summary.ending(report))
    yield from _wrapped(summary.counts(report))
    for label, text in summary.compared(report):
        yield from _wrapped(f"  {label:<10} {text}", indent=13)
    for (_, kind, remedy), findings in groupby(sorted(report["findings"], key=_order), key=_order):
        yield ""
        yield f"{list(KINDS)[kind]}: {summary.kind_in_words(report, list(KINDS)[kind])[0]}"
        yield from _wrapped(f"  What to do: {remedy}", indent=4)
        for one in findings:
            yield from _finding(one, colour=colour)
    if report["gone"]:
        yield from ("", "Gone since the baseline")
        for one in report["gone"]:
            yield from _wrapped(f"  {one['kind']}: {one['message'] or one['id']}", indent=4)


def _order(one: Mapping[str, Any]) -> tuple[bool, int, str]:
    """What could not be checked first, then the kinds in their order, and what has the same remedy together."""
    return one["kind"] != NOT_LOOKED_AT, list(KINDS).index(one["kind"]), one["remedy"]


def _finding(one: Mapping[str, Any], *, colour: bool) -> Iterator[str]:
    severity = "?" if one["severity"] == "none" else one["severity"]
    shown = f"{severity:<7}"
    begin = f"{COLOURS[one['severity']]}{shown}{PLAIN}" if colour else shown
    first, *rest = list(_about(one)) or [one["message"]]
    for number, line in enumerate(_wrapped(first, indent=0, columns=WIDTH - 9)):
        yield f"  {begin}{line}" if number == 0 else f"{'':9}{line}"
    for text in rest:
        yield from _wrapped(f"{'':9}{text}", indent=11)
    if one["command"]:
        yield from _command(one["command"])


def _about(one: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a finding; where it is about no share, its message says all."""
    if one["recipient_project_id"] and one["backup_id"] and one["kind"] != NOT_LOOKED_AT:
        yield " ".join(filter(None, (summary.server(one) or "backup", one["backup_id"], _made(one))))
        known = one["recipient_name"] and f"{one_line(one['recipient_name'], 60)}, "
        yield f"{one['recipient_project_id']} ({known or ''}{one['recipient_class']}) {summary.status(one)}".rstrip()
        if one["cause"]:
            yield one_line(one["cause"])
    else:
        yield one["message"]
    yield from (f"declared by {name}" for name in summary.declared_by(one))
    if one["change"]:
        yield " ".join(filter(None, (f"{one['change']} since the baseline", summary.before(one))))
    if one["covered"]:
        agreed = one["exception"]
        yield one_line(f"covered until {agreed['until']}: {agreed['reason']} ({agreed['owner']})")


def _made(one: Mapping[str, Any]) -> str:
    return f"made {one['created'][:10]}" if one["created"] else ""


def _command(command: str) -> Iterator[str]:
    """A command that can be pasted; a long one is continued in the next line."""
    line = f"{'':11}$"
    for word in shlex.split(command):
        if len(f"{line} {shlex.quote(word)}") > WIDTH - 2 and line.strip() != "$":
            yield f"{line} \\"
            line = f"{'':14}"
        line = f"{line} {shlex.quote(word)}"
    yield line


def _wrapped(text: str, *, indent: int = 2, columns: int = WIDTH) -> list[str]:
    """Lines of a text; ids and other long words stay whole."""
    return textwrap.wrap(text, columns, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def as_csv(report: Mapping[str, Any]) -> str:
    """The findings of a report; the last column has the recipients file by which they were judged."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "recipients_in_force"))
    in_force = _csv_text(summary.list_in_force(report))
    writer.writerows((*(_csv_cell(finding[name]) for name in COLUMNS), in_force) for finding in report["findings"])
    return text.getvalue()


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _csv_text(" ".join(one["urn"] for one in value))
    if isinstance(value, dict):
        return _csv_text(f"until {value['until']}: {value['reason']} ({value['owner']})")
    return _csv_text(str(value))


def _csv_text(text: str) -> str:
    line = one_line(text, 4000)
    return f"'{line}" if line.startswith(FORMULAS) else line
