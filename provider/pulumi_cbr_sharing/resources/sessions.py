"""The sessions of this process: one for each distinct settings, and one ledger, which all processes of a run share.

This module is slow to import, and a program that only declares resources does not need it.
"""

from __future__ import annotations

import os
import sys
import threading

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.resources.process import SAID
from pulumi_cbr_sharing.settings.resolve import Settings, resolve
from pulumi_cbr_sharing.sharing.journal import Journal
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.session import Session


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.connection import Connection
    from pulumi_cbr_sharing.settings.sources import Config


_SESSIONS: dict[Settings, Session] = {}
_LOCK = threading.Lock()
_ACCOUNTS = Accounts()
_PLUGIN = Path("pulumi", "dynamic", "__main__.py").parts


def open_session(connection: Connection, config: Config) -> Session:
    """The session for a connection.

    Raises:
        SettingsError: settings are missing or wrong.
    """
    settings = resolve(connection, config=config, environ=os.environ)
    with _LOCK:
        if settings not in _SESSIONS:
            _SESSIONS[settings] = Session(settings, say=_say, ledger=_ledger(), accounts=_ACCOUNTS)
            if settings.fingerprint not in SAID:
                SAID.add(settings.fingerprint)
                _say(settings.signing)
        return _SESSIONS[settings]


@cache
def _ledger() -> Ledger:
    """One for the process. The engine starts all of a run with its address, as `python -m pulumi.dynamic ADDRESS`."""
    is_plugin = Path(sys.argv[0]).parts[-3:] == _PLUGIN and len(sys.argv) > 1
    return Ledger(Journal(sys.argv[1])) if is_plugin else Ledger()


def _say(text: str) -> None:
    """Show the user a line while the run goes on: the engine turns the provider's output into diagnostics."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
