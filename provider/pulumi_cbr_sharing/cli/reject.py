"""`cbr-sharing reject`: reject an offer, or give an accepted share back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.members import answer_membership
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import backup_argument, json_option, yes_option
from pulumi_cbr_sharing.cli.consent import ask
from pulumi_cbr_sharing.cli.output import print_json
from pulumi_cbr_sharing.cli.received import accepted
from pulumi_cbr_sharing.errors import NotFound, one_line


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client


SAID = {
    "rejected": "the offer is rejected",
    "returned": "the share is given back",
    "absent": "it is not shared with us",
}


@click.command
@backup_argument
@yes_option
@json_option
@with_client
def command(client: Client, *, backup_id: str, yes: bool, as_json: bool) -> None:
    """Reject the offer of a backup, or give back one that was accepted.

    The project can no longer restore from it, until its owner shares it again. With --json: backup_id,
    recipient_project_id and change (rejected, returned or absent).

    \b
    Example:
      cbr-sharing reject 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 --connection dr --yes
    """
    seen = accepted(client, backup_id, "giving back")
    ask(_question(backup_id, seen), yes=yes)
    change = "returned" if seen else "rejected"
    try:
        answer_membership(client, backup_id, "rejected")
    except NotFound:  # never offered, or cancelled by its owner
        change = "absent"
    if as_json:
        print_json({"backup_id": backup_id, "recipient_project_id": client.project_id, "change": change})
    else:
        click.echo(f"{backup_id}: {SAID[change]}")


def _question(backup_id: str, seen: Backup | None) -> str:
    if seen:
        return f"Give back backup {backup_id} ({one_line(seen.name, 60)}), which is in vault {seen.vault_id}?"
    return f"Reject the offer of backup {backup_id}?"
