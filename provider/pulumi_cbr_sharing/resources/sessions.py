"""The sessions of this process, for resources and lookups.

Importing this takes longer than importing the resources: a program that only declares resources does without.
"""

from __future__ import annotations

import os
import sys

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.settings.resolve import resolve
from pulumi_cbr_sharing.sharing.session import Sessions


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config
    from pulumi_cbr_sharing.sharing.session import Session


def say(text: str) -> None:
    """Show the user a line while the provider runs: the engine turns its output into diagnostics."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


SESSIONS = Sessions(say)


def open_session(connection: Connection, config: Config) -> Session:
    """The session of this process for a connection.

    Raises:
        SettingsError: settings are missing or wrong.
    """
    return SESSIONS.of(resolve(connection, config=config, environ=os.environ))
