"""`cbr-sharing audit`: who can see our backups, and did anybody declare it?"""

from __future__ import annotations

import sys

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rich.console import Console
from rich.progress import Progress

from pulumi_cbr_sharing.audit.audit import FAIL_ON, audit
from pulumi_cbr_sharing.audit.baseline import read_baseline
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, SEVERITIES
from pulumi_cbr_sharing.audit.live import PARALLEL
from pulumi_cbr_sharing.audit.report.document import document
from pulumi_cbr_sharing.audit.rules import Limits
from pulumi_cbr_sharing.cli.audit_report import write
from pulumi_cbr_sharing.cli.evidence import FILE, evidence_of, evidence_options
from pulumi_cbr_sharing.cli.options import duration
from pulumi_cbr_sharing.cli.output import FORMATS, targets


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path


FAIL_CHOICES = (*SEVERITIES, *(kind for kind in KINDS if kind != NOT_LOOKED_AT))


@click.command
@evidence_options
@click.option(
    "--pending-days",
    type=duration,
    default="7",
    metavar="DAYS",
    help="How long a recipient may take to answer; default: 7.",
)
@click.option(
    "--expires-within", type=duration, metavar="DAYS", help="Report shared backups that expire within this time."
)
@click.option("--max-age", type=duration, metavar="DAYS", help="Of the newest backup that a recipient has.")
@click.option("--incoming", is_flag=True, help="Include what other projects share with the accounts.")
@click.option("--baseline", type=FILE, help="An earlier report in JSON, to tell what is new and what is gone.")
@click.option("--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Default: text.")
@click.option(
    "--output", "outputs", multiple=True, metavar="FILE", help="The file for a format; default: standard output."
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_CHOICES),
    multiple=True,
    default=FAIL_ON,
    metavar="KIND|SEVERITY",
    help="End with 2 on these kinds, or on this severity and higher; `none`: never. Default: low.",
)
@click.option("--parallel", type=click.IntRange(1, 64), default=PARALLEL, help="Requests in flight; default: 8.")
@click.option("--redact", is_flag=True, help="Shorten all ids.")
def audit_command(
    *,
    pending_days: timedelta,
    expires_within: timedelta | None,
    max_age: timedelta | None,
    baseline: Path | None,
    formats: Sequence[str],
    outputs: Sequence[str],
    fail_on: Sequence[str],
    redact: bool,
    **evidence: Any,
) -> None:
    """Compare declared shares with live ones; nothing is changed.

    Ends with 0 if there is nothing to report, with 2 on findings of --fail-on, with 3 if there are none of these but
    something could not be checked, and with 1 on wrong usage or failure.
    """
    where = targets(formats, outputs)
    earlier = read_baseline(baseline) if baseline else None
    with _progress() as progress:
        found = evidence_of(**evidence, progress=progress)
    report = audit(found, Limits(pending_days, expires_within, max_age), earlier)
    write(report, document(report, redact=redact), where)
    sys.exit(report.exit_code(fail_on))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, if that is a terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading backups", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
