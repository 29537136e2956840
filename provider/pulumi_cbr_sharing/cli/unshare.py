"""`cbr-sharing unshare`: cancel shares of a backup."""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.cli.account import tell, with_client
from pulumi_cbr_sharing.cli.arguments import backup_argument, json_option, projects_argument, yes_option
from pulumi_cbr_sharing.cli.consent import ask
from pulumi_cbr_sharing.cli.members import COLUMNS
from pulumi_cbr_sharing.cli.output import print_json, print_table
from pulumi_cbr_sharing.cli.records import member_record
from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.sharing.live_shares import LiveShares


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client


SAID = {"cancelled": "the share is cancelled", "absent": "it is not shared with that project"}


@click.command
@backup_argument
@projects_argument
@yes_option
@json_option
@with_client
def command(
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
    shares, wanted = LiveShares(client), list(dict.fromkeys(project_ids))
    live = shares.look(backup_id).all()
    there = [live[one] for one in wanted if one in live]
    if there:
        _consent(backup_id, there, yes=yes)
    done = []
    for change in _cancelled(shares, backup_id, wanted, live):
        done.append(change)
        if not as_json:
            _say(change)
    if as_json:
        print_json(done)
    if any(change["error"] for change in done):
        sys.exit(1)


def _consent(backup_id: str, members: Sequence[Member], *, yes: bool) -> None:
    records = [member_record(backup_id, one) for one in members]
    whose = "this share" if len(members) == 1 else f"these {len(members)} shares"
    question = f"Cancel {whose} of backup {backup_id}?"
    ask(question, yes=yes, details=lambda: print_table(COLUMNS, records, nothing="", to_stderr=True))


def _cancelled(
    shares: LiveShares, backup_id: str, project_ids: Iterable[str], live: Iterable[str]
) -> Iterator[dict[str, Any]]:
    for project_id in project_ids:
        change, error = "absent", None
        if project_id in live:
            try:
                shares.remove(backup_id, project_id)
                change = "cancelled"
            except CbrSharingError as failure:
                change, error = "failed", str(failure)
        yield {"backup_id": backup_id, "dest_project_id": project_id, "change": change, "error": error}


def _say(change: dict[str, Any]) -> None:
    if change["error"]:
        tell(f"Error: {change['error']}")
    else:
        click.echo(f"{change['dest_project_id']}: {SAID[change['change']]}")
