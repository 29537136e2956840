"""Lookups: what is there, asked while the program runs, at preview too.

    GET /v3/{project_id}/backups                        get_backups
    GET /v3/{project_id}/backups/{backup_id}            get_backup
    GET /v3/{project_id}/backups/{backup_id}/members    get_share_members
    GET /v3/{project_id}/vaults                         get_vaults
    GET /v3/domain/{account}/projects                   get_projects

Each has two forms, as everywhere in Pulumi. The plain one takes known values, and its result can be looped over. The
one with `_output` takes Outputs as well and returns an Output; what is unknown at preview keeps it unknown. Settings
are those of the resources: the Connection, the stack's configuration, the environment, files.

An error ends the program in one line, without a traceback; `except LookupFailed` catches it.
"""

from __future__ import annotations

import asyncio

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from pulumi import runtime

from pulumi_cbr_sharing.cbr import backups, members, projects, vaults
from pulumi_cbr_sharing.errors import CbrSharingError, Refused
from pulumi_cbr_sharing.ids import trouble_with_backup_id, trouble_with_vault_id
from pulumi_cbr_sharing.resources.dynamic import warn_of_plain_secrets
from pulumi_cbr_sharing.resources.sessions import open_session
from pulumi_cbr_sharing.settings.connection import Connection


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pulumi_cbr_sharing.cbr.backups import Backup, OwnType
    from pulumi_cbr_sharing.cbr.members import Member, Status
    from pulumi_cbr_sharing.cbr.projects import Project
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client


T = TypeVar("T")


class LookupFailed(CbrSharingError, pulumi.RunError):
    """A lookup that could not be answered; `__cause__` is the error of the API. Pulumi shows its text alone."""


def get_backups(
    *,
    vault_id: str | None = None,
    resource_id: str | None = None,
    name: str | None = None,
    status: str | None = None,
    own_type: OwnType = "private",
    member_status: Status | None = None,
    connection: Connection | None = None,
) -> list[Backup]:
    """The backups that fit every filter given, newest first.

    Args:
        vault_id: the vault; for a received backup the recipient's.
        resource_id: the server or disk that was backed up.
        name: the whole name.
        status: `available`, `protecting`, `error`, ….
        own_type: `private`, the project's own; `shared`, those that others share with it; `all_granted`, both.
        member_status: `pending`, `accepted` or `rejected`, of the share with this project; not with `private`.
        connection: another account than that of `huaweicloud:*` and `HW_*`.

    Raises:
        LookupFailed: the cloud did not answer, or said no.
    """
    filters = {"resource_id": resource_id, "name": name, "status": status}
    with looking_up(connection) as client:
        need("get_backups", "vault_id", vault_id, None if vault_id is None else trouble_with_vault_id(vault_id))
        for key, value in filters.items():
            need("get_backups", key, value, None if value is None else _trouble_with_text(value))
        return backups.list_backups(
            client, vault_id=vault_id, **filters, own_type=own_type, member_status=member_status
        )


def get_backups_output(
    *,
    vault_id: pulumi.Input[str] | None = None,
    resource_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    status: pulumi.Input[str] | None = None,
    own_type: OwnType = "private",
    member_status: Status | None = None,
    connection: Connection | None = None,
) -> pulumi.Output[list[Backup]]:
    """`get_backups` for values that other resources give."""
    given = {"vault_id": vault_id, "resource_id": resource_id, "name": name, "status": status}
    look_up = partial(get_backups, own_type=own_type, member_status=member_status, connection=connection)
    return when_known(look_up, **given)


def get_backup(backup_id: str, *, connection: Connection | None = None) -> Backup:
    """One backup, own or received.

    Raises:
        LookupFailed: there is none, the cloud did not answer, or said no.
    """
    with looking_up(connection) as client:
        need("get_backup", "backup_id", backup_id, trouble_with_backup_id(backup_id))
        return backups.get_backup(client, backup_id)


def get_backup_output(backup_id: pulumi.Input[str], *, connection: Connection | None = None) -> pulumi.Output[Backup]:
    """`get_backup` for an id that another resource gives."""
    return when_known(partial(get_backup, connection=connection), backup_id=backup_id)


def get_share_members(backup_id: str, *, connection: Connection | None = None) -> list[Member]:
    """Whom an own backup is shared with, by project, whoever shared it.

    Raises:
        LookupFailed: there is no such backup, the cloud did not answer, or said no.
    """
    with looking_up(connection) as client:
        need("get_share_members", "backup_id", backup_id, trouble_with_backup_id(backup_id))
        found = members.list_members(client, backup_id).all()
        return [found[project] for project in sorted(found)]


def get_share_members_output(
    backup_id: pulumi.Input[str], *, connection: Connection | None = None
) -> pulumi.Output[list[Member]]:
    """`get_share_members` for an id that another resource gives."""
    return when_known(partial(get_share_members, connection=connection), backup_id=backup_id)


def get_vaults(*, name: str | None = None, connection: Connection | None = None) -> list[Vault]:
    """The vaults of the project, or those of this very name, by name.

    Raises:
        LookupFailed: the cloud did not answer, or said no.
    """
    with looking_up(connection) as client:
        need("get_vaults", "name", name, None if name is None else _trouble_with_text(name))
        return vaults.list_vaults(client, name=name)


def get_vaults_output(
    *, name: pulumi.Input[str] | None = None, connection: Connection | None = None
) -> pulumi.Output[list[Vault]]:
    """`get_vaults` for a name that another resource gives."""
    return when_known(partial(get_vaults, connection=connection), name=name)


def get_projects(account: str, *, connection: Connection | None = None) -> list[Project]:
    """The projects of an account in the region of the settings, by name; empty where the service does not tell.

    Args:
        account: the account's name.
        connection: another account than that of `huaweicloud:*` and `HW_*`, to ask with.

    Raises:
        LookupFailed: the cloud did not answer, or said no.
    """
    with looking_up(connection) as client:
        need("get_projects", "account", account, _trouble_with_text(account))
        return projects.projects_of_account(client, account)


def get_projects_output(
    account: pulumi.Input[str], *, connection: Connection | None = None
) -> pulumi.Output[list[Project]]:
    """`get_projects` for a name that another resource gives."""
    return when_known(partial(get_projects, connection=connection), account=account)


def when_known(look_up: Callable[..., T], **given: Any) -> pulumi.Output[T]:
    """The lookup once all that was given is known, on a thread: the program goes on meanwhile."""

    def run(known: dict[str, Any]) -> Awaitable[T]:
        return asyncio.to_thread(partial(look_up, **known))

    return pulumi.Output.all(**given).apply(run)


class _StackConfig:
    """The stack's configuration as the program has it."""

    def get(self, key: str, /) -> Any:
        """The value of a full key, secrets decrypted."""
        return runtime.get_config(key)


@contextmanager
def looking_up(connection: Connection | None) -> Iterator[Client]:
    """The client of the program's process; the boundary where the package's errors become a RunError."""
    warn_of_plain_secrets(connection)
    try:
        yield open_session(connection or Connection(), _StackConfig()).client
    except CbrSharingError as error:
        raise LookupFailed(str(error)) from error


def need(function: str, name: str, value: Any, trouble: str | None) -> None:
    """Refuse a value that is none for this parameter, before it becomes part of a request."""
    if isinstance(value, pulumi.Output):
        raise Refused(f"{function}: {name} is an Output: use {function}_output")
    if trouble:
        raise Refused(f"{function}: {name} {trouble}")


def _trouble_with_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "is no text, or an empty one: give some, or leave it"
