"""`cbr-sharing offers`, `accept` and `reject`: what other projects share with this one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.members import answer_membership
from pulumi_cbr_sharing.cli import common
from pulumi_cbr_sharing.cli.account import backup_record
from pulumi_cbr_sharing.cli.common import (
    backup_argument,
    confirm,
    json_option,
    print_json,
    print_records,
    progress,
    with_client,
    yes_option,
)
from pulumi_cbr_sharing.errors import BackupNotFound, MemberNotFound, NotFound, Refused, one_line
from pulumi_cbr_sharing.sharing.received import accept, see


if TYPE_CHECKING:
    from pulumi_cbr_sharing.cbr.backups import Backup
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
SAID = {
    "rejected": "the offer is rejected",
    "returned": "the share is given back",
    "absent": "it is not shared with us",
}


@click.command
@json_option
@with_client
def offers_command(client: Client, *, as_json: bool) -> None:
    """List the backups that other projects offer to this one.

    Answer with `cbr-sharing accept` or `cbr-sharing reject`. With --json the fields are those of `cbr-sharing backups`.

    \b
    Example:
      cbr-sharing offers --connection dr
    """
    with progress("listing offers"):
        found = list_backups(client, own_type="shared", member_status="pending")
    print_records(COLUMNS, list(map(backup_record, found)), nothing="there are no offers", as_json=as_json)


@click.command
@backup_argument
@click.option(
    "--vault",
    "vault_id",
    metavar="ID",
    type=common.vault_id,
    required=True,
    help="The vault to accept it into; its type and free capacity must fit. See `cbr-sharing vaults`.",
)
@json_option
@with_client
def accept_command(client: Client, *, backup_id: str, vault_id: str, as_json: bool) -> None:
    """Accept the offer of a backup into a vault.

    Does nothing if it is already accepted into this vault. With --json: backup_id, vault_id, status, change
    (accepted or already), owner_project_id, recipient_project_id, backup_name and resource_type.

    \b
    Example:
      cbr-sharing accept 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 --vault 3ba8b1c2-7f8d-4f6e-9a3b-2f4b6c8d0e1f
    """
    seen = _accepted(client, backup_id, "accepting")
    change = "already" if seen else "accepted"
    seen = seen or _accept(client, backup_id, vault_id)
    if seen.vault_id != vault_id:
        raise Refused(
            f"accepting the share of backup {backup_id} into vault {vault_id}: it is already in vault {seen.vault_id}: "
            "give that vault, or give the share back first with `cbr-sharing reject`"
        )
    if as_json:
        print_json(_answer_record(client, seen, change))
    else:
        said = "accepted" if change == "accepted" else "accepted already,"
        click.echo(f"{backup_id}: {said} into vault {vault_id}")


def _accept(client: Client, backup_id: str, vault_id: str) -> Backup:
    try:
        return accept(client, backup_id, vault_id)
    except (BackupNotFound, MemberNotFound) as error:
        remedy = f"ask its owner to share it with project {client.project_id}; `cbr-sharing offers` lists all offers"
        raise replace(error, remedy=remedy) from None
    except NotFound as error:
        raise replace(error, remedy="`cbr-sharing vaults` lists the vaults of this project") from None


def _answer_record(client: Client, seen: Backup, change: str) -> dict[str, str]:
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


@click.command
@backup_argument
@yes_option
@json_option
@with_client
def reject_command(client: Client, *, backup_id: str, yes: bool, as_json: bool) -> None:
    """Reject the offer of a backup, or give back one that was accepted.

    The project can no longer restore from it, until its owner shares it again. With --json: backup_id,
    recipient_project_id and change (rejected, returned or absent).

    \b
    Example:
      cbr-sharing reject 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 --connection dr --yes
    """
    seen = _accepted(client, backup_id, "giving back")
    confirm(_question(backup_id, seen), yes=yes)
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


def _accepted(client: Client, backup_id: str, verb: str) -> Backup | None:
    """A backup that the project has accepted; None if it has not."""
    seen = see(client, backup_id, f"{verb} the share of backup {backup_id}")
    return seen if seen and seen.vault_id else None
