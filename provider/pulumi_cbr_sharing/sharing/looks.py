"""What a plan asks the live cloud: each thing once a run, with short time-outs, and nothing where that is switched off.

A cloud that gives no answer is a warning: no plan fails for want of a network or of a permission to look. A refused
credential is an answer, and fails the plan, because asking again would lock it.
"""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.cbr.backups import get_backup, list_backups
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.cbr.vaults import get_vault
from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    NotFound,
    ServerFault,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)
from pulumi_cbr_sharing.sharing.side_by_side import side_by_side


if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from pulumi_cbr_sharing.cbr.backups import Backup
    from pulumi_cbr_sharing.cbr.members import Member
    from pulumi_cbr_sharing.cbr.vaults import Vault
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.sharing.cache import SingleFlightCache


T = TypeVar("T")
# After one of these the cloud is not asked again for this run's plan.
_OUT_OF_REACH = (Unreachable, ServerFault, Throttled, UnexpectedAnswer)


class Looks:
    """Looks at the live cloud; safe for many threads. Each look returns None, after a warning, if it cannot be told.

    Raises:
        CredentialRefused, SettingsError: by every look; they would end every later call, too.
    """

    def __init__(self, client: Client, cache: SingleFlightCache) -> None:
        self._client, self._cache = client, cache
        self._told: set[str] = set()
        self._out_of_reach = False
        self._lock = threading.Lock()

    def at_once(self, *looks: Callable[[], object]) -> None:
        """Look at several things at the same time, so that each is known afterwards."""
        for error in side_by_side(looks):
            if isinstance(error, (CredentialRefused, SettingsError)):
                raise error

    def backup(self, backup_id: str) -> Backup | None:
        """A backup.

        Raises:
            NotFound: there is none.
        """
        return self._ask(("backup", backup_id), lambda client: get_backup(client, backup_id))

    def members(self, backup_id: str) -> Mapping[str, Member] | None:
        """The members of a backup; None, too, if there is no such backup, which the look at it tells."""
        try:
            found = self._ask(("members", backup_id), lambda client: list_members(client, backup_id))
            return found.all() if found else None
        except UnexpectedAnswer as error:  # a list that may not be whole
            self._give_up(error)
        except NotFound:
            pass
        return None

    def vault(self, vault_id: str) -> Vault | None:
        """A vault.

        Raises:
            NotFound: there is none.
        """
        return self._ask(("vault", vault_id), lambda client: get_vault(client, vault_id))

    def offers(self) -> list[Backup]:
        """The backups that others share with the project; none if it cannot be told."""
        return self._ask("offers", lambda client: list_backups(client, own_type="shared")) or []

    def warn(self, text: str, once_for: str | None = None) -> None:
        """Warn, once a run, of a text or of its reason."""
        with self._lock:
            told = (once_for or text) in self._told
            self._told.add(once_for or text)
        if not told:
            self._client.notify(f"warning: {text}")

    def _ask(self, key: Hashable, look: Callable[[Client], T]) -> T | None:
        if self._out_of_reach or not self._client.settings.plan_checks:
            return None
        try:
            return self._cache.get(key, lambda: look(self._client.brief))
        except (NotFound, CredentialRefused, SettingsError):
            raise
        except CbrSharingError as error:
            self._give_up(error)
        return None

    def _give_up(self, error: CbrSharingError) -> None:
        unreachable = isinstance(error, _OUT_OF_REACH)
        self._out_of_reach = self._out_of_reach or unreachable
        rest = "; nor is the rest of it" if unreachable else ""
        # Two looks at the same time fail in two ways, and are one cloud out of reach.
        reason = "out of reach" if unreachable else _reason(error)
        self.warn(f"the plan is not compared with the cloud: {error}{rest}", once_for=reason)


def _reason(error: CbrSharingError) -> str:
    """What tells one refusal from another, whatever was being looked at: a missing permission is said once."""
    return error.reason if isinstance(error, ApiError) else type(error).__name__
