"""Odd requests are refused without a traceback: from web pages, malformed, or with slow patterns."""

from __future__ import annotations

import json
import socket
import threading
import time

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulated import SECONDS, ask, control, members_of, project, signed
from pulumi_cbr_sharing.emulator import Fault, serve
from pulumi_cbr_sharing.emulator.control import ENDPOINTS
from pulumi_cbr_sharing.emulator.routes import ROUTES


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


HANDLES = tuple(dict.fromkeys(one.name for one in ENDPOINTS if one.method == "POST"))
FIELDS = sorted({name for one in ENDPOINTS for name in one.fields})
ONE_CLOUD = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)


@pytest.fixture(name="shown")
def _shown(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test prints a traceback."""
    yield
    printed = "".join(capfd.readouterr())
    assert "Traceback" not in printed
    assert caplog.text == ""


def port(emulator: Emulator) -> int:
    """The port of a cloud."""
    return int(urlsplit(emulator.url).port or 0)


def sent(emulator: Emulator, data: bytes) -> bytes:
    """Send bytes as they are; returns the answer until the connection ends or is idle."""
    with socket.create_connection(("127.0.0.1", port(emulator)), SECONDS) as connection:
        connection.settimeout(0.5)
        connection.sendall(data)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            pass
        return answer


def knock(emulator: Emulator, host: str | None, method: str = "GET", name: str = "state") -> int:
    """The status of a control request to a host name."""
    head = f"{method} /_emulator/{name} HTTP/1.1\r\n" + (f"Host: {host}\r\n" if host is not None else "")
    answer = sent(emulator, f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode())
    return int(answer.split()[1])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_control_endpoints_answer_this_machines_names(name: str, emulator: Emulator) -> None:
    """With the port of the server."""
    assert knock(emulator, f"{name}:{port(emulator)}") == 200
    assert knock(emulator, f"{name}:{port(emulator)}", "POST", "reset") == 200


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:{port}",
        "localhost.rebound.example:{port}",
        "127.0.0.1.nip.io:{port}",
        "127.0.0.1",
        "localhost",
        "localhost:1",
        "localhost:{port}.example",
        "user@localhost:{port}",
        "127.1:{port}",
        "0.0.0.0:{port}",
        "",
        None,
        "localhost:{port}, rebound.example",
    ],
)
def test_control_endpoints_answer_no_other_name(host: str | None, emulator: Emulator) -> None:
    """A page whose host name resolves to this machine sends that name: it gets no key and changes nothing."""
    emulator.add_member(emulator.backup.id, project(emulator))
    named = None if host is None else host.format(port=port(emulator))
    assert knock(emulator, named) == 403
    assert knock(emulator, named, "POST", "reset") == 403
    assert knock(emulator, named, "DELETE", "requests") == 403
    assert len(emulator.members(emulator.backup.id)) == 1


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_changes_are_made_in_json_alone(kind: str | None, emulator: Emulator) -> None:
    """A page can send a form to another host without CORS, but not JSON."""
    emulator.add_member(emulator.backup.id, project(emulator))
    body = json.dumps({"backup_id": emulator.backup.id, "project_id": project(emulator)})
    headers = {"Content-Type": kind} if kind else {}
    for method, name in (("POST", "remove-member"), ("POST", "reset"), ("DELETE", "faults"), ("DELETE", "requests")):
        answer = requests.request(
            method, f"{emulator.url}/_emulator/{name}", data=body, headers=headers, timeout=SECONDS
        )
        assert answer.status_code == 415
        assert "application/json" in answer.json()["error"]
    assert len(emulator.members(emulator.backup.id)) == 1


def test_no_other_page_is_let_in(emulator: Emulator) -> None:
    """A CORS preflight request is refused."""
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{emulator.url}/_emulator/reset", headers=headers, timeout=SECONDS)
    seen = requests.get(f"{emulator.url}/_emulator/state", headers={"Origin": "https://page.example"}, timeout=SECONDS)
    for said in (answer, seen):
        assert not [name for name in said.headers if name.lower().startswith("access-control")]


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    "body", ["{", "[]", "null", '"x"', "5", '{"name": NaN}', "[" * 100_000, "\udcff", '{"name": "\\ud800"}']
)
def test_what_is_no_object_is_refused(body: str, emulator: Emulator) -> None:
    """Nothing is changed."""
    emulator.add_member(emulator.backup.id, project(emulator))
    data = body.encode(errors="surrogateescape")
    for name in HANDLES:
        answer = requests.post(
            f"{emulator.url}/_emulator/{name}", data=data, headers={"Content-Type": "application/json"}, timeout=SECONDS
        )
        assert answer.status_code == 400, name
    assert len(emulator.members(emulator.backup.id)) == 1


ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.just("sharer")
    | st.just("(a+)+$")
)
ODDITIES = ODD | st.lists(ODD, max_size=2) | st.dictionaries(st.text(max_size=5), ODD, max_size=2)


@pytest.mark.slow
@pytest.mark.usefixtures("shown")
@ONE_CLOUD
@given(
    name=st.sampled_from(HANDLES),
    fields=st.dictionaries(st.sampled_from([*FIELDS, "odd"]), ODDITIES, max_size=4),
)
def test_odd_fields_of_control_requests_are_refused_or_work(
    name: str, fields: dict[str, Any], emulator: Emulator
) -> None:
    """An accepted value does not break later requests."""
    emulator.reset()
    data = json.dumps(fields)
    answer = requests.post(
        f"{emulator.url}/_emulator/{name}", data=data, headers={"Content-Type": "application/json"}, timeout=SECONDS
    )
    assert answer.status_code in (200, 400), answer.text
    emulator.latency = 0.0
    assert control(emulator, "GET", "state").status_code == 200
    emulator.clear_faults()
    emulator.throttle(0)
    for path in ("/backups", "/vaults", members_of(emulator)):
        assert ask(emulator, "GET", path).status_code < 500


FAULTS = st.fixed_dictionaries(
    {},
    optional={
        "status": ODD | st.integers(200, 599),
        "body": ODD,
        "headers": st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=2),
        "method": ODD,
        "path": ODD,
        "when": st.sampled_from(["before", "after", "never"]),
        "truncate": ODD,
        "times": ODD,
        "nth": ODD,
    },
)


@pytest.mark.slow
@pytest.mark.usefixtures("shown")
@ONE_CLOUD
@given(fields=FAULTS)
def test_odd_faults_are_refused_or_happen(fields: dict[str, Any], emulator: Emulator) -> None:
    """They affect the matching answer, not the emulator."""
    emulator.reset()
    answer = requests.post(
        f"{emulator.url}/_emulator/faults",
        data=json.dumps(fields),
        headers={"Content-Type": "application/json"},
        timeout=SECONDS,
    )
    assert answer.status_code in (200, 400), answer.text
    try:
        ask(emulator, "GET", "/backups")
    except requests.RequestException:
        assert answer.status_code == 200
    emulator.clear_faults()
    assert ask(emulator, "GET", "/backups").status_code == 200


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x", "(a|a)(a|a)" * 40 + "b"]
)
def test_no_pattern_holds_the_emulator_up(pattern: str, emulator: Emulator) -> None:
    """Even for a path that is made to be slow."""
    control(emulator, "POST", "faults", path=pattern, status=503)
    start = time.monotonic()
    path = "a" * 30_000 + "!"
    assert requests.get(f"{emulator.url}/{path}", timeout=SECONDS).status_code in (401, 404)
    assert time.monotonic() - start < 2


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?=a)", r"(a)\1", "((a{500}){500}){500}", "\ud800"])
def test_a_pattern_that_is_none_is_refused(pattern: str, emulator: Emulator) -> None:
    """Only patterns of RE2 have a limited run time."""
    with pytest.raises(ValueError, match=r"RE2|surrogates"):
        Fault(path=pattern)
    assert control(emulator, "POST", "faults", path=pattern).status_code == 400


@pytest.mark.slow
@pytest.mark.usefixtures("shown")
@ONE_CLOUD
@given(
    route=st.sampled_from(ROUTES),
    names=st.lists(st.text(min_size=1, max_size=12).map(lambda text: quote(text, safe="")), min_size=3, max_size=3),
    query=st.dictionaries(
        st.sampled_from(["limit", "offset", "sort", "marker", "name", "own_type", "start_time", "x"]),
        st.text(max_size=9) | st.just("9" * 5000),
    ),
    body=st.recursive(
        ODD,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "members",
                        "status",
                        "vault_id",
                        "vault",
                        "billing",
                        "size",
                        "resources",
                        "auth",
                        "identity",
                        "password",
                        "user",
                        "domain",
                        "scope",
                        "project",
                        "assume_role",
                        "duration_seconds",
                        "checkpoint",
                        "id",
                        "name",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
)
def test_odd_requests_are_refused(
    route: Any, names: list[str], query: dict[str, str], body: Any, emulator: Emulator
) -> None:
    """Every route answers with an error of the service, never with a 500."""
    emulator.reset()
    ids = iter([emulator.backup.id, *names] if len(names[0]) > 3 else names)
    path = "/".join(
        next(ids) if part.startswith("<") and part != "<project_id>" else part for part in route.path.split("/")
    )
    url = emulator.url + path.replace("<project_id>", project(emulator, "sharer"))
    headers = {"X-Auth-Token": emulator.token("sharer"), "Content-Type": "application/json"}
    answer = requests.request(route.method, url, params=query, data=json.dumps(body), headers=headers, timeout=SECONDS)
    assert answer.status_code < 500
    assert control(emulator, "GET", "requests").status_code == 200


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, "9" * 6000, "\x00", '{"members": "\\ud800"}'])
def test_bodies_without_end_are_refused(body: str, emulator: Emulator) -> None:
    """Nested too deep, or with a number of thousands of digits."""
    headers = {"X-Auth-Token": emulator.token("sharer"), "Content-Type": "application/json"}
    url = f"{emulator.url}/v3/{project(emulator, 'sharer')}{members_of(emulator)}"
    assert requests.post(url, data=body, headers=headers, timeout=SECONDS).status_code == 400
    assert requests.post(f"{emulator.iam_url}/auth/tokens", data=body, timeout=SECONDS).status_code == 401


RAW = (
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /_emulator/state HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: x\r\nConnection: close\r\n\r\n",
    b"POST /_emulator/reset HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
    b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    b"GET /v3/projects?\xff\xfe=%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /\xff%00%2e%2e/ HTTP/1.1\r\nHost: x\r\nX-Auth-Token: \xff\xfe\r\nConnection: close\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
)


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_bytes_that_are_no_request_are_refused(data: bytes, emulator: Emulator) -> None:
    """The next request is served."""
    answer = sent(emulator, data.replace(b"{port}", str(port(emulator)).encode()))
    assert not answer.startswith(b"HTTP/1.1 500")
    assert ask(emulator, "GET", "/backups").status_code == 200


@pytest.mark.usefixtures("shown")
def test_a_client_that_goes_away_is_no_news() -> None:
    """During a request, or its answer."""
    with serve() as emulator:
        for data in (b"GET /v3", b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", port(emulator)), SECONDS) as connection:
                connection.sendall(data)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        assert ask(emulator, "GET", "/backups").status_code == 200
    assert not [thread for thread in threading.enumerate() if thread.name == "emulated"]


def coded(text: str) -> str:
    """Every letter percent-encoded."""
    return "".join(f"%{ord(letter):02x}" for letter in text)


def test_the_log_keeps_no_credential_wherever_it_was_put(emulator: Emulator) -> None:
    """In the query, the path, other headers, a form, or under another name."""
    sharer, token = emulator.account("sharer"), emulator.token("sharer")
    secrets = [sharer.secret_key, sharer.password, token]
    for secret in secrets:
        for url in (
            f"/v3/{secret}/backups",
            f"/v3?token={secret}",
            f"/v3?{secret}",
            f"/v3?x={secret}",
        ):
            requests.get(
                emulator.url + url, headers={"X-Note": f"a {secret}", "Proxy-Authorization": secret}, timeout=SECONDS
            )
        # As it is: a client would write the codes of letters as letters.
        sent(emulator, f"GET /v3?x={coded(secret)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for body in ({"note": [secret]}, {secret: 1}, {"adminPass": secret}, {"x": {"y": f"-{secret}-"}}):
            requests.post(f"{emulator.url}/v3/x", json=body, timeout=SECONDS)
        requests.post(f"{emulator.url}/v3/x", data={"password": secret}, timeout=SECONDS)
        requests.post(f"{emulator.url}/v3/x", data=f"<secret>{secret}</secret>", timeout=SECONDS)
    log = repr(emulator.requests) + control(emulator, "GET", "requests").text
    assert [secret for secret in secrets if secret in unquote(log)] == []
    assert len(emulator.requests) == 3 * 11


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Passwd",
        "secretKey",
        "SecurityToken",
        "X-Amz-Signature",
        "api_key",
        "sk",
        "refresh_token",
        "auth-key",
    ],
)
def test_the_log_keeps_no_credential_of_another_cloud(name: str, emulator: Emulator) -> None:
    """Credentials of another cloud are recognised by the name of the header or field."""
    planted = "planted-by-mistake"
    requests.get(
        f"{emulator.url}/v3?{name}={planted}&a=1",
        headers={"X-Api-Key": planted, f"X-{name}-Token": planted},
        timeout=SECONDS,
    )
    requests.post(f"{emulator.url}/v3/x", json={"deep": [{name: planted}, {name: {"value": planted}}]}, timeout=SECONDS)
    assert planted not in repr(emulator.requests)
    assert "a=1" in emulator.requests[0].query


def test_a_signed_request_is_still_logged(emulator: Emulator) -> None:
    """Masking keeps the rest of the request."""
    sharer = emulator.account("sharer")
    url = f"{emulator.url}/v3/{sharer.project_id}/backups?limit=5"
    requests.get(url, headers=signed("GET", url, sharer), timeout=SECONDS)
    (entry,) = emulator.requests
    assert (entry.query, entry.account, entry.status) == ("limit=5", "sharer", 200)
    assert entry.headers["Authorization"] == "***"
