"""`cbr-sharing offers`: pending offers of other projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import json_option
from pulumi_cbr_sharing.cli.output import print_records
from pulumi_cbr_sharing.cli.records import backup_record


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client


COLUMNS = {
    "BACKUP": "id",
    "NAME": "name",
    "OF": "resource_name",
    "KIND": "resource_type",
    "GB": "size",
    "CREATED": "created_at",
    "EXPIRES": "expired_at",
    "OWNER": "project_id",
}


@click.command
@json_option
@with_client
def command(client: Client, *, as_json: bool) -> None:
    """List the backups that other projects offer to this one.

    Answer with `cbr-sharing accept` or `cbr-sharing reject`. With --json the fields are those of `cbr-sharing backups`.

    \b
    Example:
      cbr-sharing offers --connection dr
    """
    found = list_backups(client, own_type="shared", member_status="pending")
    print_records(COLUMNS, list(map(backup_record, found)), nothing="there are no offers", as_json=as_json)
