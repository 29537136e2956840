"""`cbr-sharing members`, `share` and `unshare`: the recipients of a backup.

GET    /v3/{project_id}/backups/{backup_id}/members                the members, before and after
POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<project id>", …]}
DELETE /v3/{project_id}/backups/{backup_id}/members/{member_id}    cancels a share; rejected ones before a new offer
"""

from __future__ import annotations

import sys

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cli import in_options
from pulumi_cbr_sharing.cli.common import (
    backup_argument,
    confirm,
    json_option,
    print_json,
    print_records,
    print_table,
    projects_argument,
    tell,
    with_client,
    yes_option,
)
from pulumi_cbr_sharing.errors import Refused, TooManyRecipients
from pulumi_cbr_sharing.sharing.shares import Shares


if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


COLUMNS = {
    "PROJECT": "dest_project_id",
    "STATUS": "status",
    "SHARED": "created_at",
    "ANSWERED": "updated_at",
    "VAULT": "vault_id",
    "IMAGE": "image_id",
}
_NO_ROOM = "cancel a share first, with `cbr-sharing unshare`"
SAID = {
    "shared": "shared",
    "already": "shared already",
    "again": "was rejected: offered again",
    "cancelled": "the share is cancelled",
    "absent": "it is not shared with that project",
}


@click.command
@backup_argument
@json_option
@with_client
def members_command(client: Client, *, backup_id: str, as_json: bool) -> None:
    """List whom a backup is shared with.

    With --json: backup_id, dest_project_id, status (pending, accepted or rejected), share_id, vault_id (the
    recipient's, once accepted), image_id (registered by the recipient), created_at and updated_at of each recipient.

    \b
    Example:
      cbr-sharing members 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10
    """
    found = Shares(client).look(backup_id).all()
    records = [member_record(backup_id, found[project]) for project in sorted(found)]
    print_records(COLUMNS, records, nothing="it is shared with nobody", as_json=as_json)


def member_record(backup_id: str, member: Member) -> dict[str, Any]:
    """A share; the names are those of BackupShareMember's outputs."""
    return {
        "backup_id": backup_id,
        "dest_project_id": member.dest_project_id,
        "status": member.status,
        "share_id": member.id,
        "vault_id": member.vault_id,
        "image_id": member.image_id,
        "created_at": member.created_at,
        "updated_at": member.updated_at,
    }


@click.command
@backup_argument
@projects_argument
@click.option(
    "--wait",
    type=click.FloatRange(0, 86400),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a backup that is still being made.",
)
@json_option
@with_client
def share_command(client: Client, *, backup_id: str, project_ids: Sequence[str], wait: float, as_json: bool) -> None:
    """Share a backup with projects.

    Existing shares stay as they are; rejected ones are offered again. With --json the fields are those of
    `cbr-sharing members`, and change: shared, already or again.

    \b
    Example:
      cbr-sharing share 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 02e814ff2f81f01a5fb11caf75eed906
    """
    if client.project_id in project_ids:
        raise Refused(f"sharing backup {backup_id}: project {client.project_id} owns it: give the recipient's")
    done = Shares(client).settle(backup_id, list(dict.fromkeys(project_ids)), wait=wait)
    if as_json:
        print_json(
            [{**member_record(backup_id, done.members[one]), "change": change} for one, change in done.changes.items()]
        )
    else:
        for one, change in done.changes.items():
            click.echo(f"{one}: {SAID[change]}, {done.members[one].status}")
    for error in done.errors[1:]:
        tell(f"Error: {in_options(error.told)}")
    for error in done.errors:
        raise replace(error, remedy=_NO_ROOM) if isinstance(error, TooManyRecipients) else error


@click.command
@backup_argument
@projects_argument
@yes_option
@json_option
@with_client
def unshare_command(
    client: Client,
    *,
    backup_id: str,
    project_ids: Sequence[str],
    yes: bool,
    as_json: bool,
) -> None:
    """Cancel the shares of a backup with projects. Shares with others are not changed.

    With --json: backup_id, dest_project_id, change (cancelled, absent or failed) and error of each. One that fails does
    not keep the others from being cancelled.

    \b
    Example:
      cbr-sharing unshare 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 02e814ff2f81f01a5fb11caf75eed906 --yes
    """
    shares, wanted = Shares(client), list(dict.fromkeys(project_ids))
    live = shares.look(backup_id).all()
    there = {one: live[one] for one in wanted if one in live}
    if there:
        _consent(backup_id, there.values(), yes=yes)
    errors = shares.remove_all(backup_id, there)
    changes = {one: "failed" if one in errors else "cancelled" if one in there else "absent" for one in wanted}
    told = {project: in_options(error.told) for project, error in errors.items()}
    done = [
        {"backup_id": backup_id, "dest_project_id": one, "change": changes[one], "error": told.get(one)}
        for one in wanted
    ]
    if as_json:
        print_json(done)
    else:
        for change in done:
            _say(change)
    if errors:
        sys.exit(1)


def _consent(backup_id: str, members: Collection[Member], *, yes: bool) -> None:
    records = [member_record(backup_id, one) for one in members]
    whose = "this share" if len(members) == 1 else f"these {len(members)} shares"
    question = f"Cancel {whose} of backup {backup_id}?"
    confirm(question, yes=yes, details=lambda: print_table(COLUMNS, records, to_stderr=True))


def _say(change: dict[str, str | None]) -> None:
    if change["error"]:
        tell(f"Error: {change['error']}")
    else:
        click.echo(f"{change['dest_project_id']}: {SAID[str(change['change'])]}")
