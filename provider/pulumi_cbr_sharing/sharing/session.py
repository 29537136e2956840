"""One account in one region: how to call it, what is live there, what the program declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.errors import CbrSharingError, CredentialRefused, Refused, SettingsError, WrongProject
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.sharing.inputs import UNKNOWN, Unknown, is_unknown
from pulumi_cbr_sharing.sharing.ledger import Ledger
from pulumi_cbr_sharing.sharing.live_shares import LiveShares
from pulumi_cbr_sharing.sharing.preflight import Preflight


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.settings.resolve import Settings


class Session:
    """One account in one region, for one run.

    Args:
        settings: the account and the region.
        say: shows the user a line while the run goes on.
        ledger: what the program declares; all sessions of a run share it.
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
        self._cache = self.client.cache
        self.live = LiveShares(self.client, self._cache)
        self.preflight = Preflight(self.client, self.ledger, self._cache)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def project_of_recipient(self, account: Any, known: str | None, *, planning: bool) -> str | Unknown:
        """The project to share with, if the recipient is given by account name; `UNKNOWN` if a preview cannot tell.

        A share that exists keeps its project, `known`, while the look-up fails. A preview does not fail if it gets no
        answer, and looks nothing up if plan checks are switched off.

        Raises:
            Refused: the account has no project in the region, or several.
            CbrSharingError: the look-up failed.
        """
        if is_unknown(account):
            return UNKNOWN
        if (planning or known) and not self.settings.plan_checks:
            return known or UNKNOWN
        client = self.client.brief if planning or known else self.client
        try:
            return self._cache.get(
                ("account", account), lambda: project_of_account(client, account, self.settings.region).id
            )
        except (SettingsError, CredentialRefused):
            raise
        except CbrSharingError as error:
            if not known and (not planning or isinstance(error, Refused)):
                raise
            rest = f"the share keeps project {known}" if known else "the preview goes on without it"
            self.say(f"warning: {error}; {rest}")
            return known or UNKNOWN

    def guard(self, doing: str, *, region: str | None, project_id: str | None) -> None:
        """Make sure that the settings are of the recorded region and project, as far as these are recorded.

        In another project a live share looks gone: it would be dropped from the state, but still be there.

        Raises:
            WrongProject: the settings are of another region or project.
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
        """Whether the state records another endpoint than the settings have."""
        return endpoint is not None and endpoint != self.settings.cbr

    def same_cloud_or_raise(self, doing: str, endpoint: str | None, *, found: bool) -> None:
        """Accept another endpoint than the recorded one only if the recorded share was found there.

        Another cloud does not know the share, but that does not mean that it is gone.

        Raises:
            WrongProject: the share was not found.
        """
        if self.is_elsewhere(endpoint) and not found:
            raise WrongProject(
                f"{doing}: the state records the endpoint {endpoint}, but the settings have {self.settings.cbr}, where "
                "it is not found: use the recorded endpoint, or, if that cloud no longer exists, remove the resource "
                "from the state with `pulumi state delete`; the state is kept"
            )
