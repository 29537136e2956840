"""Lists all pages; an incomplete list must not be read as deletions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.calls import ask
from pulumi_cbr_sharing.errors import UnexpectedAnswer


if TYPE_CHECKING:
    from collections.abc import Collection

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Call, Record
    from pulumi_cbr_sharing.ids import Shape


MOST_PAGES, MOST_ROWS = 1000, 100_000  # a list without end must not hold a worker forever
TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row


def pages(
    client: Client, call: Call, key: str, shape: Shape, *, name: str = "id", since: float | None = None
) -> tuple[dict[str, Record], bool]:
    """All records of a list by their ids, page by page.

    Args:
        client: sends the calls.
        call: the list without `offset`.
        key: the name of the list in an answer.
        shape: the shape of an id.
        name: the field that is the id.
        since: when the list was first asked for, if it was before. All pages together have the deadline of one call.

    Returns:
        The records, and whether the list is complete: every page's `count` is the number of records. (If it changes,
        records have moved between pages.) A list without `count` is complete when an empty page ends it.

    Raises:
        UnexpectedAnswer: the list does not end, or has a malformed id.
    """
    chosen = client.settings.enterprise_project if key in ("backups", "vaults") else None
    call = replace(call, query=(*call.query, ("enterprise_project_id", chosen))) if chosen else call
    began = client.clock.now() if since is None else since
    found: dict[str, Record] = {}
    counts: list[Any] = []
    while True:
        _check_end(client, call, len(found), len(counts), began)
        page = replace(call, query=(*call.query, ("offset", str(len(found))))) if found else call
        reply = ask(client, page)
        listed = {record.id(name, shape): record for record in reply.records(key)}
        # Records move from one page to the next when others come and go.
        news = listed.keys() - found.keys()
        found |= listed
        counts.append(count := reply.payload.get("count"))
        if count is None and not listed:
            return found, all(one is None for one in counts)
        if not news or (type(count) is int and len(found) >= count):
            return found, all(type(one) is int and one == len(found) for one in counts)


def whole_list(client: Client, call: Call, key: str, shape: Shape) -> Collection[Record]:
    """All records of a list, over all pages; see `pages`.

    Raises:
        UnexpectedAnswer: no try gave as many records as the service counts, or the list does not end.
    """
    began = client.clock.now()
    for _ in range(TRIES):
        found, complete = pages(client, call, key, shape, since=began)
        if complete:
            return found.values()
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
