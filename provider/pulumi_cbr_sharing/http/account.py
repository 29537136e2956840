"""The circuit breaker and the rate limit of a credential, shared by all clients of the process."""

from __future__ import annotations

import threading

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_cbr_sharing.http.breaker import CredentialBreaker
from pulumi_cbr_sharing.http.retry import Clock, RateLimit
from pulumi_cbr_sharing.settings.credentials import AccessKey


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.resolve import Settings


class Account(NamedTuple):
    """What is known of one credential in one cloud.

    Attributes:
        breaker: opens when the credential is refused.
        rate_limit: the pause after a 429.
    """

    breaker: CredentialBreaker
    rate_limit: RateLimit


class Accounts:
    """One `Account` for each credential; safe for many threads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._breakers, self._rate_limits = dict[Any, CredentialBreaker](), dict[Any, RateLimit]()
        self._lock = threading.Lock()

    def of(self, settings: Settings) -> Account:
        """The account of the credential in some settings, or of the agency that it assumes."""
        cloud = settings.cbr.replace(settings.region or "-", "")
        credential = (cloud, replace(settings.credential, source=""), settings.agency)
        # An access key is good for all regions and projects of a cloud. A token or a user may be good for one project
        # only, so a refusal says nothing about the others.
        project = (settings.region, settings.project_id, settings.project_name)
        scope = () if isinstance(settings.credential, AccessKey) else project
        with self._lock:
            return Account(
                self._breakers.setdefault((credential, scope), CredentialBreaker(self._clock)),
                self._rate_limits.setdefault(credential, RateLimit(self._clock)),
            )
