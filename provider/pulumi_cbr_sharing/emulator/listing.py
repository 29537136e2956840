"""The parameters of all lists of the API: filters, sort, marker, offset, limit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LARGEST_PAGE = 1000
MOST_DIGITS = 9


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
