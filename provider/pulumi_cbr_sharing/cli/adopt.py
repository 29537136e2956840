"""`cbr-sharing adopt`: the Pulumi program for existing shares."""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING, Any, TextIO

import click

from pulumi_cbr_sharing.audit.adopt import program
from pulumi_cbr_sharing.audit.audit import CLEAN, NOT_COMPLETE
from pulumi_cbr_sharing.cli.evidence import evidence_of, evidence_options
from pulumi_cbr_sharing.cli.options import connection_of
from pulumi_cbr_sharing.cli.output import tell


if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_cbr_sharing.audit.live import Live
    from pulumi_cbr_sharing.audit.share import Share


@click.command
@evidence_options
@click.option(
    "--authoritative",
    is_flag=True,
    help="Print a BackupShare for each backup: projects that are not in it will lose their share.",
)
@click.option(
    "--output", type=click.File("w", "utf-8"), default="-", help="The file to write; default: standard output."
)
def adopt_command(*, authoritative: bool, output: TextIO, **evidence: Any) -> None:
    """Print the Pulumi program that adopts existing shares, except those that a --stack or --state declares.

    `pulumi up` then adopts the shares and changes nothing in the cloud. Ends with 3 if something could not be checked.
    """
    found = evidence_of(**evidence)
    live, shares = found.live, [share for share in found.shares() if share.is_live]
    shares = _for_sets(shares, live) if authoritative else [share for share in shares if not share.declared_by]
    connections = {project: connection_of(name) for project, name in live.projects.items()}
    output.write(program(shares, connections, authoritative=authoritative))
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
