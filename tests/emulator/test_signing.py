"""How strictly the emulator verifies signatures, and that it agrees with the vendor's own examples."""

from __future__ import annotations

import hashlib
import hmac
import threading

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from emulated import SECONDS, ask, code, members_of, now, project, signed
from pulumi_cbr_sharing.emulator import keys
from pulumi_cbr_sharing.emulator.request import Sent


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Account, Emulator


SHARED = "/v3/0605767b5780d5762fc5c0118072a564/backups/0b07081e-3ec7-4e77-8571-54e2947da422/members"
OURS = {
    "content-type": "application/json;charset=UTF-8",
    "host": "cbr.cn-north-4.myhuaweicloud.com",
    "x-project-id": "0605767b5780d5762fc5c0118072a564",
    "x-sdk-date": "20260115T120000Z",
}
VECTORS = [
    pytest.param(
        Sent(
            "GET",
            "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
            {
                "content-type": "application/json",
                "host": "service.region.example.com",
                "x-sdk-date": "20191115T033655Z",
            },
            b"",
        ),
        "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
        id="the vendor's document",
    ),
    pytest.param(
        Sent("POST", SHARED, OURS, b'{"members": ["075e6035d300d48c2fd0c00b78b71ebf"]}'),
        "SKexampleSecretKey000000000000000000000",
        "571d86adc11d1c456f3db09b4109d49fe24e16e00adb787e144ab015526fdca7",
        id="with a body",
    ),
    pytest.param(
        Sent("DELETE", f"{SHARED}/075e6035d300d48c2fd0c00b78b71ebf", OURS, b""),
        "SKexampleSecretKey000000000000000000000",
        "5e5ae9aa2c6a5abbda4946e06c7cf925d74658fd7d2bf607868e319401ad31f0",
        id="without a body",
    ),
]


@pytest.mark.parametrize(("request_", "secret", "expected"), VECTORS)
def test_known_requests_have_their_known_signatures(request_: Sent, secret: str, expected: str) -> None:
    """The verifier is tested with vectors, not with our own signer."""
    claim = keys.Claim("AK", tuple(sorted(request_.headers)), expected)
    assert keys._signature(claim, request_, secret) == expected


def url(emulator: Emulator, query: str = "") -> str:
    """The address of the seeded backup's members."""
    return f"{emulator.url}/v3/{project(emulator, 'sharer')}{members_of(emulator)}{query}"


def send(method: str, address: str, headers: Mapping[str, str], body: str = "") -> requests.Response:
    """Send exactly what was signed; `requests` would add headers that are not signed."""
    return requests.request(method, address, data=body or None, headers=dict(headers), timeout=SECONDS)


def refused_as(answer: requests.Response) -> str:
    """Status and code of the gateway's error."""
    body = answer.json()
    assert set(body) == {"error_code", "error_msg", "request_id"}
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return f"{answer.status_code} {body['error_code']}"


@pytest.mark.parametrize("query", ["", "?limit=2&offset=0", "?sort=created_at%3Aasc&limit=5", "?offset=1&limit=2"])
def test_a_right_signature_is_accepted(query: str, emulator: Emulator) -> None:
    """With and without a query, in any order."""
    headers = signed("GET", url(emulator, query), emulator.account("sharer"))
    assert send("GET", url(emulator, query), headers).status_code == 200
    assert emulator.requests[-1].account == "sharer"


def test_a_signed_body_is_accepted(emulator: Emulator) -> None:
    """The hash is that of the bytes that were sent."""
    body = f'{{"members":   ["{project(emulator)}"]}}'
    own = {"Content-Type": "application/json", "X-Project-Id": project(emulator, "sharer")}
    headers = signed("POST", url(emulator), emulator.account("sharer"), body=body, headers=own)

    assert send("POST", url(emulator), headers, body).status_code == 200
    assert project(emulator) in emulator.members(emulator.backup.id)


def _moved(account: Account, emulator: Emulator, minutes: int) -> dict[str, str]:
    date = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    return signed("GET", url(emulator), account, date=date.strftime("%Y%m%dT%H%M%SZ"))


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 401), (16, 401)])
def test_a_clock_may_be_wrong_by_a_quarter_of_an_hour(minutes: int, status: int, emulator: Emulator) -> None:
    """In either direction."""
    headers = _moved(emulator.account("sharer"), emulator, minutes)
    assert send("GET", url(emulator), headers).status_code == status


def test_the_date_must_be_signed(emulator: Emulator) -> None:
    """Otherwise a recorded request could be sent again at any time."""
    headers = signed("GET", url(emulator), emulator.account("sharer"), leave_out=("X-Sdk-Date",))
    assert refused_as(send("GET", url(emulator), headers)) == "401 APIGW.0301"


TERRAFORM = ["accept", "content-type", "user-agent", "x-language", "x-sdk-date"]


@pytest.mark.parametrize(
    "names", [TERRAFORM, TERRAFORM[::-1], ["x-sdk-date"]], ids=["", "in another order", "the least"]
)
def test_what_the_terraform_provider_signs_is_enough(names: list[str], emulator: Emulator) -> None:
    """It signs neither Host nor X-Project-Id."""
    account = emulator.account("sharer")
    sent = {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": "huaweicloud-golangsdk/2.0.0;terraform-provider-huaweicloud",
        "x-language": "en-us",
        "x-project-id": account.project_id,
    }
    headers = signed_over(names, "GET", url(emulator), account, sent)
    assert send("GET", url(emulator), headers).status_code == 200
    assert emulator.requests[-1].account == "sharer"


@pytest.mark.parametrize("name", TERRAFORM)
def test_a_header_that_was_signed_cannot_be_exchanged(name: str, emulator: Emulator) -> None:
    """Whatever other headers are signed."""
    sent = dict.fromkeys(TERRAFORM, "application/json")
    headers = signed_over(TERRAFORM, "GET", url(emulator), emulator.account("sharer"), sent)
    later = (datetime.now(timezone.utc) + timedelta(seconds=9)).strftime("%Y%m%dT%H%M%SZ")
    changed = headers | {name: later if name == "x-sdk-date" else "text/plain"}
    assert refused_as(send("GET", url(emulator), changed)) == "401 APIGW.0301"


def signed_over(
    names: list[str], method: str, address: str, account: Account, sent: Mapping[str, str]
) -> dict[str, str]:
    """The headers of a request that signs these names, in this order."""
    headers = {**sent, "x-sdk-date": now()}
    lines = [method, f"{urlsplit(address).path}/", "", *(f"{name}:{headers[name]}" for name in names), ""]
    canonical = "\n".join([*lines, ";".join(names), hashlib.sha256(b"").hexdigest()])
    text = f"SDK-HMAC-SHA256\n{headers['x-sdk-date']}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(account.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    claim = f"SDK-HMAC-SHA256 Access={account.access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**headers, "Authorization": claim}


def test_a_header_that_was_signed_must_be_sent(emulator: Emulator) -> None:
    """A missing header cannot be verified."""
    headers = signed("GET", url(emulator), emulator.account("sharer"), headers={"X-Project-Id": "p"})
    del headers["X-Project-Id"]
    assert refused_as(send("GET", url(emulator), headers)) == "401 APIGW.0301"


TAMPERED = {
    "method": ("DELETE", "", ""),
    "path": ("GET", "/x", ""),
    "query": ("GET", "?limit=3", ""),
    "body": ("GET", "", "{}"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_signature_is_of_one_request(what: str, emulator: Emulator) -> None:
    """It is not valid for another method, path, query or body."""
    method, more, body = TAMPERED[what]
    headers = signed("GET", url(emulator), emulator.account("sharer"))
    assert refused_as(send(method, url(emulator, more), headers, body)).endswith(("0301", "0101"))


@pytest.mark.parametrize("text", ["", "Basic abc", "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=abc"])
def test_a_request_without_credential_is_refused(text: str, emulator: Emulator) -> None:
    """So is another kind of credential."""
    assert refused_as(send("GET", url(emulator), {"Authorization": text})) == "401 APIGW.0301"


def test_a_key_that_nobody_has_is_refused(emulator: Emulator) -> None:
    """Whatever it signs."""
    stranger = replace(emulator.account("sharer"), access_key="NOBODYSKEY")
    assert refused_as(send("GET", url(emulator), signed("GET", url(emulator), stranger))) == "401 APIGW.0301"


def test_a_rotated_key_is_refused_and_its_successor_is_not(emulator: Emulator) -> None:
    """From the next request on."""
    old, new = emulator.account("sharer"), emulator.rotate_key("sharer")
    answers = [send("GET", url(emulator), signed("GET", url(emulator), one)).status_code for one in (old, new)]
    assert answers == [401, 200]
    assert emulator.account("sharer") == new


def wrong(emulator: Emulator, times: int) -> list[int]:
    """The answers to wrong signatures of the sharer's key."""
    thief = replace(emulator.account("sharer"), secret_key="guessed")
    return [send("GET", url(emulator), signed("GET", url(emulator), thief)).status_code for _ in range(times)]


def test_five_wrong_signatures_do_not_lock_a_key(emulator: Emulator) -> None:
    """A right one resets the count."""
    right = emulator.account("sharer")
    for _ in range(2):
        assert wrong(emulator, 5) == [401] * 5
        assert send("GET", url(emulator), signed("GET", url(emulator), right)).status_code == 200


def test_six_wrong_signatures_lock_a_key_for_five_minutes(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the right secret is refused, too, but tokens are not; after five minutes it works again."""
    right = emulator.account("sharer")
    monkeypatch.setattr(keys, "LOCK_SECONDS", 0.6)
    wrong(emulator, 6)
    locked = send("GET", url(emulator), signed("GET", url(emulator), right))

    assert refused_as(locked) == "401 APIGW.0301"
    assert ask(emulator, "GET", members_of(emulator)).status_code == 200
    threading.Event().wait(0.7)
    assert send("GET", url(emulator), signed("GET", url(emulator), right)).status_code == 200


def test_a_key_is_of_its_own_project(emulator: Emulator) -> None:
    """A right signature is refused for another account's project."""
    headers = signed("GET", url(emulator), emulator.account("bystander"))
    assert refused_as(send("GET", url(emulator), headers)) == "403 APIGW.0302"


def test_a_path_that_is_no_api_says_so_in_the_gateways_words(emulator: Emulator) -> None:
    """A wrong endpoint differs from a missing share."""
    answer = ask(emulator, "GET", "/backup")
    assert (answer.status_code, code(answer)) == (404, "APIGW.0101")
