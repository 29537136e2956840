"""`cbr-sharing members`: whom a backup is shared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import backup_argument, json_option
from pulumi_cbr_sharing.cli.output import print_records
from pulumi_cbr_sharing.cli.records import member_record
from pulumi_cbr_sharing.sharing.live_shares import LiveShares


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client


COLUMNS = {
    "PROJECT": "dest_project_id",
    "STATUS": "status",
    "SHARED": "created_at",
    "ANSWERED": "updated_at",
    "VAULT": "vault_id",
    "IMAGE": "image_id",
}


@click.command
@backup_argument
@json_option
@with_client
def command(client: Client, *, backup_id: str, as_json: bool) -> None:
    """List whom a backup is shared with.

    With --json: backup_id, dest_project_id, status (pending, accepted or rejected), share_id, vault_id (the
    recipient's, once accepted), image_id (registered by the recipient), created_at and updated_at of each recipient.

    \b
    Example:
      cbr-sharing members 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10
    """
    found = LiveShares(client).look(backup_id).all()
    records = [member_record(backup_id, found[project]) for project in sorted(found)]
    print_records(COLUMNS, records, nothing="it is shared with nobody", as_json=as_json)
