"""The client's rules as the cloud sees them: what is retried, when, and what is never sent."""

from __future__ import annotations

import json
import socket
import threading

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import FakeTime, Run, settings_of
from pulumi_cbr_sharing.cbr.backups import list_backups
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import ServerFault, SettingsError, Throttled, UnexpectedAnswer, Unreachable
from pulumi_cbr_sharing.http.auth import Accounts
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.http.retry import LONGEST_PAUSE, REFUSED_FOR, UNREACHABLE_FOR


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


ANOTHER = "11111111-2222-4333-8444-555555555555"


def methods(emulator: Emulator) -> list[str]:
    """The methods of the requests that reached the cloud."""
    return [request.method for request in emulator.requests]


def recipient(emulator: Emulator) -> str:
    """The project that the seeded backup is shared with."""
    return emulator.account("recipient").project_id


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", reset=True, times=3),
        Fault("POST", close=True, times=3),
        Fault("POST", status=503, times=3),
        Fault("POST", status=408, times=3),
        Fault("POST", status=200, body="<html>", times=3),
    ],
    ids=["reset", "closed", "503", "408", "page"],
)
def test_between_any_two_offers_stands_a_look_at_the_list(fault: Fault, emulator: Emulator) -> None:
    """A request that may have had an effect is not repeated without a look."""
    emulator.add_fault(fault)
    with Run(settings_of(emulator), FakeTime().clock) as run:
        run.create(emulator.backup.id, recipient(emulator))

    assert methods(emulator) == ["POST", "GET"] * 3 + ["POST"]


def test_an_offer_is_not_repeated_where_nobody_can_look(emulator: Emulator) -> None:
    """The list fails, too, so the call ends with an error; the next run finds the share."""
    emulator.add_fault(Fault("POST", reset=True, when="after"))
    emulator.add_fault(Fault("GET", status=500, times=99))
    with Run(settings_of(emulator, max_retries=2), FakeTime().clock) as run, pytest.raises(ServerFault):
        run.create(emulator.backup.id, recipient(emulator))

    assert methods(emulator) == ["POST", "GET", "GET", "GET"]
    emulator.faults.clear()
    with Run(settings_of(emulator)) as again:
        again.create(emulator.backup.id, recipient(emulator))
    assert list(emulator.members(emulator.backup.id)) == [recipient(emulator)]


def test_a_share_that_appears_after_the_look_is_not_a_conflict(emulator: Emulator) -> None:
    """The first POST was slow, and the second one meets its share: with `adopt=False`, too, it is our own."""
    emulator.add_fault(Fault("POST", reset=True))
    emulator.add_fault(Fault("GET", status=200, body='{"members": [], "count": 0}', times=2))
    emulator.add_member(emulator.backup.id, recipient(emulator))
    with Run(settings_of(emulator), FakeTime().clock) as run:
        state = run.create(emulator.backup.id, recipient(emulator), adopt=False)

    assert state["share_id"] == emulator.members(emulator.backup.id)[recipient(emulator)].id


def test_what_a_throttled_answer_asks_for_is_kept(emulator: Emulator) -> None:
    """The call waits as long as asked for, and tells the user."""
    emulator.add_fault(Fault("POST", status=429, headers={"Retry-After": "40"}))
    passed = FakeTime()
    with Run(settings_of(emulator), passed.clock) as run:
        run.create(emulator.backup.id, recipient(emulator))

    assert sum(passed.slept) >= 40
    assert methods(emulator) == ["POST", "POST"]
    assert "trying again in 40 s" in run.news[0]


def clients(emulator: Emulator, passed: FakeTime, *changes: dict[str, Any]) -> list[Client]:
    """Clients of one process, each with changes to the sharer's settings."""
    accounts, settings = Accounts(passed.clock), [settings_of(emulator, **fields) for fields in changes]
    return [Client(each, accounts=accounts, clock=passed.clock) for each in settings]


def test_one_429_slows_every_client_of_the_account(emulator: Emulator) -> None:
    """The limit is the account's: a client for another region and project waits, too."""
    passed = FakeTime()
    first, second, hurried = clients(
        emulator, passed, {"deadline": 1.0}, {"region": "eu-nl", "project_name": "x"}, {"deadline": 10.0}
    )
    emulator.add_fault(Fault("GET", status=429, headers={"Retry-After": "40"}))
    with pytest.raises(Throttled):
        list_members(first, emulator.backup.id)
    began = passed.now
    with pytest.raises(Throttled, match=r"asks for a pause of \d+ s more"):
        list_members(hurried, emulator.backup.id)
    assert passed.now == began
    assert len(emulator.requests) == 1

    list_members(second, emulator.backup.id)

    assert passed.now - began >= 40


def test_one_accounts_429_does_not_slow_another(emulator: Emulator) -> None:
    """Each credential has a rate limit of its own."""
    passed = FakeTime()
    accounts = Accounts(passed.clock)
    first, other = (
        Client(settings, accounts=accounts, clock=passed.clock)
        for settings in (settings_of(emulator, deadline=1.0), settings_of(emulator, "recipient"))
    )
    emulator.add_fault(Fault("GET", status=429, headers={"Retry-After": "40"}))
    with pytest.raises(Throttled):
        list_members(first, emulator.backup.id)

    list_backups(other, own_type="shared")

    assert passed.slept == []


def test_a_brief_look_up_gives_up_early_and_silently(emulator: Emulator) -> None:
    """A brief client shares project, connections and credential with its client."""
    emulator.add_fault(Fault("GET", status=503, times=99))
    news: list[str] = []
    passed = FakeTime()
    client = Client(settings_of(emulator, project_id=None), clock=passed.clock, notify=news.append)
    with pytest.raises(ServerFault):
        list_members(client.brief, emulator.backup.id)
    assert (len(emulator.requests), news) == (3, [])
    emulator.faults.clear()

    list_members(client.brief, emulator.backup.id)

    assert client.known_project_id == emulator.account("sharer").project_id


def test_a_service_that_never_answered_is_given_up_for_all(emulator: Emulator) -> None:
    """Two hundred resources do not wait for a closed port in turn; half a minute later it is tried again."""
    passed = FakeTime()
    client = Client(settings_of(emulator, cbr="http://127.0.0.1:1"), clock=passed.clock)
    with pytest.raises(Unreachable, match="no connection"):
        list_members(client, emulator.backup.id)
    waited = len(passed.slept)
    assert waited > 1
    with pytest.raises(Unreachable, match=rf"backup {ANOTHER}: no answer from .*: no connection"):
        list_members(client, ANOTHER)
    assert len(passed.slept) == waited
    passed.now += UNREACHABLE_FOR + 1
    with pytest.raises(Unreachable):
        list_members(client, emulator.backup.id)
    assert len(passed.slept) > waited


def test_a_service_that_has_answered_is_asked_again(emulator: Emulator) -> None:
    """However often it was out of reach meanwhile."""
    client = Client(settings_of(emulator), clock=FakeTime().clock)
    list_members(client, emulator.backup.id)
    emulator.add_fault(Fault("GET", reset=True, times=9))
    with pytest.raises(Unreachable):
        list_members(client, emulator.backup.id)
    assert not list_members(client, emulator.backup.id).all()


def test_a_project_that_cannot_be_told_is_looked_up_once(emulator: Emulator) -> None:
    """A region without such a project costs one lookup, not one for each share."""
    passed = FakeTime()
    client = Client(settings_of(emulator, project_id=None, project_name="nowhere"), clock=passed.clock)
    for _ in range(3):
        with pytest.raises(SettingsError, match="expected one project, found 0"):
            list_members(client, emulator.backup.id)
    assert len(emulator.requests) == 1
    passed.now += REFUSED_FOR
    emulator.add_fault(Fault("GET", "/projects", 200, json.dumps({"projects": [{"id": f"{5:032x}"}]})))
    assert client.project_id == f"{5:032x}"


@pytest.mark.parametrize("found", ["../x", "P/backups/OTHER/members?", 5, None, "A" * 32])
def test_a_project_id_of_another_shape_is_no_project_id(found: Any, emulator: Emulator) -> None:
    """The id is part of every path, so no request is sent with it."""
    emulator.add_fault(Fault("GET", "/projects", 200, json.dumps({"projects": [{"id": found}]})))
    client = Client(settings_of(emulator, project_id=None))
    with pytest.raises(UnexpectedAnswer, match="with a project whose id is "):
        list_members(client, emulator.backup.id)
    assert len(emulator.requests) == 1


def test_the_patience_of_a_call_ends_with_its_deadline(emulator: Emulator) -> None:
    """A call that is always throttled is given up at its deadline, not after a number of tries."""
    emulator.add_fault(Fault(status=429, times=10_000))
    passed = FakeTime()
    began = passed.now
    with Run(settings_of(emulator, deadline=600.0), passed.clock) as run, pytest.raises(Throttled):
        run.create(emulator.backup.id, recipient(emulator))

    assert passed.now - began <= 600
    assert max(passed.slept) <= LONGEST_PAUSE
    assert len(emulator.requests) < 200


def test_faults_are_given_up_after_so_many_tries(emulator: Emulator) -> None:
    """The setting is the number of retries."""
    emulator.add_fault(Fault("GET", status=500, times=99))
    client = Client(settings_of(emulator, max_retries=4), clock=FakeTime().clock)
    with pytest.raises(ServerFault):
        list_members(client, emulator.backup.id)

    assert len(emulator.requests) == 5


@pytest.mark.slow
@pytest.mark.parametrize("retry_after", [None, 60.0], ids=["silent", "says when"])
def test_two_hundred_shares_survive_a_limit_per_minute(
    retry_after: float | None, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With four workers and eighty requests a minute, every share is created, read and cancelled without an error."""
    backups = [emulator.add_backup("sharer").id for _ in range(20)]
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(10)]
    shares = [(backup, project) for backup in backups for project in projects]
    passing = FakeTime()  # for both sides
    monkeypatch.setattr("pulumi_cbr_sharing.emulator.accounts.time", SimpleNamespace(monotonic=lambda: passing.now))
    emulator.throttle(80, window=60, retry_after=retry_after)
    with Run(settings_of(emulator), passing.clock) as run, ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda share: run.create(*share), shares))
        turned_away = [request.status for request in emulator.requests].count(429)
        assert {backup: sorted(emulator.members(backup)) for backup in backups} == dict.fromkeys(
            backups, sorted(projects)
        )
        assert list(pool.map(run.read, states)) == states
        list(pool.map(run.delete, states))

    assert not any(emulator.members(backup) for backup in backups)
    # Every worker may meet a limit once before the pause holds it back: far fewer than one for each share.
    assert turned_away < len(shares)
    assert run.news


def page(*projects: str, count: int | None) -> Fault:
    """Answer with this page of members instead of the real one."""
    rows = [{"dest_project_id": project, "status": "pending"} for project in projects]
    body = {"members": rows} if count is None else {"members": rows, "count": count}
    return Fault("GET", "/members$", 200, json.dumps(body))


A, B, C = ("a" * 32, "b" * 32, "c" * 32)
LISTS: dict[str, tuple[list[Fault], list[str], bool]] = {
    "one page": ([page(A, B, count=2)], [A, B], True),
    "two pages": ([page(A, count=2), page(B, count=2)], [A, B], True),
    "without count, ended by an empty page": ([page(A, count=None), page(count=None)], [A], True),
    # Somebody cancelled A meanwhile, so B moved to the page that was read already.
    "one that shrank between pages": ([page(A, count=2), page(count=1)], [A], False),
    "one that grew between pages": ([page(A, count=2), page(B, count=3), page(C, count=3)], [A, B, C], False),
    "a page that comes twice": ([page(A, count=2), page(A, count=2)], [A], False),
    "a count that is there at first only": ([page(A, count=2), page(count=None)], [A], False),
    "without count, and the page comes twice": ([page(A, count=None), page(A, count=None)], [A], False),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_whole_only_if_every_page_agrees(name: str, emulator: Emulator) -> None:
    """A member that is missing from an incomplete list is not gone."""
    pages, projects, complete = LISTS[name]
    for fault in pages:
        emulator.add_fault(fault)
    client = Client(settings_of(emulator))

    found = list_members(client, emulator.backup.id)

    assert (list(found.rows), found.complete) == (projects, complete)
    assert [found.get(project) for project in projects] == list(found.rows.values())
    with nullcontext() if complete else pytest.raises(UnexpectedAnswer, match=f"backup {emulator.backup.id}: the list"):
        assert found.get("f" * 32) is None
    assert emulator.unused_faults == []


def test_a_list_without_end_is_given_up(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that has new rows for every offset would block a worker for ever."""
    monkeypatch.setattr("pulumi_cbr_sharing.cbr.api.MOST_PAGES", 5)
    for number in range(9):
        emulator.add_fault(page(f"{number:032x}", count=None))
    client = Client(settings_of(emulator))

    with pytest.raises(UnexpectedAnswer, match="the list has no end after 5 rows on 5 pages"):
        list_members(client, emulator.backup.id)

    assert len(emulator.requests) == 5


@pytest.fixture(name="silent")
def _silent() -> Iterator[str]:
    """The URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(name="dripping")
def _dripping() -> Iterator[str]:
    """The URL of a server whose answer never ends, a byte at a time."""
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        while not ended.is_set():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
                for _ in range(200):
                    if ended.wait(0.02):
                        return
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        break

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        socket.create_connection(server.getsockname()).close()
        thread.join(10)


@pytest.mark.parametrize("kind", ["silent", "dripping"])
def test_nobody_is_waited_for_longer_than_the_time_out(
    kind: str, emulator: Emulator, request: pytest.FixtureRequest
) -> None:
    """Neither a silent nor a slow server blocks a worker."""
    address = request.getfixturevalue(kind)
    client = Client(settings_of(emulator, cbr=address, read_timeout=0.2, max_retries=1), clock=FakeTime().clock)
    with pytest.raises(Unreachable, match=r"it took longer than 0\.2 s"):
        list_members(client, emulator.backup.id)


def test_a_brief_client_is_made_once(emulator: Emulator) -> None:
    """So all optional look-ups of a preview share its way to the service, whose proxies are looked up once."""
    client = Client(settings_of(emulator))
    assert client.brief is client.brief
    assert client.brief is not client
