"""`cbr-sharing vaults`: the vaults of a project."""

from __future__ import annotations

import math

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import json_option
from pulumi_cbr_sharing.cli.output import print_json, print_table
from pulumi_cbr_sharing.cli.records import vault_record


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client


COLUMNS = {
    "VAULT": "id",
    "NAME": "name",
    "STATUS": "status",
    "FOR": "object_type",
    "GB": "size",
    "GB FREE": "free",
    "CREATED": "created_at",
}


@click.command
@click.option("--name", help="Only those with exactly this name.")
@json_option
@with_client
def command(client: Client, *, name: str | None, as_json: bool) -> None:
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
        print_table(COLUMNS, rows, nothing="there is no such vault")
