"""`cbr-sharing share`: share a backup with projects.

GET    /v3/{project_id}/backups/{backup_id}/members                the members, before and after
POST   /v3/{project_id}/backups/{backup_id}/members                {"members": ["<project id>", …]}
DELETE /v3/{project_id}/backups/{backup_id}/members/{member_id}    rejected shares are removed before the new offer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_cbr_sharing.cbr.members import MOST_RECIPIENTS
from pulumi_cbr_sharing.cli.account import with_client
from pulumi_cbr_sharing.cli.arguments import backup_argument, json_option, projects_argument
from pulumi_cbr_sharing.cli.output import print_json
from pulumi_cbr_sharing.cli.records import member_record
from pulumi_cbr_sharing.errors import AlreadyShared, Refused
from pulumi_cbr_sharing.sharing.live_shares import REJECTED, LiveShares


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


TRIES = 3  # somebody else may share the same backup between the list and the POST, but hardly three times
SAID = {"shared": "shared", "already": "shared already", "again": "was rejected: offered again"}


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
def command(client: Client, *, backup_id: str, project_ids: Sequence[str], wait: float, as_json: bool) -> None:
    """Share a backup with projects.

    Existing shares stay as they are; rejected ones are offered again. With --json the fields are those of
    `cbr-sharing members`, and change: shared, already or again.

    \b
    Example:
      cbr-sharing share 9ee6e4bd-5c7d-4c3a-a1f0-2f6c1d1b7a10 02e814ff2f81f01a5fb11caf75eed906
    """
    done = []
    try:
        for member, change in shared(client, backup_id, list(dict.fromkeys(project_ids)), wait):
            done.append({**member_record(backup_id, member), "change": change})
            if not as_json:
                click.echo(f"{member.dest_project_id}: {SAID[change]}, {member.status}")
    finally:  # print what was done, whatever comes after it
        if as_json:
            print_json(done)


def shared(client: Client, backup_id: str, project_ids: Sequence[str], wait: float) -> Iterator[tuple[Member, str]]:
    """Share a backup; yields each member as soon as it is shared, with what was done.

    Raises:
        Refused: a recipient is the owner, or there would be more than ten.
        CbrSharingError: the service's reasons.
    """
    if client.project_id in project_ids:
        raise Refused(f"sharing backup {backup_id}: project {client.project_id} owns it: give the recipient's")
    shares, left = LiveShares(client), list(project_ids)
    for tries in range(1, TRIES + 1):
        live = shares.look(backup_id).all()
        _room_or_raise(backup_id, live, left)
        try:
            for member, change in _changes(shares, backup_id, live, left, wait):
                left.remove(member.dest_project_id)
                yield member, change
        except AlreadyShared:
            if tries == TRIES:
                raise
        else:
            return


def _changes(
    shares: LiveShares, backup_id: str, live: Mapping[str, Member], wanted: Sequence[str], wait: float
) -> Iterator[tuple[Member, str]]:
    """New recipients first, because they may be refused before anything is removed; then those that rejected it."""
    standing = [live[one] for one in wanted if one in live and live[one].status != REJECTED]
    missing = [one for one in wanted if one not in live]
    rejected = [one for one in wanted if one in live and live[one].status == REJECTED]
    yield from ((member, "already") for member in standing)
    if missing:
        added = shares.add(backup_id, missing, wait=wait)
        yield from ((added[one], "shared") for one in missing)
    for one in rejected:
        shares.remove(backup_id, one)
        yield shares.add(backup_id, [one], wait=wait)[one], "again"


def _room_or_raise(backup_id: str, live: Mapping[str, Member], wanted: Sequence[str]) -> None:
    new = [one for one in wanted if one not in live]
    if new and len(live) + len(new) > MOST_RECIPIENTS:
        raise Refused(
            f"sharing backup {backup_id}: it has {len(live)} recipients, and {len(new)} more would exceed "
            f"the limit of {MOST_RECIPIENTS}: cancel a share first, with `cbr-sharing unshare`"
        )
