"""Proxies: what goes through them, and what is known when one fails."""

from __future__ import annotations

import socket
import threading

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from inprocess import FakeTime, Run, settings_of
from pulumi_cbr_sharing.cbr.members import list_members
from pulumi_cbr_sharing.errors import SettingsError, Unreachable
from pulumi_cbr_sharing.http.client import Client


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_cbr_sharing.emulator import Emulator


NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
ELSEWHERE = "http://cbr.example.test"  # known to the proxies of these tests alone


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.upper, NAMES)):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def serving(handle: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this machine that handles each connection in turn; gives host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.settimeout(10)
                        handle(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "{}:{}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def request_from(connection: socket.socket) -> bytes:
    """Read one request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def last(request: bytes) -> bytes:
    """The same request, after which the server closes the connection."""
    return request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


class Forwarder:
    """A plain forward proxy that loses the answers to some requests."""

    def __init__(self, emulator: Emulator, loses: bytes) -> None:
        self.to, self.loses, self.heads = ("127.0.0.1", int(emulator.url.rpartition(":")[2])), loses, list[bytes]()

    def handle(self, connection: socket.socket) -> None:
        """Forward one request, and its answer or not."""
        request = request_from(connection)
        self.heads.append(request.partition(b"\r\n")[0])
        # A signature covers the Host that the client wrote, so it is handed on as it is.
        with socket.create_connection(self.to, timeout=10) as upstream:
            upstream.sendall(last(request.replace(ELSEWHERE.encode(), b"", 1)))
            answer = b"".join(iter(lambda: upstream.recv(65536), b""))
        if not request.startswith(self.loses):
            connection.sendall(answer)


@pytest.mark.parametrize("adopt", [True, False])
def test_a_proxy_that_loses_the_answer_of_a_post_makes_no_second_share(
    adopt: bool, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request may have arrived, so the members are listed."""
    proxy = Forwarder(emulator, loses=b"POST")
    recipient = emulator.account("recipient").project_id
    with serving(proxy.handle) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        with Run(settings_of(emulator, cbr=ELSEWHERE, insecure=True), FakeTime().clock) as run:
            state = run.create(emulator.backup.id, recipient, adopt=adopt)

    methods = [head.partition(b" ")[0].decode() for head in proxy.heads]
    assert methods == ["POST", "GET"] if adopt else ["GET", "POST", "GET"]
    assert state["share_id"] == emulator.members(emulator.backup.id)[recipient].id


def test_plain_http_to_this_machine_passes_no_proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http is allowed there because nobody else can read it."""
    proxy = Forwarder(emulator, loses=b"")
    with serving(proxy.handle) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        monkeypatch.setenv("ALL_PROXY", f"http://{address}")
        list_members(Client(settings_of(emulator)), emulator.backup.id)
    assert proxy.heads == []


def test_the_environment_is_looked_up_once_a_client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are not looked up at every request."""
    client = Client(settings_of(emulator, cbr=ELSEWHERE, insecure=True), clock=FakeTime().clock)
    proxy = Forwarder(emulator, loses=b"POST")
    with serving(proxy.handle) as address:
        monkeypatch.setenv("HTTP_PROXY", f"http://{address}")
        list_members(client, emulator.backup.id)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        list_members(client, emulator.backup.id)
    assert len(proxy.heads) == 2


def refuse(connection: socket.socket) -> None:
    """A proxy that refuses everything."""
    request_from(connection)
    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def hang_up(connection: socket.socket) -> None:
    """A proxy that closes the connection without an answer."""
    request_from(connection)


@pytest.mark.parametrize("kind", ["refuses CONNECT", "is not there"])
def test_a_proxy_that_lets_nothing_through_has_sent_nothing(
    kind: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is certain, so no look is needed. The message names the variables, not the password in them."""
    with serving(refuse) as address:
        host = address if kind == "refuses CONNECT" else "127.0.0.1:1"
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:planted-password@{host}")
        client = Client(settings_of(emulator, cbr="https://cbr.example.test", max_retries=0))
        with pytest.raises(Unreachable, match="the proxy does not let the request through: check HTTPS_PROXY") as told:
            list_members(client, emulator.backup.id)
    assert not told.value.sent
    assert "planted" not in str(told.value)


def test_a_tunnel_that_is_cut_may_have_been_used(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the proxy closes the connection, the request may have arrived."""
    with serving(hang_up) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        client = Client(settings_of(emulator, cbr="https://cbr.example.test", max_retries=0))
        with pytest.raises(Unreachable, match="the connection was broken; it goes through a proxy") as told:
            list_members(client, emulator.backup.id)
    assert told.value.sent


# --- SOCKS -----------------------------------------------------------------------------------------------------------


class Socks:
    """A SOCKS5 server that connects everything to the emulated cloud (RFC 1928)."""

    def __init__(self, emulator: Emulator) -> None:
        self.to, self.asked = ("127.0.0.1", int(emulator.url.rpartition(":")[2])), list[bytes]()

    def handle(self, connection: socket.socket) -> None:
        """No password; CONNECT by name; then one request."""
        connection.recv(2 + 255)
        connection.sendall(b"\x05\x00")
        self.asked.append(connection.recv(4 + 1 + 255 + 2)[5:-2])
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
        request = request_from(connection)
        with socket.create_connection(self.to, timeout=10) as upstream:
            upstream.sendall(last(request))
            connection.sendall(b"".join(iter(lambda: upstream.recv(65536), b"")))


def test_a_socks_proxy_works(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy resolves the host name."""
    proxy = Socks(emulator)
    with serving(proxy.handle) as address:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{address}")
        client = Client(settings_of(emulator, cbr=ELSEWHERE, insecure=True))
        assert list_members(client, emulator.backup.id).complete
    assert proxy.asked == [b"cbr.example.test"]


def test_without_its_package_a_socks_proxy_is_a_clear_error(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the package, and how to install it."""
    import requests.adapters  # noqa: PLC0415

    from requests.exceptions import InvalidSchema  # noqa: PLC0415

    def missing(*_: object, **__: object) -> None:
        raise InvalidSchema("Missing dependencies for SOCKS support.")  # what requests says without it

    monkeypatch.setattr(requests.adapters, "SOCKSProxyManager", missing)
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:2")
    client = Client(settings_of(emulator, cbr=ELSEWHERE, insecure=True))
    with pytest.raises(SettingsError, match=r"needs the package PySocks: pip install 'pulumi-cbr-sharing\[socks\]'"):
        list_members(client, emulator.backup.id)
