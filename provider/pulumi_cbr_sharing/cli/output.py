"""Prints results to standard output: tables for people, JSON for scripts. All else goes to standard error.

Tables are never cut to the width of the terminal, because a shortened id is useless. Names are foreign texts:
control characters in them are removed.
"""

from __future__ import annotations

import json
import re

from typing import TYPE_CHECKING, Any

import click

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pulumi_cbr_sharing.errors import one_line


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


UNCUT = 10_000  # columns; tables are as wide as their contents
_FRACTION = re.compile(r"\.\d+(?=Z$)")  # of a second
COLOURS = {
    "accepted": "green",
    "available": "green",
    "yes": "green",
    "pending": "yellow",
    "protecting": "yellow",
    "rejected": "red",
    "refused": "red",
    "error": "red",
}


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
    columns: Mapping[str, str], records: Sequence[Mapping[str, Any]], *, nothing: str, to_stderr: bool = False
) -> None:
    """Print records as a table.

    Args:
        columns: fields by heading.
        records: the lines.
        nothing: printed to standard error if there are no records.
        to_stderr: print to standard error, as part of a question.
    """
    if not records:
        click.echo(nothing, err=True)
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for record in records:
        table.add_row(*(_cell(field, record[field]) for field in columns.values()))
    Console(stderr=to_stderr, width=UNCUT, highlight=False).print(table)


def _cell(field: str, value: Any) -> Text:
    text = "" if value is None else one_line(value)
    if field.endswith("_at"):
        text = _FRACTION.sub("", text)
    return Text(text, style=COLOURS.get(text, ""), no_wrap=True)
