"""`cbr-sharing adopt`: the Pulumi program for existing shares."""

from __future__ import annotations

import sys

from typing import TYPE_CHECKING, Any, TextIO

import click

from pulumi_cbr_sharing.audit.adopt import LANGUAGES, adoption
from pulumi_cbr_sharing.audit.audit import CLEAN, NOT_COMPLETE
from pulumi_cbr_sharing.audit.not_checked import not_checked
from pulumi_cbr_sharing.audit.report.summary import many
from pulumi_cbr_sharing.cli.comparison import comparison_options, read_evidence
from pulumi_cbr_sharing.cli.options import connection_of
from pulumi_cbr_sharing.cli.output import tell
from pulumi_cbr_sharing.errors import SettingsError


if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_cbr_sharing.audit.adopt import Adoption, Language
    from pulumi_cbr_sharing.audit.audit import Evidence
    from pulumi_cbr_sharing.audit.findings import Share
    from pulumi_cbr_sharing.audit.live import Live


@click.command
@comparison_options
@click.option(
    "--authoritative",
    is_flag=True,
    help="Print a BackupShare for each backup: projects that are not in it will lose their share.",
)
@click.option(
    "--language",
    type=click.Choice([one for one in LANGUAGES if one != "import"]),
    help="Of the program; YAML needs the native plugin. Default: python.",
)
@click.option(
    "--import-file", is_flag=True, help="Print the file for `pulumi import --file`, with the native plugin's resources."
)
@click.option(
    "--output", type=click.File("w", "utf-8"), default="-", help="The file to write; default: standard output."
)
def adopt_command(
    *, authoritative: bool, language: Language | None, import_file: bool, output: TextIO, **evidence: Any
) -> None:
    """Print the Pulumi program that adopts existing shares, except those that a --stack or --state declares.

    `pulumi up` then adopts the shares and changes nothing in the cloud. Left out are shares that were rejected, and
    recipients that are not in the recipients file. Ends with 3 if something could not be checked.
    """
    if import_file and language:
        raise click.UsageError("--import-file is no program: leave out --language")
    found = read_evidence(**evidence)
    for source in found.sources:
        if source.trouble:  # what it declares would be declared twice
            raise SettingsError(f"reading {source.kind} {source.name}: {source.trouble}")
    live, shares = found.live, [share for share in found.shares() if share.is_live]
    shares = _for_sets(shares, live) if authoritative else [share for share in shares if not share.declared_by]
    connections = {project: connection_of(account.name) for project, account in live.accounts.items()}
    made = adoption(shares, connections, found.recipients.file, authoritative=authoritative)
    output.write(made.written("import" if import_file else language or "python"))
    _tell_what(made, found)
    sys.exit(_end(found))


def _for_sets(shares: Sequence[Share], live: Live) -> list[Share]:
    """Leave out backups that are declared already, and those whose shares are not all known."""
    taken = {share.backup.id for share in shares if share.declared_by}
    return [share for share in shares if share.backup.id not in taken and not live.backups[share.backup.id].trouble]


def _tell_what(made: Adoption, found: Evidence) -> None:
    shares = sum(len(one.shares) for one in made.resources)
    tell(f"wrote {len(made.resources)} {made.kind} for {many(shares, 'share')}; left out {len(made.left_out)}")
    for reason in made.left_out:
        tell(f"left out: {reason}")
    if found.recipients.trouble:
        tell(f"whether the recipients may receive backups was not checked: {found.recipients.trouble}")


def _end(found: Evidence) -> int:
    """Tell what could not be read. That no program is compared is how a first program begins."""
    unseen = [one.message for one in not_checked(found.sources, None, found.live) if one.subject != "programs"]
    for message in unseen:
        tell(f"not checked: {message}")
    return NOT_COMPLETE if unseen else CLEAN
