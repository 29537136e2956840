"""What formats have in common: how it ended, how much was found, what was compared, and the words for a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT
from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def many(number: int, noun: str) -> str:
    """`1 share`, `2 shares`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ending(report: Mapping[str, Any]) -> str:
    """Whether it is complete, and clean; with the exit code. It has no foreign text."""
    summary, code = report["summary"], f"exit code {report['exit_code']}"
    if not summary["backups"] and not summary["shares"]:
        return f"NOT COMPLETE, {code}: nothing was looked at"
    if not report["complete"]:
        return f"NOT COMPLETE, {code}: {many(summary['not_checked'], 'thing')} could not be checked"
    return f"Complete, {code}"


def counts(report: Mapping[str, Any]) -> str:
    """How many findings of what severity there are, and in what."""
    summary = report["summary"]
    severities = ", ".join(f"{count} {name}" for name, count in summary["severities"].items() if count)
    found = many(summary["findings"], "finding") + (f": {severities}" if severities else "")
    covered = f" ({summary['covered']} more covered by exceptions)" if summary["covered"] else ""
    return f"{found}{covered}, in {many(summary['backups'], 'backup')} and {many(summary['shares'], 'share')}"


def changes(report: Mapping[str, Any]) -> str:
    """What has changed since the baseline; "" without one."""
    counted = report["summary"]["changes"]
    return "" if counted is None else ", ".join(f"{count} {name}" for name, count in counted.items())


def compared(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was compared: label and text, of which the text is foreign."""
    what = report["compared"]
    for one in what["accounts"]:
        where = f"{one['region'] or 'no region'}, {one['endpoint']}"
        seen = many(one["backups"], "backup") if one["listed"] else "NOT LISTED"
        yield "account", one_line(f"{one['account'] or 'default'}: project {one['project_id']} ({where}): {seen}", 400)
    for one in what["programs"]:
        written = f", written {one['written_at']}" if one["written_at"] else ""
        found = f"NOT READ: {one['trouble']}" if one["trouble"] else many(one["declarations"], "declaration")
        yield one["kind"], one_line(f"{one['name']}{written}: {found}", 400)
    if not what["programs"]:
        yield "programs", "NONE: this is an inventory; nothing was compared with what programs declare"
    yield "recipients", list_in_force(report)
    if baseline := what["baseline"]:
        text = f"NOT READ: {baseline['trouble']}" if baseline["trouble"] else changes(report)
        made = f" of {baseline['generated_at']}" if baseline["generated_at"] else ""
        yield "baseline", one_line(f"{baseline['path']}{made}: {text}", 400)
    yield "options", ", ".join(_options(what["options"]))
    yield "made", f"{report['generated_at']} by {report['tool']['name']} {report['tool']['version']}"


def list_in_force(report: Mapping[str, Any]) -> str:
    """The recipients file by which recipients were judged."""
    file = report["compared"]["recipients_file"]
    if file["trouble"]:
        return one_line(f"NONE IN FORCE: {file['trouble']}", 400)
    sizes = f"{many(file['recipients'], 'recipient')}, {many(file['exceptions'], 'exception')}"
    return one_line(f"{file['path']}: {sizes}, SHA-256 {file['sha256'][:16]}", 400)


def is_inventory(report: Mapping[str, Any]) -> bool:
    """Whether programs were not compared, or not all: then what is undeclared may well be declared."""
    programs = report["compared"]["programs"]
    return not programs or any(one["trouble"] for one in programs)


def kind_in_words(report: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """The title of a kind of findings, and what it means."""
    if kind == "undeclared" and is_inventory(report):
        return "A share that was not compared with all programs", "Whether a program declares it is not known."
    return KINDS[kind].title, KINDS[kind].meaning


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    for name in ("vaults", "backups"):
        if options[name]:
            yield f"only {name} {' '.join(options[name])}"
    for name, words in _LIMITS.items():
        yield f"{words} {age(options[name])}" if options[name] is not None else f"{words} not checked"
    yield "with incoming shares" if options["incoming"] else "without incoming shares"
    yield f"fails on {' '.join(options['fail_on'])}"


_LIMITS = {
    "pending_hours": "answers within",
    "expires_within_hours": "expiry within",
    "max_age_hours": "newest copy at most",
}


def age(hours: float | None) -> str:
    """`5 h`, `3.5 d` from two days on; `?` if it is not known."""
    if hours is None:
        return "?"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} d".replace(".0 d", " d")  # noqa: PLR2004


def not_checked(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings about what could not be checked."""
    return [one for one in report["findings"] if one["kind"] == NOT_LOOKED_AT]


def server(one: Mapping[str, Any]) -> str:
    """What was backed up: a foreign text."""
    return one_line(one["resource_name"] or one["backup_name"] or one["resource_id"] or "", 60)


def status(one: Mapping[str, Any]) -> str:
    """The recipient's answer and its day."""
    return f"{one['status']} since {one['since'][:10]}" if one["status"] and one["since"] else one["status"] or ""


def before(one: Mapping[str, Any]) -> str:
    """What a changed finding was before: `was pending, low`."""
    words = one["before"] or {}
    was = [
        words.get("status"),
        words.get("severity"),
        {True: "covered", False: "not covered", None: None}[words.get("covered")],
    ]
    return f"was {', '.join(filter(None, was))}" if words else ""


def declared_by(one: Mapping[str, Any]) -> list[str]:
    """Who declares a share: stack and name, or file and address."""
    return [one_line(f"{by['stack']} {by['urn'].rpartition('::')[2]}", 200) for by in one["declared_by"]]
