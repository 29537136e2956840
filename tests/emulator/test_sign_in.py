"""All ways to sign in that users of these clouds have: each ends with a credential that lists backups."""

from __future__ import annotations

import time

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

from emulated import SECONDS, ask, code, control, members_of, project, signed
from pulumi_cbr_sharing.emulator import Fault, serve


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator import Account, Emulator


SECURITY_KEY = "/openstack/latest/securitykey"
METADATA_TOKEN = "/meta-data/latest/api/token"


def post(emulator: Emulator, path: str, body: Any, headers: Mapping[str, str] | None = None) -> requests.Response:
    """A request without a credential of its own."""
    return requests.post(f"{emulator.url}{path}", json=body, headers=dict(headers or {}), timeout=SECONDS)


def tokens(emulator: Emulator, identity: Any, scope: Any = None, **headers: str) -> requests.Response:
    """A request for a token."""
    auth = {"identity": identity, **({"scope": scope} if scope else {})}
    return post(
        emulator, "/v3/auth/tokens", {"auth": auth}, {name.replace("_", "-"): text for name, text in headers.items()}
    )


def lists(emulator: Emulator, token: str, project_id: str) -> int:
    """The status of a list of backups with a token."""
    url = f"{emulator.url}/v3/{project_id}/backups"
    return requests.get(url, headers={"X-Auth-Token": token}, timeout=SECONDS).status_code


def lists_by_key(emulator: Emulator, names: tuple[str, str, str], credential: Mapping[str, str], account: str) -> int:
    """The status of a list of an account's backups with a temporary key, whose parts have these names."""
    access, secret, token = (credential[name] for name in names)
    keys: Account = replace(emulator.account(account), access_key=access, secret_key=secret)
    url = f"{emulator.url}/v3/{keys.project_id}/backups"
    headers = signed("GET", url, keys, headers={"X-Security-Token": token})
    return requests.get(url, headers=headers, timeout=SECONDS).status_code


V3 = ("access", "secret", "securitytoken")
V5 = ("access_key_id", "secret_access_key", "security_token")


def seconds_left(text: str) -> float:
    """How long something lives yet."""
    until = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return (until - datetime.now(timezone.utc)).total_seconds()


# -- The server's agency -----------------------------------------------------------------------------------------------


def from_server(emulator: Emulator, path: str = SECURITY_KEY, token: str | None = None) -> requests.Response:
    """A look at the metadata service."""
    headers = {"X-Metadata-Token": token} if token is not None else {}
    return requests.get(f"{emulator.url}{path}", headers=headers, timeout=SECONDS)


def metadata_token(emulator: Emulator, seconds: str = "21600") -> requests.Response:
    """A token of the metadata service."""
    headers = {"X-Metadata-Token-Ttl-Seconds": seconds}
    return requests.put(f"{emulator.url}{METADATA_TOKEN}", headers=headers, timeout=SECONDS)


@pytest.mark.parametrize("account", ["sharer", "recipient"])
def test_a_server_has_the_keys_of_its_agency(account: str, emulator: Emulator) -> None:
    """They live for an hour; a token of the metadata service is taken, and not needed."""
    emulator.server_agency = account
    first = from_server(emulator)
    second = from_server(emulator, token=metadata_token(emulator).text)

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert 3590 < seconds_left(first.json()["credential"]["expires_at"]) <= 3600
    assert lists_by_key(emulator, V3, first.json()["credential"], account) == 200


def test_a_server_without_an_agency_says_so(emulator: Emulator) -> None:
    """In the words that the vendor's SDK looks for; but it has a project."""
    emulator.server_agency = None
    answer = from_server(emulator)
    assert (answer.status_code, answer.text) == (401, "Please configure Cloud Service Agency first")
    assert from_server(emulator, "/openstack/latest/meta_data.json").status_code == 200


def test_a_metadata_service_may_ask_for_a_token(emulator: Emulator) -> None:
    """401 without one, with one that nobody issued, and with one that has ended."""
    emulator.metadata_token = "required"
    short = metadata_token(emulator, "1").text
    time.sleep(1.05)
    answers = [from_server(emulator, token=token) for token in (None, "made-up", short)]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert not [answer for answer in answers if "Agency" in answer.text]
    assert from_server(emulator, token=metadata_token(emulator).text).status_code == 200
    assert metadata_token(emulator, "soon").status_code == 400


def test_an_older_metadata_service_knows_no_token(emulator: Emulator) -> None:
    """PUT is answered 404, and keys are given without."""
    emulator.metadata_token = "unknown"
    assert metadata_token(emulator).status_code == 404
    assert from_server(emulator).status_code == 200


def test_the_next_keys_come_before_the_end_of_the_last(emulator: Emulator) -> None:
    """Keys that end in five minutes are replaced, and both pairs work."""
    emulator.server_key_seconds = 300
    pairs = [from_server(emulator).json()["credential"] for _ in range(2)]
    assert pairs[0]["access"] != pairs[1]["access"]
    assert [lists_by_key(emulator, V3, pair, "sharer") for pair in pairs] == [200, 200]
    assert 290 < seconds_left(pairs[0]["expires_at"]) <= 300


def test_a_metadata_service_may_never_answer(emulator: Emulator) -> None:
    """A fault with a delay, which ends with the emulator."""
    emulator.add_fault(Fault(path=SECURITY_KEY, delay=600))
    with pytest.raises(requests.Timeout):
        requests.get(f"{emulator.url}{SECURITY_KEY}", timeout=0.3)


@pytest.mark.parametrize(("dialect", "region"), [("huawei", "ap-southeast-1"), ("otc", None)])
def test_a_server_knows_its_project(dialect: Any, region: str | None) -> None:
    """Its region is told by Huawei Cloud alone, its zone by both."""
    with serve(dialect) as emulator:
        server = from_server(emulator, "/openstack/latest/meta_data.json").json()
        assert server["project_id"] == project(emulator, "sharer")
        assert server.get("region_id") == region
        assert server["availability_zone"].startswith(emulator.account("sharer").region)


# -- Identity tokens ---------------------------------------------------------------------------------------------------


@pytest.fixture(name="pipeline")
def _pipeline(emulator: Emulator) -> str:
    """The identity token of a pipeline, whose provider the sharer trusts."""
    emulator.add_identity_provider("sharer", "ci")
    return emulator.id_token("ci")


def by_id_token(emulator: Emulator, text: str, *, provider: str = "ci", scope: Any = None) -> requests.Response:
    """A token for an identity token, in the form of IAM v3."""
    auth = {"id_token": {"id": text}, **({"scope": scope} if scope else {})}
    return post(emulator, "/v3.0/OS-AUTH/id-token/tokens", {"auth": auth}, {"X-Idp-Id": provider})


def test_an_identity_token_gets_a_token_of_a_project(pipeline: str, emulator: Emulator) -> None:
    """By the project's id or name."""
    sharer = emulator.account("sharer")
    for named in ({"id": sharer.project_id}, {"name": sharer.project_name}):
        answer = by_id_token(emulator, pipeline, scope={"project": named})
        assert answer.status_code == 201
        assert answer.json()["token"]["project"]["id"] == sharer.project_id
        assert lists(emulator, answer.headers["X-Subject-Token"], sharer.project_id) == 200


def test_an_unscoped_token_gets_a_temporary_key(pipeline: str, emulator: Emulator) -> None:
    """It is of no project, so CBR refuses it; the key is of all projects of the account."""
    token = by_id_token(emulator, pipeline).headers["X-Subject-Token"]
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": token, "duration_seconds": 900}}}}
    answer = post(emulator, "/v3.0/OS-CREDENTIAL/securitytokens", body)

    assert lists(emulator, token, project(emulator, "sharer")) == 403
    assert answer.status_code == 201
    assert lists_by_key(emulator, V3, answer.json()["credential"], "sharer") == 200


def test_open_telekom_cloud_takes_an_identity_token_in_its_own_form(pipeline: str, emulator: Emulator) -> None:
    """Then the unscoped token gets one of a project."""
    path = "/v3/OS-FEDERATION/identity_providers/ci/protocols/oidc/auth"
    unscoped = post(emulator, path, None, {"Authorization": f"Bearer {pipeline}"})
    identity = {"methods": ["token"], "token": {"id": unscoped.headers["X-Subject-Token"]}}
    scoped = tokens(emulator, identity, {"project": {"name": emulator.account("sharer").project_name}})

    assert (unscoped.status_code, scoped.status_code) == (201, 201)
    assert "project" not in unscoped.json()["token"]
    assert lists(emulator, scoped.headers["X-Subject-Token"], project(emulator, "sharer")) == 200


@pytest.mark.parametrize("case", ["made up", "ended", "audience", "another provider", "line break"])
def test_a_wrong_identity_token_is_refused(case: str, pipeline: str, emulator: Emulator) -> None:
    """401 by IAM, 403 by STS; an unknown provider is 404."""
    emulator.add_identity_provider("recipient", "other")
    text = {
        "made up": "a.b.c",
        "ended": emulator.id_token("ci", seconds=0),
        "audience": emulator.id_token("ci", "another"),
        "another provider": emulator.id_token("other"),
        "line break": f"{pipeline}\n",
    }[case]
    assert by_id_token(emulator, text).status_code == 401
    refused = with_oidc(emulator, text)
    assert (refused.status_code, code(refused)) == (403, "STS5.2001" if case == "audience" else "STS5.1001")


def test_a_provider_that_nobody_registered_is_not_found(pipeline: str, emulator: Emulator) -> None:
    """404."""
    assert by_id_token(emulator, pipeline, provider="nobody").status_code == 404


def with_oidc(emulator: Emulator, text: str, **changes: Any) -> requests.Response:
    """A temporary key for an identity token, in the form of STS v5."""
    domain = emulator.account("sharer").domain_id
    body = {
        "provider_urn": f"iam::{domain}:oidcProvider:ci",
        "agency_urn": f"iam::{domain}:agency:backup-admin",
        "agency_session_name": "pipeline",
        "id_token": text,
        **changes,
    }
    return post(emulator, "/v5/agencies/assume-with-oidc", body)


def test_sts_gives_keys_of_an_agency_for_an_identity_token(pipeline: str, emulator: Emulator) -> None:
    """For an hour, if nothing else is asked for."""
    answer = with_oidc(emulator, pipeline)
    credentials = answer.json()["credentials"]
    assert answer.status_code == 200
    assert 3590 < seconds_left(credentials["expiration"]) <= 3600
    assert lists_by_key(emulator, V5, credentials, "sharer") == 200


STS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no session": ({"agency_session_name": "x"}, "STS5.0001"),
    "no urn": ({"agency_urn": "backup-admin"}, "STS5.0001"),
    "another agency": ({"agency_urn": "iam::{domain}:agency:nothing"}, "STS5.1001"),
    "another account": ({"agency_urn": "iam::0:agency:backup-admin"}, "STS5.1001"),
    "another provider": ({"provider_urn": "iam::{domain}:oidcProvider:x"}, "STS5.1001"),
}


@pytest.mark.parametrize("case", STS_REFUSED)
def test_sts_refuses_what_is_not_trusted(case: str, pipeline: str, emulator: Emulator) -> None:
    """With its own codes."""
    changes, expected = STS_REFUSED[case]
    domain = emulator.account("sharer").domain_id
    answer = with_oidc(emulator, pipeline, **{key: text.format(domain=domain) for key, text in changes.items()})
    assert code(answer) == expected
    assert answer.json()["request_id"]


# -- Agencies ----------------------------------------------------------------------------------------------------------


def assume(emulator: Emulator, agency: str, owner: str, by: Mapping[str, str]) -> requests.Response:
    """A temporary key of an agency, with an access key that may be temporary."""
    names = {"access": emulator.account("bystander").access_key, "secret": emulator.account("bystander").secret_key}
    own = {**names, **by}
    keys: Account = replace(emulator.account("bystander"), access_key=own["access"], secret_key=own["secret"])
    url = f"{emulator.url}/v3.0/OS-CREDENTIAL/securitytokens"
    role = {"agency_name": agency, "domain_name": owner, "duration_seconds": 900}
    request = requests.Request(
        "POST", url, json={"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    )
    prepared = request.prepare()
    assert isinstance(prepared.body, bytes)
    token = {"X-Security-Token": own["securitytoken"]} if "securitytoken" in own else {}
    prepared.headers.update(signed("POST", url, keys, body=prepared.body.decode(), headers=token))
    with requests.Session() as session:
        return session.send(prepared, timeout=SECONDS)


def test_agencies_chain(emulator: Emulator) -> None:
    """The second trusts the account of the first alone, so keys of the first are needed."""
    emulator.add_agency("sharer", "deploy", trusts="recipient")
    refused = assume(emulator, "deploy", "sharer", {})
    first = assume(emulator, "backup-admin", "recipient", {}).json()["credential"]
    second = assume(emulator, "deploy", "sharer", first)

    assert refused.status_code == 403
    assert second.status_code == 201
    assert lists_by_key(emulator, V3, second.json()["credential"], "sharer") == 200


def test_chains_can_be_forbidden(emulator: Emulator) -> None:
    """Whether IAM v3 allows them is not documented."""
    emulator.chains_agencies = False
    first = assume(emulator, "backup-admin", "recipient", {}).json()["credential"]
    assert assume(emulator, "backup-admin", "sharer", first).status_code == 403


@pytest.mark.parametrize("scope", ["id", "name"])
def test_an_agency_gives_a_token_of_a_delegated_project(scope: str, emulator: Emulator) -> None:
    """In the form of Open Telekom Cloud, with a token of the caller."""
    shop = emulator.add_project("sharer", "eu-de_shop")
    role = {"methods": ["assume_role"], "assume_role": {"xrole_name": "backup-admin", "domain_name": "sharer"}}
    named = {"project": {"id": shop} if scope == "id" else {"name": "eu-de_shop", "domain": {"name": "sharer"}}}
    answer = tokens(emulator, role, named, X_Auth_Token=emulator.token("recipient"))

    assert answer.status_code == 201
    assert lists(emulator, answer.headers["X-Subject-Token"], shop) == 200
    assert lists(emulator, answer.headers["X-Subject-Token"], project(emulator, "sharer")) == 403
    assert tokens(emulator, role, named).status_code == 401


@pytest.mark.parametrize(("seconds", "chained", "status"), [(43200, False, 200), (43200, True, 400), (3600, True, 200)])
def test_sts_assumes_an_agency_for_a_signed_request(
    seconds: int, chained: bool, status: int, emulator: Emulator
) -> None:
    """For twelve hours at most, and one hour if a temporary key asks."""
    keys, token = emulator.account("recipient"), {}
    if chained:
        access, secret, session, _ = emulator.temporary_key("recipient")
        keys, token = replace(keys, access_key=access, secret_key=secret), {"X-Security-Token": session}
    urn = f"iam::{emulator.account('sharer').domain_id}:agency:backup-admin"
    body = f'{{"agency_urn": "{urn}", "agency_session_name": "dr", "duration_seconds": {seconds}}}'
    url = f"{emulator.url}/v5/agencies/assume"
    headers = signed("POST", url, keys, body=body, headers={"Content-Type": "application/json", **token})
    answer = requests.post(url, data=body, headers=headers, timeout=SECONDS)

    assert answer.status_code == status
    if status == 200:
        assert lists_by_key(emulator, V5, answer.json()["credentials"], "sharer") == 200


# -- Tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_is_exchanged_for_one_of_another_project(emulator: Emulator) -> None:
    """By method `token`; a revoked token is refused."""
    shop, token = emulator.add_project("sharer", "eu-de_shop"), emulator.token("sharer")
    identity = {"methods": ["token"], "token": {"id": token}}
    answer = tokens(emulator, identity, {"project": {"name": "eu-de_shop"}})
    emulator.revoke_tokens()

    assert answer.status_code == 201
    assert answer.json()["token"]["project"] | {"domain": None} == {"id": shop, "name": "eu-de_shop", "domain": None}
    assert tokens(emulator, identity, {"project": {"name": "eu-de_shop"}}).status_code == 401


def test_a_token_knows_its_project(emulator: Emulator) -> None:
    """`GET /v3/auth/tokens` tells it, with the expiry; 404 for one that nobody issued."""
    emulator.add_project("sharer", "eu-de_shop")
    token = emulator.token("sharer", "eu-de_shop")
    names = {"X-Auth-Token": token, "X-Subject-Token": token}
    shown = requests.get(f"{emulator.iam_url}/auth/tokens", headers=names, timeout=SECONDS)
    unknown = requests.get(
        f"{emulator.iam_url}/auth/tokens", headers={**names, "X-Subject-Token": "made-up"}, timeout=SECONDS
    )

    assert shown.status_code == 200
    assert shown.json()["token"]["project"]["name"] == "eu-de_shop"
    assert seconds_left(shown.json()["token"]["expires_at"]) > 0
    assert unknown.status_code == 404


def with_passcode(emulator: Emulator, passcode: str | None) -> int:
    """The status of a sign-in by password and one-time password."""
    sharer = emulator.account("sharer")
    user = {"id": sharer.user_id, "password": sharer.password}
    identity: dict[str, Any] = {"methods": ["password"], "password": {"user": user}}
    if passcode is not None:
        identity |= {"methods": ["password", "totp"]}
        identity["totp"] = {"user": {"id": sharer.user_id, "passcode": passcode}}
    return tokens(emulator, identity, {"project": {"id": sharer.project_id}}).status_code


def test_a_one_time_password_is_right_once(emulator: Emulator) -> None:
    """Without one, and with a wrong one, nobody signs in."""
    before = with_passcode(emulator, None)
    emulator.add_passcode("sharer", "123456")
    after = [with_passcode(emulator, passcode) for passcode in (None, "654321", "123456", "123456")]
    assert (before, after) == (201, [401, 401, 201, 401])
    assert "123456" not in repr(emulator.requests)


# -- Projects ----------------------------------------------------------------------------------------------------------


def test_an_account_has_projects_by_region_and_below(emulator: Emulator) -> None:
    """They are found by name, and a key is good for all of them, a token for its own."""
    ids = {name: emulator.add_project("sharer", name) for name in ("eu-de", "eu-de_shop")}
    sharer = emulator.account("sharer")
    url = f"{emulator.iam_url}/projects?name=eu-de_shop"
    found = requests.get(url, headers=signed("GET", url, sharer), timeout=SECONDS).json()["projects"]
    backup = emulator.add_backup(project="eu-de_shop")
    shop = f"{emulator.url}/v3/{ids['eu-de_shop']}/backups"
    listed = requests.get(shop, headers=signed("GET", shop, sharer), timeout=SECONDS).json()

    assert [one["id"] for one in found] == [ids["eu-de_shop"]]
    assert [one["id"] for one in listed["backups"]] == [backup.id]
    assert lists(emulator, emulator.token("sharer"), ids["eu-de"]) == 403
    assert emulator.add_project("sharer", "eu-de") == ids["eu-de"]


def test_a_backup_is_shared_between_projects_of_one_account(emulator: Emulator) -> None:
    """Another project of the account is a recipient as any other."""
    shop = emulator.add_project("sharer", "eu-de_shop")
    assert ask(emulator, "POST", members_of(emulator), {"members": [shop]}).status_code == 200


@pytest.mark.parametrize(("dialect", "region"), [("huawei", "ap-southeast-1"), ("otc", "eu-de")])
def test_regions_fit_the_dialect(dialect: Any, region: str) -> None:
    """The main project is called like the region."""
    with serve(dialect) as emulator:
        sharer = emulator.account("sharer")
        assert (sharer.region, sharer.project_name) == (region, region)


# -- Enterprise projects -----------------------------------------------------------------------------------------------


def listed(emulator: Emulator, path: str, query: str = "") -> set[str]:
    """The ids in a list of the sharer."""
    return {one["id"] for one in ask(emulator, "GET", f"/{path}{query}").json()[path]}


def test_lists_are_of_an_enterprise_project_if_asked_for(emulator: Emulator) -> None:
    """`0` is the default one, `all_granted_eps` are all."""
    own = {"enterprise_project_id": "11111111-2222-4333-8444-555555555555"}
    backup, vault = emulator.add_backup(**own).id, emulator.add_vault(account="sharer", **own).id
    asked = f"?enterprise_project_id={own['enterprise_project_id']}"

    assert listed(emulator, "backups", asked) == {backup}
    assert listed(emulator, "vaults", asked) == {vault}
    assert listed(emulator, "backups", "?enterprise_project_id=0") == {emulator.backup.id}
    assert listed(emulator, "backups", "?enterprise_project_id=all_granted_eps") == {emulator.backup.id, backup}


def test_a_user_of_one_enterprise_project_sees_nothing_without_asking_for_it(emulator: Emulator) -> None:
    """So it is for lists of backups and vaults."""
    emulator.confine("sharer", "0")
    emulator.add_backup(enterprise_project_id="1")
    assert listed(emulator, "backups") == listed(emulator, "vaults") == set()
    assert listed(emulator, "backups", "?enterprise_project_id=0") == {emulator.backup.id}
    assert listed(emulator, "backups", "?enterprise_project_id=all_granted_eps") == {emulator.backup.id}
    assert listed(emulator, "backups", "?enterprise_project_id=1") == set()


def test_a_vault_of_copies_takes_no_share(emulator: Emulator) -> None:
    """Its `protect_type` is replication."""
    copies = emulator.add_vault(account="recipient", protect_type="replication")
    emulator.add_member(emulator.backup.id, project(emulator))
    body = {"status": "accepted", "vault_id": copies.id}
    path = f"/backups/{emulator.backup.id}/members/{project(emulator)}"
    assert code(ask(emulator, "PUT", path, body, account="recipient")) == "BackupService.6713"


def test_sign_in_can_be_set_up_from_outside(emulator: Emulator) -> None:
    """Control requests make projects, agencies, identity providers, identity tokens and temporary keys."""
    shop = control(emulator, "POST", "projects", account="sharer", name="eu-de_shop").json()
    control(emulator, "POST", "agencies", account="sharer", name="deploy", trusts="recipient")
    control(emulator, "POST", "identity-providers", account="sharer", name="ci", audience="us")
    text = control(emulator, "POST", "id-token", provider="ci", audience="us").json()
    key = control(emulator, "POST", "temporary-key", name="sharer").json()
    control(emulator, "POST", "switches", server_agency=None)

    assert emulator.account("sharer").projects["eu-de_shop"] == shop
    assert emulator.accounts.may_assume("recipient", "sharer", "deploy")
    assert by_id_token(emulator, text).status_code == 201
    assert lists_by_key(emulator, ("access_key", "secret_key", "security_token"), key, "sharer") == 200
    assert from_server(emulator).status_code == 401
