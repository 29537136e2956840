"""The parameters that all lists of the API share: filters, sort, marker, offset, limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.catalogue import Refusal


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LARGEST_PAGE = 1000


def page_of(
    records: list[dict[str, Any]], query: Mapping[str, str], filters: Sequence[str]
) -> tuple[list[dict[str, Any]], int]:
    """One page of the records that the filters let pass, and how many they are in all.

    An offset past the end gives an empty page (inferred).
    """
    wanted = {name: query[name] for name in filters if name in query}
    found = [record for record in records if all(str(record[name]) == text for name, text in wanted.items())]
    for key, descending in reversed(_sort_keys(query.get("sort", ""))):
        found.sort(key=lambda record, key=key: str(record.get(key)), reverse=descending)  # type: ignore[misc]
    start = _after(found, query["marker"]) if "marker" in query else _number(query, "offset", 0)
    return found[start : start + min(_number(query, "limit", LARGEST_PAGE), LARGEST_PAGE)], len(found)


def _sort_keys(text: str) -> list[tuple[str, bool]]:
    """`created_at:asc,name` as keys with whether they descend, which is the default."""
    pairs = [part.partition(":") for part in text.split(",") if part]
    return [(key, direction != "asc") for key, _, direction in pairs]


def _after(records: list[dict[str, Any]], marker: str) -> int:
    ids = [record["id"] for record in records]
    if marker not in ids:
        raise Refusal(catalogue.MALFORMED)
    return ids.index(marker) + 1


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise Refusal(catalogue.MALFORMED)
    return int(text)
