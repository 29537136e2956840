"""The report as one self-contained page: findings first, then who can see what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulumi_cbr_sharing.audit.report.document import title_of


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Project(NamedTuple):
    """A recipient, and how many backups it has or could accept."""

    id: str
    name: str
    owner: str
    class_: str
    statuses: Mapping[str, int]


def as_html(report: Mapping[str, Any]) -> str:
    """The page; everything is escaped, because names are foreign texts."""
    environment = Environment(
        loader=PackageLoader("pulumi_cbr_sharing.audit", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(report=report, projects=_projects(report["shares"]), title_of=title_of) + "\n"


def _projects(shares: Sequence[Mapping[str, Any]]) -> list[Project]:
    of_project: dict[str, list[Mapping[str, Any]]] = {}
    for share in shares:
        of_project.setdefault(share["recipient_project_id"], []).append(share)
    found = [
        Project(
            id_,
            mine[0]["recipient_name"] or "",
            mine[0]["recipient_owner"] or "",
            mine[0]["recipient_class"],
            Counter(share["status"] for share in mine),
        )
        for id_, mine in of_project.items()
    ]
    return sorted(found, key=lambda one: (-one.statuses.get("accepted", 0), one.name, one.id))
