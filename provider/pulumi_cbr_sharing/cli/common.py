"""What commands share: options and arguments, the client of the account that they name, and printing.

Settings are resolved as for resources of a program, but without a stack: the options are the fields of a `Connection`,
then come the environment and files. Ids are checked before anything is sent. Results go to standard output, as tables
for people or JSON for scripts, all else to standard error. Tables are never cut to the width of the terminal, because
a shortened id is useless. Names are foreign texts: control characters in them are removed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from pulumi_cbr_sharing import timestamps
from pulumi_cbr_sharing.cbr.api import NEWS_EVERY
from pulumi_cbr_sharing.cli import in_options
from pulumi_cbr_sharing.errors import SettingsError, one_line
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.settings.sources import FAMILIES, environment_prefix


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta


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
C = TypeVar("C", bound=Client)


def combined(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One decorator for several options; the help shows them in this order."""

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def _id(trouble_with: Callable[[str], str | None]) -> Callable[[str], str]:
    """The type of an id; another shape is wrong usage."""

    def checked(value: str) -> str:
        if trouble := trouble_with(value):
            raise click.BadParameter(f"it {trouble}")
        return value

    return checked


def text(value: str) -> str:
    """The type of a name; an empty one is a variable that is not set, and would mean something else."""
    if not value.strip():
        raise click.BadParameter("it is empty: is a variable not set?")
    return value


backup_id = _id(BACKUP.trouble_with)
project_id = _id(PROJECT.trouble_with)
vault_id = _id(VAULT.trouble_with)

backup_argument = click.argument("backup_id", metavar="BACKUP", type=backup_id)
projects_argument = click.argument("project_ids", metavar="PROJECT...", type=project_id, nargs=-1, required=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
account_options = combined(
    click.option(
        "--connection", type=text, metavar="NAME", help="Another account: the namespace of this name, else the profile."
    ),
    click.option("--region", type=text, metavar="REGION", help="The region, such as eu-de; default: HW_REGION_NAME."),
    click.option(
        "--project-id", type=text, metavar="ID", help="The project to work in; default: HW_PROJECT_ID, or looked up."
    ),
    click.option(
        "--endpoint", type=text, metavar="URL", help="The URL of CBR, without version; default: HW_CBR_ENDPOINT."
    ),
)


def duration(text: str) -> timedelta:
    """The type of a duration: `7` and `7d` are days, `12h` hours, `2w` weeks."""
    found = timestamps.duration(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a duration such as 7, 7d, 12h or 2w")
    return found


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for an account to a command, and pass it the client as the first argument."""

    @wraps(command)
    def with_options(
        *, connection: str | None, region: str | None, project_id: str | None, endpoint: str | None, **others: Any
    ) -> None:
        named = connection_of(connection or "")
        account = replace(named, region=region, project_id=project_id, endpoint=endpoint)
        command(client_of(account, Client), **others)

    decorated: Callable[..., None] = account_options(with_options)
    return decorated


def connection_of(name: str) -> Connection:
    """The Connection for a name: a namespace if the environment has settings for it, else a profile."""
    if name in ("", DEFAULT_NAMESPACE):
        return Connection()
    beginnings = tuple(environment_prefix(name) + family for family in FAMILIES)
    has_settings = any(variable.startswith(beginnings) for variable in os.environ)
    return Connection(namespace=name) if has_settings else Connection(profile=name)


def client_of(connection: Connection, kind: type[C]) -> C:
    """The client for a command; progress is printed to standard error.

    Raises:
        SettingsError: settings are missing or not valid.
    """
    try:
        return kind(resolve(connection, config=None, environ=os.environ), notify=lambda text: tell(in_options(text)))
    except SettingsError as error:
        if not connection.profile:
            raise
        raise SettingsError(
            f"{error}; {environment_prefix(connection.profile)}HW_ACCESS_KEY is not set either"
        ) from None


def tell(text: str) -> None:
    """Print a line to standard error."""
    click.echo(text, err=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Tell how far a reading is, on standard error: by a bar on a terminal, else by a line every ten seconds."""
    if sys.stderr.isatty():
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _lines(what)


def _lines(what: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= NEWS_EVERY:
            last = time.monotonic()
            tell(f"{what}: {done} of {total}")

    return told


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


def check_output(file: Path) -> None:
    """Whether a file can be written, before the work; it is neither made nor emptied by this.

    Raises:
        SettingsError: it cannot.
    """
    is_new = not file.exists()
    try:
        file.open("ab").close()
        if is_new:
            file.unlink()
    except OSError as error:
        raise SettingsError(f"writing {file}: {one_line(error)}") from None


def _output(value: str) -> Path | None:
    if value == "-":
        return None
    check_output(Path(value))
    return Path(value)


output_option = click.option("--output", type=_output, metavar="FILE", help="To write to; default: standard output.")


def write_output(pieces: Iterable[str], file: Path | None) -> None:
    """Write a result to a file; None is standard output.

    Raises:
        SettingsError: the file cannot be written.
    """
    if file is None:
        sys.stdout.writelines(pieces)
        return
    try:
        with file.open("w", encoding="utf-8") as output:
            output.writelines(pieces)
    except OSError as error:
        raise SettingsError(f"writing {file}: {one_line(error)}") from None
