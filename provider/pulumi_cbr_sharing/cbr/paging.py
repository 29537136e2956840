"""Lists over all their pages, and whether they are whole: half a list would look as if the rest were gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.messages import rows


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Call


MOST_PAGES = 1000  # a service that never says how many there are must not hold a worker for ever
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
    """
    found: list[dict[str, Any]] = []
    counts: list[Any] = []
    while len(counts) < MOST_PAGES:
        reply = client.fetch(_from_offset(call, len(found)))
        page = rows(call, reply, key)
        new = [row for row in page if row not in found]
        found += new
        counts.append(count := reply.payload.get("count"))
        if count is None and not page:
            return found, all(one is None for one in counts)
        if not new or (type(count) is int and len(found) >= count):
            return found, all(type(one) is int and one == len(found) for one in counts)
    return found, False


def whole_list(client: Client, call: Call, key: str) -> list[dict[str, Any]]:
    """All rows of a list, over all pages.

    Args:
        client: who asks.
        call: the list without `offset`.
        key: what the rows stand under.

    Raises:
        UnexpectedAnswer: every try gave another number of rows than the service counts.
    """
    for _ in range(TRIES):
        found, complete = pages(client, call, key)
        if complete:
            return found
    raise UnexpectedAnswer(f"{call.doing}: the list does not fit its own count, so nothing is concluded: run it again")


def _from_offset(call: Call, offset: int) -> Call:
    return call if not offset else replace(call, query=(*call.query, ("offset", str(offset))))
