"""Lists over all their pages, and whether they are whole: half a list would look as if the rest were gone."""

from __future__ import annotations

import json

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.second_look import told_apart
from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.messages import lacking, rows


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Call, Reply


# A service with endless pages must not hold a worker for ever; in time they are bounded by the settings' deadline.
MOST_PAGES, MOST_ROWS = 1000, 100_000
TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row


def pages(client: Client, call: Call, key: str) -> tuple[list[dict[str, Any]], bool]:
    """All rows of a list, page by page.

    Args:
        client: who asks.
        call: the list without `offset`.
        key: what the rows stand under.

    Returns:
        The rows, and whether they are known to be all: exactly as many as `count` says on every page, for
        where it changes, rows have moved between pages. A list without `count` is complete when an empty page
        ends it.

    Raises:
        UnexpectedAnswer: the list does not end within its bounds.
    """
    return _pages(_Asking(client, call), key)


def whole_list(client: Client, call: Call, key: str) -> list[dict[str, Any]]:
    """All rows of a list, over all pages.

    Args:
        client: who asks.
        call: the list without `offset`.
        key: what the rows stand under.

    Raises:
        UnexpectedAnswer: every try gave another number of rows than the service counts, or the list does not end
            within its bounds.
    """
    asking = _Asking(client, call)
    for _ in range(TRIES):
        found, complete = _pages(asking, key)
        if complete:
            return found
    raise UnexpectedAnswer(f"{call.doing}: the list does not fit its own count, so nothing is concluded: run it again")


class _Asking:
    """A list that is asked for page by page, within its bounds; all pages together have the deadline of one call."""

    def __init__(self, client: Client, call: Call) -> None:
        self.call, self._client = call, client
        self._began = client.clock.now()

    def page(self, offset: int, number: int) -> Reply:
        """The page that begins at an offset."""
        self._check(offset, number)
        call = replace(self.call, query=(*self.call.query, ("offset", str(offset)))) if offset else self.call
        with told_apart(self._client, call):
            return self._client.fetch(call)

    def _check(self, offset: int, number: int) -> None:
        passed = self._client.clock.now() - self._began
        if number < MOST_PAGES and offset < MOST_ROWS and passed <= self._client.settings.deadline:
            return
        raise UnexpectedAnswer(
            f"{self.call.doing}: the list has no end after {offset} rows on {number} pages in {passed:.0f} s, so "
            "nothing is concluded from it: check the endpoint"
        )


def _pages(asking: _Asking, key: str) -> tuple[list[dict[str, Any]], bool]:
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    counts: list[Any] = []
    while True:
        reply = asking.page(len(found), len(counts))
        page = rows(asking.call, reply, key)
        new = list(_new(asking.call, reply, page, seen))
        found += new
        counts.append(count := reply.payload.get("count"))
        if count is None and not page:
            return found, all(one is None for one in counts)
        if not new or (type(count) is int and len(found) >= count):
            return found, all(type(one) is int and one == len(found) for one in counts)


def _new(call: Call, reply: Reply, page: list[dict[str, Any]], seen: set[str]) -> Iterator[dict[str, Any]]:
    """The rows that no page had before; rows move from one page to the next when others come and go."""
    for row in page:
        try:
            text = json.dumps(row, sort_keys=True)
        except RecursionError:
            raise lacking(call, reply, "rows that can be read") from None
        if text not in seen:
            seen.add(text)
            yield row
