"""`cbr-sharing backups`: the backups of a project, and those that it has received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cli import arguments
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import json_option
from pulumi_cbr_sharing.cli.output import print_records
from pulumi_cbr_sharing.cli.records import backup_record


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client


COLUMNS = {
    "BACKUP": "id",
    "NAME": "name",
    "STATUS": "status",
    "OF": "resource_name",
    "GB": "size",
    "CREATED": "created_at",
    "EXPIRES": "expired_at",
    "VAULT": "vault_id",
}


@click.command
@click.option("--vault", "vault_id", metavar="ID", type=arguments.vault_id, help="Only backups in this vault.")
@click.option("--resource", "resource_id", metavar="ID", help="Only backups of this server or disk.")
@click.option("--name", help="Only those with exactly this name.")
@click.option("--status", help="Only backups with this status, such as available.")
@click.option(
    "--received", is_flag=True, help="Backups that were received by sharing and accepted, instead of own ones."
)
@json_option
@with_client
def command(client: Client, *, received: bool, as_json: bool, **filters: Any) -> None:
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
    columns = {**COLUMNS, "OWNER": "project_id"} if received else COLUMNS
    print_records(columns, list(map(backup_record, found)), nothing="there is no such backup", as_json=as_json)
