"""The process of a program or of the dynamic providers: its sessions, how it shows errors, and when it ends.

It is slow to import, and a program that only declares resources does not need it.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import CbrSharingError
from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.lifeline import end_with
from pulumi_cbr_sharing.settings.connection import LOOKED_UP
from pulumi_cbr_sharing.settings.resolve import Settings, resolve
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
    """The session for a connection: one for each distinct settings."""
    settings = resolve(connection, config=config, environ=os.environ)
    with _LOCK:
        if settings not in _SESSIONS:
            told = {one.fingerprint for one in _SESSIONS} | {*LOOKED_UP.values()}
            _SESSIONS[settings] = Session(settings, say=_say, ledger=_ledger(), accounts=_ACCOUNTS)
            if settings.fingerprint not in told:
                _say(settings.signing)
        return _SESSIONS[settings]


@cache
def _ledger() -> Ledger:
    """One for the process. The engine starts all of a run with its address, as `python -m pulumi.dynamic ADDRESS`."""
    is_plugin = Path(sys.argv[0]).parts[-3:] == _PLUGIN and len(sys.argv) > 1
    return Ledger(sys.argv[1] if is_plugin else "")


def _say(text: str) -> None:
    """Show the user a line while the run goes on: the engine turns the provider's output into diagnostics."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _CleanTraceback:
    """Replaces the module `traceback` where the plugin formats what a provider has raised."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def format_exc(self, *args: Any, **kwargs: Any) -> str:
        """Only the message of errors of this package; the traceback of any other error."""
        error = sys.exc_info()[1]
        return error.told if isinstance(error, CbrSharingError) else self._original.format_exc(*args, **kwargs)


def take_over_process() -> None:
    """Prepare the plugin's process, once; any other process is left alone.

    The plugin aborts a call with `traceback.format_exc()`. Only that name in its main module is replaced, because other
    providers run in the same process.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if main and spec and spec.name == "pulumi.dynamic.__main__":
        present = getattr(main, "traceback", traceback)
        if not isinstance(present, _CleanTraceback):
            main.traceback = _CleanTraceback(present)  # type: ignore[attr-defined]
            end_with(sys.argv[-1])  # the address of the engine
