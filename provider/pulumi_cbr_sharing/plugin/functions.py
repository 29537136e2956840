"""The functions of the plugin: lookups that read from the cloud while a program runs, in a preview too.

GET /v3/{project_id}/backups                        getBackups
GET /v3/{project_id}/backups/{backup_id}            getBackup
GET /v3/{project_id}/backups/{backup_id}/members    getShareMembers
GET /v3/{project_id}/vaults                         getVaults
GET /v3/domain/{account}/projects                   getProjects
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.backups import get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.cbr.projects import projects_of_account
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.plugin.settings import schema, wrong_names
from pulumi_cbr_sharing.plugin.wire import result, snake


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.inputs import Problem


def _members(client: Client, backup_id: str) -> list[Member]:
    found = list_members(client, backup_id).all()
    return [found[project] for project in sorted(found)]


LOOKUPS: Mapping[str, tuple[str, Any]] = {
    "getBackups": ("backups", list_backups),
    "getBackup": ("backup", get_backup),
    "getShareMembers": ("members", _members),
    "getVaults": ("vaults", list_vaults),
    "getProjects": ("projects", projects_of_account),
}


def problems_with(token: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    """Arguments that a function does not have, or misses, with what is wrong."""
    wanted = schema()["functions"][token]["inputs"]
    return wrong_names(given, wanted["properties"], "argument", wanted.get("required", ()))


def called(client: Client, token: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a function returns.

    Raises:
        CbrSharingError: an argument is wrong, or the cloud did not answer, or refused.
    """
    name, look_up = LOOKUPS[token.rpartition(":")[2]]
    words = {snake(key): value for key, value in given.items()}
    return {name: result(look_up(client, **words))}
