from __future__ import annotations

import json

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from hypothesis import given
from hypothesis import strategies as st

from pulumi_cbr_sharing.errors import (
    AlreadyShared,
    ApiError,
    BackupNotFound,
    CbrSharingError,
    CredentialRefused,
    MalformedUrl,
    MemberNotFound,
    NotFound,
    PermissionDenied,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
)
from pulumi_cbr_sharing.http.messages import MALFORMED_URL, Call, Reply, error_parts


if TYPE_CHECKING:
    from collections.abc import Callable


ASK = "if this happens again, contact the vendor's support"
BACKUP = "/v3/0605767b5780d5762fc5c0118072a564/backups/0b07081e-3ec7-4e77-8571-54e2947da422"
LIST = Call("GET", f"{BACKUP}/members", "Listing the shares of b", "cbr:member:list")
SHARE = Call(
    "POST", f"{BACKUP}/members", "Sharing b with p", "cbr:member:create", body={"members": ["p"]}, repeatable=False
)
REMOVE = Call("DELETE", f"{BACKUP}/members/p", "Removing the share", "cbr:member:delete", expects=(204,))
SIGN_IN = Call("POST", "/v3/auth/tokens", "Signing in", "a correct password", service="iam", expects=(201,))


def reply(status: int, body: Any = b"", **headers: str) -> Reply:
    """An answer to a list; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(LIST, status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def refused(call: Call, answer: Reply) -> CbrSharingError:
    """The error of an answer to this call."""
    with pytest.raises(CbrSharingError) as caught:
        replace(answer, call=call).check()
    text = str(caught.value)
    assert text.isprintable()
    text.encode()
    assert len(text) < 1200
    return caught.value


def cbr(number: str, text: str = "said so") -> dict[str, str]:
    """An error body of the service."""
    return {"error_code": f"BackupService.{number}", "error_msg": text}


def gateway(number: str, text: str = "said so") -> dict[str, str]:
    """An error body of the gateway."""
    return {"error_code": f"APIGW.{number}", "error_msg": text, "request_id": "r-body"}


HTML = b"<html><body>Bad gateway</body></html>"


# --- success ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        pytest.param(LIST, reply(200, {"members": [], "count": 0}), id="200 with an object"),
        pytest.param(SIGN_IN, reply(201, {"token": {}}), id="201 where it is due"),
        pytest.param(REMOVE, reply(204), id="204 without body"),
        pytest.param(REMOVE, reply(204, HTML), id="204 with whatever body"),
        pytest.param(replace(REMOVE, expects=(200, 204)), reply(200, {"a": 1}), id="either of two"),
    ],
)
def test_an_answer_of_the_expected_status_is_a_success(call: Call, answer: Reply) -> None:
    """Nothing is raised."""
    replace(answer, call=call).check()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(HTML, id="HTML"),
        pytest.param(b'{"members": [', id="cut"),
        pytest.param([], id="a list"),
        pytest.param(["members"], id="a list of something"),
        pytest.param({}, id="an empty object"),
        pytest.param("text", id="a text"),
        pytest.param(None, id="null"),
        pytest.param(5, id="a number"),
        pytest.param(b"\xff\xfe\xfa", id="no text"),
        pytest.param(b"[" * 200_000, id="deep lists"),
        pytest.param(b'{"a":' * 200_000, id="deep objects"),
        pytest.param(b"9" * 10_000, id="a number of ten thousand digits"),
    ],
)
def test_success_without_an_object_is_no_success(body: Any) -> None:
    """A proxy's page with status 200 is not an empty list."""
    error = refused(LIST, reply(200, body, content_type="text/html"))
    assert type(error) is UnexpectedAnswer
    size = len(reply(200, body).body)
    assert str(error) == (
        f"Listing the shares of b: an answer without a JSON object (HTTP 200, text/html, {size} bytes): "
        "check the endpoint and any proxy on the way; nothing is concluded from it"
    )


@pytest.mark.parametrize(
    ("call", "status"),
    [(LIST, 201), (LIST, 202), (LIST, 204), (LIST, 304), (REMOVE, 200), (REMOVE, 202), (SIGN_IN, 200)],
)
def test_another_status_than_the_expected_one_is_no_success(call: Call, status: int) -> None:
    """Nothing is concluded from a status that the API does not document for the call."""
    error = refused(call, reply(status, {"members": []}))
    assert type(error) is UnexpectedAnswer
    assert f": an answer with an unexpected status (HTTP {status}, no content type, 15 bytes): " in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_shown_and_not_followed(status: int) -> None:
    """The signature would be sent along; the error shows the target."""
    error = refused(SHARE, reply(status, location="https://login.example/\nportal", x_request_id="r1"))
    assert type(error) is UnexpectedAnswer
    assert str(error) == (
        f"Sharing b with p: an answer with an unexpected status (HTTP {status}, no content type, 0 bytes, "
        "request r1), a redirect to https://login.example/ portal, which is not followed: "
        "check the endpoint and any proxy on the way; nothing is concluded from it"
    )


@pytest.mark.parametrize("answer", [{"members": None}, {"members": {}}, {"members": [1]}, {"x": []}], ids=json.dumps)
def test_a_list_is_a_list_of_objects(answer: dict[str, Any]) -> None:
    """An answer without the list is not an empty list."""
    with pytest.raises(UnexpectedAnswer, match="an answer without a list `members`"):
        reply(200, answer).records("members")
    (record,) = reply(200, {"members": [{"id": 1}]}).records("members")
    assert (record.what, record.fields) == ("member", {"id": 1})


@pytest.mark.parametrize("answer", [{"member": None}, {"member": []}, {"x": {}}], ids=json.dumps)
def test_an_object_is_an_object(answer: dict[str, Any]) -> None:
    """An answer without the object is not an object without values."""
    with pytest.raises(UnexpectedAnswer, match="an answer without an object `member`"):
        reply(200, answer).record("member")
    record = reply(200, {"member": {"id": 1}}).record("member")
    assert (record.what, record.fields) == ("member", {"id": 1})


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "answer", "kind"),
    [
        pytest.param(SHARE, reply(400, cbr("6703")), AlreadyShared, id="shared already"),
        pytest.param(LIST, reply(404, cbr("6705")), MemberNotFound, id="share gone"),
        pytest.param(LIST, reply(404, cbr("6200")), BackupNotFound, id="backup gone"),
        pytest.param(LIST, reply(404, cbr("6105")), NotFound, id="vault gone"),
        pytest.param(LIST, reply(400, cbr("6705")), ApiError, id="share gone with 400"),
        pytest.param(LIST, reply(404, gateway("0101")), ApiError, id="404 of a wrong endpoint"),
        pytest.param(LIST, reply(404, HTML), ApiError, id="404 of a proxy"),
        pytest.param(LIST, reply(404), ApiError, id="404 without a word"),
        pytest.param(LIST, reply(404, {"code": "6705"}), ApiError, id="404 with half a code"),
        pytest.param(LIST, reply(404, [cbr("6705")]), ApiError, id="404 with a list"),
        pytest.param(LIST, reply(401, gateway("0301")), CredentialRefused, id="wrong signature"),
        pytest.param(LIST, reply(401, gateway("0307")), CredentialRefused, id="expired token"),
        pytest.param(LIST, reply(401, HTML), CredentialRefused, id="401 of a proxy"),
        pytest.param(LIST, reply(403, {"forbidden": {"message": "x"}}), PermissionDenied, id="permission"),
        pytest.param(LIST, reply(429, gateway("0308")), Throttled, id="throttled"),
        pytest.param(LIST, reply(429, HTML), Throttled, id="throttled by a proxy"),
        pytest.param(LIST, reply(408), ServerFault, id="408"),
        pytest.param(SHARE, reply(500, cbr("6703")), ServerFault, id="500 whatever the code"),
        pytest.param(LIST, reply(503, cbr("6705")), ServerFault, id="503 whatever the code"),
        pytest.param(LIST, reply(502, HTML), ServerFault, id="502 of a proxy"),
        pytest.param(LIST, reply(504), ServerFault, id="504 without a word"),
        pytest.param(LIST, reply(418), ApiError, id="a status that nobody expects"),
    ],
)
def test_a_refusal_has_the_class_of_its_status_and_code(call: Call, answer: Reply, kind: type[ApiError]) -> None:
    """Exactly this class: its parent is handled differently."""
    assert type(refused(call, answer)) is kind


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error_code": "X.1", "error_msg": "said so"}, id="error_code"),
        pytest.param({"errorCode": "X.1", "errorMsg": "said so"}, id="errorCode"),
        pytest.param({"code": "X.1", "message": "said so"}, id="code"),
        pytest.param({"error": {"code": "X.1", "message": "said so"}}, id="under error"),
        pytest.param({"unauthorized": {"error_code": "X.1", "error_msg": "said so"}}, id="under unauthorized"),
        pytest.param({"forbidden": {"errorCode": "X.1", "errorMsg": "said so"}}, id="under forbidden"),
        pytest.param({"title": "x", "error": {"code": "X.1", "message": "said so"}}, id="beside something else"),
    ],
)
def test_code_and_words_are_found_in_every_shape_that_was_seen(body: dict[str, Any]) -> None:
    """Gateway, service and IAM use different shapes."""
    error = refused(SHARE, reply(400, body))
    assert str(error) == f"Sharing b with p: the service refused the request; it says: said so (X.1, HTTP 400): {ASK}"


@pytest.mark.parametrize(
    ("payload", "parts"),
    [
        ({}, ("", "", "")),
        ({"a": 1}, ("", "", "")),
        ({"code": 401, "message": None}, ("401", "", "")),
        ({"message": "m"}, ("", "m", "")),
        ({"error_code": "c", "error_msg": "m", "request_id": "r"}, ("c", "m", "r")),
        ({"error": {"code": "c", "message": "m", "request_id": "r"}}, ("c", "m", "r")),
        ({"error_code": ["c"], "error_msg": {"m": 1}, "request_id": []}, ("", "", "")),
        ({"a": {"b": {"code": "c"}}}, ("", "", "")),
    ],
    ids=repr,
)
def test_code_words_and_request_of_a_body(payload: dict[str, Any], parts: tuple[str, str, str]) -> None:
    """Only texts and numbers count, at most one level deep."""
    assert error_parts(payload) == parts


@pytest.mark.parametrize("depth", [*range(100, 1000, 20), 5_000, 50_000])
@pytest.mark.parametrize(
    ("head", "tail"),
    [('{"a":', "}"), ('{"error_msg":', "}"), ("[", "]")],
    ids=["objects", "objects with words", "lists"],
)
def test_a_deep_body_ends_in_an_error_of_ours(head: str, tail: str, depth: int) -> None:
    """A body that the parser can still read does not overflow the code after it."""
    body = '{"error_msg":' + head * depth + "1" + tail * depth + "}"
    answer = replace(reply(400, body.encode()), secrets=("planted",))
    assert type(refused(SHARE, answer)) is ApiError


def test_the_words_of_the_service_are_left_out_where_the_code_says_it_all() -> None:
    """A known code has one message, in English."""
    error = refused(SHARE, reply(400, cbr("6703", "该备份已共享"), x_request_id="r1"))
    assert str(error) == (
        "Sharing b with p: the backup is already shared with that project (BackupService.6703, HTTP 400, request r1)"
    )


def test_the_words_of_the_service_are_told_where_the_code_says_nothing() -> None:
    """A message of the service is quoted as it is, also in Chinese."""
    error = refused(SHARE, reply(400, cbr("0001", "系统繁忙")))
    assert (
        str(error)
        == f"Sharing b with p: the service refused the request; it says: 系统繁忙 (BackupService.0001, HTTP 400): {ASK}"
    )


def test_a_missing_permission_names_the_action() -> None:
    """The user knows which action an administrator must grant."""
    body = {"error": {"code": 403, "message": "Policy doesn't allow cbr:member:create to be performed."}}
    assert str(refused(SHARE, reply(403, body))) == (
        "Sharing b with p: permission denied; it says: Policy doesn't allow cbr:member:create to be performed.; "
        "cbr:member:create is needed (HTTP 403): ask an administrator to grant this action to the user or agency"
    )


@pytest.mark.parametrize(
    ("answer", "request_id"),
    [
        (reply(400, gateway("0201")), "r-body"),
        (reply(400, gateway("0201"), x_request_id="r-header"), "r-header"),
        (reply(400, gateway("0201"), X_REQUEST_ID="r-header"), "r-header"),
        (reply(400, cbr("6703")), ""),
        (reply(400, cbr("6703"), X_Request_Id="r\x1b[31m" + "x" * 200), "r [31m" + "x" * 73 + "…"),
    ],
    ids=["body", "header first", "any case", "none", "long and coloured"],
)
def test_the_request_is_named_for_the_vendors_support(answer: Reply, request_id: str) -> None:
    """The request id in the header takes precedence over the one in the body."""
    error = refused(SHARE, answer)
    assert isinstance(error, ApiError)
    assert error.request_id == request_id


@pytest.mark.parametrize(
    "text",
    ["x" * 10_000, "\x1b[31mred\x1b[0m\r\n" * 500, "a\u202eb", "\ud800", "\u2028", "\0"],
    ids=["10 kB", "terminal colours", "turned around", "half a character", "end of line", "NUL"],
)
@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_whatever_a_server_says_comes_out_as_one_bounded_line(status: int, text: str) -> None:
    """Code, message, request id and headers are foreign texts (`refused` checks the line)."""
    body = {"error_code": text, "error_msg": text, "request_id": text}
    error = refused(SHARE, reply(status, body))
    assert isinstance(error, ApiError)
    assert error.code.isprintable()
    refused(LIST, reply(200, b"", content_type=text, x_request_id=text, location=text))


# --- the quirk -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_one_401_with_two_meanings(method: Any) -> None:
    """No such backup, or another account's project: callers find out which. The credential is not refused."""
    error = refused(replace(LIST, method=method), reply(401, MALFORMED_URL, x_request_id="0f3a77bc-1"))
    assert type(error) is MalformedUrl
    assert str(error) == (
        "Listing the shares of b: the service rejected the URL as malformed (HTTP 401, request 0f3a77bc-1): "
        "check the project id"
    )


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        pytest.param(replace(LIST, service="iam"), 401, MALFORMED_URL, id="IAM"),
        pytest.param(LIST, 401, MALFORMED_URL["unauthorized"], id="not nested"),
        pytest.param(LIST, 401, MALFORMED_URL | {"x": 1}, id="something beside"),
        pytest.param(LIST, 401, {"unauthorized": MALFORMED_URL["unauthorized"] | {"x": 1}}, id="something within"),
        pytest.param(LIST, 401, {"unauthorized": {"code": 401, "message": "Malformed request url"}}, id="a number"),
        pytest.param(LIST, 401, {"unauthorized": {"code": "401", "message": "malformed request url"}}, id="case"),
        pytest.param(LIST, 401, {"error": MALFORMED_URL["unauthorized"]}, id="another key"),
        pytest.param(LIST, 401, gateway("0301", "Malformed request url"), id="the gateway's words"),
        pytest.param(LIST, 403, MALFORMED_URL, id="403"),
        pytest.param(LIST, 404, MALFORMED_URL, id="404"),
        pytest.param(LIST, 400, MALFORMED_URL, id="400"),
    ],
)
def test_nothing_like_it_has_them(call: Call, status: int, body: dict[str, Any]) -> None:
    """A wrong key must not make a share disappear from the state."""
    assert not isinstance(refused(call, reply(status, body)), (NotFound, MalformedUrl))


# --- Retry-After -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("3600", 3600.0),
        ("86400", 3600.0),
        ("9" * 400, 3600.0),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 3600.0),
        ("٣", None),
        ("²", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
    ],
)
def test_retry_after_is_a_bounded_number_of_seconds_or_absent(text: str, seconds: float | None) -> None:
    """No answer can make a program wait for a day, or crash it."""
    error = refused(LIST, reply(429, gateway("0308"), Retry_After=text))
    assert isinstance(error, Throttled)
    assert error.retry_after == seconds


def test_without_retry_after_nothing_is_asked_for() -> None:
    """The service was never seen to send it."""
    error = refused(LIST, reply(429, gateway("0308")))
    assert isinstance(error, Throttled)
    assert error.retry_after is None


# --- secrets ---------------------------------------------------------------------------------------------------------

SECRETS = ["planted-secret", 'pl"an\\ted/sécret+', "planted\tsecret"]


def _plain(text: str) -> bytes:
    return json.dumps(cbr("0001", f"bad key {text}!"), ensure_ascii=False).encode()


def _ascii(text: str) -> bytes:
    return json.dumps(cbr("0001", f"bad key {text}!")).encode()


def _slashed(text: str) -> bytes:
    return _ascii(text).replace(b"/", b"\\/")


def _all_escaped(text: str) -> bytes:
    escaped = "".join(f"\\u{ord(char):04x}" for char in f"bad key {text}!")
    return b'{"error_code": "BackupService.0001", "error_msg": "' + escaped.encode() + b'"}'


def answered(status: int, body: bytes, secrets: list[str], **headers: str) -> Reply:
    """An answer to a call with these secrets."""
    return replace(reply(status, body, **headers), secrets=tuple(secrets))


@pytest.mark.parametrize("write", [_plain, _ascii, _slashed, _all_escaped])
@pytest.mark.parametrize("secret", SECRETS)
def test_words_that_repeat_a_secret_are_left_out(write: Callable[[str], bytes], secret: str) -> None:
    """In every JSON spelling; a known code is kept."""
    error = refused(SHARE, answered(400, write(secret), [secret]))
    assert str(error) == f"Sharing b with p: the service refused the request (BackupService.0001, HTTP 400): {ASK}"


def test_words_without_a_secret_are_told() -> None:
    """A message without a secret is quoted."""
    error = refused(SHARE, answered(400, _plain("Ab12"), ["planted-secret", ""]))
    assert "it says: bad key Ab12!" in str(error)


@pytest.mark.parametrize("field", ["error_code", "error_msg", "request_id"])
def test_a_field_with_a_secret_is_left_out(field: str) -> None:
    """What the other fields say is told."""
    body = {"error_code": "X.1", "error_msg": "said so", "request_id": "r1"} | {field: "planted-secret"}
    error = str(refused(SHARE, answered(400, json.dumps(body).encode(), ["planted-secret"])))
    assert "planted" not in error
    told = {"error_code": "X.1", "error_msg": "said so", "request_id": "request r1"}
    assert [name for name, text in told.items() if text not in error] == [field]


def test_nothing_that_a_401_says_is_quoted() -> None:
    """A service that refuses a credential may repeat it, in part or in an unknown spelling."""
    body = {"error_code": "X.1", "error_msg": "plan ted", "request_id": "0f3a77bc-1"}
    assert str(refused(SHARE, reply(401, body))).startswith(
        "Sharing b with p: the credential was refused (HTTP 401, request 0f3a77bc-1): "
    )


@pytest.mark.parametrize("secret", ["planted-secret", "planted/+secret=="])
@pytest.mark.parametrize("spell", [str, quote, quote_plus], ids=["as it is", "in a path", "in a form"])
def test_a_secret_echoed_in_a_header_reaches_no_message(spell: Callable[[str], str], secret: str) -> None:
    """For example, a redirect to a portal with the token in the URL; whatever the status."""
    echo = f"https://portal.example.com/?t={spell(secret)}"
    for status in (200, 302, 400):
        answer = answered(status, b"", [secret], X_Request_Id=echo, Location=echo, Content_Type=echo)
        assert "portal" not in str(refused(SHARE, answer))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 500])
def test_nothing_of_an_answer_to_a_sign_in_is_quoted(status: int) -> None:
    """Its message may contain the password in an unknown spelling, and its answer contains a secret."""
    call = replace(SIGN_IN, signs_in=True)
    body = {"error": {"code": "planted", "message": "planted", "request_id": "planted"}}
    headers = {"X_Request_Id": "planted", "Location": "https://planted.example", "Content_Type": "planted"}
    assert "planted" not in str(refused(call, reply(status, body, **headers)))


def test_code_and_request_of_a_sign_in_are_told_where_they_have_their_shape() -> None:
    """The vendor's support needs them."""
    body = {"error_code": "IAM.0011", "error_msg": "planted"}
    error = refused(replace(SIGN_IN, signs_in=True), reply(400, body, x_request_id="0f3a-77"))
    assert str(error).startswith("Signing in: the service refused the request (IAM.0011, HTTP 400): ")
    error = refused(replace(SIGN_IN, signs_in=True), reply(400, body, x_request_id="0f3a77bc-1"))
    assert "(IAM.0011, HTTP 400, request 0f3a77bc-1)" in str(error)


@given(body=st.binary(max_size=60), secrets=st.lists(st.text(st.characters(codec="utf-8")), max_size=3))
def test_reading_a_refusal_never_fails(body: bytes, secrets: list[str]) -> None:
    """Every answer ends in one of our errors."""
    refused(SHARE, answered(400, body, secrets))


def test_calls_and_replies_show_neither_body_nor_headers() -> None:
    """A request for a token holds a password, and its answer the token."""
    call = replace(SIGN_IN, body={"password": "planted"})
    answer = reply(201, {"token": "planted"}, X_Subject_Token="planted")
    assert "planted" not in f"{call} {call!r} {answer} {answer!r}"
