"""The options for the account that a command works in, and its client.

Settings are resolved as for resources of a program, but without a stack: the options are the fields of a `Connection`,
then come the environment and files.
"""

from __future__ import annotations

import os

from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from pulumi_cbr_sharing.errors import SettingsError
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.settings.connection import Connection
from pulumi_cbr_sharing.settings.resolve import INSECURE, resolve
from pulumi_cbr_sharing.settings.sources import FAMILIES, environment_prefix


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.settings.resolve import Settings


OPTIONS = (
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
        with client_of(connection_of(connection, region, project_id, endpoint)) as client:
            command(client, **others)

    decorated: Callable[..., None] = with_options
    for option in reversed(OPTIONS):
        decorated = option(decorated)
    return decorated


def connection_of(
    name: str | None, region: str | None = None, project_id: str | None = None, endpoint: str | None = None
) -> Connection:
    """The Connection for a name: a namespace if the environment has settings for it, else a profile."""
    named = Connection(namespace=name) if name is None or _has_settings(name) else Connection(profile=name)
    return replace(named, region=region, project_id=project_id, endpoint=endpoint)


def _has_settings(namespace: str) -> bool:
    beginnings = tuple(environment_prefix(namespace) + family for family in FAMILIES)
    return any(variable.startswith(beginnings) for variable in os.environ)


@contextmanager
def client_of(connection: Connection) -> Iterator[Client]:
    """The client for a command; progress is printed to standard error.

    Raises:
        SettingsError: settings are missing or not valid.
    """
    settings = _settings_of(connection)
    if settings.insecure:
        tell(INSECURE)
    client = Client(settings, notify=tell)
    try:
        yield client
    finally:
        client.close()


def _settings_of(connection: Connection) -> Settings:
    try:
        return resolve(connection, config={}, environ=os.environ)
    except SettingsError as error:
        if not connection.profile:
            raise
        raise SettingsError(
            f"{error}; {environment_prefix(connection.profile)}HW_ACCESS_KEY is not set either"
        ) from None


def tell(text: str) -> None:
    """Print a line to standard error."""
    click.echo(text, err=True)
