"""What goes wrong when a test says so: scripted faults, missing permissions, a rate limit."""

from __future__ import annotations

import json
import threading
import time

from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import re2

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal


if TYPE_CHECKING:
    from collections.abc import Mapping


STATUSES = range(200, 600)


@lru_cache
def _compiled(pattern: str) -> Any:
    quiet = re2.Options()
    quiet.log_errors = False
    return re2.compile(pattern, quiet)


@dataclass
class Fault:
    """A fault. Without an answer, cut or delay, it only counts requests.

    Attributes:
        method: the method of the requests that it hits; None means any.
        path: a regular expression (RE2), searched in the path.
        status, body, headers: the answer to give instead; without a status, the real answer is given. Content-Type is
            JSON unless `headers` has another.
        reset: cut the connection with a TCP reset.
        close: close the connection without an answer.
        delay: seconds to delay the request (`before`), or the answer only (`after`).
        trickle: seconds between any two bytes of the body; the request is processed.
        truncate: how many bytes of the body to send before the connection is closed; the request is processed.
        when: `before`: the request is not processed; `after`: the request is processed first.
        times: how many requests it hits.
        nth: which of the matching requests is the first that it hits.

    Raises:
        ValueError: `path`, `status` or `when` makes no sense.
    """

    method: str | None = None
    path: str = ""
    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    close: bool = False
    delay: float = 0.0
    trickle: float = 0.0
    truncate: int | None = None
    when: Literal["before", "after"] = "before"
    times: int = 1
    nth: int = 1

    def __post_init__(self) -> None:
        """Refuse wrong values where the fault is written, not when a request comes."""
        try:
            _compiled(self.path)
        except re2.error as error:
            raise ValueError(f"path {self.path!r} is not a regular expression of RE2: {error}") from None
        if self.status is not None and self.status not in STATUSES:
            raise ValueError(f"status must be that of an answer, 200 to 599, not {self.status}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when must be before or after, not {self.when!r}")

    @classmethod
    def refusal(cls, code: str, **match: Any) -> Fault:
        """A fault that answers an error of the catalogue, such as `BackupService.6711`.

        Only this answers 6708 and 6711, whose causes are not documented. `match` are further attributes.

        Raises:
            KeyError: the catalogue has no such code.
        """
        row = catalogue.row_of(code)
        return cls(status=row.status, body=json.dumps({"error_code": code, "error_msg": row.english}), **match)

    def fits(self, method: str, path: str) -> bool:
        """Whether it matches a request."""
        return self.times > 0 and self.method in (None, method) and _compiled(self.path).search(path) is not None

    @property
    def prevents(self) -> bool:
        """Whether the request is not processed."""
        return self.when == "before" and (self.status is not None or self.reset or self.close)


class Faults:
    """The faults that are not used up, in order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Take the first fault that hits a request, and count it."""
        with self._lock:
            found: Fault | None = None
            for fault in self._faults:
                if not fault.fits(method, path):
                    continue
                if fault.nth > 1:
                    fault.nth -= 1
                elif found is None:
                    fault.times -= 1
                    found = fault
            return found

    @property
    def unused(self) -> list[Fault]:
        """The faults that have not hit all their requests yet."""
        with self._lock:
            return [fault for fault in self._faults if fault.times > 0]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()


class Limit(NamedTuple):
    """A rate limit: the number of requests in any window of seconds, and the `Retry-After` of a 429."""

    requests: int
    window: float
    retry_after: float | None


class Permissions:
    """The IAM actions that accounts do not have, and the rate limit of each account; the gateway checks them last."""

    def __init__(self) -> None:
        self.limit: Limit | None = None
        self.confined: dict[str, str] = {}  # the only enterprise project that an account sees
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
