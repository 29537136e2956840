"""When a request is retried, how long to wait before, and when none is sent. The loop is `Client.send`.

* After a 429, or if nothing was sent, any call is retried.
* After a 5xx, a reset or a time-out, a call is retried if it may be repeated. If it may not (the POST that shares a
  backup), its effect is looked up first.
* Any other answer is final.

A refused credential is not sent again: more than five wrong signatures in a row lock an access key for five minutes,
and a program with two hundred shares would send two hundred.
"""

from __future__ import annotations

import math
import threading
import time

from contextlib import contextmanager
from dataclasses import dataclass
from random import uniform
from typing import TYPE_CHECKING, NamedTuple

from pulumi_cbr_sharing import errors
from pulumi_cbr_sharing.errors import ApiError, CbrSharingError, CredentialRefused, Throttled, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0  # the limits of the gateway are per minute
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0  # for what takes its time, such as a backup in the making
STEP = 1.0  # seconds; so soon does a wait for another thread notice that it has to end
REFUSED_FOR = 300.0  # seconds; as long as the service locks a key
UNREACHABLE_FOR = 30.0  # seconds
UNCONNECTED_TRIES = 5  # an endpoint that has never answered is more likely wrong than down


def is_ambiguous(error: Exception) -> bool:
    """Whether the request may have had an effect although it failed."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, (errors.ServerFault, errors.UnexpectedAnswer))


def should_retry(error: Exception, *, repeatable: bool) -> bool:
    """Whether the request may be sent again, and whether that can help."""
    if isinstance(error, Unreachable):
        return not error.lasting and (repeatable or not error.sent)
    return isinstance(error, Throttled) or (isinstance(error, errors.ServerFault) and repeatable)


def pause_before(attempt: int, *, retry_after: float | None = None) -> float:
    """Seconds to wait after so many failed tries: exponential back-off with full jitter.

    What `Retry-After` asks for goes before, with up to half a second more, so that clients do not come back all at
    once; 0 asks for nothing.
    """
    if retry_after:
        return retry_after + uniform(0, FIRST_PAUSE)  # noqa: S311 - no secret depends on it
    return uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 10)))  # noqa: S311


@dataclass
class Clock:
    """The time, in seconds; a test passes a clock that does not wait.

    Attributes:
        now: the time.
        sleep: raises `Stopped` if the operation has to end before.
        left: how long the operation may still take.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    left: Callable[[], float] = lambda: math.inf

    def tries(self, seconds: float) -> Iterator[float]:
        """Waits between the tries of a loop, for this time in all; yields the seconds that are left."""
        ends, pause = self.now() + seconds, FIRST_WAIT
        while (left := ends - self.now()) > 0:
            yield left
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_WAIT)
        yield 0.0


@contextmanager
def held(lock: threading.Lock, clock: Clock) -> Iterator[None]:
    """Hold a lock while others may send requests under it; `Stopped` if the operation has to end before."""
    while not lock.acquire(timeout=max(0.0, min(STEP, clock.left()))):
        clock.sleep(0.0)
    try:
        yield
    finally:
        lock.release()


class CredentialBreaker:
    """Opens for five minutes when a credential is refused; safe for many threads.

    Until the first success, requests are sent one at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._works = False
        self._refusal: CredentialRefused | None = None
        self._refused_at = 0.0
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def turn(self, doing: str) -> Iterator[None]:
        """Wraps one request; CredentialRefused if it must not be sent."""
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
        # CBR is behind the gateway, which checks the credential; and a 403 is about a known caller.
        of_cbr = isinstance(error, ApiError) and error.code.startswith("BackupService.")
        if isinstance(error, CredentialRefused):
            self._works, self._refused_at, self._refusal = False, self._clock.now(), error
        elif error is None or of_cbr or isinstance(error, errors.PermissionDenied):
            self._works = True

    def raise_if_open(self, doing: str) -> None:
        """Raise the remembered refusal, if there is one."""
        if self._refusal and self._clock.now() < self._refused_at + REFUSED_FOR:
            raise self._refusal.again(doing=doing)


class RateLimit:
    """The pause after a 429. It is shared by all calls of an account, because the limit is the account's."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self._until = clock, 0.0

    def wait(self, doing: str, patience: float) -> None:
        """Sleep until the pause is over, which another thread may extend; Throttled if it is longer than `patience`."""
        ends = self.clock.now() + patience
        while (left := self._until - self.clock.now()) > 0:
            if self._until > ends:
                reason = f"too many requests; the service asks for a pause of {left:.0f} s more"
                raise Throttled(doing, reason, "run it again after that", status=429)
            self.clock.sleep(left)

    def throttled(self, pause: float) -> float:
        """Pause at least so many seconds after a 429; returns those that are left of the pause."""
        now = self.clock.now()
        self._until = max(self._until, now + pause)
        return self._until - now


class Retries:
    """The retries of one call.

    Args:
        rate_limit: that of the account.
        most: retries after a fault; throttling is limited by the deadline only.
        deadline: seconds for all tries together.
        notify: gets one line before a long wait, and at the third failure.
    """

    def __init__(self, rate_limit: RateLimit, most: int, deadline: float, notify: Callable[[str], None]) -> None:
        self._rate_limit, self._clock, self._most, self._notify = rate_limit, rate_limit.clock, most, notify
        self._ends, self._faults, self._failed = self._clock.now() + deadline, 0, 0

    def wait_or_raise(self, error: CbrSharingError, *, connected: bool) -> None:
        """Wait before the next try, or raise the last one's error; `connected` if the service has ever answered."""
        self._failed += 1
        pause = pause_before(self._failed, retry_after=error.retry_after if isinstance(error, ApiError) else None)
        if isinstance(error, Throttled):
            pause = self._rate_limit.throttled(pause)
        else:
            self._faults += 1
        most = self._most if connected else min(self._most, UNCONNECTED_TRIES)
        if self._faults > most or self._clock.now() + pause > self._ends:
            raise error
        if pause > 5 or self._failed == 3:  # noqa: PLR2004 - short waits are not worth a message
            trouble = error.again(remedy="") if isinstance(error, ApiError) else error
            self._notify(f"{trouble} - trying again in {max(1, round(pause))} s")
        self._clock.sleep(pause)


class Account(NamedTuple):
    """What the clients of one credential in one cloud share."""

    breaker: CredentialBreaker
    rate_limit: RateLimit
