"""The report as Markdown, for a job summary or a comment; empty if all is as in the baseline, and was checked.

Foreign texts are shown as code, in which no platform looks for links, mentions or commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.report import summary
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


MOST_CHARACTERS = 60_000  # a comment on GitHub can have 65,536
HEAD = "\n| severity | finding | backup | recipient | status | what to do |\n| --- | --- | --- | --- | --- | --- |\n"
SECTIONS = {"new": "New", "changed": "Changed", None: "Findings"}


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report, or ""."""
    changed = [one for one in report["findings"] if one["change"] != "unchanged"]
    if report["gone"] is not None and report["complete"] and not changed and not report["gone"]:
        return ""
    text = "".join(_head(report))
    for change, title in SECTIONS.items():
        text += _section(title, [*map(_row, (one for one in changed if one["change"] == change))], len(text), HEAD)
    text += _section("Gone", [*map(_gone, report["gone"] or ())], len(text), "\n")
    unchanged = len(report["findings"]) - len(changed)
    return text + (f"\nUnchanged: {unchanged}.\n" if unchanged else "")


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Shared backups\n\n**{summary.ending(report)}**\n\n{summary.counts(report)}.\n\n"
    for label, text in summary.compared(report):
        yield f"* {label}: {_code(text, 400)}\n"


def _section(title: str, rows: Sequence[str], taken: int, head: str) -> str:
    """As many rows as there is room for, and how many are left out."""
    if not rows:
        return ""
    text = f"\n### {title}: {len(rows)}\n{head}"
    room = MOST_CHARACTERS - taken - len(text)
    for number, row in enumerate(rows):
        room -= len(row)
        if room < 0:
            return f"{text}\nAnd {len(rows) - number} more, which are not shown here.\n"
        text += row
    return text


def _row(one: Mapping[str, Any]) -> str:
    covered = f"covered until {one['exception']['until']}" if one["covered"] else ""
    cells = (
        one["severity"],
        "<br>".join(filter(None, (one["kind"], summary.before(one), covered))),
        _cell(summary.server(one), one["backup_id"]),
        _cell(one["recipient_name"], one["recipient_project_id"]),
        _code(summary.status(one)),
        "<br>".join(filter(None, (_code(_to_do(one), 400), _code(one["command"], 400)))),
    )
    return f"| {' | '.join(cells)} |\n"


def _to_do(one: Mapping[str, Any]) -> str:
    """Where no backup is named, the message is all there is."""
    return one["remedy"] if one["backup_id"] else f"{one['message']}: {one['remedy']}"


def _gone(one: Mapping[str, Any]) -> str:
    return f"* {one['kind']}: {_code(one['message'] or one['id'], 400)}\n"


def _cell(*texts: str | None) -> str:
    return "<br>".join(_code(text) for text in texts if text)


def _code(text: str | None, limit: int = 200) -> str:
    """A foreign text as code, in a table or out of one."""
    line = one_line(text or "", limit).replace("`", "'").replace("|", "¦").replace("\\", "/")
    return f"`{line}`" if line else ""
