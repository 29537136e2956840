"""Faults that a test scripts: what goes wrong, with which requests, before or after they have their effect."""

from __future__ import annotations

import json
import threading

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import re2

from pulumi_cbr_sharing.emulator import catalogue


if TYPE_CHECKING:
    from collections.abc import Mapping


@lru_cache
def _compiled(pattern: str) -> Any:
    quiet = re2.Options()
    quiet.log_errors = False
    return re2.compile(pattern, quiet)


@dataclass
class Fault:
    """One thing that goes wrong. Nothing of its own to answer, cut or hold back: it only counts requests.

    Attributes:
        method: of the requests that it hits; None for any.
        path: a regular expression of RE2, searched in the path: no pattern of it takes long.
        status, body, headers: the answer given instead; status None leaves the real answer as it is. Content-Type
            is JSON unless `headers` says otherwise.
        reset: cut the connection with a TCP reset.
        close: close the connection without an answer.
        delay: seconds to hold back: the effect (`before`, so that it comes when nobody waits for it any more), or
            the answer alone (`after`).
        trickle: seconds between any two bytes of the body; the request has been carried out.
        truncate: how many bytes of the body come before the connection closes; the request has been carried out.
        when: `before`: an answer given instead, or a cut, spares the request its effect; `after`: it was carried out,
            then this happens.
        times: how many requests it hits.
        nth: which of the requests that fit is the first that it hits.

    Raises:
        ValueError: `path` is no regular expression, or `when` is neither of the two.
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
        """Refuse what could never hit, where it is written rather than when a request comes."""
        try:
            _compiled(self.path)
        except re2.error as error:
            raise ValueError(f"path {self.path!r} is no regular expression of RE2: {error}") from None
        if self.when not in ("before", "after"):
            raise ValueError(f"when is before or after, not {self.when!r}")

    @classmethod
    def refusal(cls, code: str, **match: Any) -> Fault:
        """The catalogue's answer of a code, such as `BackupService.6711`; `match` are further attributes.

        This is the way to 6708 and 6711, "fails otherwise": what they stand for is not documented.

        Raises:
            KeyError: the catalogue has no such code.
        """
        row = catalogue.row_of(code)
        return cls(status=row.status, body=json.dumps({"error_code": code, "error_msg": row.english}), **match)

    def fits(self, method: str, path: str) -> bool:
        """Whether it concerns a request."""
        return self.times > 0 and self.method in (None, method) and _compiled(self.path).search(path) is not None

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
        """The first whose turn it is with a request; it counts as used."""
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
        """Those that still wait for a request."""
        with self._lock:
            return [fault for fault in self._faults if fault.times > 0]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._faults.clear()
