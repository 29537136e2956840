"""Lists with many pages are complete, and limited in time and size."""

from __future__ import annotations

import json
import time

from typing import TYPE_CHECKING, Any

import pytest

from inprocess import FakeTime, settings_of
from pulumi_cbr_sharing.cbr.api import Listing, whole_list
from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import UnexpectedAnswer
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.http.messages import Call, Reply


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


CALL = Call("GET", "/v3/p/backups", doing="listing", action="x")


class Service:
    """A client whose list is made up by a test."""

    def __init__(self, answer: Any, deadline: float = 600.0, page_seconds: float = 0.0) -> None:
        self._answer, self._time, self._page_seconds = answer, FakeTime(), page_seconds
        self.clock, self.asked = self._time.clock, 0
        self.settings = type("Settings", (), {"deadline": deadline, "enterprise_project": None, "names": {"cbr": "it"}})
        self.news: list[str] = []
        self.notify = self.news.append

    def send(self, call: Call, look: object = None) -> Reply:  # noqa: ARG002 - a list is looked at by nobody else
        """One page."""
        self.asked += 1
        self._time.now += self._page_seconds
        return Reply(call, 200, {}, json.dumps(self._answer(int(dict(call.query).get("offset", 0)))).encode())


def uuid(number: int) -> str:
    """An id of a backup."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def pages(service: Any) -> tuple[dict[str, Any], bool]:
    """All records of the list, and whether it is complete."""
    listing = Listing(service, CALL, "backups", lambda record: record)
    for page in listing:
        listing.take(service.send(page))
    return listing.rows, listing.complete


def endless(offset: int) -> dict[str, Any]:
    """A new row at every offset, and no count."""
    return {"backups": [{"id": uuid(offset)}]}


def test_endless_pages_end_with_the_deadline_of_the_settings() -> None:
    """The deadline is for all pages together; a preview has a short one."""
    service: Any = Service(endless, deadline=15.0, page_seconds=4.0)
    with pytest.raises(UnexpectedAnswer, match="the list has no end after 4 rows on 4 pages in 16 s"):
        pages(service)
    assert service.asked == 4


def test_a_long_list_tells_every_ten_seconds_how_far_it_is() -> None:
    """So nobody takes it for hanging."""
    service: Any = Service(endless, deadline=30.0, page_seconds=4.0)
    with pytest.raises(UnexpectedAnswer):
        pages(service)
    assert service.news == ["listing: 3 so far", "listing: 6 so far"]


def test_tries_share_the_deadline() -> None:
    """Reading a list again does not extend the deadline."""
    service: Any = Service(lambda offset: {"backups": [{"id": uuid(offset)}], "count": offset + 2}, 15.0, 4.0)
    with pytest.raises(UnexpectedAnswer, match="no end"):
        whole_list(service, CALL, "backups", lambda record: record, lambda _: True)
    assert service.asked == 4


def test_endless_rows_end_with_their_number() -> None:
    """However fast the pages are."""
    service: Any = Service(lambda offset: {"backups": [{"id": uuid(offset + number)} for number in range(1000)]})
    with pytest.raises(UnexpectedAnswer, match="the list has no end after 100000 rows on 100 pages"):
        pages(service)


def test_endless_pages_end_with_their_number() -> None:
    """However few rows the pages have."""
    service: Any = Service(endless)
    with pytest.raises(UnexpectedAnswer, match="the list has no end after 1000 rows on 1000 pages"):
        pages(service)


def test_paging_takes_time_as_the_rows_do() -> None:
    """Ten times the rows take about ten times as long; a quadratic algorithm would take a hundred times."""
    seconds = [timed(2_000), timed(20_000)]
    assert seconds[1] < 40 * seconds[0]


def timed(rows: int) -> float:
    """Seconds that a list takes."""
    service: Any = Service(
        lambda offset: {
            "backups": [{"id": uuid(number), "name": "x" * 50} for number in range(offset, min(offset + 1000, rows))],
            "count": rows,
        }
    )
    began = time.process_time()
    assert len(pages(service)[0]) == rows
    return time.process_time() - began


def test_rows_that_move_between_pages_are_not_counted_twice() -> None:
    """A row that comes twice counts once, as it was last; the list is incomplete, because another row was missed."""
    answers = {0: [{"id": uuid(1), "status": "pending"}, {"id": uuid(2)}], 2: [{"id": uuid(1), "status": "accepted"}]}
    service: Any = Service(lambda offset: {"backups": answers[offset], "count": 3})
    found, complete = pages(service)
    assert (list(found), complete) == ([uuid(1), uuid(2)], False)
    assert found[uuid(1)].fields["status"] == "accepted"


def test_rows_too_deep_to_be_compared_conclude_nothing(emulator: Emulator) -> None:
    """A clear error rather than a traceback."""
    deep = '{"x": ' * 900 + "1" + "}" * 900
    emulator.add_fault(Fault(status=200, body='{"members": [' + deep + '], "count": 1}'))
    client = Client(settings_of(emulator))
    with pytest.raises(UnexpectedAnswer):
        list_members(client, emulator.backup.id)


def test_a_backup_that_is_made_between_two_pages_is_in_the_list(emulator: Emulator) -> None:
    """The count changes, so the list is read again."""
    for _ in range(1200):
        emulator.add_backup()
    counted = Fault(path="/backups$", status=200, body=json.dumps({"backups": [], "count": 1201}))
    emulator.add_fault(counted)
    client = Client(settings_of(emulator))
    assert len(list_backups(client)) == 1201
