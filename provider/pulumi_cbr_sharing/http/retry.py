"""The rules for when a request is retried, how long to wait before, and when to give up. The loop is `Client.send`.

* After a 429, or if nothing was sent, any call is retried.
* After a 5xx, a reset or a time-out, a call is retried if it may be repeated. If it may not (the POST that shares a
  backup), its effect is looked up first.
* Any other answer is final.
"""

from __future__ import annotations

import math
import threading
import time

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from random import uniform
from typing import TYPE_CHECKING

from pulumi_cbr_sharing.errors import ApiError, CbrSharingError, ServerFault, Throttled, UnexpectedAnswer, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


FIRST_PAUSE = 0.5
LONGEST_RETRY_AFTER = 3600.0  # seconds
LONGEST_PAUSE = 60.0  # the limits of the gateway are per minute
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0  # for what takes its time, such as a backup in the making
STEP = 1.0  # seconds; so soon does a wait for another thread notice that it has to end
UNREACHABLE_FOR = 30.0  # seconds
UNCONNECTED_TRIES = 5  # an endpoint that has never answered is more likely wrong than down


def is_ambiguous(error: Exception) -> bool:
    """Whether the request may have had an effect although it failed."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, (ServerFault, UnexpectedAnswer))


def should_retry(error: Exception, *, repeatable: bool) -> bool:
    """Whether the request may be sent again, and whether that can help."""
    if isinstance(error, Throttled):
        return True
    if isinstance(error, Unreachable):
        return not error.lasting and (repeatable or not error.sent)
    return isinstance(error, ServerFault) and repeatable


def pause_before(attempt: int, *, retry_after: float | None = None) -> float:
    """Seconds to wait before the next try: exponential back-off with full jitter, or what `Retry-After` asks for.

    Args:
        attempt: the number of failed tries, from 1.
        retry_after: seconds; up to half a second is added, so that clients do not come back all at once. None or 0 asks
            for nothing.
    """
    if retry_after:
        return retry_after + uniform(0, FIRST_PAUSE)  # noqa: S311 - no secret depends on it
    return uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 10)))  # noqa: S311


def seconds_of(text: str) -> float | None:
    """`Retry-After`: a number of seconds or a date, as seconds from now; None for anything else."""
    if text.isascii() and text.strip().isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    left = (at.replace(tzinfo=at.tzinfo or timezone.utc) - datetime.now(timezone.utc)).total_seconds()
    return min(left, LONGEST_RETRY_AFTER) if left > 0 else None


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

    def until(self, happened: Callable[[float], object]) -> None:
        """Wait for other threads, no longer than the operation may take.

        Args:
            happened: waits for so many seconds, and says whether it has happened.

        Raises:
            Stopped: it has not happened in time.
        """
        while not happened(max(0.0, min(STEP, self.left()))):
            self.sleep(0.0)

    def tries(self, seconds: float) -> Iterator[float]:
        """Waits between the tries of a loop, for this time in all; yields the seconds that are left."""
        ends, pause = self.now() + seconds, FIRST_WAIT
        while (left := ends - self.now()) > 0:
            yield left
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_WAIT)
        yield 0.0


class RateLimit:
    """The pause after a 429. It is shared by all calls of an account, because the limit is the account's."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self._lock = clock, threading.Lock()
        self._until, self._in_a_row = 0.0, 0

    def wait(self, doing: str, patience: float) -> None:
        """Sleep until the pause is over; a 429 of another thread may extend it.

        Args:
            doing: what is being done, for the error.
            patience: seconds to sleep at most.

        Raises:
            Throttled: the pause is longer than that.
        """
        ends = self.clock.now() + patience
        while (left := self._until - self.clock.now()) > 0:
            if self._until > ends:
                reason = f"too many requests; the service asks for a pause of {left:.0f} s more"
                raise Throttled(doing, reason, "run it again after that", status=429)
            self.clock.sleep(left)

    def throttled(self, retry_after: float | None) -> float:
        """Extend the pause after a 429; returns the seconds that are left of it."""
        with self._lock:
            now = self.clock.now()
            if now >= self._until:  # requests sent before the pause began do not count again
                self._in_a_row += 1
            self._until = max(self._until, now + pause_before(self._in_a_row, retry_after=retry_after))
            return self._until - now

    def succeeded(self) -> None:
        """Go back to short pauses, if the last one is over."""
        with self._lock:
            if self._in_a_row and self.clock.now() >= self._until:
                self._in_a_row = 0


class Retries:
    """The retries of one call.

    Args:
        rate_limit: that of the account.
        most: retries after a fault; throttling is limited by the deadline only.
        deadline: seconds for all tries together.
        notify: gets one line before a long wait.
    """

    def __init__(self, rate_limit: RateLimit, most: int, deadline: float, notify: Callable[[str], None]) -> None:
        self._rate_limit, self._clock, self._most, self._notify = rate_limit, rate_limit.clock, most, notify
        self._ends, self._faults, self._failed = self._clock.now() + deadline, 0, 0

    def wait_or_raise(self, error: CbrSharingError, *, connected: bool) -> None:
        """Wait before the next try, or raise `error` if there is none.

        Args:
            error: the error of the last try.
            connected: whether the service has ever answered.
        """
        self._failed += 1
        pause = self._pause_after(error, self._most if connected else min(self._most, UNCONNECTED_TRIES))
        if self._clock.now() + pause > self._ends:
            raise error
        if pause > 5 or self._failed == 3:  # noqa: PLR2004 - short waits are not worth a message
            trouble = replace(error, remedy="") if isinstance(error, ApiError) else error
            self._notify(f"{trouble} - trying again in {max(1, round(pause))} s")
        self._clock.sleep(pause)

    def _pause_after(self, error: CbrSharingError, most: int) -> float:
        if isinstance(error, Throttled):
            return self._rate_limit.throttled(error.retry_after)
        self._faults += 1
        if self._faults > most:
            raise error
        return pause_before(self._faults, retry_after=error.retry_after if isinstance(error, ApiError) else None)


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
            raise replace(error, doing=doing, sent=False, lasting=True)
