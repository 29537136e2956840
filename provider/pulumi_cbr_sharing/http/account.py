"""What a process knows of one credential in one cloud: a circuit breaker and a rate limit, shared by all clients."""

from __future__ import annotations

import threading

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.http.breaker import CredentialBreaker
from pulumi_cbr_sharing.http.retry import Clock, RateLimit
from pulumi_cbr_sharing.settings.credentials import AccessKey


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.resolve import Settings


@dataclass(frozen=True)
class Account:
    """One credential in one cloud.

    Attributes:
        breaker: opens when the credential is refused.
        rate_limit: the pause after a 429.
        base: the account whose credential assumes this one's agency, if this is an agency.
    """

    breaker: CredentialBreaker
    rate_limit: RateLimit
    base: Account | None = None


class Accounts:
    """Hands out the one `Account` for each credential; safe for many threads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._breakers, self._rate_limits = dict[Any, CredentialBreaker](), dict[Any, RateLimit]()
        self._lock = threading.Lock()

    def of(self, settings: Settings) -> Account:
        """The account of some settings, the same for all settings with the same credential."""
        base = self._account(settings, None)
        return self._account(settings, base) if settings.agency else base

    def _account(self, settings: Settings, base: Account | None) -> Account:
        agency = settings.agency if base else None
        cloud = (settings.cbr or "").replace(settings.region or "-", "")
        credential = (cloud, replace(settings.credential, source=""), agency)
        # An access key is the same one in all regions and projects of a cloud. A token or a user may be good for one
        # project and not for another, so a refusal says nothing about the others.
        projects = () if isinstance(settings.credential, AccessKey) else _projects(settings)
        with self._lock:
            breaker = self._breakers.setdefault((credential, projects), CredentialBreaker(self._clock))
            return Account(breaker, self._rate_limits.setdefault(credential, RateLimit(self._clock)), base)


def _projects(settings: Settings) -> tuple[str | None, ...]:
    return settings.region, settings.project_id, settings.project_name
