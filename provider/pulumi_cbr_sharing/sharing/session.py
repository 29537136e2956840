"""One account in one region: how to call it, what is live there, what the program declares."""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import WrongProject
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.preflight import Preflight
from pulumi_cbr_sharing.sharing.shares import Shares


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.settings.resolve import Settings


class Session:
    """One account in one region, for one run.

    Args:
        settings: the account and the region.
        say: shows the user a line while the run goes on.
        ledger: what the program declares; all sessions of a run share it.
        records_half_done: whether the state can record what was made before a create failed.
        client: arguments for the client, such as a `clock`.

    Attributes:
        client: calls the API.
        shares: the shares of backups.
        preflight: what a preview asks the cloud, and what that would refuse.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        ledger: Ledger | None = None,
        records_half_done: bool = False,
        **client: Any,
    ) -> None:
        self.settings, self.say, self.ledger = settings, say, ledger or Ledger()
        self.records_half_done = records_half_done
        self.client = Client(settings, notify=say, **client)
        self.shares = Shares(self.client)
        self.preflight = Preflight(self.client, self.ledger, self.tell)
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, text: str, once_for: str | None = None) -> None:
        """Show a line, once in a run for each text, or for each `once_for`."""
        with self._lock:
            told = (once_for or text) in self._told
            self._told.add(once_for or text)
        if not told:
            self.say(text)

    def warn_if_alone(self) -> None:
        """Before something is given up: warn, once, if it is not known what other processes declare."""
        if trouble := self.ledger.trouble:
            self.tell(
                "warning: what other providers of this program declare is not known, because they have no folder to "
                f"exchange it in ({trouble}): if another provider declares this share now, it is cancelled all the "
                "same; set TMPDIR to a folder of your own",
                once_for="alone",
            )

    def guard(
        self, doing: str, region: str | None, project_id: str | None, endpoint: str | None, found: Callable[[], bool]
    ) -> None:
        """Make sure that the settings are of the recorded region, project and cloud, as far as these are recorded.

        Elsewhere a live share looks gone: it would be dropped from the state, but still be there. Another endpoint may
        lead to the same cloud, which has what the state records; `found` looks for that.

        Raises:
            WrongProject: the settings are of another region, project or cloud.
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
        if endpoint not in (None, self.settings.cbr) and not found():
            raise WrongProject(
                f"{doing}: the state records the endpoint {endpoint}, but the settings have {self.settings.cbr}, where "
                "it is not found: use the recorded endpoint, or, if that cloud no longer exists, remove the resource "
                "from the state with `pulumi state delete`; the state is kept"
            )
