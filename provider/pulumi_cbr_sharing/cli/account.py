"""The options for the account that a command works in, and its client.

Settings are resolved as for resources of a program, but without a stack: the options are the fields of a `Connection`,
then come the environment and files.
"""

from __future__ import annotations

import os

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pulumi_cbr_sharing.cli.arguments import combined
from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.settings.connection import DEFAULT_NAMESPACE, Connection
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.settings.sources import FAMILIES, environment_prefix


if TYPE_CHECKING:
    from collections.abc import Callable


C = TypeVar("C", bound=Client)
OPTIONS = combined(
    click.option("--connection", metavar="NAME", help="Another account: the namespace of this name, else the profile."),
    click.option("--region", metavar="REGION", help="The region, such as eu-de; default: HW_REGION_NAME."),
    click.option("--project-id", metavar="ID", help="The project to work in; default: HW_PROJECT_ID, or looked up."),
    click.option("--endpoint", metavar="URL", help="The URL of CBR, without version; default: HW_CBR_ENDPOINT."),
)


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for an account to a command, and pass it the client as the first argument."""

    @wraps(command)
    def with_options(
        *, connection: str | None, region: str | None, project_id: str | None, endpoint: str | None, **others: Any
    ) -> None:
        named = connection_of(connection or "")
        account = replace(named, region=region, project_id=project_id, endpoint=endpoint)
        command(client_of(account, Client), **others)

    decorated: Callable[..., None] = OPTIONS(with_options)
    return decorated


def connection_of(name: str) -> Connection:
    """The Connection for a name: a namespace if the environment has settings for it, else a profile."""
    if name in ("", DEFAULT_NAMESPACE):
        return Connection()
    return Connection(namespace=name) if _has_settings(name) else Connection(profile=name)


def _has_settings(namespace: str) -> bool:
    beginnings = tuple(environment_prefix(namespace) + family for family in FAMILIES)
    return any(variable.startswith(beginnings) for variable in os.environ)


def client_of(connection: Connection, kind: type[C]) -> C:
    """The client for a command; progress is printed to standard error.

    Raises:
        SettingsError: settings are missing or not valid.
    """
    try:
        return kind(resolve(connection, config={}, environ=os.environ), notify=tell)
    except SettingsError as error:
        if not connection.profile:
            raise
        raise SettingsError(
            f"{error}; {environment_prefix(connection.profile)}HW_ACCESS_KEY is not set either"
        ) from None


def tell(text: str) -> None:
    """Print a line to standard error."""
    click.echo(text, err=True)
