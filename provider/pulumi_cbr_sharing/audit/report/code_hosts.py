"""The report for GitHub, GitLab and the like: SARIF 2.1.0 for code scanning, workflow commands, Markdown.

SARIF and workflow commands (of GitHub Actions) are annotations of code: each is at the line of the program that
declares the share, else at the recipients file. Markdown is for a job summary or a comment. Names in the texts are
those of other accounts: they must not become links, mentions or commands.
"""

from __future__ import annotations

import re

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT
from pulumi_cbr_sharing.audit.report import as_json, summary
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"high": "error", "medium": "warning", "low": "note", "none": "none"}
COMMANDS = {"high": "error", "medium": "warning", "low": "notice", "none": "warning"}
SCORES = {"high": "8.0", "medium": "5.0", "low": "2.0", "none": "0.0"}  # code scanning treats 7.0 and more as high
STATES = {"new": "new", "changed": "updated", "unchanged": "unchanged"}
MOST_CHARACTERS = 60_000  # a comment on GitHub can have 65,536
TABLE = "\n| severity | finding | backup | recipient | status | what to do |\n| --- | --- | --- | --- | --- | --- |\n"
SECTIONS = {"new": "New", "changed": "Changed", None: "Findings"}
Json = dict[str, Any]


def as_sarif(report: Mapping[str, Any]) -> Iterator[str]:
    """A SARIF log with one run.

    What could not be checked is a result of kind `open`, which is neither failed nor passed, and a notification.
    Covered findings are suppressed, with the reason of the exception.
    """
    run = {
        "tool": {"driver": _driver(report)},
        "automationDetails": {"id": "cbr-sharing/audit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(finding, report) for finding in report["findings"]],
        "properties": {"compared": [f"{label}: {text}" for label, text in summary.compared(report)]},
    }
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def as_commands(report: Mapping[str, Any]) -> str:
    """The workflow commands: the summary, then one for each finding.

    GitHub shows ten annotations of each level for a step, so the most severe come first.
    """
    text = f"{summary.ending(report)}. {summary.counts(report)}. Recipients: {summary.list_in_force(report)}"
    level = "notice" if report["complete"] else "warning"
    first = f"::{level} title=cbr-sharing audit::{_data(one_line(text, 1000))}\n"
    return first + "".join(f"{_command(finding, report)}\n" for finding in report["findings"])


def unlinked(text: str, limit: int = 1000) -> str:
    """A text in which nothing is a link or a mention; brackets and backslashes are escaped, as SARIF wants it."""
    line = re.sub(r"(?i)(?<=:)//|(?<=\bwww)\.|(?<=mailto):|(?<=xmpp):|@|#(?=\d)", r" \g<0> ", one_line(text, limit))
    return re.sub(r"[\[\]\\]", r"\\\g<0>", line)


def _driver(report: Mapping[str, Any]) -> Json:
    return {
        "name": report["tool"]["name"],
        "semanticVersion": report["tool"]["version"],
        "rules": [_rule(kind) for kind in KINDS],
    }


def _rule(kind: str) -> Json:
    about = KINDS[kind]
    return {
        "id": kind,
        "name": "".join(word.capitalize() for word in kind.split("-")),
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.meaning},
        "help": {"text": f"{about.meaning} Each result says what to do.", "markdown": about.meaning},
        "defaultConfiguration": {"level": LEVELS[about.severity]},
        "properties": {
            "security-severity": SCORES[about.severity],
            "precision": "very-high",
            "tags": ["security", "backup", "sharing"],
        },
    }


def _invocation(report: Mapping[str, Any]) -> Json:
    unseen = summary.not_checked(report)
    return {
        "executionSuccessful": True,
        "exitCode": report["exit_code"],
        "exitCodeDescription": summary.ending(report),
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": unlinked(one["message"])}} for one in unseen
        ],
    }


def _result(finding: Mapping[str, Any], report: Mapping[str, Any]) -> Json:
    file, line = _place(finding, report)
    result: Json = {
        "ruleId": finding["kind"],
        "ruleIndex": list(KINDS).index(finding["kind"]),
        "kind": "open" if finding["kind"] == NOT_LOOKED_AT else "fail",
        "level": LEVELS[finding["severity"]],
        "message": {"text": unlinked(_text(finding))},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}}},
        ],
        "partialFingerprints": {"cbrSharingFinding/v1": finding["id"]},
        "properties": {"security-severity": SCORES[finding["severity"]], **_facts(finding)},
    }
    if finding["change"] is not None:
        result["baselineState"] = STATES[finding["change"]]
    if finding["covered"]:
        result["suppressions"] = [{"kind": "external", "justification": unlinked(_reason(finding["exception"]))}]
    return result


def _text(finding: Mapping[str, Any]) -> str:
    command = f": {finding['command']}" if finding["command"] else ""
    was = f" ({summary.before(finding)})" if finding["before"] else ""
    return f"{finding['message']}{was}. What to do: {finding['remedy']}{command}"


def _facts(finding: Mapping[str, Any]) -> Json:
    names = ("owner_project_id", "backup_id", "recipient_project_id", "recipient_class", "status", "since")
    return {name: finding[name] for name in names if finding[name] is not None}


def _reason(exception: Mapping[str, Any]) -> str:
    return f"{exception['reason']} ({exception['owner']}, until {exception['until']})"


def _place(finding: Mapping[str, Any], report: Mapping[str, Any]) -> tuple[str, int]:
    place = finding["location"] or {"file": report["compared"]["recipients_file"]["path"], "line": 1}
    return place["file"], place["line"]


def _command(finding: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    file, line = _place(finding, report)
    level = "notice" if finding["covered"] else COMMANDS[finding["severity"]]
    covered = f" (covered until {finding['exception']['until']})" if finding["covered"] else ""
    title = f"{summary.kind_in_words(report, finding['kind'])[0]}{covered}"
    return f"::{level} file={_property(file)},line={line},title={_property(title)}::{_data(unlinked(_text(finding)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report; "" if all is as in the baseline, and was checked.

    Foreign texts are shown as code, in which no platform looks for links, mentions or commands.
    """
    changed = [one for one in report["findings"] if one["change"] != "unchanged"]
    if report["gone"] is not None and report["complete"] and not changed and not report["gone"]:
        return ""
    text = "".join(_md_head(report))
    for change, title in SECTIONS.items():
        text += _section(title, [*map(_row, (one for one in changed if one["change"] == change))], len(text), TABLE)
    text += _section("Gone", [*map(_gone, report["gone"] or ())], len(text), "\n")
    unchanged = len(report["findings"]) - len(changed)
    return text + (f"\nUnchanged: {unchanged}.\n" if unchanged else "")


def _md_head(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Shared backups\n\n**{summary.ending(report)}**\n\n{summary.counts(report)}.\n\n"
    for label, text in summary.compared(report):
        yield f"* {label}: {_as_code(text, 400)}\n"


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
        _as_cell(summary.server(one), one["backup_id"]),
        _as_cell(one["recipient_name"], one["recipient_project_id"]),
        _as_code(summary.status(one)),
        "<br>".join(filter(None, (_as_code(_to_do(one), 400), _as_code(one["command"], 400)))),
    )
    return f"| {' | '.join(cells)} |\n"


def _to_do(one: Mapping[str, Any]) -> str:
    """Where no backup is named, the message is all there is."""
    return one["remedy"] if one["backup_id"] else f"{one['message']}: {one['remedy']}"


def _gone(one: Mapping[str, Any]) -> str:
    return f"* {one['kind']}: {_as_code(one['message'] or one['id'], 400)}\n"


def _as_cell(*texts: str | None) -> str:
    return "<br>".join(_as_code(text) for text in texts if text)


def _as_code(text: str | None, limit: int = 200) -> str:
    """A foreign text as code, in a table or out of one."""
    line = one_line(text or "", limit).replace("`", "'").replace("|", "¦").replace("\\", "/")
    return f"`{line}`" if line else ""
