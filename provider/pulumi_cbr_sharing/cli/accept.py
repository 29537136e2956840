"""`cbr-sharing accept`: accept an offer into a vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.members import answer_membership
from pulumi_cbr_sharing.cli import arguments
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import backup_argument, json_option
from pulumi_cbr_sharing.cli.output import print_json
from pulumi_cbr_sharing.cli.received import accepted
from pulumi_cbr_sharing.errors import ApiError, CbrSharingError, NotFound, Refused, UnexpectedAnswer


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.http.client import Client


@click.command
@backup_argument
@click.option(
    "--vault",
    "vault_id",
    metavar="ID",
    type=arguments.vault_id,
    required=True,
    help="The vault to accept it into; its type and free capacity must fit. See `cbr-sharing vaults`.",
)
@json_option
@with_client
def command(client: Client, *, backup_id: str, vault_id: str, as_json: bool) -> None:
    """Accept the offer of a backup into a vault.

    Does nothing if it is already accepted into this vault. With --json: backup_id, vault_id, status, change
    (accepted or already), owner_project_id, recipient_project_id, backup_name and resource_type.

    \b
    Example:
      cbr-sharing accept 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 --vault 3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f
    """
    seen = accepted(client, backup_id, "accepting")
    change = "already" if seen else "accepted"
    seen = seen or _accept(client, backup_id, vault_id)
    if seen.vault_id != vault_id:
        raise Refused(
            f"accepting the share of backup {backup_id} into vault {vault_id}: it is already in vault {seen.vault_id}: "
            "give that vault, or give the share back first with `cbr-sharing reject`"
        )
    if as_json:
        print_json(_record(client, seen, change))
    else:
        said = "accepted" if change == "accepted" else "accepted already,"
        click.echo(f"{backup_id}: {said} into vault {vault_id}")


def _accept(client: Client, backup_id: str, vault_id: str) -> Backup:
    refusal: CbrSharingError = UnexpectedAnswer(
        f"accepting the share of backup {backup_id} into vault {vault_id}: the service reports success, but the backup "
        "is not in a vault: run it again"
    )
    try:
        answer_membership(client, backup_id, "accepted", vault_id)
    except NotFound as error:
        remedy = f"ask its owner to share it with project {client.project_id}; `cbr-sharing offers` lists all offers"
        raise error.again(remedy=remedy) from None
    except ApiError as error:
        # If the reply to the first request was lost, the retry may be refused, because it has been accepted.
        refusal = error
    if (seen := accepted(client, backup_id, "accepting")) is None:
        raise refusal
    return seen


def _record(client: Client, seen: Backup, change: str) -> dict[str, str]:
    return {
        "backup_id": seen.id,
        "vault_id": seen.vault_id,
        "status": "accepted",
        "change": change,
        "owner_project_id": seen.project_id,
        "recipient_project_id": client.project_id,
        "backup_name": seen.name,
        "resource_type": seen.resource_type,
    }
