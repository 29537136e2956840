"""A request as handlers get it, its answer, the parameters of lists, and the faults that tests script for it."""

from __future__ import annotations

import json
import threading

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import re2

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal
from pulumi_cbr_sharing.emulator.records import Backup, Vault, rendered


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.cloud import Emulator
    from pulumi_cbr_sharing.emulator.keys import Caller


_Record = TypeVar("_Record", Backup, Vault)
LARGEST_PAGE = 1000
MOST_DIGITS = 9
STATUSES = range(200, 600)
NAMES = ("name", "resource_name")
ALL_GRANTED = "all_granted_eps"


@dataclass
class Sent:
    """What was sent, and can be signed: `target` is path and query as sent, names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    data: bytes


@dataclass
class Request(Sent):
    """A request to a handler.

    Attributes:
        query: the first value of each parameter.
        body: the JSON body, or None.
        caller: who sent it; None if no credential is needed.
        project: the project in the path.
    """

    cloud: Emulator
    query: Mapping[str, str]
    body: Any
    caller: Caller | None = None
    project: str = ""

    @property
    def account(self) -> Account:
        """The caller's account."""
        assert self.caller
        return self.caller.account

    def admit(self, action: str, project: str | None = None) -> None:
        """Check the credential, that it is good for the project, the rate limit and the permission.

        Raises:
            Refusal: one of them does not let the request pass.
        """
        self.caller = self.cloud.keys.caller(self)
        if project is not None and project not in self.caller.projects:
            raise Refusal(behaviours.MALFORMED_URL if self.cloud.quirk_wrong_project else behaviours.WRONG_PROJECT)
        self.project = project or ""
        self.cloud.permissions.admit(self.caller.name, action)

    def part(self, name: str) -> dict[str, Any]:
        """An object in the body.

        Raises:
            Refusal: it is not there.
        """
        found = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(found, dict):
            raise Refusal(behaviours.MALFORMED)
        return found

    def rendered(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record as it is written in the cloud's dialect."""
        return dict(rendered(record, self.cloud.dialect))

    def in_enterprise(self, records: Iterable[_Record]) -> list[_Record]:
        """The records of the enterprise project that is asked for; a confined user sees its own, if it asks for it.

        Raises:
            Refusal: a confined user asks for none, and that is refused.
        """
        wanted = self.query.get("enterprise_project_id")
        only = self.cloud.permissions.confined.get(self.account.name)
        if only is not None and wanted is None and self.cloud.confined_list == "denied":
            raise Refusal(behaviours.denied("cbr:*:list"))
        if only is not None and wanted == ALL_GRANTED:
            wanted = only
        if only not in (None, wanted):
            return []
        return [one for one in records if wanted in (None, ALL_GRANTED, one.enterprise_project_id)]


class Answer(NamedTuple):
    """Status, body (JSON, plain text, or None) and further headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


# -- The parameters of lists -------------------------------------------------------------------------------------------


def page_of(
    request: Request, records: list[dict[str, Any]], filters: Sequence[str]
) -> tuple[list[dict[str, Any]], int]:
    """One page of the records that match the filters of a request, and the number of all of them."""
    found = [record for record in records if _matches(request, record, filters)]
    for key, descending in reversed(_sort_keys(request, records)):
        found.sort(key=partial(_rank, key), reverse=descending)
    start = _start(request, found)
    # The range is documented for backups; for other lists it is inferred, and so is that other values are refused.
    limit = _number(request, "limit", request.cloud.page_size, range(1, LARGEST_PAGE + 1))
    return found[start : start + limit], len(found)


def _matches(request: Request, record: Mapping[str, Any], filters: Sequence[str]) -> bool:
    wanted = {name: request.query[name] for name in filters if name in request.query}
    parts = NAMES if request.cloud.names_match == "part" else ()
    return all(
        text in str(record[name]) if name in parts else text == str(record[name]) for name, text in wanted.items()
    )


def _sort_keys(request: Request, records: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """Parse `created_at:asc,name` into keys, and whether each is descending (the default)."""
    pairs = [part.partition(":")[::2] for part in request.query.get("sort", "").split(",") if part]
    known = [(key, way) for key, way in pairs if way in ("", "asc", "desc") and all(key in one for one in records)]
    if known != pairs:
        _odd(request)
    return [(key, way != "asc") for key, way in known]


def _rank(key: str, record: Mapping[str, Any]) -> str:
    return str(record[key])


def _start(request: Request, records: Sequence[Mapping[str, Any]]) -> int:
    marker = request.query.get("marker")
    ids = [record["id"] for record in records]
    if marker in ids:
        return ids.index(marker) + 1
    if marker is not None:
        return _odd(request)
    offset = _number(request, "offset", 0, range(10**MOST_DIGITS))
    if offset > len(records) and request.cloud.offset_past_end == "refused":
        raise Refusal(behaviours.MALFORMED)
    return offset


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) in allowed:
        return int(text)
    return _odd(request) or default


def _odd(request: Request) -> int:
    """Refuse a parameter that makes no sense, or ignore it."""
    if request.cloud.odd_parameters == "refused":
        raise Refusal(behaviours.MALFORMED)
    return 0


# -- Scripted faults ---------------------------------------------------------------------------------------------------


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
        """A fault that answers an error of the ledger, such as `BackupService.6711`.

        Only this answers 6708 and 6711, whose causes are not documented. `match` are further attributes.

        Raises:
            KeyError: the ledger has no such code.
        """
        row = behaviours.row_of(code)
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
