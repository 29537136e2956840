"""Faults that a test scripts: what goes wrong, with which requests, before or after they have their effect."""

from __future__ import annotations

import re
import threading

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal


if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Fault:
    """One thing that goes wrong.

    Attributes:
        method: of the requests that it hits; None for any.
        path: a regular expression, searched in the path.
        status, body, headers: the answer given instead; status None leaves the real answer as it is.
        reset: cut the connection with a TCP reset.
        close: close the connection without an answer.
        delay: seconds to hold the answer back.
        trickle: seconds between any two bytes of the body.
        truncate: how many bytes of the body come before the connection closes.
        when: `before`: the request is never carried out; `after`: it is, and then this happens. A fault that has
            no answer of its own and cuts nothing (delay, trickle, truncate alone) lets every request through.
        times: how many requests it hits.
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

    def hits(self, method: str, path: str) -> bool:
        """Whether it concerns a request."""
        return self.times > 0 and self.method in (None, method) and re.search(self.path, path) is not None

    @property
    def prevents(self) -> bool:
        """Whether the request is never carried out."""
        return self.when == "before" and (self.status is not None or self.reset or self.close)


class Faults:
    """The faults that are scripted and not used up, in order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Script one more."""
        with self._lock:
            self._faults.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first that hits a request; it counts as used."""
        with self._lock:
            found = next((fault for fault in self._faults if fault.hits(method, path)), None)
            if found:
                found.times -= 1
            return found

    @property
    def unused(self) -> list[Fault]:
        """Those that still wait for a request."""
        with self._lock:
            return [fault for fault in self._faults if fault.times > 0]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._faults.clear()
