"""A request as handlers get it, its answer, the parameters of lists, and what the log keeps of it."""

from __future__ import annotations

import json
import re

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal
from pulumi_cbr_sharing.emulator.records import Backup, Vault, rendered


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.cloud import Emulator
    from pulumi_cbr_sharing.emulator.keys import Caller


_Record = TypeVar("_Record", Backup, Vault)
LARGEST_PAGE = 1000
MOST_DIGITS = 9
NAMES = ("name", "resource_name")
ALL_GRANTED = "all_granted_eps"
MASK = "***"
# Names of headers, parameters and properties that hold credentials, of this cloud or another.
_SECRET = re.compile(
    r"(?i)(access|api|auth)[-_]?key|authorization|cookie|credential|passw|passcode|secret|signature|token|^(access|ak|pwd|sk)$"
)


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
            raise Refusal(catalogue.MALFORMED_URL if self.cloud.quirk_wrong_project else catalogue.WRONG_PROJECT)
        self.project = project or ""
        self.cloud.permissions.admit(self.caller.name, action)

    def part(self, name: str) -> dict[str, Any]:
        """An object in the body.

        Raises:
            Refusal: it is not there.
        """
        found = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(found, dict):
            raise Refusal(catalogue.MALFORMED)
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
            raise Refusal(catalogue.denied("cbr:*:list"))
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
        raise Refusal(catalogue.MALFORMED)
    return offset


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text) in allowed:
        return int(text)
    return _odd(request) or default


def _odd(request: Request) -> int:
    """Refuse a parameter that makes no sense, or ignore it."""
    if request.cloud.odd_parameters == "refused":
        raise Refusal(catalogue.MALFORMED)
    return 0


# -- The log -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """A request and its answer, secrets masked.

    Attributes:
        query: as sent, without `?`.
        body: as JSON; if it is not JSON, all of it is masked.
        status: the status of the answer; 0 if the connection was cut instead.
        account: the account that sent it, or None.
        code: the error code of the answer, or "".
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int
    account: str | None
    code: str


def masked(value: Any, known: Iterable[str], *, hidden: bool = False) -> Any:
    """A value with all known secrets masked, and all that stands under the name of a credential."""
    if isinstance(value, dict):
        return {masked(key, known): masked(entry, known, hidden=_hides(key, hidden)) for key, entry in value.items()}
    if isinstance(value, list):
        return [masked(entry, known, hidden=hidden) for entry in value]
    if hidden and value is not None:
        return MASK
    for secret in known if isinstance(value, str) else ():
        value = value.replace(secret, MASK)
    return value


def _hides(name: str, outer: bool) -> bool:  # noqa: FBT001
    # In a token request `password` is also the name of an object, which has the user and the password.
    return (outer and name != "user") or _SECRET.search(name) is not None


def masked_query(query: str, known: Iterable[str]) -> str:
    """A query with credentials masked, and the rest as it was sent."""
    return "&".join(_masked_parameter(*text.partition("="), known) for text in query.split("&"))


def _masked_parameter(name: str, equals: str, value: str, known: Iterable[str]) -> str:
    ((shown, text),) = masked({unquote(name): unquote(value)}, known).items()
    return f"{shown}{equals}{value if text == unquote(value) else text}"


def masked_body(data: bytes, known: Iterable[str]) -> Any:
    """A body with credentials masked; if it is not JSON, all of it is masked."""
    try:
        return masked(json.loads(data), known) if data else None
    except (ValueError, RecursionError):
        return MASK
