"""The account that a command works in: the options that lead to it, and its client.

Settings are found as a program's resources find them, but there is no stack here: options stand for the fields of a
`Connection`, then come the environment and files.
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
from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.settings.sources import FAMILIES, environment_prefix


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.settings.resolve import Settings


OPTIONS = (
    click.option("--connection", metavar="NAME", help="Another account: a namespace, or else a profile, of that name."),
    click.option("--region", metavar="REGION", help="Such as eu-de; else HW_REGION_NAME."),
    click.option("--project-id", metavar="ID", help="The project that acts; else HW_PROJECT_ID, or looked up."),
    click.option("--endpoint", metavar="URL", help="The address of CBR, without version; else HW_CBR_ENDPOINT."),
)


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that lead to an account, and its client as the first argument."""

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
    """The Connection that a name means: a namespace if the environment has settings of it, else a profile."""
    named = Connection(namespace=name) if name is None or _has_settings(name) else Connection(profile=name)
    return replace(named, region=region, project_id=project_id, endpoint=endpoint)


def _has_settings(namespace: str) -> bool:
    beginnings = tuple(environment_prefix(namespace) + family for family in FAMILIES)
    return any(variable.startswith(beginnings) for variable in os.environ)


@contextmanager
def client_of(connection: Connection) -> Iterator[Client]:
    """A client for one command; what takes long is told on standard error.

    Raises:
        SettingsError: something is missing or wrong.
    """
    settings = _settings_of(connection)
    if settings.insecure:
        tell("warning: insecure is set, TLS certificates are not verified: whoever is on the way can read along")
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
        raise SettingsError(f"{error}; nor is {environment_prefix(connection.profile)}HW_ACCESS_KEY set") from None


def tell(text: str) -> None:
    """Say something beside the result, on standard error."""
    click.echo(text, err=True)
