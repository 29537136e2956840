"""`cbr-sharing audit`: who can see our backups, and did anybody declare it?"""

from __future__ import annotations

import os
import sys

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.audit.audit import FAIL_ON, audit
from pulumi_cbr_sharing.audit.baseline import read_baseline
from pulumi_cbr_sharing.audit.declared import Declared
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, SEVERITIES
from pulumi_cbr_sharing.audit.live import PARALLEL, Account, Scope, look
from pulumi_cbr_sharing.audit.read_only import ReadOnlyClient
from pulumi_cbr_sharing.audit.report.document import document
from pulumi_cbr_sharing.audit.rules import Limits
from pulumi_cbr_sharing.audit.share import Evidence
from pulumi_cbr_sharing.cli.account import connection_of, tell
from pulumi_cbr_sharing.cli.audit_report import write
from pulumi_cbr_sharing.cli.declarations import declarations_of
from pulumi_cbr_sharing.cli.durations import duration
from pulumi_cbr_sharing.cli.outputs import FORMATS, targets
from pulumi_cbr_sharing.ids import trouble_with_backup_id, trouble_with_vault_id
from pulumi_cbr_sharing.recipients_file import DEFAULT_NAME, RecipientsFile, read_recipients_file
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE
from pulumi_cbr_sharing.settings.resolve import resolve


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta


FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
DEFAULT_NAMES = ("", DEFAULT_NAMESPACE)
FAIL_CHOICES = (*SEVERITIES, *(kind for kind in KINDS if kind != NOT_LOOKED_AT))


def _all(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Combine options into one decorator; the help shows them in this order."""

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


STATE_OPTIONS = _all(
    click.option("--stack", "stacks", multiple=True, metavar="NAME", help="A stack that declares shares."),
    click.option("--cwd", "folder", type=FOLDER, default=".", help="The folder of the Pulumi program."),
    click.option(
        "--state", "states", type=FILE, multiple=True, help="A stack export or checkpoint, or a Terraform state."
    ),
)
ACCOUNT_OPTIONS = _all(
    click.option("--connection", "connections", multiple=True, metavar="NAME", help="A namespace or profile to audit."),
    click.option("--vault", "vaults", multiple=True, metavar="ID", help="Only backups in this vault."),
    click.option("--backup", "backups", multiple=True, metavar="ID", help="Only this backup."),
    click.option("--recipients", type=FILE, help=f"Recipients and exceptions; else {DEFAULT_NAME}, if it is there."),
)
LIMIT_OPTIONS = _all(
    click.option(
        "--pending-days",
        type=duration,
        default="7",
        metavar="DAYS",
        help="How long a recipient may take to answer; default: 7.",
    ),
    click.option(
        "--expires-within", type=duration, metavar="DAYS", help="Report shared backups that expire within this time."
    ),
    click.option("--max-age", type=duration, metavar="DAYS", help="Of the newest backup that a recipient has."),
)
REPORT_OPTIONS = _all(
    click.option("--incoming", is_flag=True, help="Include what other projects share with the accounts."),
    click.option("--baseline", type=FILE, help="An earlier report in JSON, to tell what is new and what is gone."),
    click.option("--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Default: text."),
    click.option(
        "--output", "outputs", multiple=True, metavar="FILE", help="The file for a format; default: standard output."
    ),
    click.option(
        "--fail-on",
        multiple=True,
        default=FAIL_ON,
        metavar="KIND|SEVERITY",
        help="End with 2 on these kinds, or on this severity and higher; `none`: never. Default: low.",
    ),
    click.option("--parallel", type=click.IntRange(1, 64), default=PARALLEL, help="Requests in flight; default: 8."),
    click.option("--redact", is_flag=True, help="Shorten all ids."),
)


@click.command
@STATE_OPTIONS
@ACCOUNT_OPTIONS
@LIMIT_OPTIONS
@REPORT_OPTIONS
def command(**options: Any) -> None:
    """Compare declared shares with live ones; nothing is changed.

    Ends with 0 if there is nothing to report, with 2 on findings of --fail-on, with 3 if there are none of these but
    something could not be checked, and with 1 on wrong usage or failure.
    """
    fail_on = _fail_on(options["fail_on"])
    where = targets(options["formats"], options["outputs"])
    file = recipients_file(options["recipients"], options["folder"])
    baseline = read_baseline(options["baseline"]) if options["baseline"] else None
    declared = Declared(declarations_of(options["stacks"], options["states"], options["folder"]))
    with accounts_of(options["connections"]) as accounts, _progress() as progress:
        live = look(
            accounts,
            scope_of(options["vaults"], options["backups"]),
            incoming=options["incoming"],
            parallel=options["parallel"],
            progress=progress,
        )
    report = audit(Evidence(live, declared, file), _limits(options), baseline)
    write(report, document(report, redact=options["redact"]), where)
    sys.exit(report.exit_code(fail_on))


def _fail_on(words: Sequence[str]) -> list[str]:
    """Split the values of --fail-on, which may be separated by commas."""
    chosen = [word.strip() for given in words for word in given.split(",")]
    for word in chosen:
        if word not in FAIL_CHOICES:
            raise click.UsageError(f"--fail-on {word}: choose from {', '.join(FAIL_CHOICES)}")
    return chosen


def recipients_file(named: Path | None, folder: Path) -> RecipientsFile:
    """Read the named file, else the one in the working directory, else use an empty one."""
    path = named or folder / DEFAULT_NAME
    return read_recipients_file(path) if named or path.exists() else RecipientsFile(str(path))


def scope_of(vaults: Sequence[str], backups: Sequence[str]) -> Scope:
    """The scope of the audit.

    Raises:
        UsageError: an id is not valid.
    """
    for name, ids, trouble_with in (
        ("--vault", vaults, trouble_with_vault_id),
        ("--backup", backups, trouble_with_backup_id),
    ):
        for trouble in filter(None, map(trouble_with, ids)):
            raise click.UsageError(f"{name} {trouble}")
    return Scope(frozenset(vaults), frozenset(backups))


@contextmanager
def accounts_of(names: Sequence[str]) -> Iterator[list[Account]]:
    """The accounts of the named connections; the default one if none is named."""
    with ExitStack() as ends:
        accounts = []
        for name in dict.fromkeys(names or ("",)):
            settings = resolve(connection_of(None if name in DEFAULT_NAMES else name), config={}, environ=os.environ)
            client = ReadOnlyClient(settings, notify=tell)
            ends.callback(client.close)
            accounts.append(Account(name, client))
        yield accounts


def _limits(options: dict[str, Any]) -> Limits:
    pending: timedelta | None = options["pending_days"]
    return Limits(pending=pending, expires_within=options["expires_within"], max_age=options["max_age"])


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 - not needed in a pipeline
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading backups", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
