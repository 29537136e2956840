"""Scripted faults: what goes wrong, how often, and with or without the effect."""

from __future__ import annotations

import socket
import struct
import threading
import time

from http.client import IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
import urllib3

from emulated import ask, code, control, members_of, project
from pulumi_cbr_sharing.emulator import Fault


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Emulator


def share(emulator: Emulator) -> requests.Response:
    """Share the seeded backup with the recipient."""
    return ask(emulator, "POST", members_of(emulator), {"members": [project(emulator)]})


def shared(emulator: Emulator) -> bool:
    """Whether it is."""
    return project(emulator) in emulator.members(emulator.backup.id)


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_an_answer_is_given_instead(when: str, effect: bool, emulator: Emulator) -> None:
    """Status, body and headers are as scripted; the request has its effect or not."""
    headers = {"Content-Type": "text/html", "X-Proxy": "yes"}
    emulator.add_fault(Fault("POST", "/members$", 502, "<html>", headers, when=when))  # type: ignore[arg-type]
    answer = share(emulator)

    assert (answer.status_code, answer.text) == (502, "<html>")
    assert (answer.headers["Content-Type"], answer.headers["X-Proxy"]) == ("text/html", "yes")
    assert shared(emulator) is effect


def cause_of(error: requests.ConnectionError) -> object:
    """The exception that ended a connection."""
    protocol = error.args[0]
    assert isinstance(protocol, urllib3.exceptions.ProtocolError)
    return protocol.args[1]


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_a_connection_is_reset(when: str, effect: bool, emulator: Emulator) -> None:
    """With a TCP reset, as by a device on the network path."""
    emulator.add_fault(Fault(reset=True, when=when))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError) as told:
        share(emulator)
    assert type(cause_of(told.value)) is ConnectionResetError
    assert shared(emulator) is effect


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_a_connection_is_closed_without_an_answer(when: str, effect: bool, emulator: Emulator) -> None:
    """As by a server that is stopped."""
    emulator.add_fault(Fault(close=True, when=when))  # type: ignore[arg-type]
    with pytest.raises(requests.ConnectionError) as told:
        share(emulator)
    assert isinstance(cause_of(told.value), RemoteDisconnected)
    assert shared(emulator) is effect


def test_a_body_that_is_cut_short_ends_the_connection(emulator: Emulator) -> None:
    """The body is shorter than announced; the request has its effect."""
    emulator.add_fault(Fault(truncate=5))
    with pytest.raises(requests.exceptions.ChunkedEncodingError) as told:
        share(emulator)
    incomplete = told.value.args[0].args[1]
    assert isinstance(incomplete, IncompleteRead)
    assert vars(incomplete)["partial"] == 5  # a number, whatever its type says
    assert shared(emulator)


def test_a_body_comes_byte_by_byte(emulator: Emulator) -> None:
    """It is complete in the end."""
    emulator.add_fault(Fault(status=200, body="0123456789", trickle=0.05))
    start = time.monotonic()
    assert share(emulator).text == "0123456789"
    assert 0.4 < time.monotonic() - start < 5


def test_an_answer_is_held_back_after_the_effect(emulator: Emulator) -> None:
    """The share exists, even if the client does not wait."""
    emulator.add_fault(Fault(delay=0.4, when="after"))
    waiting = threading.Thread(target=share, args=(emulator,))
    waiting.start()
    time.sleep(0.2)
    early = shared(emulator)
    waiting.join()
    assert early


def test_an_effect_is_held_back(emulator: Emulator) -> None:
    """A look in the meantime does not see it."""
    emulator.add_fault(Fault(delay=0.4))
    waiting = threading.Thread(target=share, args=(emulator,))
    waiting.start()
    time.sleep(0.2)
    early = shared(emulator)
    waiting.join()
    assert (early, shared(emulator)) == (False, True)


def test_an_answer_that_is_given_instead_can_be_held_back(emulator: Emulator) -> None:
    """The wrong answer is slow, too."""
    emulator.add_fault(Fault(status=504, delay=0.2))
    start = time.monotonic()
    assert share(emulator).status_code == 504
    assert time.monotonic() - start >= 0.2
    assert not shared(emulator)


def test_a_fault_is_used_once(emulator: Emulator) -> None:
    """Unless `times` is set."""
    emulator.add_fault(Fault(status=500))
    emulator.add_fault(Fault(status=503, times=2))
    seen = [ask(emulator, "GET", members_of(emulator)).status_code for _ in range(4)]
    assert seen == [500, 503, 503, 200]
    assert emulator.unused_faults == []


def test_a_fault_waits_for_the_request_that_it_means(emulator: Emulator) -> None:
    """By method and by a regular expression for the path; unused ones can be listed and removed."""
    emulator.add_fault(Fault("DELETE", f"/members/{project(emulator)}$", 500))
    ask(emulator, "GET", members_of(emulator))
    ask(emulator, "DELETE", f"{members_of(emulator)}/{project(emulator, 'bystander')}")
    waiting = [fault.method for fault in emulator.unused_faults]
    emulator.clear_faults()

    assert waiting == ["DELETE"]
    assert ask(emulator, "DELETE", f"{members_of(emulator)}/{project(emulator)}").status_code == 404


def test_the_nth_request_that_fits_is_hit(emulator: Emulator) -> None:
    """Earlier ones and others are not."""
    emulator.add_fault(Fault("GET", status=500, nth=3, times=2))
    seen = [ask(emulator, "GET", members_of(emulator)).status_code for _ in range(3)]
    other = share(emulator).status_code
    after = [ask(emulator, "GET", members_of(emulator)).status_code for _ in range(2)]
    assert (seen, other, after) == ([200, 200, 500], 200, [500, 200])


def test_one_fault_can_be_scripted_twice(emulator: Emulator) -> None:
    """Only the emulator's copy is used up."""
    fault = Fault(status=500)
    emulator.add_fault(fault)
    emulator.add_fault(fault)
    assert [ask(emulator, "GET", "/backups").status_code for _ in range(3)] == [500, 500, 200]
    assert fault.times == 1


@pytest.mark.parametrize("name", ["6708", "6711"])
def test_refusals_without_a_documented_cause_can_be_scripted(name: str, emulator: Emulator) -> None:
    """By their code; an unknown code is an error."""
    emulator.add_fault(Fault.refusal(f"BackupService.{name}", method="POST"))
    answer = share(emulator)
    assert (answer.status_code, code(answer)) == (400, f"BackupService.{name}")
    with pytest.raises(KeyError):
        Fault.refusal("BackupService.0")


@pytest.mark.parametrize("fields", [{"path": "("}, {"when": "during"}])
def test_a_fault_that_could_never_hit_is_refused(fields: dict[str, str], emulator: Emulator) -> None:
    """In a test, and in a control request."""
    with pytest.raises(ValueError, match=r"regular expression|before or after"):
        Fault(**fields)  # type: ignore[arg-type]
    assert control(emulator, "POST", "faults", **fields).status_code == 400
    assert emulator.unused_faults == []


def test_latency_is_of_every_request(emulator: Emulator) -> None:
    """Except control requests."""
    emulator.latency = 0.2
    start = time.monotonic()
    ask(emulator, "GET", "/backups")
    assert time.monotonic() - start >= 0.2
    emulator.latency = 3600
    assert control(emulator, "GET", "state").status_code == 200


def test_a_cut_is_in_the_log_with_no_status(emulator: Emulator) -> None:
    """The request had no answer."""
    emulator.add_fault(Fault(close=True))
    with pytest.raises(requests.ConnectionError):
        share(emulator)
    assert [(one.method, one.status) for one in emulator.requests] == [("POST", 0)]


def test_a_client_that_gives_up_does_no_harm(emulator: Emulator) -> None:
    """The next one is served."""
    emulator.add_fault(Fault(delay=0.3, when="after"))
    address = urlsplit(emulator.url)
    assert address.hostname
    with socket.create_connection((address.hostname, address.port or 0)) as connection:
        connection.sendall(b"GET /v3/projects HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.4)
    assert share(emulator).status_code == 200
