"""Options and arguments that several commands share, and the client for the account that they name.

Settings are resolved as for resources of a program, but without a stack: the options are the fields of a `Connection`,
then come the environment and files. Ids are checked before anything is sent.
"""

from __future__ import annotations

import os

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pulumi_cbr_sharing import timestamps
from pulumi_cbr_sharing.cli.output import tell
from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.ids import BACKUP, PROJECT, VAULT
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.settings.sources import FAMILIES, environment_prefix


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


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


backup_id = _id(BACKUP.trouble_with)
project_id = _id(PROJECT.trouble_with)
vault_id = _id(VAULT.trouble_with)

backup_argument = click.argument("backup_id", metavar="BACKUP", type=backup_id)
projects_argument = click.argument("project_ids", metavar="PROJECT...", type=project_id, nargs=-1, required=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
account_options = combined(
    click.option("--connection", metavar="NAME", help="Another account: the namespace of this name, else the profile."),
    click.option("--region", metavar="REGION", help="The region, such as eu-de; default: HW_REGION_NAME."),
    click.option("--project-id", metavar="ID", help="The project to work in; default: HW_PROJECT_ID, or looked up."),
    click.option("--endpoint", metavar="URL", help="The URL of CBR, without version; default: HW_CBR_ENDPOINT."),
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
        return kind(resolve(connection, config=None, environ=os.environ), notify=tell)
    except SettingsError as error:
        if not connection.profile:
            raise
        raise SettingsError(
            f"{error}; {environment_prefix(connection.profile)}HW_ACCESS_KEY is not set either"
        ) from None
