from __future__ import annotations

import json
import threading

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from requests import PreparedRequest, Request

from pulumi_cbr_sharing.errors import ServerFault, UnexpectedAnswer
from pulumi_cbr_sharing.http.auth import (
    RENEW_BEFORE,
    Accounts,
    Auth,
    HeaderSigner,
    KeySigner,
    Signer,
    fixed,
    utc_now,
)
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.http.iam import auth_for
from pulumi_cbr_sharing.http.messages import Call, Reply
from pulumi_cbr_sharing.settings.connection import Agency
from pulumi_cbr_sharing.settings.credentials import AccessKey, Credential, Password, Secret, Token
from pulumi_cbr_sharing.settings.resolve import Settings
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.retry import Account


NOW = datetime(2026, 1, 15, 12, 0, 0, tzinfo=timezone.utc)
PROJECT = "0605767b5780d5762fc5c0118072a564"
KEY = AccessKey("AKEXAMPLE0000000", Secret("SKexampleSecretKey000000000000000000000"), None, "here")
TEMPORARY = replace(KEY, security_token=Secret("planted-token"))
URL = f"https://cbr.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/backups/0b07081e-3ec7-4e77-8571-54e2947da422/members"
AGENCY = Agency("admin", domain_name="other-account")
PASSWORD = Password("user", None, "account", None, Secret("planted"), "here")
SETTINGS = Settings("eu-de", "https://cbr.example", "https://iam.example/v3", PROJECT, None, PASSWORD)


SIGN_IN = Call("POST", "/v3/auth/tokens", "signing in", "a correct password", service="iam")


def prepared(
    url: str = URL, headers: dict[str, str] | None = None, method: str = "GET", data: str | bytes | None = None
) -> PreparedRequest:
    """A request that only lacks its signature."""
    return Request(method, url, headers=headers or {}, data=data).prepare()


def sign(request: PreparedRequest, key: AccessKey = KEY) -> PreparedRequest:
    """Sign with an access key at a known time."""
    return KeySigner(key, lambda: NOW)(request)


def signed_names(request: PreparedRequest) -> list[str]:
    """The names of the signed headers."""
    return request.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")


# --- access key ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "body", "signature"),
    [
        pytest.param(
            "POST",
            URL,
            body,
            "571d86adc11d1c456f3db09b4109d49fe24e16e00adb787e144ab015526fdca7",
            id=f"POST with a body of {type(body).__name__}",
        )
        for body in (
            '{"members": ["075e6035d300d48c2fd0c00b78b71ebf"]}',
            b'{"members": ["075e6035d300d48c2fd0c00b78b71ebf"]}',
        )
    ]
    + [
        pytest.param(
            "DELETE",
            f"{URL}/075e6035d300d48c2fd0c00b78b71ebf",
            None,
            "5e5ae9aa2c6a5abbda4946e06c7cf925d74658fd7d2bf607868e319401ad31f0",
            id="DELETE without",
        )
    ],
)
def test_a_request_is_signed_as_the_vectors_are(
    method: str, url: str, body: str | bytes | None, signature: str
) -> None:
    """Headers that the transport adds are not signed."""
    headers = {"Content-Type": "application/json;charset=UTF-8", "X-Project-Id": PROJECT, "User-Agent": "us"}
    request = sign(prepared(url, headers, method, body))
    assert request.headers["X-Sdk-Date"] == "20260115T120000Z"
    assert request.headers["Authorization"] == (
        "SDK-HMAC-SHA256 Access=AKEXAMPLE0000000, SignedHeaders=content-type;host;x-project-id;x-sdk-date, "
        f"Signature={signature}"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cbr.example.com/v3", "cbr.example.com"),
        ("https://cbr.example.com:443/v3", "cbr.example.com"),
        ("https://cbr.example.com:80/v3", "cbr.example.com:80"),
        ("https://cbr.example.com:8443/v3", "cbr.example.com:8443"),
        ("http://localhost/v3", "localhost"),
        ("http://localhost:80/v3", "localhost"),
        ("http://localhost:443/v3", "localhost:443"),
        ("http://[::1]:5000/v3", "[::1]:5000"),
        ("http://[::1]:80/v3", "[::1]"),
    ],
)
def test_the_host_is_signed_with_its_port_only_where_that_is_not_the_default(url: str, host: str) -> None:
    """That is what the service sees in the header."""
    request = sign(prepared(url))
    assert request.headers["Host"] == host
    assert "host" in signed_names(request)


def test_what_says_something_is_signed() -> None:
    """A proxy cannot change type, project, language, date, host or token."""
    headers = {"Content-Type": "application/json", "X-Project-Id": PROJECT, "X-Language": "en-us"}
    names = ["content-type", "host", "x-language", "x-project-id", "x-sdk-date"]
    assert signed_names(sign(prepared(headers=headers))) == names
    temporary = sign(prepared(headers=headers), TEMPORARY)
    assert temporary.headers["X-Security-Token"] == "planted-token"
    assert signed_names(temporary) == sorted([*names, "x-security-token"])


@pytest.mark.parametrize(
    "name", ["User-Agent", "Accept", "accept-encoding", "Connection", "Content-Length", "Cookie", "X_Project", "a_b"]
)
def test_what_changes_on_the_way_is_not_signed(name: str) -> None:
    """The transport and proxies rewrite these headers; the vendor excludes names with `_`."""
    request = sign(prepared(headers={name: "1"}))
    assert signed_names(request) == ["host", "x-sdk-date"]
    assert request.headers["Authorization"] == sign(prepared(headers={name: "2"})).headers["Authorization"]


def test_signing_again_replaces_the_signature() -> None:
    """A retry is signed with its own date."""
    request = sign(prepared())
    later = KeySigner(KEY, lambda: NOW + timedelta(hours=1))
    assert later(request).headers["Authorization"] == later(prepared()).headers["Authorization"]


def test_the_url_is_sent_as_it_is() -> None:
    """The slash at the end of the canonical path is not sent."""
    assert sign(prepared(f"{URL}?limit=2&a=1")).url == f"{URL}?limit=2&a=1"


def test_the_clock_is_in_utc() -> None:
    """Machines in all time zones sign with the same date."""
    assert utc_now().utcoffset() == timedelta(0)


def test_a_token_is_shown_and_nothing_else() -> None:
    """A token needs no date, host or signature."""
    signer = HeaderSigner({"X-Auth-Token": "planted"})
    assert "planted" not in repr(signer)
    assert dict(signer(prepared()).headers) == {"X-Auth-Token": "planted"}


def test_without_credential_nothing_is_added() -> None:
    """A request for a token is not signed."""
    assert dict(Signer()(prepared()).headers) == {}


# --- refreshable credentials -----------------------------------------------------------------------------------------


class Issuer:
    """Issues tokens, and counts them."""

    def __init__(self, lifetime: timedelta | None = timedelta(hours=24)) -> None:
        self.now, self.lifetime, self.issued = NOW, lifetime, list[Signer]()
        self.auth = Auth(account(), self.fetch, now=lambda: self.now)

    def fetch(self, _send: Any) -> Signer:
        """Issue another one."""
        until = None if self.lifetime is None else self.now + self.lifetime
        self.issued.append(HeaderSigner({"X-Auth-Token": f"t{len(self.issued)}"}, expires_at=until, project_id=PROJECT))
        return self.issued[-1]

    def current(self) -> Signer:
        """What a client would sign with now."""
        return self.auth.current(never())


def account() -> Account:
    """An account of which nothing is known yet."""
    return Accounts().of(SETTINGS)


def auth_of(settings: Settings) -> Auth:
    """The `Auth` for some settings, in a new process."""
    return auth_for(settings, Accounts())


def never() -> Client:
    """A client that sends nothing."""
    return Iam()


def test_a_token_is_fetched_once_for_many_threads() -> None:
    """Two hundred resources sign in once."""
    issuer, barrier = Issuer(), threading.Barrier(16)

    def ask(_: int) -> Signer:
        barrier.wait()
        return issuer.current()

    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(ask, range(16)))
    assert tokens == {issuer.issued[0]}
    assert len(issuer.issued) == 1


@pytest.mark.parametrize(
    ("passed", "issued"),
    [
        (timedelta(0), 1),
        (timedelta(hours=24) - RENEW_BEFORE, 1),
        (timedelta(hours=24) - RENEW_BEFORE + timedelta(seconds=1), 2),
        (timedelta(hours=25), 2),
    ],
    ids=["at once", "just in time", "soon", "late"],
)
def test_a_token_is_renewed_before_it_ends(passed: timedelta, issued: int) -> None:
    """No request is signed with a token that is about to expire."""
    issuer = Issuer()
    issuer.current()
    issuer.now += passed
    issuer.current()
    assert len(issuer.issued) == issued


def test_a_short_token_is_used_for_the_most_part() -> None:
    """A token that lives for minutes is not fetched for every request."""
    issuer = Issuer(lifetime=timedelta(minutes=4))
    for _ in range(4):
        issuer.current()
        issuer.now += timedelta(minutes=1) - timedelta(seconds=1)
    assert len(issuer.issued) == 1
    issuer.current()
    assert len(issuer.issued) == 2


def test_a_token_that_is_over_when_it_comes_is_used() -> None:
    """Then one of the clocks is wrong, and the service says when the token expires."""
    issuer = Issuer(lifetime=timedelta(hours=-1))
    assert issuer.current() is issuer.current()
    assert len(issuer.issued) == 1


def test_a_token_without_an_end_stays() -> None:
    """Then the service says when it expires."""
    issuer = Issuer(lifetime=None)
    issuer.current()
    issuer.now += timedelta(days=365)
    assert issuer.current() is issuer.issued[0]


def test_a_refused_signer_is_dropped() -> None:
    """The next request asks for a new one."""
    issuer = Issuer()
    assert issuer.auth.renew(issuer.current())
    assert issuer.current() is issuer.issued[1]


def test_only_the_refused_signer_is_dropped() -> None:
    """A late refusal of an old token does not drop the new one."""
    issuer = Issuer()
    old = issuer.current()
    issuer.auth.renew(old)
    new = issuer.current()
    assert issuer.auth.renew(old)
    assert issuer.current() is new
    assert len(issuer.issued) == 2


def test_a_refusal_before_anything_was_issued_changes_nothing() -> None:
    """Nothing is dropped."""
    assert Issuer().auth.renew(Signer())


def test_a_token_that_could_not_be_fetched_is_asked_for_again() -> None:
    """A fault of IAM is not remembered: the next call signs in again."""
    answers: list[Signer | ServerFault] = [ServerFault("signing in", "no"), Signer()]

    def fetch(_send: Any) -> Signer:
        answer = answers.pop(0)
        if isinstance(answer, ServerFault):
            raise answer
        return answer

    auth = Auth(account(), fetch, now=lambda: NOW)
    with pytest.raises(ServerFault):
        auth.current(never())
    assert auth.current(never()) == Signer()


def test_a_fixed_signer_cannot_be_renewed() -> None:
    """A refused access key is not sent again, and it is not bound to a project."""
    auth = fixed(account(), Signer())
    issued = auth.current(never())
    assert issued == Signer()
    assert not auth.renew(issued)
    assert auth.current(never()) is issued


# --- what is asked of IAM --------------------------------------------------------------------------------------------


class Iam(Client):
    """Gives its answers in turn, and records the calls."""

    def __init__(self, *answers: Reply) -> None:
        super().__init__(SETTINGS)
        self.answers, self.calls, self.signers = list(answers), list[Call](), list[Signer]()

    def send(self, call: Call, **options: Any) -> Any:
        """One answer."""
        signer = options["auth"].current(self)
        self.calls.append(call)
        self.signers.append(signer)
        return replace(self.answers.pop(0), call=call)


def token_answer(**token: Any) -> Reply:
    """A token, in a header of any case."""
    return Reply(SIGN_IN, 201, {"x-subject-TOKEN": "planted-token"}, json.dumps({"token": token}).encode())


def agency_answer(**credential: Any) -> Reply:
    """A temporary access key."""
    return Reply(SIGN_IN, 201, {}, json.dumps({"credential": credential}).encode())


def body_sent(iam: Iam) -> Any:
    """The body of the last call, as JSON."""
    return json.loads(json.dumps(iam.calls[-1].body))


@pytest.mark.parametrize("credential", [KEY, Token(Secret("planted"), "here")], ids=["access key", "token"])
def test_a_key_and_a_token_need_nothing_of_iam(credential: Credential) -> None:
    """They can sign without a request to IAM."""
    auth = auth_of(replace(SETTINGS, credential=credential))
    assert "Authorization" in (headers := auth.current(never())(prepared()).headers) or "X-Auth-Token" in headers


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        (PASSWORD, {"name": "user", "password": "planted", "domain": {"name": "account"}}),
        (
            replace(PASSWORD, domain_name=None, domain_id="d1"),
            {"name": "user", "password": "planted", "domain": {"id": "d1"}},
        ),
        (replace(PASSWORD, domain_id="d1"), {"name": "user", "password": "planted", "domain": {"name": "account"}}),
        (replace(PASSWORD, user_name=None, user_id="u1", domain_name=None), {"id": "u1", "password": "planted"}),
        (replace(PASSWORD, user_id="u1"), {"id": "u1", "password": "planted"}),
    ],
    ids=["by names", "account by id", "account by both", "user by id", "user by both"],
)
def test_a_user_signs_in_by_name_or_by_id(user: Password, sent: dict[str, Any]) -> None:
    """A user name needs the account; a user id does not."""
    iam = Iam(token_answer())
    auth_of(replace(SETTINGS, credential=user)).current(iam)
    identity = body_sent(iam)["auth"]["identity"]
    assert identity == {"methods": ["password"], "password": {"user": sent}}


@pytest.mark.parametrize(
    ("settings", "project"),
    [
        (SETTINGS, {"id": PROJECT}),
        (replace(SETTINGS, project_name="eu-de_x"), {"id": PROJECT}),
        (
            replace(SETTINGS, project_id=None, project_name="eu-de_x"),
            {"name": "eu-de_x", "domain": {"name": "account"}},
        ),
        (replace(SETTINGS, project_id=None), {"name": "eu-de", "domain": {"name": "account"}}),
    ],
    ids=["by id", "by id before name", "by name", "by region"],
)
def test_a_token_is_asked_for_one_project(settings: Settings, project: dict[str, Any]) -> None:
    """CBR needs a token for a project; the main project of a region has the region's name."""
    iam = Iam(token_answer())
    auth_of(settings).current(iam)
    assert body_sent(iam)["auth"]["scope"] == {"project": project}


def test_the_token_of_the_answer_signs_for_its_project() -> None:
    """The token is in a header, its expiry and project in the body; the request is not signed."""
    iam = Iam(token_answer(expires_at="2999-02-13T06:52:13.855000Z", project={"id": PROJECT}))
    auth = auth_of(SETTINGS)
    assert auth.current(iam)(prepared()).headers["X-Auth-Token"] == "planted-token"
    assert auth.current(iam).project_id == PROJECT
    assert iam.signers == [Signer()]
    call = iam.calls[0]
    assert (call.method, call.path, call.service, call.expects) == ("POST", "/v3/auth/tokens", "iam", (201,))
    assert call.doing == "signing in with the password from here at iam.example"


@pytest.mark.parametrize("token", [{}, {"project": None}, {"project": "p"}, {"expires_at": 5}], ids=repr)
def test_a_token_may_come_without_end_and_project(token: dict[str, Any]) -> None:
    """A missing project is looked up; a missing expiry shows when the token is refused."""
    assert auth_of(SETTINGS).current(Iam(token_answer(**token))).project_id is None


def test_a_token_for_a_project_of_another_shape_is_refused() -> None:
    """The id becomes part of every path."""
    with pytest.raises(
        UnexpectedAnswer,
        match="a token's project whose id is some text, not a project id",
    ):
        auth_of(SETTINGS).current(Iam(token_answer(project={"id": "P/backups/OTHER/members?"})))


def test_an_answer_without_token_is_no_token() -> None:
    """An empty object is no success."""
    with pytest.raises(UnexpectedAnswer, match="without an object `token`"):
        auth_of(SETTINGS).current(Iam(Reply(SIGN_IN, 201, {}, b'{"x": 1}')))


@pytest.mark.parametrize(
    ("agency", "account"),
    [(AGENCY, {"domain_name": "other-account"}), (Agency("admin", domain_id="d2"), {"domain_id": "d2"})],
    ids=["account by name", "account by id"],
)
def test_a_role_is_assumed_with_the_credential_at_hand(agency: Agency, account: dict[str, str]) -> None:
    """The temporary key signs with its security token, and is not bound to a project."""
    iam = Iam(agency_answer(access="AK2", secret="planted", securitytoken="planted-token", expires_at="2999-01-01"))
    auth = auth_of(replace(SETTINGS, credential=KEY, agencies=(agency,)))
    headers = auth.current(iam)(prepared()).headers
    assert headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AK2, ")
    assert headers["X-Security-Token"] == "planted-token"
    assert auth.current(iam).project_id is None
    role = {"agency_name": "admin", "duration_seconds": 3600} | account
    assert body_sent(iam) == {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    assert isinstance(iam.signers[0], KeySigner)
    assert (iam.calls[0].path, iam.calls[0].expects) == ("/v3.0/OS-CREDENTIAL/securitytokens", (201,))


def test_a_user_by_password_assumes_a_role_from_the_own_project() -> None:
    """The project in the settings is the other account's, so the user signs in to the region's main project."""
    iam = Iam(token_answer(), agency_answer(access="AK2", secret="planted", securitytoken="planted"))
    auth_of(replace(SETTINGS, agencies=(AGENCY,))).current(iam)
    assert [call.path for call in iam.calls] == ["/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"]
    assert json.loads(json.dumps(iam.calls[0].body))["auth"]["scope"] == {
        "project": {"name": "eu-de", "domain": {"name": "account"}}
    }
    assert isinstance(iam.signers[1], HeaderSigner)


@pytest.mark.parametrize("missing", ["access", "secret", "securitytoken"])
@pytest.mark.parametrize("value", [..., None, ""], ids=["absent", "null", "empty"])
def test_half_a_temporary_key_is_no_key(missing: str, value: Any) -> None:
    """A request signed with an incomplete key would count as a wrong signature."""
    whole = {"access": "AK2", "secret": "planted", "securitytoken": "planted"}
    credential = {key: value if key == missing else text for key, text in whole.items()}
    answer = agency_answer(**{key: text for key, text in credential.items() if text is not ...})
    with pytest.raises(UnexpectedAnswer) as caught:
        auth_of(replace(SETTINGS, credential=KEY, agencies=(AGENCY,))).current(Iam(answer))
    assert "planted" not in str(caught.value)


def test_an_answer_without_the_header_is_no_token() -> None:
    """No request is sent with an empty token."""
    with pytest.raises(UnexpectedAnswer):
        auth_of(SETTINGS).current(Iam(Reply(SIGN_IN, 201, {}, b'{"token": {"expires_at": "2999-01-01"}}')))


def test_no_call_to_iam_shows_a_secret() -> None:
    """The request for a token holds the password."""
    iam = Iam(token_answer())
    auth_of(SETTINGS).current(iam)
    assert "planted" not in f"{iam.calls} {token_answer()}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-02-13T06:52:13.855000Z", datetime(2019, 2, 13, 6, 52, 13, 855000, timezone.utc)),
        ("2019-02-13T06:52:13Z", datetime(2019, 2, 13, 6, 52, 13, 0, timezone.utc)),
        ("2020-02-05T10:38:34.209782", datetime(2020, 2, 5, 10, 38, 34, 209782, timezone.utc)),
        ("2020-02-05T10:38:34.210+00:00", datetime(2020, 2, 5, 10, 38, 34, 210000, timezone.utc)),
        ("2020-02-05T12:38:34+02:00", datetime(2020, 2, 5, 10, 38, 34, 0, timezone.utc)),
        ("2020-02-05T05:38:34.5-0500", datetime(2020, 2, 5, 10, 38, 34, 500000, timezone.utc)),
        ("2020-02-05T10:38:34.1234567Z", datetime(2020, 2, 5, 10, 38, 34, 123456, timezone.utc)),
        ("2020-02-05T10:38:34.12", datetime(2020, 2, 5, 10, 38, 34, 120000, timezone.utc)),
        ("2020-02-05 10:38", datetime(2020, 2, 5, 10, 38, tzinfo=timezone.utc)),
        ("2020-02-05", datetime(2020, 2, 5, tzinfo=timezone.utc)),
        ("20200205T103834Z", None),  # Python 3.11 reads this and the next ones, 3.10 does not
        ("2020-W06-3", None),
        ("2020-02-05T10:38:34,5", None),
        ("2020-02-05T24:00:00", None),
        ("2020-02-30T10:38:34", None),
        ("2020-02-05T10:38:34+25:00", None),
        (None, None),
        ("", None),
        ("soon", None),
        (1581935914, None),
        ({"at": 1}, None),
    ],
    ids=repr,
)
def test_the_moments_of_the_api(text: Any, expected: datetime | None) -> None:
    """With or without zone and fraction; without a zone it is UTC. Anything else is None."""
    assert moment(text) == expected
