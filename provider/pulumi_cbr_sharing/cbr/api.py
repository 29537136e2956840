"""Paths, answers and whole lists of CBR.

`401 Malformed request url` has two meanings. The maintainers of another client saw it where a backup does not exist. In
OpenStack Karbor, the service's ancestor, it means that the project in the address is not the credential's; taking that
for "gone" would drop every share from the state. A second request tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import BackupNotFound, MalformedUrl, Refused, UnexpectedAnswer, WrongProject
from pulumi_cbr_sharing.http.messages import Call


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Record, Reply


T = TypeVar("T")
MOST_PAGES, MOST_ROWS = 1000, 100_000  # a list without end must not hold a worker forever
NEWS_EVERY = 10.0  # seconds between two lines of progress
TRIES = 3  # a backup that is made or expires between two pages spoils a list, but hardly three in a row
# The ids in a path and in a list: the shape of each, and its field in a record.
_IDS_OF = {"backups": (ids.BACKUP, "id"), "members": (ids.PROJECT, "dest_project_id"), "vaults": (ids.VAULT, "id")}


def path_to(client: Client, *parts: str) -> str:
    """A path below the client's project: `path_to(client, "backups", backup_id, "members")`.

    Raises:
        Refused: an id has another shape. With `..`, the DELETE of a member would be one of the backup.
    """
    given = [(ids.PROJECT, client.project_id)]
    given += [(_IDS_OF[what][0], part) for what, part in zip(parts[::2], parts[1::2], strict=False)]
    for shape, part in given:
        if trouble := shape.trouble_with(part):
            raise Refused(f"calling the service with an id that {trouble}; nothing was sent")
    return "/".join(("/v3", client.project_id, *parts))


def ask(client: Client, call: Call, look: Callable[[], T | None] | None = None) -> Reply | T:
    """Send a call about backups, members or vaults, see `Client.send`.

    Raises:
        BackupNotFound: the 401, but the project's backups can be listed: it is the backup that does not exist.
        WrongProject: they cannot, so the project is not the credential's.
        MalformedUrl: neither explains the 401.
    """
    try:
        return client.send(call, look=look)
    except MalformedUrl as refusal:
        raise explained(client, call, refusal) from None


def explained(client: Client, call: Call, refusal: MalformedUrl) -> MalformedUrl | BackupNotFound:
    """What the 401 means, see `ask`."""
    if call.method != "GET":
        # Seen for GET only: a share whose DELETE is answered with it may still be there.
        # GET /v3/{project_id}/backups/{backup_id} → 200 {"backup": Backup}
        path, doing = call.path.partition("/members")[0], f"{call.doing}: checking that the backup exists"
        ask(client, Call("GET", path, doing, "cbr:backups:get"))
        return refusal
    # GET /v3/{project_id}/backups?limit=1 → 200 {"backups": [Backup], "count": n}
    doing = f"{call.doing}: checking that the credential is of project {client.project_id}"
    look = Call("GET", path_to(client, "backups"), doing, "cbr:backups:list", query=(("limit", "1"),))
    try:
        client.send(look).records("backups")
    except MalformedUrl as same:
        request = f", request {same.request_id}" if same.request_id else ""
        raise WrongProject(
            f"{call.doing}: the credential is not of project {client.project_id} (HTTP 401, Malformed request url"
            f"{request}): use a credential of that project, or correct {client.settings.names['project_id']}; nothing "
            "was changed"
        ) from None
    if "/backups/" not in call.path:
        return refusal
    gone = refusal.again(reason="the backup does not exist in this project", remedy="")
    return BackupNotFound(**vars(gone))


class Listing(Generic[T]):
    """The records of a list by their ids. Send each call that it yields, and let it `take` the reply.

    Args:
        client: whose clock and deadline count; it shows a line every ten seconds.
        call: the list without `offset`.
        key: the name of the list in an answer: `backups`, `members` or `vaults`.
        read: reads a record.
        since: when the list was first asked for. All pages of all tries together have the deadline of one call.

    Attributes:
        rows: what was read so far.
        complete: whether every page's `count` is the number of records, or, without any `count`, an empty page ends it.

    Raises:
        UnexpectedAnswer: the list does not end, or has a malformed record.
    """

    def __init__(
        self, client: Client, call: Call, key: str, read: Callable[[Record], T], since: float | None = None
    ) -> None:
        self._client, self._call, self._key, self._read = client, call, key, read
        self._began = client.clock.now() if since is None else since
        self._counts: list[Any] = []
        self._ended = False
        self.rows: dict[str, T] = {}
        self.complete = False

    def __iter__(self) -> Iterator[Call]:
        told = self._client.clock.now()
        while not self._ended:
            rows, pages, passed = len(self.rows), len(self._counts), self._client.clock.now() - self._began
            if pages >= MOST_PAGES or rows >= MOST_ROWS or passed > self._client.settings.deadline:
                raise UnexpectedAnswer(
                    f"{self._call.doing}: the list has no end after {rows} rows on {pages} pages in {passed:.0f} s, so "
                    f"nothing is concluded from it: check {self._client.settings.names['cbr']}"
                )
            if self._client.clock.now() >= told + NEWS_EVERY:
                told = self._client.clock.now()
                self._client.notify(f"{self._call.doing}: {rows} so far")
            yield replace(self._call, query=(*self._call.query, ("offset", str(rows)))) if rows else self._call

    def take(self, reply: Reply) -> None:
        """A page."""
        shape, name = _IDS_OF[self._key]
        listed = {record.id(name, shape): self._read(record) for record in reply.records(self._key)}
        # Records move from one page to the next when others come and go.
        news = listed.keys() - self.rows.keys()
        self.rows |= listed
        self._counts.append(count := reply.payload.get("count"))
        if count is None and not listed:
            self._ended, self.complete = True, all(one is None for one in self._counts)
        elif not news or (type(count) is int and len(self.rows) >= count):
            self._ended = True
            self.complete = all(type(one) is int and one == len(self.rows) for one in self._counts)

    def all(self) -> Mapping[str, T]:
        """All of them; UnexpectedAnswer if the list may be incomplete, which must not be read as deletions."""
        if self.complete:
            return self.rows
        raise UnexpectedAnswer(
            f"{self._call.doing}: the list does not fit its own count, so nothing is concluded: run it again"
        )

    def get(self, id_: str) -> T | None:
        """The one with this id; None if there is definitely none, see `all`."""
        return self.rows.get(id_) or self.all().get(id_)


def whole_list(
    client: Client, call: Call, key: str, read: Callable[[Record], T], fits: Callable[[Mapping[str, Any]], bool]
) -> list[T]:
    """All records of a list of backups or vaults whose fields fit, over all pages; a malformed one spoils the list.

    Raises:
        UnexpectedAnswer: no try gave as many records as the service counts, or the list does not end.
    """
    chosen, began = client.settings.enterprise_project, client.clock.now()
    call = replace(call, query=(*call.query, ("enterprise_project_id", chosen))) if chosen else call
    for tries_left in reversed(range(TRIES)):
        listing = Listing(client, call, key, lambda record: (record.fields, read(record)), began)
        for page in listing:
            listing.take(ask(client, page))
        if listing.complete or not tries_left:
            break
    return [one for fields, one in listing.all().values() if fits(fields)]
