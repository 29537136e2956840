"""Two circuit breakers: one for a refused credential, one for an endpoint that cannot be reached.

More than five wrong signatures in a row lock an access key for five minutes, and a program with two hundred shares
would send two hundred. So requests are sent one at a time until the credential is known to work. After a refusal, calls
fail for five minutes without being sent; then the service is asked again.
"""

from __future__ import annotations

import threading

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, PermissionDenied, Unreachable


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.errors import CbrSharingError
    from pulumi_cbr_sharing.http.retry import Clock


REFUSED_FOR = 300.0  # seconds; as long as the service locks a key
UNREACHABLE_FOR = 30.0  # seconds


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
        with nullcontext() if self._works else self._one_at_a_time:
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
            raise refusal.again(doing=doing)


def _passed_the_gateway(error: CbrSharingError) -> bool:
    """Whether the credential was accepted: a 403 is about a known caller, and CBR is behind the gateway."""
    known = isinstance(error, ApiError) and error.code.startswith("BackupService.")
    return known or isinstance(error, PermissionDenied)


class EndpointBreaker:
    """Opens when an endpoint that has never answered cannot be reached; safe for many threads.

    Attributes:
        answered: the services that have ever answered.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.answered = set[str]()
        self._failures = dict[str, tuple[float, Unreachable]]()

    def failed(self, service: str, error: Unreachable) -> None:
        """Record that all tries of a call have failed."""
        self._failures[service] = self._clock.now(), error

    def raise_if_open(self, service: str, doing: str) -> None:
        """Raise the failure of another call to the service, if it was within the last half minute."""
        at, error = self._failures.get(service, (0.0, None))
        if error and service not in self.answered and self._clock.now() < at + UNREACHABLE_FOR:
            raise error.skipped(doing)
