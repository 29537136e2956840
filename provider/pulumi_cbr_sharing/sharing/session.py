"""One account in one region for one run: how it is called, what is live there, what the program declares."""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.errors import WrongProject
from pulumi_cbr_sharing.http.account import Accounts
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.cache import SingleFlightCache
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.live_shares import LiveShares
from pulumi_cbr_sharing.sharing.preflight import Preflight


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.settings.resolve import Settings


class Session:
    """One account in one region, for one run.

    Args:
        settings: who calls, and where to.
        say: shows the user a line while the run goes on.
        ledger: what the program declares; shared by all sessions of a run.
        client: arguments for the client, such as a `clock`.

    Attributes:
        client: calls the API.
        live: the members of backups.
        preflight: what the cloud would refuse.
    """

    def __init__(
        self, settings: Settings, *, say: Callable[[str], None], ledger: Ledger | None = None, **client: Any
    ) -> None:
        self.settings, self.say, self.ledger = settings, say, ledger or Ledger()
        self.client = Client(settings, notify=say, **client)
        self._cache = SingleFlightCache(self.client.clock)
        self.live = LiveShares(self.client, self._cache)
        self.preflight = Preflight(self.client, self.ledger, self._cache)

    def project_of(self, account: str, *, client: Client | None = None) -> str:
        """The project that stands for an account in this region.

        Raises:
            Refused: there is none, or there are several.
        """
        by = client or self.client
        return self._cache.get(("account", account), lambda: project_of_account(by, account, self.settings.region).id)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def guard(self, doing: str, *, region: str | None, project_id: str | None) -> None:
        """Make sure that the state and the credential are of the same project.

        To another project a live share looks gone: it would be dropped from the state, or "deleted" and left alive.

        Args:
            doing: what is about to be done, for the error.
            region: as the state records it; None where it does not.
            project_id: likewise.

        Raises:
            WrongProject: they are not.
        """
        for what, recorded, present in (
            ("region", region, self.settings.region),
            ("project", project_id, self.client.project_id),
        ):
            if recorded and present and recorded != present:
                raise WrongProject(
                    f"{doing}: the state records {what} {recorded}, but the settings are of {what} {present}: "
                    f"use the credentials and settings of {what} {recorded}; nothing was sent and the state is kept"
                )

    def is_elsewhere(self, endpoint: str | None) -> bool:
        """Whether the state records another endpoint than that of the settings."""
        return endpoint is not None and endpoint != self.settings.cbr

    def same_cloud_or_raise(self, doing: str, endpoint: str | None, *, found: bool) -> None:
        """Let another endpoint than the recorded one pass only where it leads to the same shares.

        Nothing is concluded to be gone, nor deleted, because another cloud does not know it.

        Args:
            doing: what is about to be done, for the error.
            endpoint: as the state records it.
            found: whether what the state records is there, with the same record id.

        Raises:
            WrongProject: it is not.
        """
        if self.is_elsewhere(endpoint) and not found:
            raise WrongProject(
                f"{doing}: the state records the endpoint {endpoint}, but the settings have {self.settings.cbr}, where "
                "it is not found: use the recorded endpoint, or remove the resource from the state with `pulumi state "
                "delete` if it is of a cloud that is no more; the state is kept"
            )


class Sessions:
    """The sessions of a process: one for each distinct settings, and one ledger for all of them.

    Args:
        say: shows the user a line while the run goes on.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._ledger, self._lock = say, Ledger(), threading.Lock()
        self._accounts = Accounts()
        self._sessions: dict[Settings, Session] = {}

    def of(self, settings: Settings) -> Session:
        """The session for these settings."""
        with self._lock:
            if settings not in self._sessions:
                self._warn_of_insecure(settings)
                self._sessions[settings] = Session(
                    settings, say=self._say, ledger=self._ledger, account=self._accounts.of(settings)
                )
            return self._sessions[settings]

    def _warn_of_insecure(self, settings: Settings) -> None:
        if settings.insecure:
            self._say(
                "warning: insecure is set, TLS certificates are not verified: whoever is on the way can read along"
            )
