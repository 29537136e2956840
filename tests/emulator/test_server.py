"""The emulator's server: only for this machine, with kept connections, and nothing left at the end."""

from __future__ import annotations

import socket
import threading
import time

from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from werkzeug.serving import make_ssl_devcert

from emulated import ENGLISH, SECONDS, ask, control, members_of, project
from pulumi_cbr_sharing.emulator import Fault, serve


if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_cbr_sharing.emulator import Emulator


def connect(emulator: Emulator) -> socket.socket:
    """A TCP connection."""
    address = urlsplit(emulator.url)
    return socket.create_connection((address.hostname or "", address.port or 0), SECONDS)


def test_it_listens_on_this_machine_alone(emulator: Emulator) -> None:
    """Others cannot get the credentials that it issues."""
    assert urlsplit(emulator.url).hostname == "127.0.0.1"
    elsewhere = (socket.gethostbyname(socket.gethostname()), urlsplit(emulator.url).port or 0)
    if not elsewhere[0].startswith("127."):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(elsewhere, SECONDS)


def test_a_connection_serves_many_requests(emulator: Emulator) -> None:
    """As with the service's gateway, to test how a client uses old connections."""
    request = f"GET /v3/projects HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {emulator.token('sharer')}\r\n\r\n".encode()
    with connect(emulator) as connection:
        for _ in range(3):
            connection.sendall(request)
            answer = connection.recv(65536)
            while answer.count(b"}") < 3:
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
    assert [one.status for one in emulator.requests] == [200] * 3
    assert emulator.connections == 1


def test_requests_are_served_side_by_side(emulator: Emulator) -> None:
    """A delayed request does not block others."""
    emulator.add_fault(Fault("GET", "/vaults$", delay=60, when="before"))
    with connect(emulator) as held:
        held.sendall(f"GET /v3/{project(emulator, 'sharer')}/vaults HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while emulator.unused_faults:
            time.sleep(0.01)
        assert ask(emulator, "GET", "/backups").status_code == 200
        assert [request.path.rpartition("/")[2] for request in emulator.requests] == ["backups"]


def test_clouds_of_one_process_know_nothing_of_each_other() -> None:
    """They share neither records nor control endpoints, faults and requests."""
    with serve() as one, serve("otc") as other:
        one.add_fault(Fault(status=503))
        control(other, "POST", "switches", latency=0.01)
        assert ask(other, "POST", members_of(other), {"members": [project(other)]}).status_code == 200
        assert (len(one.requests), len(one.unused_faults), one.latency, one.dialect) == (0, 1, 0.0, "huawei")
        assert one.members(one.backup.id) == {}
        assert ask(one, "GET", members_of(one)).status_code == 503
        assert [request.method for request in other.requests] == ["POST"]
    with serve() as fresh:
        assert fresh.requests == []
        assert fresh.members(fresh.backup.id) == {}


def test_many_sharers_at_once_never_get_past_the_limit(emulator: Emulator) -> None:
    """Ten of thirty succeed."""
    projects = [emulator.add_account(f"team-{number}").project_id for number in range(30)]

    def share(one: str) -> None:
        ask(emulator, "POST", members_of(emulator), {"members": [one]})

    threads = [threading.Thread(target=share, args=(one,)) for one in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(emulator.members(emulator.backup.id)) == 10
    assert sorted(one.status for one in emulator.requests) == [200] * 10 + [400] * 20


def test_it_ends_while_connections_are_open() -> None:
    """They are closed, and their threads are gone."""
    before = threading.active_count()
    with requests.Session() as session, serve() as emulator:
        headers = {"X-Auth-Token": emulator.token("sharer"), **ENGLISH}
        address = f"{emulator.url}/v3/{project(emulator, 'sharer')}/backups"
        idle = connect(emulator)  # taken by the time that the next one is served
        assert session.get(address, headers=headers, timeout=SECONDS).status_code == 200
    with idle:
        assert idle.recv(1) == b""
    assert threading.active_count() == before


def test_it_ends_while_a_fault_holds_an_answer_back() -> None:
    """At once; a delayed request has no effect."""
    with ExitStack() as stack:
        emulator = stack.enter_context(serve())
        emulator.add_fault(Fault("POST", delay=60))
        body = {"members": [project(emulator)]}
        errors: list[object] = []

        def share() -> None:
            try:
                errors.append(ask(emulator, "POST", members_of(emulator), body).status_code)
            except requests.ConnectionError as error:
                errors.append(error)

        waiting = threading.Thread(target=share)
        waiting.start()
        while emulator.unused_faults:
            time.sleep(0.01)
        start = time.monotonic()
    waiting.join()

    assert time.monotonic() - start < 3
    assert errors != [200]
    assert emulator.members(emulator.backup.id) == {}


def test_the_port_is_free_again_afterwards() -> None:
    """The port can be used again at once."""
    with serve() as emulator:
        port = urlsplit(emulator.url).port or 0
        ask(emulator, "GET", "/backups")
    with serve(port=port) as again:
        assert ask(again, "GET", "/backups").status_code == 200
        with pytest.raises(OSError, match="in use"), serve(port=port):
            pass


def test_a_client_that_does_not_shake_hands_holds_up_nobody(tmp_path: Path) -> None:
    """It blocks neither other clients nor the end of the server."""
    certificate = make_ssl_devcert(str(tmp_path / "this"), host="127.0.0.1")
    start = time.monotonic()
    with serve(tls=certificate) as emulator, connect(emulator):
        headers = {"X-Auth-Token": emulator.token("sharer")}
        address = f"{emulator.url}/v3/{project(emulator, 'sharer')}/backups"
        # Whoever answers is all that matters here.
        with pytest.warns(match="Unverified HTTPS"):
            answer = requests.get(address, headers=headers, timeout=SECONDS, verify=False)
    assert answer.status_code == 200
    assert time.monotonic() - start < SECONDS / 2
