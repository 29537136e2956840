"""One account in one cloud, as this process talks to it: its client, and all that is remembered of a run.

There is one `Cloud` for each distinct settings, so that all resources share sessions, lists and refusals.
"""

from __future__ import annotations

import sys
import threading

from typing import TYPE_CHECKING

from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.http.account import Account, Accounts
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.cache import Once
from pulumi_cbr_sharing.sharing.live_shares import LiveShares
from pulumi_cbr_sharing.sharing.preflight import PlanChecks


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.resolve import Settings


class Cloud:
    """One account in one cloud, as this process talks to it.

    Attributes:
        client: sends; remembers refusals.
        shares: the live members.
        plan: what the cloud would refuse.
        adopted: ids that the program declares in this run, so that no older resource takes their shares along.
        renewed: ids that are deleted and made again under the same name, so that their delete is meant.
        claims: which kind of resource owns the shares of a backup in this program.
        sets: the recipients of a backup, as a BackupShare of this program has them.
        project_of: from the name of an account to the id of its project in this region; asked once a name.
    """

    def __init__(self, settings: Settings, account: Account | None = None) -> None:
        self.client = Client(settings, account=account, notify=say)
        self.shares = LiveShares(self.client)
        self.plan = PlanChecks(self.client)
        self.adopted: set[str] = set()
        self.renewed: set[str] = set()
        self.claims: dict[str, str] = {}
        self.sets: dict[str, list[str]] = {}
        self.project_of = Once(lambda name: project_of_account(self.client, name, settings.region).id)


_CLOUDS: dict[Settings, Cloud] = {}
_ACCOUNTS = Accounts()
_LOCK = threading.Lock()


def cloud_for(settings: Settings) -> Cloud:
    """The one Cloud of this process for these settings."""
    with _LOCK:
        if settings not in _CLOUDS:
            if settings.insecure:
                say("warning: insecure is set, TLS certificates are not verified: whoever is on the way can read along")
            _CLOUDS[settings] = Cloud(settings, _ACCOUNTS.of(settings))
        return _CLOUDS[settings]


def say(text: str) -> None:
    """Show the user a line while the provider runs: the engine makes diagnostics of its output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
