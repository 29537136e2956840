"""`cbr-sharing backups` and `cbr-sharing vaults`: what a project has, and what it has received.

The fields that `--json` prints stay when the API's classes change.
"""

from __future__ import annotations

import math

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.cli import options
from pulumi_cbr_sharing.cli.options import json_option, with_client
from pulumi_cbr_sharing.cli.output import print_json, print_records, print_table


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client


BACKUP_COLUMNS = {
    "BACKUP": "id",
    "NAME": "name",
    "STATUS": "status",
    "OF": "resource_name",
    "GB": "size",
    "CREATED": "created_at",
    "EXPIRES": "expired_at",
    "VAULT": "vault_id",
}
VAULT_COLUMNS = {
    "VAULT": "id",
    "NAME": "name",
    "STATUS": "status",
    "FOR": "object_type",
    "GB": "size",
    "GB FREE": "free",
    "CREATED": "created_at",
}


@click.command
@click.option("--vault", "vault_id", metavar="ID", type=options.vault_id, help="Only backups in this vault.")
@click.option("--resource", "resource_id", metavar="ID", help="Only backups of this server or disk.")
@click.option("--name", help="Only those with exactly this name.")
@click.option("--status", help="Only backups with this status, such as available.")
@click.option(
    "--received", is_flag=True, help="Backups that were received by sharing and accepted, instead of own ones."
)
@json_option
@with_client
def backups_command(client: Client, *, received: bool, as_json: bool, **filters: Any) -> None:
    """List backups, newest first.

    With --json: id, name, status, project_id (the owner's), vault_id, resource_id, resource_name, resource_type, size
    (GB), created_at and expired_at of each.

    \b
    Examples:
      cbr-sharing backups --status available
      cbr-sharing backups --received
    """
    found = list_backups(
        client,
        **filters,
        own_type="shared" if received else "private",
        member_status="accepted" if received else None,
    )
    columns = {**BACKUP_COLUMNS, "OWNER": "project_id"} if received else BACKUP_COLUMNS
    print_records(columns, list(map(backup_record, found)), nothing="there is no such backup", as_json=as_json)


@click.command
@click.option("--name", help="Only those with exactly this name.")
@json_option
@with_client
def vaults_command(client: Client, *, name: str | None, as_json: bool) -> None:
    """List the vaults of the project, by name.

    With --json: id, name, status, project_id, object_type (server, disk or turbo), size and allocated (GB), used (MB),
    resource_ids and created_at of each.

    \b
    Example:
      cbr-sharing vaults --json | jq -r '.[] | select(.object_type == "server") | .id'
    """
    found = list_vaults(client, name=name)
    if as_json:
        print_json(list(map(vault_record, found)))
    else:
        rows = [{**vault_record(vault), "free": math.floor(vault.free)} for vault in found]
        print_table(VAULT_COLUMNS, rows, nothing="there is no such vault")


def backup_record(backup: Backup) -> dict[str, Any]:
    """A backup, own or received; its size is in GB."""
    return {
        "id": backup.id,
        "name": backup.name,
        "status": backup.status,
        "project_id": backup.project_id,
        "vault_id": backup.vault_id or None,
        "resource_id": backup.resource_id,
        "resource_name": backup.resource_name,
        "resource_type": backup.resource_type,
        "size": backup.resource_size,
        "created_at": backup.created_at or None,
        "expired_at": backup.expired_at or None,
    }


def vault_record(vault: Vault) -> dict[str, Any]:
    """A vault; size and allocated are in GB, used is in MB, as in the API."""
    return {
        "id": vault.id,
        "name": vault.name,
        "status": vault.status,
        "project_id": vault.project_id,
        "object_type": vault.object_type,
        "size": vault.size,
        "allocated": vault.allocated,
        "used": vault.used,
        "resource_ids": list(vault.resource_ids),
        "created_at": vault.created_at or None,
    }
