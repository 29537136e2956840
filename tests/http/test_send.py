"""The retry loop of `Client.send` as the cloud sees it: what is retried, looked up and renewed."""

from __future__ import annotations

import json

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from inprocess import FakeTime, password_of, settings_of
from pulumi_cbr_sharing import Agency
from pulumi_cbr_sharing.emulator import Fault
from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    PermissionDenied,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
)
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.http.messages import Call, Reply
from pulumi_cbr_sharing.http.retry import REFUSED_FOR
from pulumi_cbr_sharing.settings.credentials import Secret


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.emulator import Emulator
    from pulumi_cbr_sharing.settings.resolve import Settings


OPEN_ENDS = [
    pytest.param(Fault("POST", status=503), ServerFault, id="fault"),
    pytest.param(Fault("POST", reset=True), Unreachable, id="cut off"),
    pytest.param(Fault("POST", status=200, body="<html>"), UnexpectedAnswer, id="unreadable"),
]
DECRYPT = json.dumps(
    {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information: decrypt token fail"}
)


def share(emulator: Emulator) -> Call:
    """The call that must not be repeated."""
    owner, recipient = (emulator.account(name).project_id for name in ("sharer", "recipient"))
    path = f"/v3/{owner}/backups/{emulator.backup.id}/members"
    body = {"members": [recipient]}
    return Call("POST", path, "Sharing b", "cbr:member:create", body=body, repeatable=False)


def client_of(emulator: Emulator, **changes: Any) -> Client:
    """A client that does not wait."""
    return Client(settings_of(emulator, **changes), clock=FakeTime().clock)


def requests(emulator: Emulator) -> list[tuple[str, int]]:
    """Method and status of each request."""
    return [(request.method, request.status) for request in emulator.requests]


def looker(*found: str | CbrSharingError | None) -> Callable[[], str | None]:
    """A look that gives these results in turn."""
    answers = list(found)

    def look() -> str | None:
        answer = answers.pop(0)
        if isinstance(answer, CbrSharingError):
            raise answer
        return answer

    return look


@pytest.mark.parametrize(("fault", "kind"), OPEN_ENDS)
def test_a_call_that_may_not_be_repeated_is_not(fault: Fault, kind: type[CbrSharingError], emulator: Emulator) -> None:
    """Without `look`, an unknown effect is an error."""
    emulator.add_fault(fault)
    with pytest.raises(kind):
        client_of(emulator).send(share(emulator))
    assert len(emulator.requests) == 1


@pytest.mark.parametrize(("fault", "kind"), OPEN_ENDS)
def test_what_a_look_finds_is_the_result(fault: Fault, kind: type[CbrSharingError], emulator: Emulator) -> None:
    """A POST that had an effect is not sent again; only None means that it had none."""
    assert issubclass(kind, CbrSharingError)
    for found in ("the share", ""):
        emulator.add_fault(fault)
        assert client_of(emulator).send(share(emulator), look=looker(found)) == found
    assert len(emulator.requests) == 2
    assert emulator.members(emulator.backup.id) == {}


@pytest.mark.parametrize(("fault", "kind"), OPEN_ENDS)
def test_where_a_look_finds_nothing_the_call_is_sent_again(
    fault: Fault, kind: type[CbrSharingError], emulator: Emulator
) -> None:
    """Each unknown effect is looked up again."""
    assert issubclass(kind, CbrSharingError)
    emulator.add_fault(replace(fault, times=2))
    reply = client_of(emulator).send(share(emulator), look=looker(None, None))
    assert isinstance(reply, Reply)
    assert len(emulator.requests) == 3


def test_a_look_that_fails_ends_it(emulator: Emulator) -> None:
    """If the effect cannot be looked up, the call is not sent again."""
    emulator.add_fault(Fault("POST", status=503))
    with pytest.raises(PermissionDenied, match="Listing: no"):
        client_of(emulator).send(share(emulator), look=looker(PermissionDenied("Listing", "no", status=403)))
    assert len(emulator.requests) == 1


def test_what_had_no_effect_is_sent_again_without_a_look(emulator: Emulator) -> None:
    """A throttled request had no effect."""
    emulator.add_fault(Fault("POST", status=429))
    assert isinstance(client_of(emulator).send(share(emulator), look=looker()), Reply)
    assert [status for _, status in requests(emulator)] == [429, 200]


def test_an_answer_that_says_no_is_final(emulator: Emulator) -> None:
    """It is neither looked up nor retried."""
    emulator.add_fault(Fault("POST", status=400, body=json.dumps({"error_code": "BackupService.6701"})))
    with pytest.raises(ApiError, match="at most 10 projects"):
        client_of(emulator).send(share(emulator), look=looker())
    assert len(emulator.requests) == 1


def test_the_last_error_is_raised(emulator: Emulator) -> None:
    """It is the most recent one."""
    emulator.add_fault(Fault("GET", reset=True, times=2))
    emulator.add_fault(Fault("GET", status=503))
    listing = replace(share(emulator), method="GET", body=None, repeatable=True)
    with pytest.raises(ServerFault):
        client_of(emulator, max_retries=2).send(listing)


# --- a token or temporary key that is refused ------------------------------------------------------------------------


def with_password(emulator: Emulator) -> Settings:
    """A user who signs in."""
    return settings_of(emulator, credential=password_of(emulator))


def with_agency(emulator: Emulator) -> Settings:
    """The bystander, who assumes the sharer's agency."""
    project = emulator.account("sharer").project_id
    agency = Agency("backup-admin", domain_name="sharer")
    return replace(settings_of(emulator, "bystander"), agencies=(agency,), project_id=project)


REFRESHABLE = pytest.mark.parametrize("settings", [with_password, with_agency], ids=["token", "temporary key"])
REFUSALS = {
    "decrypt token fail": Fault("POST", "/members", 401, DECRYPT),
    "expired": Fault("POST", "/members", 401, json.dumps({"error_code": "APIGW.0307", "error_msg": "expired"})),
    "no word": Fault("POST", "/members", 401),
    "not accepted": Fault("POST", "/members", 401, json.dumps({"error_code": "APIG.0303"})),
}


@REFRESHABLE
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_was_issued_and_is_refused_is_renewed_once(
    settings: Callable[[Emulator], Settings], refusal: Fault, emulator: Emulator
) -> None:
    """After any 401, also in the middle of a run; then the call succeeds."""
    client = Client(settings(emulator), clock=FakeTime().clock)
    listing = replace(share(emulator), method="GET", body=None, repeatable=True)
    client.send(listing)
    emulator.clear_requests()
    emulator.add_fault(refusal)

    client.send(share(emulator))

    assert [status for _, status in requests(emulator)] == [401, 201, 200]
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]


@REFRESHABLE
def test_a_second_refusal_counts(settings: Callable[[Emulator], Settings], emulator: Emulator) -> None:
    """If a new token is refused, too, nothing is sent for five minutes."""
    passed = FakeTime()
    client = Client(settings(emulator), clock=passed.clock)
    emulator.add_fault(Fault("POST", "/members", 401, DECRYPT, times=2))
    for _ in range(3):
        with pytest.raises(CredentialRefused, match="it came from") as told:
            client.send(share(emulator))
        assert str(told.value).count("it came from") == 1
    assert [status for _, status in requests(emulator)] == [201, 401, 201, 401]

    passed.now += REFUSED_FOR
    client.send(share(emulator))
    assert list(emulator.members(emulator.backup.id)) == [emulator.account("recipient").project_id]


def test_an_access_key_that_is_refused_is_sent_again_after_five_minutes(emulator: Emulator) -> None:
    """A long-lived process can use a corrected key."""
    passed = FakeTime()
    client = Client(settings_of(emulator), clock=passed.clock)
    emulator.add_fault(Fault("POST", "/members", 401, json.dumps({"error_code": "APIGW.0301"})))
    for _ in range(3):
        with pytest.raises(CredentialRefused):
            client.send(share(emulator))
    assert len(emulator.requests) == 1
    passed.now += REFUSED_FOR
    client.send(share(emulator))
    assert [status for _, status in requests(emulator)] == [401, 200]


def test_a_403_for_one_backup_keeps_no_permitted_one_unshared(emulator: Emulator) -> None:
    """In any order, and after any number of refusals."""
    client = client_of(emulator)
    permitted = emulator.add_backup("sharer").id
    emulator.add_fault(Fault("POST", f"{emulator.backup.id}/members", 403, times=9))
    other = replace(share(emulator), path=share(emulator).path.replace(emulator.backup.id, permitted))
    for _ in range(4):
        with pytest.raises(PermissionDenied):
            client.send(share(emulator))
    client.send(other)
    assert list(emulator.members(permitted)) == [emulator.account("recipient").project_id]


@pytest.mark.parametrize("password", ['pa"ss\\word-1', "pässwörd-geheim", "pass word secret", "短い秘密の言葉です"])
def test_a_password_that_is_echoed_is_not_shown(password: str, emulator: Emulator) -> None:
    """Nothing of the answer to a sign-in is quoted."""
    for ascii_only in (True, False):
        body = json.dumps({"error_msg": f"bad password {password}", "error_code": password}, ensure_ascii=ascii_only)
        emulator.add_fault(Fault("POST", "/tokens", 400, body))
        credential = replace(password_of(emulator), password=Secret(password))
        with pytest.raises(ApiError, match="signing in with the password") as told:
            client_of(emulator, credential=credential).send(share(emulator))
        assert password not in str(told.value)
        assert "bad password" not in str(told.value)
