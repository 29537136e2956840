"""Prints results to standard output: tables for people, JSON for scripts. All else goes to standard error.

Tables are never cut to the width of the terminal, because a shortened id is useless. Names are foreign texts:
control characters in them are removed.
"""

from __future__ import annotations

import json
import re
import sys

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


UNCUT = 10_000  # columns; tables are as wide as their contents
_FRACTION = re.compile(r"\.\d+(?=Z$)")  # of a second
COLOURS = {
    "accepted": "green",
    "available": "green",
    "pending": "yellow",
    "protecting": "yellow",
    "rejected": "red",
    "error": "red",
}
FORMATS = ("text", "json", "sarif", "github", "markdown", "csv", "html")
BY_NAME = {".txt": "text", ".md": "markdown", ".htm": "html"} | {f".{name}": name for name in FORMATS}


def tell(text: str) -> None:
    """Print a line to standard error."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print a value as JSON in ASCII, which every terminal and pipe can handle."""
    click.echo(json.dumps(value, indent=2))


def print_records(
    columns: Mapping[str, str], records: Sequence[Mapping[str, Any]], *, nothing: str, as_json: bool
) -> None:
    """Print records as JSON or as a table; see `print_table`."""
    if as_json:
        print_json(records)
    else:
        print_table(columns, records, nothing=nothing)


def print_table(
    columns: Mapping[str, str], records: Sequence[Mapping[str, Any]], *, nothing: str = "", to_stderr: bool = False
) -> None:
    """Print records as a table.

    Args:
        columns: fields by heading.
        records: the lines.
        nothing: printed to standard error if there are no records.
        to_stderr: print to standard error, as part of a question.
    """
    if not records:
        tell(nothing)
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for record in records:
        table.add_row(*(_cell(field, record[field]) for field in columns.values()))
    # Only with a height, too, does rich use the width on a terminal that is called dumb.
    Console(stderr=to_stderr, width=UNCUT, height=UNCUT, highlight=False).print(table)


def _cell(field: str, value: Any) -> Text:
    text = "" if value is None else one_line(value)
    if field.endswith("_at"):
        text = _FRACTION.sub("", text)
    return Text(text, style=COLOURS.get(text, ""), no_wrap=True)


def confirm(question: str, *, yes: bool, details: Callable[[], None] = lambda: None) -> None:
    """Ask the user to confirm; return if they do.

    Args:
        question: what is about to be done.
        yes: whether it was confirmed by `--yes`.
        details: prints what is affected; called before the question.

    Raises:
        ClickException: the user does not confirm, or there is no terminal; nothing was changed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(f"{question} There is no terminal to confirm this: use --yes; nothing was changed")
    details()
    if not click.confirm(question, err=True):
        raise click.ClickException("nothing was changed")


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
