"""Authentication, and the breaker and rate limit that all clients of one credential share.

More than five wrong signatures in a row lock an access key for five minutes, and a program with two hundred shares
would send two hundred. So, until the first success, requests are sent one at a time. After a refusal, calls fail for
five minutes without being sent; then the service is asked again.
"""

from __future__ import annotations

import threading

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, PermissionDenied
from pulumi_cbr_sharing.http.retry import Clock, RateLimit
from pulumi_cbr_sharing.http.signing import utc_now
from pulumi_cbr_sharing.settings.credentials import Password, Token


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pulumi_cbr_sharing.errors import CbrSharingError
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.signing import Signer
    from pulumi_cbr_sharing.settings.resolve import Settings


REFUSED_FOR = 300.0  # seconds; as long as the service locks a key


class CredentialBreaker:
    """Opens when a credential is refused; safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._works = False
        self._refusal: CredentialRefused | None = None
        self._refused_at = 0.0
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def turn(self, doing: str) -> Iterator[None]:
        """Wraps one request; until the credential is known to work, only one at a time gets in.

        Raises:
            CredentialRefused: the remembered refusal; the request must not be sent.
        """
        if not self._works:
            with held(self._one_at_a_time, self._clock):
                self.raise_if_open(doing)
                if not self._works:  # the one before may have succeeded: then those who waited go on side by side
                    yield
                    return
        self.raise_if_open(doing)
        yield

    def record(self, error: CbrSharingError | None) -> None:
        """Record how a request ended; None is success."""
        if isinstance(error, CredentialRefused):
            self._works, self._refused_at, self._refusal = False, self._clock.now(), error
        elif error is None or _passed_the_gateway(error):
            self._works = True

    def raise_if_open(self, doing: str) -> None:
        """Raise the remembered refusal, if there is one."""
        refusal = self._refusal
        if refusal and self._clock.now() < self._refused_at + REFUSED_FOR:
            raise replace(refusal, doing=doing)


@contextmanager
def held(lock: threading.Lock, clock: Clock) -> Iterator[None]:
    """Hold a lock while others may send requests under it; the wait for it ends with the operation."""
    clock.until(lambda seconds: lock.acquire(timeout=seconds))
    try:
        yield
    finally:
        lock.release()


def _passed_the_gateway(error: CbrSharingError) -> bool:
    """Whether the credential was accepted: a 403 is about a known caller, and CBR is behind the gateway."""
    known = isinstance(error, ApiError) and error.code.startswith("BackupService.")
    return known or isinstance(error, PermissionDenied)


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
        credential = (cloud, replace(settings.credential, source=""), settings.agencies)
        # An access key is good for all regions and projects of a cloud. A token or a user may be good for one project
        # only, so a refusal says nothing about the others.
        project = (settings.region, settings.project_id, settings.project_name)
        scope = project if isinstance(settings.credential, (Password, Token)) else ()
        with self._lock:
            return Account(
                self._breakers.setdefault((credential, scope), CredentialBreaker(self._clock)),
                self._rate_limits.setdefault(credential, RateLimit(self._clock)),
            )


class Auth:
    """Hands out the signer of one credential; safe for many threads.

    Args:
        account: what is known of the credential.
        fetch: issues a signer, and sends what is needed for that.
        refreshable: whether another signer can be issued when one is refused.
        now: the current time.

    Attributes:
        project_id: the project that was found for the credential; None until then.
    """

    def __init__(
        self,
        account: Account,
        fetch: Callable[[Client], Signer],
        *,
        refreshable: bool = True,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.account = account
        self._fetch, self._refreshable, self._now = fetch, refreshable, now
        self.project_id: str | None = None
        self._signer: Signer | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def current(self, client: Client) -> Signer:
        """The signer to use now; a new one if there is none, or if it expires soon."""
        with held(self._lock, client.clock):
            if self._signer is None or (self._renew_at and self._now() > self._renew_at):
                # The cache is to remember a refusal only.
                self._signer = client.cache.get(self, lambda: self._fetch(client), REFUSED_FOR)
                client.cache.drop(self)
                self._renew_at = self._signer.renew_at(self._now())
            return self._signer

    def renew(self, refused: Signer) -> bool:
        """Drop a refused signer, unless another thread has already replaced it; False if there can be no other."""
        with self._lock:
            if self._refreshable and self._signer is refused:
                self._signer = None
        return self._refreshable


def fixed(account: Account, signer: Signer) -> Auth:
    """An access key, or a token that the user fetched: it is signed with as it is."""
    return Auth(account, lambda _: signer, refreshable=False)
