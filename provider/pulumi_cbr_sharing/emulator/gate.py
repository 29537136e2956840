"""The permissions and the rate limit of accounts, which the gateway checks last."""

from __future__ import annotations

import time

from collections import defaultdict, deque
from typing import NamedTuple

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal


class Limit(NamedTuple):
    """A rate limit: the number of requests in any window of seconds, and the `Retry-After` of a 429."""

    requests: int
    window: float
    retry_after: float | None


class Gate:
    """The IAM actions that accounts do not have, and the rate limit of each account."""

    def __init__(self) -> None:
        self.limit: Limit | None = None
        self._denied: dict[str, set[str]] = defaultdict(set)
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def deny(self, account: str, action: str) -> None:
        """Take an action from an account."""
        self._denied[account].add(action)

    def allow(self, account: str, action: str) -> None:
        """Give the action back."""
        self._denied[account].discard(action)

    def throttle(self, limit: Limit | None) -> None:
        """Set the limit, and start counting again."""
        self.limit = limit
        self._calls.clear()

    def admit(self, account: str, action: str) -> None:
        """Check a request.

        Raises:
            Refusal: it is throttled, or not permitted.
        """
        if self.limit:
            self._count(self._calls[account], self.limit)
        if action in self._denied[account]:
            raise Refusal(catalogue.denied(action))

    @staticmethod
    def _count(calls: deque[float], limit: Limit) -> None:
        moment = time.monotonic()
        while calls and calls[0] <= moment - limit.window:
            calls.popleft()
        if len(calls) >= limit.requests:
            raise Refusal(catalogue.throttled(limit.requests, limit.window))
        calls.append(moment)
