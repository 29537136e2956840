"""The report as one self-contained page. All that it shows is worked out here; the template only writes it down."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulumi_cbr_sharing.audit.findings import KINDS, SEVERITIES
from pulumi_cbr_sharing.audit.report import summary


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


Json = dict[str, Any]
MOST_UNSEEN = 5  # things that could not be checked, in the head of the page
OPEN = 40  # so many findings are shown unfolded
SHOWN_AS = {"high": "high", "medium": "medium", "low": "low", "none": "not known", "covered": "covered"}


def as_html(report: Mapping[str, Any]) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("pulumi_cbr_sharing", "audit/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = files(__package__)
    return environment.get_template("page.html.j2").render(
        view(report),
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        script=folder.joinpath("page.js").read_text(encoding="utf-8"),
    )


def view(report: Mapping[str, Any]) -> Json:
    """What the page shows, in the order of the page."""
    unseen = [{"message": one["message"], "remedy": one["remedy"]} for one in summary.not_checked(report)]
    groups = [_group(report, number, *one) for number, one in enumerate(_by_recipient(report["findings"]), 1)]
    return {
        "title": f"Shared backups: {summary.counts(report)}",
        "ending": summary.ending(report),
        "complete": report["complete"],
        "counts": summary.counts(report),
        "unseen": unseen[:MOST_UNSEEN],
        "unseen_more": len(unseen[MOST_UNSEEN:]),
        "compared": list(summary.compared(report)),
        "totals": _totals(report, groups),
        "changes": _changes(report, groups),
        "picture": picture(report),
        "groups": groups,
        "open": len(report["findings"]) <= OPEN,
        "choices": {
            "severity": [("counting", "all that count"), *_severities(report["findings"])],
            "kind": [(name, name) for name in KINDS if any(one["kind"] == name for one in report["findings"])],
            "recipient": [(one["recipient"], one["name"]) for one in groups],
            "change": [(name, name) for name in ("new", "changed", "unchanged")] if report["gone"] is not None else [],
        },
        "gone": [{"kind": one["kind"], "message": one["message"] or one["id"]} for one in report["gone"] or ()],
        "exceptions": [_exception(one) for one in report["exceptions"]],
    }


def _severities(findings: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    present = {_severity(one) for one in findings}
    return ((name, shown) for name, shown in SHOWN_AS.items() if name in present)


def _severity(one: Mapping[str, Any]) -> str:
    """What is covered does not count, whatever its severity."""
    return "covered" if one["covered"] else str(one["severity"])


# -- totals, with links to the first group that has such findings ------------------------------------------------------


def _totals(report: Mapping[str, Any], groups: Sequence[Json]) -> list[Json]:
    counted = [
        *((name, "severity", count) for name, count in report["summary"]["severities"].items() if count),
        *((name, "kind", count) for name, count in report["summary"]["kinds"].items() if count),
    ]
    return [_link(groups, filter_, name, count) for name, filter_, count in counted]


def _changes(report: Mapping[str, Any], groups: Sequence[Json]) -> list[Json]:
    counted = report["summary"]["changes"] or {}
    return [_link(groups, "change", name, count) for name, count in counted.items()]


def _link(groups: Sequence[Json], filter_: str, value: str, count: int) -> Json:
    """A number that leads to what it counts; "gone" is a section of its own."""
    parts = ((group, part) for group in groups for part in group["parts"])
    fits = (group["id"] for group, part in parts if value in (part[filter_] if filter_ in part else part["changes"]))
    target = "gone" if value == "gone" else next(fits, "findings")
    return {"name": SHOWN_AS.get(value, value), "filter": filter_, "value": value, "count": count, "target": target}


# -- who could restore what, from when ---------------------------------------------------------------------------------


def picture(report: Mapping[str, Any]) -> Json:
    """Servers in lines, recipients in columns; a cell has the newest copy, with its status and age."""
    points, oldest = report["recovery_points"], report["compared"]["options"]["max_age_hours"]
    judged, compared = not report["compared"]["recipients_file"]["trouble"], not summary.is_inventory(report)
    columns = {one["recipient_project_id"]: one for one in points}
    order = sorted(columns, key=lambda id_: (columns[id_]["recipient_name"] or "~", id_))
    rows: dict[tuple[str, str], Json] = {}
    for one in points:
        key = one["owner_project_id"], one["resource_id"] or one["newest"]["backup_id"]
        row = rows.setdefault(key, {"server": one["resource_name"] or "", "id": key[1], "cells": {}})
        row["cells"][one["recipient_project_id"]] = _cell(one, oldest, judged=judged, compared=compared)
    names = Counter(row["server"] for row in rows.values())
    return {
        "columns": [
            {
                "id": id_,
                "name": columns[id_]["recipient_name"] or "",
                "class_": columns[id_]["recipient_class"],
            }
            for id_ in order
        ],
        "rows": [
            {**row, "named_twice": names[row["server"]] > 1, "cells": [row["cells"].get(id_) for id_ in order]}
            for row in rows.values()
        ],
    }


def _cell(point: Mapping[str, Any], oldest: float | None, *, judged: bool, compared: bool) -> Json:
    newest, restorable = point["newest"], point["restorable"]
    hours = restorable["age_hours"] if restorable else None
    is_old = restorable is not None and oldest is not None and (hours is None or hours > oldest)
    notes = [f"{point['copies']} copies"] if point["copies"] > 1 else []
    if restorable is None:
        notes.append("nothing to restore")
    elif restorable["backup_id"] != newest["backup_id"]:
        notes.append(f"can restore {summary.age(hours)}")
    notes += ["too old"] if is_old else []
    undeclared = point["undeclared"] if compared else 0
    notes += [f"{undeclared} undeclared"] if undeclared else []
    notes += ["not allowed"] if (stranger := judged and point["recipient_class"] == "unknown") else []
    return {
        "text": f"{newest['status']} {summary.age(newest['age_hours'])}",
        "notes": ", ".join(notes),
        "title": f"backup {newest['backup_id']}, made {newest['created'] or 'at an unknown time'}",
        "class_": "bad" if undeclared or stranger else "old" if is_old or restorable is None else "good",
    }


# -- findings by recipient, then by kind -------------------------------------------------------------------------------


def _by_recipient(findings: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Recipients with the most severe findings first."""

    def recipient(one: Mapping[str, Any]) -> str:
        return str(one["recipient_project_id"] or "")

    grouped = [(id_, list(several)) for id_, several in groupby(sorted(findings, key=recipient), key=recipient)]
    return iter(sorted(grouped, key=lambda one: [_weight(one[1], severity) for severity in SEVERITIES]))


def _weight(findings: Iterable[Mapping[str, Any]], severity: str) -> int:
    return -len([one for one in findings if one["severity"] == severity and not one["covered"]])


def _group(report: Mapping[str, Any], number: int, recipient: str, findings: Sequence[Mapping[str, Any]]) -> Json:
    first, counted = findings[0], Counter(one["severity"] for one in findings if not one["covered"])
    covered = sum(one["covered"] for one in findings)

    def part_of(one: Mapping[str, Any]) -> tuple[bool, int, str, str]:
        return one["covered"], SEVERITIES.index(one["severity"]), one["kind"], one["remedy"]

    several = groupby(sorted(findings, key=part_of), key=part_of)
    return {
        "id": f"group-{number}",
        "recipient": recipient,
        "name": first["recipient_name"] or recipient or "not about one recipient",
        "about": " ".join(filter(None, (first["recipient_class"], first["recipient_owner"]))) if recipient else "",
        "counts": [(name, SHOWN_AS[name], counted[name]) for name in SEVERITIES if counted[name]],
        "covered": covered,
        "parts": [_part(report, list(part)) for _, part in several],
    }


def _part(report: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Json:
    """Findings of one kind, severity and remedy: what they have in common is said once."""
    first = findings[0]
    title, meaning = summary.kind_in_words(report, first["kind"])
    return {
        "severity": _severity(first),
        "shown_as": SHOWN_AS[_severity(first)],
        "kind": first["kind"],
        "title": title,
        "meaning": meaning,
        "remedy": first["remedy"],
        "changes": sorted({one["change"] for one in findings if one["change"]}),
        "rows": [_row(one) for one in sorted(findings, key=lambda one: (summary.server(one), one["created"] or ""))],
    }


def _row(one: Mapping[str, Any]) -> Json:
    agreed = one["exception"] if one["covered"] else None
    facts = [
        one["cause"],
        *(f"declared by {name}" for name in summary.declared_by(one)),
        agreed and f"covered until {agreed['until']}: {agreed['reason']} ({agreed['owner']})",
        one["change"] if one["change"] in ("new", "changed") else None,
        summary.before(one),
    ]
    return {
        "server": summary.server(one) or ("" if one["backup_id"] else one["message"]),
        "backup": one["backup_id"] or "",
        "vault": f"in {one['vault_name'] or one['vault_id']}" if one["vault_id"] else "",
        "made": f"made {one['created'][:10]}" if one["created"] else "",
        "status": summary.status(one),
        "facts": [fact for fact in facts if fact],
        "change": one["change"] or "",
        "command": one["command"] or "",
    }


def _exception(one: Mapping[str, Any]) -> Json:
    names = ("backup", "recipient", "recipient_name", "reason", "owner", "until", "state", "line")
    return {**{name: one[name] for name in names}, "covers": len(one["covers"])}
