"""The emulated IAM: tokens, projects, agencies, permissions and limits."""

from __future__ import annotations

import time

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

from emulated import SECONDS, ask, code, members_of, project, signed


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator import Account, Emulator


def sign_in(emulator: Emulator, user: dict[str, Any], scope: dict[str, Any]) -> requests.Response:
    """Ask for a token of a project."""
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": scope}}}
    return requests.post(f"{emulator.iam_url}/auth/tokens", json=body, timeout=SECONDS)


def user_of(account: Account, **changes: Any) -> dict[str, Any]:
    """The user of an account, as in a token request."""
    return {
        "name": account.user_name,
        "password": account.password,
        "domain": {"name": account.name},
        **changes,
    }


def with_token(emulator: Emulator, token: str) -> requests.Response:
    """List the members with a token."""
    return ask(emulator, "GET", members_of(emulator), headers={"X-Auth-Token": token})


@pytest.mark.parametrize("scope", ["id", "name"])
def test_a_password_gets_a_token_of_the_project(scope: str, emulator: Emulator) -> None:
    """201, the token in a header, its expiry and project in the body."""
    sharer = emulator.account("sharer")
    answer = sign_in(emulator, user_of(sharer), {scope: getattr(sharer, f"project_{scope}")})
    token = answer.json()["token"]
    until = datetime.strptime(token["expires_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)

    assert answer.status_code == 201
    assert token["project"]["id"] == sharer.project_id
    assert 23.9 < (until - datetime.now(timezone.utc)).total_seconds() / 3600 <= 24
    assert with_token(emulator, answer.headers["X-Subject-Token"]).status_code == 200


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "password": ({"password": "guessed"}, {"name": "ap-southeast-1"}),
    "user": ({"name": "nobody"}, {"name": "ap-southeast-1"}),
    "account": ({"domain": {"name": "recipient"}}, {"name": "ap-southeast-1"}),
    "project": ({}, {"id": "0" * 32}),
    "no project": ({}, {}),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_sign_in_is_refused(case: str, emulator: Emulator) -> None:
    """The answer does not say which of user, account and password is wrong, and has no token."""
    changes, scope = WRONG[case]
    answer = sign_in(emulator, user_of(emulator.account("sharer"), **changes), scope)
    assert answer.status_code == 401
    told = "The project cannot be found." if "project" in case else "The username or password is wrong."
    assert answer.json()["error"]["message"] == told
    assert "X-Subject-Token" not in answer.headers


@pytest.mark.parametrize("body", ["", "[]", "{", '{"auth": []}', '{"auth": {"identity": 7}}'])
def test_a_sign_in_that_makes_no_sense_is_refused(body: str, emulator: Emulator) -> None:
    """With the same answer as a wrong password."""
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{emulator.iam_url}/auth/tokens", data=body, headers=headers, timeout=SECONDS)
    assert answer.status_code == 401


def test_a_revoked_token_must_be_renewed(emulator: Emulator) -> None:
    """The answer differs from that to a wrong token."""
    token = emulator.token("sharer")
    emulator.revoke_tokens()
    ended, unknown = with_token(emulator, token), with_token(emulator, "made-up")

    assert (ended.status_code, code(ended)) == (401, "APIGW.0307")
    assert (unknown.status_code, code(unknown)) == (401, "APIGW.0301")
    assert with_token(emulator, emulator.token("sharer")).status_code == 200


def test_a_token_ends_by_itself(emulator: Emulator) -> None:
    """At the time in the body."""
    emulator.token_seconds = 0.2
    token = emulator.token("sharer")
    first = with_token(emulator, token).status_code
    time.sleep(0.25)
    assert (first, code(with_token(emulator, token))) == (200, "APIGW.0307")


def test_a_token_is_of_its_own_project(emulator: Emulator) -> None:
    """It is refused for other projects, with the gateway's error."""
    answer = ask(emulator, "GET", members_of(emulator), headers={"X-Auth-Token": emulator.token("recipient")})
    assert (answer.status_code, code(answer)) == (403, "APIGW.0302")
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def projects(emulator: Emulator, query: str, headers: dict[str, str]) -> list[str]:
    """The ids of the projects that IAM finds."""
    found = requests.get(f"{emulator.iam_url}/projects{query}", headers=headers, timeout=SECONDS).json()
    return [one["id"] for one in found["projects"]]


def test_projects_are_looked_up_by_token_and_by_signature(emulator: Emulator) -> None:
    """One row for the name of the region, none for another."""
    sharer = emulator.account("sharer")
    token = {"X-Auth-Token": emulator.token("sharer")}
    query = f"?name={sharer.region}"
    signature = signed("GET", f"{emulator.iam_url}/projects{query}", sharer)

    assert projects(emulator, query, token) == [sharer.project_id]
    assert projects(emulator, query, signature) == [sharer.project_id]
    assert projects(emulator, "?name=elsewhere", token) == []


def test_the_projects_of_an_account_are_found_by_its_name(emulator: Emulator) -> None:
    """A sharer finds the recipient's project id so."""
    token = {"X-Auth-Token": emulator.token("sharer")}
    found = requests.get(f"{emulator.url}/v3/domain/recipient/projects", headers=token, timeout=SECONDS).json()
    assert found == {"projects": [{"project_id": project(emulator), "project_name": "ap-southeast-1"}]}


def assume(emulator: Emulator, **role: Any) -> requests.Response:
    """Assume the sharer's agency as the bystander."""
    wanted = {"agency_name": "backup-admin", "domain_name": "sharer", "duration_seconds": 900, **role}
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": wanted}}}
    address = f"{emulator.url}/v3.0/OS-CREDENTIAL/securitytokens"
    return requests.post(address, json=body, headers={"X-Auth-Token": emulator.token("bystander")}, timeout=SECONDS)


def by_temporary_key(emulator: Emulator, credential: dict[str, str], **headers: str) -> requests.Response:
    """List the members of the sharer's backup with a temporary key."""
    keys = replace(emulator.account("sharer"), access_key=credential["access"], secret_key=credential["secret"])
    address = f"{emulator.url}/v3/{keys.project_id}{members_of(emulator)}"
    own = {name.replace("_", "-"): text for name, text in headers.items()}
    return requests.get(address, headers=signed("GET", address, keys, headers=own), timeout=SECONDS)


def test_an_agency_gives_keys_of_the_other_account(emulator: Emulator) -> None:
    """Their security token must be sent and signed."""
    answer = assume(emulator)
    credential = answer.json()["credential"]

    assert answer.status_code == 201
    assert by_temporary_key(emulator, credential, X_Security_Token=credential["securitytoken"]).status_code == 200
    assert emulator.requests[-1].account == "sharer"
    assert by_temporary_key(emulator, credential).status_code == 401
    assert by_temporary_key(emulator, credential, X_Security_Token="another").status_code == 401


@pytest.mark.parametrize("asked", [900, 86400])
def test_keys_of_an_agency_live_as_long_as_was_asked_for(asked: int, emulator: Emulator) -> None:
    """The expiry is in the answer."""
    text = assume(emulator, duration_seconds=asked).json()["credential"]["expires_at"]
    until = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    assert asked - 5 < (until - datetime.now(timezone.utc)).total_seconds() <= asked


def test_keys_of_an_agency_end(emulator: Emulator) -> None:
    """Tests can shorten their lifetime."""
    emulator.temporary_key_seconds = 0.2
    credential = assume(emulator).json()["credential"]
    time.sleep(0.25)
    assert by_temporary_key(emulator, credential, X_Security_Token=credential["securitytoken"]).status_code == 401


REFUSED_ROLES: dict[str, tuple[dict[str, Any], int]] = {
    "agency": ({"agency_name": "other"}, 403),
    "account": ({"domain_name": "nobody"}, 403),
    "too short": ({"duration_seconds": 899}, 400),
    "too long": ({"duration_seconds": 86401}, 400),
    "no number": ({"duration_seconds": "soon"}, 400),
}


@pytest.mark.parametrize("case", REFUSED_ROLES)
def test_a_role_that_cannot_be_assumed_is_refused(case: str, emulator: Emulator) -> None:
    """No keys are issued."""
    role, status = REFUSED_ROLES[case]
    answer = assume(emulator, **role)
    assert answer.status_code == status
    assert "credential" not in answer.json()


def test_a_role_is_assumed_by_the_accounts_id_as_well(emulator: Emulator) -> None:
    """By name or by id."""
    assert assume(emulator, domain_name=None, domain_id=emulator.account("sharer").domain_id).status_code == 201


def test_a_denied_action_is_refused_until_it_is_allowed(emulator: Emulator) -> None:
    """Only for that account and action."""
    emulator.deny("sharer", "cbr:member:create")
    body = {"members": [project(emulator)]}
    denied = ask(emulator, "POST", members_of(emulator), body)

    assert denied.status_code == 403
    assert "Policy doesn't allow cbr:member:create to be performed." in denied.text
    assert emulator.members(emulator.backup.id) == {}
    assert ask(emulator, "GET", members_of(emulator)).status_code == 200
    emulator.allow("sharer", "cbr:member:create")
    assert ask(emulator, "POST", members_of(emulator), body).status_code == 200


def test_requests_above_the_limit_are_throttled(emulator: Emulator) -> None:
    """Each account has its own count; the answer has the gateway's code and no `Retry-After`."""
    emulator.throttle(2, 60)
    answers = [ask(emulator, "GET", members_of(emulator)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert code(answers[2]) == "APIGW.0308"
    assert "policy user over ratelimit,limit:2,time:1 minute" in answers[2].json()["error_msg"]
    assert "Retry-After" not in answers[2].headers
    assert ask(emulator, "GET", "/backups", account="recipient").status_code == 200


def test_a_limit_is_of_a_window_that_moves(emulator: Emulator) -> None:
    """After waiting, requests are served; `Retry-After` is only sent if asked for."""
    emulator.throttle(1, 0.5, retry_after=7)
    first, second = (ask(emulator, "GET", members_of(emulator)) for _ in range(2))
    time.sleep(0.6)
    third = ask(emulator, "GET", members_of(emulator))

    assert [answer.status_code for answer in (first, second, third)] == [200, 429, 200]
    assert second.headers["Retry-After"] == "7"


def test_a_limit_of_nothing_is_no_limit(emulator: Emulator) -> None:
    """A limit of 0 removes it."""
    emulator.throttle(1, 60)
    emulator.throttle(0)
    assert [ask(emulator, "GET", members_of(emulator)).status_code for _ in range(3)] == [200] * 3
