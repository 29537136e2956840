"""What a preview asks the cloud: each thing once, with short time-outs, and nothing if plan checks are switched off.

If the cloud gives no answer, that is a warning: no preview fails because the network or a permission is missing. A
refused credential does fail it, because asking again might lock it.
"""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.cbr.projects import project_of_account
from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    Refused,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.http.client import Client

    Errors = tuple[type[CbrSharingError], ...]


T = TypeVar("T")
# After one of these, the cloud is not asked again in this run's previews.
_OUT_OF_REACH = (Unreachable, ServerFault, Throttled, UnexpectedAnswer)
_UNCHECKED = "the preview is not checked against the cloud"


class Looks:
    """Reads what a preview needs; safe for many threads. Where there is no answer, it warns and returns None.

    Raises:
        CredentialRefused, SettingsError: from every method; all later calls would fail, too.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._told: set[str] = set()
        self._out_of_reach = False
        self._lock = threading.Lock()

    def ask(
        self, look: Callable[..., T], *given: object, final: Errors = (NotFound,), otherwise: str = _UNCHECKED
    ) -> T | None:
        """What `look(client, *given)` reads; None if it fails.

        Args:
            look: a function of `cbr/`.
            *given: its arguments.
            final: errors that are raised.
            otherwise: what follows from having no answer, for the warning.
        """
        if self._out_of_reach or not self._client.settings.plan_checks:
            return None
        try:
            return self._client.brief.cached(look, *given)
        except CbrSharingError as error:
            if isinstance(error, (CredentialRefused, SettingsError, *final)):
                raise
            if isinstance(error, _OUT_OF_REACH):
                self._out_of_reach = True
                rest, reason = "; the other checks are skipped, too", "out of reach"  # said once, whatever the error
            else:
                rest, reason = "", f"{otherwise}: {error.reason if isinstance(error, ApiError) else type(error)}"
            self.warn(f"{otherwise}: {error}{rest}", once_for=reason)
            return None

    def members(self, backup_id: str) -> Mapping[str, Member] | None:
        """The members of a backup; None also if there is no such backup."""
        try:
            return self.ask(_all_members, backup_id)
        except NotFound:
            return None

    def project(self, account: str, recorded: str | None, *, planning: bool) -> str | None:
        """The project of an account. Without an answer it is the recorded one; a preview goes on without any.

        Raises:
            Refused: the account has no project in the region, or several, and none is recorded.
            CbrSharingError: there is no answer to an update, and none is recorded.
        """
        look = (project_of_account, account, self._client.settings.region)
        if recorded:
            found = self.ask(*look, final=(), otherwise=f"the share keeps project {recorded}")
        elif planning:
            found = self.ask(*look, final=(Refused,), otherwise="the preview goes on without the project")
        else:
            found = self._client.cached(*look)
        return found.id if found else recorded

    def warn(self, text: str, once_for: str | None = None) -> None:
        """Show a warning, once in a run for each text, or for each `once_for`."""
        with self._lock:
            told = (once_for or text) in self._told
            self._told.add(once_for or text)
        if not told:
            self._client.notify(f"warning: {text}")


def _all_members(client: Client, backup_id: str) -> Mapping[str, Member]:
    return client.cached(list_members, backup_id).all()
