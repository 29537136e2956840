"""Lists over all their pages, and whether they are complete: in half a list, the rest would look as if it were gone."""

from __future__ import annotations

import json

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.second_look import told_apart
from pulumi_cbr_sharing.errors import UnexpectedAnswer


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Call
    from pulumi_cbr_sharing.http.records import Record


MOST_PAGES, MOST_ROWS = 1000, 100_000  # a list without end must not hold a worker forever
TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row


def pages(client: Client, call: Call, key: str, *, since: float | None = None) -> tuple[list[Record], bool]:
    """All rows of a list, page by page.

    Args:
        client: sends the calls.
        call: the list without `offset`.
        key: the name of the rows in an answer.
        since: when the list was first asked for, if it was before. All pages together have the deadline of one call.

    Returns:
        The rows, and whether the list is complete: every page's `count` is the number of rows. (If it changes, rows
        have moved between pages.) A list without `count` is complete when an empty page ends it.

    Raises:
        UnexpectedAnswer: the list does not end.
    """
    began = client.clock.now() if since is None else since
    found: list[Record] = []
    seen: set[str] = set()
    counts: list[Any] = []
    while True:
        _check_end(client, call, len(found), len(counts), began)
        page = replace(call, query=(*call.query, ("offset", str(len(found))))) if found else call
        with told_apart(client, page):
            reply = client.send(page)
        # Rows move from one page to the next when others come and go.
        listed = {_text(record): record for record in reply.records(key)}
        new = [record for text, record in listed.items() if text not in seen]
        seen |= listed.keys()
        found += new
        counts.append(count := reply.payload.get("count"))
        if count is None and not listed:
            return found, all(one is None for one in counts)
        if not new or (type(count) is int and len(found) >= count):
            return found, all(type(one) is int and one == len(found) for one in counts)


def whole_list(client: Client, call: Call, key: str) -> list[Record]:
    """All rows of a list, over all pages; see `pages`.

    Raises:
        UnexpectedAnswer: no try gave as many rows as the service counts, or the list does not end.
    """
    began = client.clock.now()
    for _ in range(TRIES):
        found, complete = pages(client, call, key, since=began)
        if complete:
            return found
    raise incomplete(call.doing)


def incomplete(doing: str) -> UnexpectedAnswer:
    """The error for a list that may be incomplete."""
    return UnexpectedAnswer(f"{doing}: the list does not fit its own count, so nothing is concluded: run it again")


def _check_end(client: Client, call: Call, offset: int, number: int, began: float) -> None:
    passed = client.clock.now() - began
    if number >= MOST_PAGES or offset >= MOST_ROWS or passed > client.settings.deadline:
        raise UnexpectedAnswer(
            f"{call.doing}: the list has no end after {offset} rows on {number} pages in {passed:.0f} s, so nothing is "
            "concluded from it: check the endpoint"
        )


def _text(record: Record) -> str:
    """A record in a form that can be compared."""
    try:
        return json.dumps(record.fields, sort_keys=True)
    except RecursionError:
        raise record.reply.unexpected("with rows that cannot be read") from None
