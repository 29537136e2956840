"""`cbr-sharing audit`: who can see our backups, and did anybody declare it?"""

from __future__ import annotations

import sys

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pulumi_cbr_sharing.audit.baseline import read_baseline
from pulumi_cbr_sharing.audit.comparison import FAIL_ON
from pulumi_cbr_sharing.audit.findings import KINDS, NOT_LOOKED_AT, SEVERITIES
from pulumi_cbr_sharing.audit.judge import Limits
from pulumi_cbr_sharing.audit.report import as_json, code_hosts, document, page, text
from pulumi_cbr_sharing.cli.common import check_output, duration, write_output
from pulumi_cbr_sharing.cli.evidence import FILE, comparison_options, read_evidence


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

FORMATS = ("text", "json", "sarif", "github", "markdown", "csv", "html")
BY_NAME = {".txt": "text", ".md": "markdown", ".htm": "html"} | {f".{name}": name for name in FORMATS}
FAIL_CHOICES = (*SEVERITIES, *(kind for kind in KINDS if kind != NOT_LOOKED_AT))
MADE_BY: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
    "json": as_json,
    "csv": text.as_csv,
    "html": page.as_html,
    "markdown": code_hosts.as_markdown,
    "sarif": code_hosts.as_sarif,
    "github": code_hosts.as_commands,
}


@click.command
@comparison_options
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
@click.option("--baseline", type=FILE, help="An earlier report in JSON, to tell what is new, changed and gone.")
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
@click.option("--redact", is_flag=True, help="Shorten all ids, and leave out commands that have one.")
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
    for target in where:
        if target.file:
            check_output(target.file)
    earlier = read_baseline(baseline) if baseline else None
    limits = Limits(pending_days, expires_within, max_age)
    made = document(replace(read_evidence(**evidence), limits=limits, baseline=earlier), fail_on=fail_on, redact=redact)
    for target in where:
        write_output(_written(made, target), target.file)
    sys.exit(made["exit_code"])


class Target(NamedTuple):
    """A format of a report and its file; None is standard output."""

    format: str
    file: Path | None


def targets(formats: Sequence[str], outputs: Sequence[str]) -> list[Target]:
    """Assign formats to files.

    The extension of a file selects the format, if that was requested or none was. The other files take the remaining
    formats in order. A format without a file goes to standard output.

    Raises:
        UsageError: there are more files than formats.
    """
    left, found = list(dict.fromkeys(formats)), dict[str, str]()
    for output in outputs:
        named = BY_NAME.get(Path(output).suffix.lower(), "")
        if named in left or (named and not formats):
            found[output] = named
            left = [one for one in left if one != named]
    for output in outputs:
        if output not in found and formats and not left:
            raise click.UsageError(f"--output {output}: there is no --format left for it")
        if output not in found:
            found[output] = left.pop(0) if left else "text"
    pairs = [Target(found[output], None if output == "-" else Path(output)) for output in dict.fromkeys(outputs)]
    rest = left or ([] if pairs else ["text"])
    return [*pairs, *(Target(one, None) for one in rest)]


def _written(made: Mapping[str, Any], target: Target) -> Iterable[str]:
    if target.format == "text":
        rendered: Iterable[str] = text.as_text(made, colour=target.file is None and sys.stdout.isatty())
    else:
        rendered = MADE_BY[target.format](made)
    return [rendered] if isinstance(rendered, str) else rendered
