"""A request as handlers get it, its answer, the parameters of lists, and what the log keeps of it."""

from __future__ import annotations

import json
import re

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.cloud import Emulator
    from pulumi_cbr_sharing.emulator.keys import Caller


LARGEST_PAGE = 1000
MOST_DIGITS = 9
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


class Answer(NamedTuple):
    """Status, body (JSON, plain text, or None) and further headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


# -- The parameters of lists -------------------------------------------------------------------------------------------


def page_of(
    records: list[dict[str, Any]], query: Mapping[str, str], filters: Sequence[str]
) -> tuple[list[dict[str, Any]], int]:
    """One page of the records that match the filters, and the number of all of them.

    An offset past the end gives an empty page (inferred).
    """
    wanted = {name: query[name] for name in filters if name in query}
    found = [record for record in records if all(str(record[name]) == text for name, text in wanted.items())]
    for key, descending in reversed(_sort_keys(query.get("sort", ""), records)):
        found.sort(key=partial(_rank, key), reverse=descending)
    start = _after(found, query["marker"]) if "marker" in query else _number(query, "offset", 0)
    limit = _number(query, "limit", LARGEST_PAGE)
    # The range is documented for backups; for other lists it is inferred, and so is that other values are refused.
    if not 1 <= limit <= LARGEST_PAGE:
        raise Refusal(catalogue.MALFORMED)
    return found[start : start + limit], len(found)


def _sort_keys(text: str, records: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """Parse `created_at:asc,name` into keys, and whether each is descending (the default)."""
    pairs = [part.partition(":")[::2] for part in text.split(",") if part]
    # Unknown keys and directions are refused. (inferred)
    if any(way not in ("", "asc", "desc") or any(key not in one for one in records) for key, way in pairs):
        raise Refusal(catalogue.MALFORMED)
    return [(key, way != "asc") for key, way in pairs]


def _rank(key: str, record: Mapping[str, Any]) -> str:
    return str(record[key])


def _after(records: Sequence[Mapping[str, Any]], marker: str) -> int:
    ids = [record["id"] for record in records]
    if marker not in ids:
        raise Refusal(catalogue.MALFORMED)
    return ids.index(marker) + 1


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Refusal(catalogue.MALFORMED)
    return int(text)


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
