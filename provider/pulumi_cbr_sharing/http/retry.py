"""When a call is tried again, and how long to wait before: pure rules, the little state they need, and the loop.

* Throttled, or not sent at all: any call is tried again.
* A fault of the service, a reset, a time-out: only a call that may be repeated. One that may not (the POST
  that shares) is first looked up by its caller, and comes here only if it had no effect.
* Everything else is an answer, and stands.
"""

from __future__ import annotations

import threading
import time

from dataclasses import dataclass, field
from random import uniform
from typing import TYPE_CHECKING, TypeVar

from pulumi_cbr_sharing.errors import ApiError, CbrSharingError, ServerFault, Throttled, UnexpectedAnswer, Unreachable


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.http.messages import Call, Reply

T = TypeVar("T")


FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0  # the limits of the gateway are per minute
UNCONNECTED_TRIES = 5  # an address that never answered is more likely wrong than down


def is_ambiguous(error: Exception) -> bool:
    """Whether the request may have had its effect although no good answer came."""
    if isinstance(error, Unreachable):
        return error.sent
    return isinstance(error, (ServerFault, UnexpectedAnswer))


def should_retry(error: Exception, *, repeatable: bool) -> bool:
    """Whether the same request may be sent again, and whether that can help."""
    if isinstance(error, Throttled):
        return True
    if isinstance(error, Unreachable):
        return not error.lasting and (repeatable or not error.sent)
    return isinstance(error, ServerFault) and repeatable


def pause_before(attempt: int, *, retry_after: float | None = None) -> float:
    """Seconds to wait before the next try: full jitter under a doubling bound, or what the answer asks for.

    Args:
        attempt: how many tries have failed, from 1.
        retry_after: what the answer asked for, in seconds; a little is added so that a crowd spreads.
    """
    if retry_after is not None:
        return retry_after + uniform(0, FIRST_PAUSE)  # noqa: S311 - no secret hangs on it
    return uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt - 1, 10)))  # noqa: S311


@dataclass
class Clock:
    """Time as the client sees it; tests pass one that does not wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Pacer:
    """The pause that a 429 puts on every thread of the process: the limit is the account's, not the thread's."""

    clock: Clock = field(default_factory=Clock)
    _until: float = 0.0
    _in_a_row: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, patience: float) -> float:
        """Sleep until the pause is over; others may lengthen it meanwhile.

        Args:
            patience: seconds to sleep at the most.

        Returns:
            0; or how many seconds are left of a pause that the patience is too short for.
        """
        ends = self.clock.now() + patience
        while (left := self._until - self.clock.now()) > 0:
            if self._until > ends:
                return left
            self.clock.sleep(left)
        return 0.0

    def throttled(self, retry_after: float | None) -> float:
        """Lengthen the pause after a 429.

        Returns:
            Seconds until the end of the pause.
        """
        with self._lock:
            now = self.clock.now()
            if now >= self._until:  # those who were on their way when the pause began do not count again
                self._in_a_row += 1
            self._until = max(self._until, now + pause_before(self._in_a_row, retry_after=retry_after))
            return self._until - now

    def went_through(self) -> None:
        """Forget the throttling once a request has passed after the pause."""
        with self._lock:
            if self._in_a_row and self.clock.now() >= self._until:
                self._in_a_row = 0


@dataclass
class Attempts:
    """One call's tries: how many there were, and when the patience ends.

    Attributes:
        most: tries again after a fault; throttling is bounded by the deadline alone.
        deadline: seconds for all of it.
        notify: told in one line when a wait is long enough to wonder about.
    """

    clock: Clock
    most: int
    deadline: float
    notify: Callable[[str], None]
    _faults: int = 0
    _tried: int = 0
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.now()

    def wait_or_raise(self, error: CbrSharingError, pacer: Pacer, *, connected: bool) -> None:
        """Wait before the next try, or raise `error` if there is to be none.

        Args:
            error: what the last try ended with.
            pacer: the pause of the process.
            connected: whether this service ever answered in this process.
        """
        self._tried += 1
        if isinstance(error, Throttled):
            pause = pacer.throttled(error.retry_after)
        else:
            self._faults += 1
            pause = pause_before(self._faults, retry_after=error.retry_after if isinstance(error, ApiError) else None)
            if self._faults > (self.most if connected else min(self.most, UNCONNECTED_TRIES)):
                raise error
        self._check_deadline(error, pause)
        if pause > 5 or self._tried == 3:  # noqa: PLR2004 - a blip is no news, a wait is
            trouble = error.again(remedy="") if isinstance(error, ApiError) else error
            self.notify(f"{trouble} - trying again in {max(1, round(pause))} s")
        self.clock.sleep(pause)

    def _check_deadline(self, error: CbrSharingError, pause: float) -> None:
        if self.clock.now() + pause - self._started > self.deadline:
            raise error


def persist(
    once: Callable[[Call], Reply],
    call: Call,
    wait_or_raise: Callable[[CbrSharingError], None],
    look: Callable[[], T | None] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> Reply | T:
    """Send a call until it is answered for good.

    Args:
        once: sends it one time.
        call: what to send.
        wait_or_raise: waits before the next try, or raises the error when there is to be none.
        look: for a call that may not be repeated: asked after every end that leaves the effect open. What it
            returns is the result; None means that there was no effect, so that the call may be sent again.
        ready: signs in where that is needed. It has tries of its own, so that its errors are final here: else
            the tries would multiply, and a sign-in that failed would look like a call with an open end.
    """
    while True:
        ready()
        try:
            return once(call)
        except CbrSharingError as error:
            if look and is_ambiguous(error):
                if (found := look()) is not None:
                    return found
            elif not should_retry(error, repeatable=call.repeatable):
                raise
            wait_or_raise(error)
