"""The projects of an account: from the account's name to the project id that a share needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import Refused, one_line
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client


@dataclass(frozen=True)
class Project:
    """A project of an account in one region.

    Attributes:
        id: 32 hexadecimal digits.
        name: the region's name for its main project, `{region}_{name}` for others; one line.
    """

    id: str
    name: str


# GET /v3/domain/{domain_name}/projects → 200 {"projects": [{"project_id", "project_name"}, …]}, without count or pages
def projects_of_account(client: Client, account: str) -> list[Project]:
    """The projects of an account (a "domain") in the client's region, sorted by name.

    The vendor documents this for the caller's own account only; other clients ask for any. If the service does not
    tell, the list is empty, or the call is refused.

    Raises:
        Refused: the name is malformed.
    """
    # Dots alone would be another path, and `quote` cannot encode lone surrogates.
    if ids.trouble_with_text(account) or not account.strip(". "):
        raise Refused(f"listing the projects of an account: {one_line(account, 60)!r} is not an account name")
    path, doing = f"/v3/domain/{quote(account, safe='')}/projects", f"listing the projects of account {account[:60]}"
    call = Call("GET", path, doing=doing, action="cbr:member:list")  # inferred: no document names the action
    records = client.send(call).records("projects")
    found = [Project(record.id("project_id", ids.PROJECT), record.name("project_name")) for record in records]
    return sorted(found, key=lambda one: (one.name, one.id))


def project_of_account(client: Client, account: str, region: str | None) -> Project:
    """The project to share with, if the recipient is given by account name.

    It is the region's main project, which has the region's name; else the only project of the region, or of the
    account if no region is known.

    Raises:
        Refused: there is no such project, or there are several; the error lists them.
    """
    found = projects_of_account(client, account)
    named = [project for project in found if project.name == region]
    inside = [project for project in found if region is None or project.name.startswith(f"{region}_")]
    for fitting in (named, inside):
        if len(fitting) == 1:
            return fitting[0]
    doing = f"looking up the project of account {one_line(account, 60)}" + (f" in region {region}" if region else "")
    if not found:
        raise Refused(
            f"{doing}: the service lists no project of this account: check the name, or ask the account's owner for "
            "the project id and set dest_project_id"
        )
    choices = ", ".join(f"{one_line(project.name, 60)} ({project.id})" for project in found[:10])
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""  # noqa: PLR2004
    raise Refused(
        f"{doing}: it is not clear which of its projects is meant, {choices}{more}: set one as dest_project_id"
    )
