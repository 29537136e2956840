"""Lookups: functions that read from the cloud while the program runs, in a preview too.

Each has two forms, as usual in Pulumi. The plain one takes known values, and a program can loop over its result. The
one with `_output` also takes Outputs and returns an Output, which is unknown while an argument is unknown. An error
ends the program with one line and no traceback; a program can catch `LookupFailed`.
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
from pulumi_cbr_sharing.resources.arguments import refuse_useless
from pulumi_cbr_sharing.resources.process import open_session
from pulumi_cbr_sharing.settings.connection import LOOKED_UP, Connection


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.cbr.backups import Backup, OwnType
    from pulumi_cbr_sharing.cbr.members import Member, Status
    from pulumi_cbr_sharing.cbr.projects import Project
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client


T = TypeVar("T")


class LookupFailed(CbrSharingError, pulumi.RunError):
    """A lookup failed; `__cause__` is the error of the API. Pulumi shows only its text."""


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
    """The backups that match all given filters, newest first.

    Args:
        vault_id: the UUID of the vault; for a received backup, the recipient's vault.
        resource_id: the server or disk that was backed up.
        name: the whole name.
        status: `available`, `protecting`, `error`, ….
        own_type: `private` for the project's own backups, `shared` for those that others share with it,
            `all_granted` for both.
        member_status: status of the share with this project, `pending`, `accepted` or `rejected`; not with `private`.
        connection: the account, if it is not the default one.

    Raises:
        LookupFailed: an argument is wrong, or the cloud did not answer, or refused.
    """
    filters = {"vault_id": vault_id, "resource_id": resource_id, "name": name, "status": status}
    with looking_up(connection, "get_backups", **filters) as client:
        return backups.list_backups(client, **filters, own_type=own_type, member_status=member_status)


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
    """`get_backups` with Outputs as arguments."""
    look_up = partial(get_backups, own_type=own_type, member_status=member_status, connection=connection)
    return _when_known(look_up, vault_id=vault_id, resource_id=resource_id, name=name, status=status)


def get_backup(backup_id: str, *, connection: Connection | None = None) -> Backup:
    """One backup, own or received.

    Raises:
        LookupFailed: there is no such backup, or the cloud did not answer, or refused.
    """
    with looking_up(connection, "get_backup", backup_id=backup_id) as client:
        return backups.get_backup(client, backup_id)


def get_backup_output(backup_id: pulumi.Input[str], *, connection: Connection | None = None) -> pulumi.Output[Backup]:
    """`get_backup` with an Output as argument."""
    return _when_known(partial(get_backup, connection=connection), backup_id=backup_id)


def get_share_members(backup_id: str, *, connection: Connection | None = None) -> list[Member]:
    """The recipients of a backup of this project, sorted by project id; also those that others declared or added.

    Raises:
        LookupFailed: there is no such backup, or the cloud did not answer, or refused.
    """
    with looking_up(connection, "get_share_members", backup_id=backup_id) as client:
        found = members.list_members(client, backup_id).all()
        return [found[project] for project in sorted(found)]


def get_share_members_output(
    backup_id: pulumi.Input[str], *, connection: Connection | None = None
) -> pulumi.Output[list[Member]]:
    """`get_share_members` with an Output as argument."""
    return _when_known(partial(get_share_members, connection=connection), backup_id=backup_id)


def get_vaults(*, name: str | None = None, connection: Connection | None = None) -> list[Vault]:
    """The vaults of the project, or those with this name, sorted by name.

    Raises:
        LookupFailed: an argument is wrong, or the cloud did not answer, or refused.
    """
    with looking_up(connection, "get_vaults", name=name) as client:
        return vaults.list_vaults(client, name=name)


def get_vaults_output(
    *, name: pulumi.Input[str] | None = None, connection: Connection | None = None
) -> pulumi.Output[list[Vault]]:
    """`get_vaults` with an Output as argument."""
    return _when_known(partial(get_vaults, connection=connection), name=name)


def get_projects(account: str, *, connection: Connection | None = None) -> list[Project]:
    """The projects of an account in the region of the settings, sorted by name; empty if the service does not tell.

    Args:
        account: the account's name.
        connection: the account that asks, if it is not the default one.

    Raises:
        LookupFailed: an argument is wrong, or the cloud did not answer, or refused.
    """
    with looking_up(connection, "get_projects", account=account) as client:
        return projects.projects_of_account(client, account)


def get_projects_output(
    account: pulumi.Input[str], *, connection: Connection | None = None
) -> pulumi.Output[list[Project]]:
    """`get_projects` with an Output as argument."""
    return _when_known(partial(get_projects, connection=connection), account=account)


def _when_known(look_up: Callable[..., T], **given: Any) -> pulumi.Output[T]:
    """Run a lookup when all its arguments are known, in a thread, so that the program goes on."""
    return pulumi.Output.all(**given).apply(lambda known: asyncio.to_thread(partial(look_up, **known)))


class _StackConfig:
    """The stack's configuration, by keys such as `huaweicloud:region`; secrets are decrypted."""

    get = staticmethod(runtime.get_config)


@contextmanager
def looking_up(connection: Connection | None, function: str = "", **given: Any) -> Iterator[Client]:
    """The client for a connection; errors of this package become `LookupFailed`, and so does an Output in `given`."""
    refuse_useless(function or "look-up", connection)
    try:
        for name, value in given.items():
            if isinstance(value, pulumi.Output):
                raise Refused(f"{function}: {name} is an Output: use {function}_output")
        session = open_session(connection or Connection(), _StackConfig())
        LOOKED_UP[connection or Connection()] = session.settings.fingerprint
        yield session.client
    except CbrSharingError as error:
        raise LookupFailed(error.told) from error
