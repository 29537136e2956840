"""Lists all pages; an incomplete list must not be read as deletions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.cbr.calls import ask
from pulumi_cbr_sharing.errors import UnexpectedAnswer


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Call, Record, Reply
    from pulumi_cbr_sharing.ids import Shape


MOST_PAGES, MOST_ROWS = 1000, 100_000  # a list without end must not hold a worker forever
NEWS_EVERY = 10.0  # seconds between two lines of progress
TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row


class Listing:
    """The records of a list by their ids. Send each call that it yields, and let it `take` the reply.

    Args:
        client: whose clock and deadline count; it shows a line every ten seconds.
        call: the list without `offset`.
        key: the name of the list in an answer.
        shape: the shape of an id.
        name: the field that is the id.
        since: when the list was first asked for, if it was before. All pages together have the deadline of one call.

    Attributes:
        found: the records so far.
        complete: whether every page's `count` is the number of records. (If it changes, records have moved between
            pages.) A list without `count` is complete when an empty page ends it.

    Raises:
        UnexpectedAnswer: the list does not end, or has a malformed id.
    """

    def __init__(
        self, client: Client, call: Call, key: str, shape: Shape, *, name: str = "id", since: float | None = None
    ) -> None:
        chosen = client.settings.enterprise_project if key in ("backups", "vaults") else None
        call = replace(call, query=(*call.query, ("enterprise_project_id", chosen))) if chosen else call
        self._client, self._call, self._key, self._shape, self._name = client, call, key, shape, name
        self._began = client.clock.now() if since is None else since
        self._counts: list[Any] = []
        self._ended = False
        self.found: dict[str, Record] = {}
        self.complete = False

    def __iter__(self) -> Iterator[Call]:
        told = self._client.clock.now()
        while not self._ended:
            self._check_end()
            if self._client.clock.now() >= told + NEWS_EVERY:
                told = self._client.clock.now()
                self._client.notify(f"{self._call.doing}: {len(self.found)} so far")
            offset = ("offset", str(len(self.found)))
            yield replace(self._call, query=(*self._call.query, offset)) if self.found else self._call

    def take(self, reply: Reply) -> None:
        """A page."""
        listed = {record.id(self._name, self._shape): record for record in reply.records(self._key)}
        # Records move from one page to the next when others come and go.
        news = listed.keys() - self.found.keys()
        self.found |= listed
        self._counts.append(count := reply.payload.get("count"))
        if count is None and not listed:
            self._ended, self.complete = True, all(one is None for one in self._counts)
        elif not news or (type(count) is int and len(self.found) >= count):
            self._ended = True
            self.complete = all(type(one) is int and one == len(self.found) for one in self._counts)

    def _check_end(self) -> None:
        rows, number, passed = len(self.found), len(self._counts), self._client.clock.now() - self._began
        if number >= MOST_PAGES or rows >= MOST_ROWS or passed > self._client.settings.deadline:
            raise UnexpectedAnswer(
                f"{self._call.doing}: the list has no end after {rows} rows on {number} pages in {passed:.0f} s, so "
                "nothing is concluded from it: check the endpoint"
            )


def whole_list(client: Client, call: Call, key: str, shape: Shape) -> Collection[Record]:
    """All records of a list, over all pages; see `Listing`.

    Raises:
        UnexpectedAnswer: no try gave as many records as the service counts, or the list does not end.
    """
    began = client.clock.now()
    for _ in range(TRIES):
        listing = Listing(client, call, key, shape, since=began)
        for page in listing:
            listing.take(ask(client, page))
        if listing.complete:
            return listing.found.values()
    raise incomplete(call.doing)


def incomplete(doing: str) -> UnexpectedAnswer:
    """The error for a list that may be incomplete."""
    return UnexpectedAnswer(f"{doing}: the list does not fit its own count, so nothing is concluded: run it again")
