"""`cbr-sharing adopt`: the Pulumi program for existing shares."""

from __future__ import annotations

import sys

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.audit.adopt import program
from pulumi_cbr_sharing.audit.audit import CLEAN, NOT_COMPLETE
from pulumi_cbr_sharing.audit.declared import Declared
from pulumi_cbr_sharing.audit.live import PARALLEL, look
from pulumi_cbr_sharing.audit.share import Evidence
from pulumi_cbr_sharing.cli.account import connection_of, tell
from pulumi_cbr_sharing.cli.audit import (
    ACCOUNT_OPTIONS,
    DEFAULT_NAMES,
    STATE_OPTIONS,
    accounts_of,
    recipients_file,
    scope_of,
)
from pulumi_cbr_sharing.cli.declarations import declarations_of


if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.audit.share import Share


@click.command
@STATE_OPTIONS
@ACCOUNT_OPTIONS
@click.option(
    "--authoritative",
    is_flag=True,
    help="Print a BackupShare for each backup: projects that are not in it will lose their share.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file to write; default: standard output."
)
def command(authoritative: bool, output: Path | None, **options: Any) -> None:  # noqa: FBT001
    """Print the Pulumi program that adopts existing shares, except those that a --stack or --state declares.

    `pulumi up` then adopts the shares and changes nothing in the cloud. Ends with 3 if something could not be checked.
    """
    declared = Declared(declarations_of(options["stacks"], options["states"], options["folder"]))
    file = recipients_file(options["recipients"], options["folder"])
    with accounts_of(options["connections"]) as accounts:
        live = look(accounts, scope_of(options["vaults"], options["backups"]), parallel=PARALLEL)
    found = [share for share in Evidence(live, declared, file).shares() if share.is_live]
    shares = _for_sets(found, live) if authoritative else [share for share in found if not share.declared_by]
    connections = {id_: connection_of(name) for id_, name in live.projects.items() if name not in DEFAULT_NAMES}
    text = program(shares, connections, authoritative=authoritative)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    sys.exit(_end(live))


def _for_sets(shares: Sequence[Share], live: Live) -> list[Share]:
    """Leave out backups that are declared already, and those whose shares are not all known."""
    taken = {share.backup.id for share in shares if share.declared_by}
    return [share for share in shares if share.backup.id not in taken and not live.backups[share.backup.id].trouble]


def _end(live: Live) -> int:
    troubles = [unseen.cause for unseen in live.unseen]
    troubles += [f"backup {seen.backup.id}: {seen.trouble}" for seen in live.backups.values() if seen.trouble]
    for trouble in troubles:
        tell(f"not looked at: {trouble}")
    return NOT_COMPLETE if troubles else CLEAN
