"""The part of IAM that users of CBR need: tokens, temporary keys, agencies, identity providers, projects.

`/v3` and `/v3.0` are IAM's, `/v5` is that of the security token service (STS). None of it needs a permission but
assuming an agency.
"""

from __future__ import annotations

import time

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal
from pulumi_cbr_sharing.emulator.request import Answer


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.keys import IssuedToken, TemporaryKey
    from pulumi_cbr_sharing.emulator.request import Request


ASSUME = "iam:agencies:assume"
DURATIONS = range(900, 86401)  # seconds, as documented
STS_DURATIONS = range(900, 43201)
LONGEST_CHAINED = 3600  # seconds, of a key that STS issues to a temporary key
SESSION_NAME, ID_TOKEN = range(2, 129), range(4, 20001)  # lengths


def show_version(request: Request) -> Answer:
    """The version document that OpenStack clients read first."""
    links = [{"rel": "self", "href": f"{request.cloud.iam_url}/"}]
    return Answer(200, {"version": {"id": "v3.6", "status": "stable", "links": links}})


# -- Tokens ------------------------------------------------------------------------------------------------------------


def create_token(request: Request) -> Answer:
    """Issue a token: 201, the token in a header.

    By password, with a one-time password where the account demands it; by another token; or by an agency.
    """
    auth = _dict(_dict(request.body).get("auth"))
    identity, scope = _dict(auth.get("identity")), _dict(auth.get("scope"))
    methods = identity.get("methods")
    if methods == ["assume_role"]:
        account = _assumed(request, _dict(identity.get("assume_role")))
    elif methods == ["token"]:
        account = _of_token(request, _dict(identity.get("token")).get("id"))
    else:
        account = _of_password(request, identity)
    return _issued(request, account, scope, tuple(map(str, methods)) if isinstance(methods, list) else ())


def _of_password(request: Request, identity: Mapping[str, Any]) -> Account:
    accounts, user = request.cloud.accounts, _dict(_dict(identity.get("password")).get("user"))
    account = accounts.of_user(user, _dict(user.get("domain")))
    if account is None or not accounts.is_passed(account, _dict(identity.get("totp"))):
        raise Refusal(behaviours.WRONG_PASSWORD)
    return account


def _of_token(request: Request, text: Any) -> Account:
    token = request.cloud.keys.token(text)
    if token is None or token.until <= time.time():
        raise Refusal(behaviours.WRONG_TOKEN)
    return request.cloud.account(token.account)


def _issued(
    request: Request, account: Account, scope: Mapping[str, Any], methods: tuple[str, ...], *, unscoped: bool = False
) -> Answer:
    project = _dict(scope.get("project"))
    by_name = account.projects.get(str(project.get("name")))
    named = next((one for one in account.projects.values() if one in (project.get("id"), by_name)), None)
    whole = (unscoped and not scope) or _is_of(account, _dict(scope.get("domain")))
    if named is None and not whole:
        raise Refusal(behaviours.UNKNOWN_PROJECT)
    keys, seconds = request.cloud.keys, request.cloud.token_seconds
    text = keys.issue_token(account.name, named, seconds, methods)
    return Answer(201, {"token": _token_body(request, keys.token(text))}, {"X-Subject-Token": text})


def _is_of(account: Account, domain: Mapping[str, Any]) -> bool:
    return domain.get("id") == account.domain_id or domain.get("name") == account.name


def show_token(request: Request) -> Answer:
    """Show the token in `X-Subject-Token`, with its project and expiry."""
    token = request.cloud.keys.token(request.headers.get("x-subject-token"))
    if token is None or token.until <= time.time():
        raise Refusal(behaviours.TOKEN_NOT_FOUND)
    return Answer(200, {"token": _token_body(request, token)})


def _token_body(request: Request, token: IssuedToken | None) -> dict[str, Any]:
    assert token
    account = request.cloud.account(token.account)
    domain = {"id": account.domain_id, "name": account.name}
    endpoint = {"interface": "public", "region": account.region, "region_id": account.region}
    urls = {"cbr": f"{request.cloud.url}/v3/{token.project_id}", "identity": request.cloud.iam_url}
    body = {
        "expires_at": _moment(token.until),
        "issued_at": _moment(time.time()),
        "methods": list(token.methods),
        "user": {"id": account.user_id, "name": account.user_name, "domain": domain},
    }
    if token.project_id is None:
        return body
    name = next(name for name, id_ in account.projects.items() if id_ == token.project_id)
    catalog = [
        {"type": kind, "name": kind, "id": kind, "endpoints": [{**endpoint, "id": kind, "url": url}]}
        for kind, url in urls.items()
    ]
    project = {"id": token.project_id, "name": name, "domain": domain}
    return {**body, "project": project, "roles": [{"id": "0", "name": "te_admin"}], "catalog": catalog}


# -- Projects and accounts ---------------------------------------------------------------------------------------------


def list_projects(request: Request) -> Answer:
    """List the caller's projects, optionally by name."""
    account, name = request.account, request.query.get("name")
    found = [
        {"id": id_, "name": one, "domain_id": account.domain_id, "enabled": True}
        for one, id_ in account.projects.items()
        if name in (None, one)
    ]
    return Answer(200, {"projects": found, "links": {}})


def list_domains(request: Request) -> Answer:
    """List the caller's account."""
    account = request.account
    return Answer(200, {"domains": [{"id": account.domain_id, "name": account.name, "enabled": True}], "links": {}})


def projects_of_account(request: Request, domain_name: str) -> Answer:
    """List the projects of any account by its name."""
    named = [account for account in request.cloud.accounts.all() if account.name == domain_name]
    if not named and request.cloud.unknown_account == "not found":
        raise Refusal(behaviours.ACCOUNT_NOT_FOUND)
    rows = [{"project_id": id_, "project_name": name} for one in named for name, id_ in one.projects.items()]
    return Answer(200, {"projects": rows})


# -- Temporary keys ----------------------------------------------------------------------------------------------------


def create_temporary_key(request: Request) -> Answer:
    """Issue a temporary key: 201. By a token, for its own account; or by an agency, for that which granted it.

    It lives as long as was asked for, unless `temporary_key_seconds` of the cloud is set.
    """
    identity = _dict(_dict(_dict(request.body).get("auth")).get("identity"))
    if identity.get("methods") == ["token"]:
        asked = _dict(identity.get("token"))
        account = _of_token(request, asked.get("id", request.headers.get("x-auth-token")))
    else:
        asked = _dict(identity.get("assume_role"))
        account = _assumed(request, asked)
    key = _temporary_key(request, account, asked.get("duration_seconds", DURATIONS.start), DURATIONS)
    return Answer(201, {"credential": credential_body(key)})


def _assumed(request: Request, role: Mapping[str, Any]) -> Account:
    """The account of an agency that the caller may assume; token requests call its name `xrole_name`."""
    request.admit(ASSUME)
    account, agency = request.cloud.accounts.of_domain(role, "domain_"), role.get("agency_name", role.get("xrole_name"))
    chained = request.caller is not None and request.caller.is_temporary and not request.cloud.chains_agencies
    trusted = account and request.cloud.accounts.may_assume(request.account.name, account.name, agency)
    if account is None or not trusted or chained:
        raise Refusal(behaviours.AGENCY_REFUSED)
    return account


def _temporary_key(request: Request, account: Account, seconds: Any, allowed: range) -> TemporaryKey:
    asked = (
        int(seconds) if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) < len("100000") else seconds
    )
    if asked not in allowed:
        raise Refusal(behaviours.BAD_DURATION)
    lifetime = request.cloud.temporary_key_seconds
    return request.cloud.keys.issue_temporary_key(account.name, asked if lifetime is None else lifetime)


def credential_body(key: TemporaryKey) -> dict[str, str]:
    """A temporary key as IAM v3 and the metadata service write it."""
    return {
        "access": key.access_key,
        "secret": key.secret_key,
        "securitytoken": key.security_token,
        "expires_at": _moment(key.until),
    }


# -- Identity tokens ---------------------------------------------------------------------------------------------------


def create_token_by_id_token(request: Request) -> Answer:
    """Issue a token for an identity token of the provider in `X-Idp-Id`: 201; unscoped, unless a scope is given."""
    auth = _dict(_dict(request.body).get("auth"))
    account = _federated(request, request.headers.get("x-idp-id", ""), _dict(auth.get("id_token")).get("id"))
    return _issued(request, account, _dict(auth.get("scope")), ("mapped",), unscoped=True)


def create_token_by_federation(request: Request, provider: str) -> Answer:
    """Issue an unscoped token for the identity token in `Authorization`: 201. This is Open Telekom Cloud's form."""
    account = _federated(request, provider, request.headers.get("authorization", "").removeprefix("Bearer "))
    return _issued(request, account, {}, ("mapped",), unscoped=True)


def _federated(request: Request, provider: str, id_token: Any) -> Account:
    known = request.cloud.accounts.identity_providers.get(provider)
    if known is None:
        raise Refusal(behaviours.NO_SUCH_IDP)
    if request.cloud.keys.audience_of(provider, id_token) != known.audience:
        raise Refusal(behaviours.WRONG_ID_TOKEN)
    return request.cloud.account(known.account)


# -- STS ---------------------------------------------------------------------------------------------------------------


def assume_with_oidc(request: Request) -> Answer:
    """Issue a temporary key of an agency for an identity token: 200."""
    body = _dict(request.body)
    account, agency = _named(request, body.get("agency_urn"), "agency")
    owner, provider = _named(request, body.get("provider_urn"), "oidcProvider")
    id_token = body.get("id_token")
    if not _is_long(id_token, ID_TOKEN) or not _is_long(body.get("agency_session_name"), SESSION_NAME):
        raise Refusal(behaviours.STS_MALFORMED)
    known = request.cloud.accounts.identity_providers.get(provider)
    audience = request.cloud.keys.audience_of(provider, id_token)
    if known is None or owner is None or known.account != owner.name or audience is None:
        raise Refusal(behaviours.STS_DISTRUST)
    if audience != known.audience:
        raise Refusal(behaviours.STS_AUDIENCE)
    if account is None or account != owner or not request.cloud.accounts.may_assume(account.name, account.name, agency):
        raise Refusal(behaviours.STS_DISTRUST)
    return _sts_answer(request, account, body, STS_DURATIONS)


def assume(request: Request) -> Answer:
    """Issue a temporary key of an agency: 200; for an hour at most, if a temporary key asks."""
    body = _dict(request.body)
    account, agency = _named(request, body.get("agency_urn"), "agency")
    if not _is_long(body.get("agency_session_name"), SESSION_NAME):
        raise Refusal(behaviours.STS_MALFORMED)
    if account is None or not request.cloud.accounts.may_assume(request.account.name, account.name, agency):
        raise Refusal(behaviours.STS_DISTRUST)
    chained = request.caller is not None and request.caller.is_temporary
    allowed = range(STS_DURATIONS.start, LONGEST_CHAINED + 1) if chained else STS_DURATIONS
    return _sts_answer(request, account, body, allowed)


def _named(request: Request, urn: Any, kind: str) -> tuple[Account | None, str]:
    """The account and the name in `iam::ACCOUNTID:KIND:NAME`."""
    service, _, domain_id, found, name = ([*str(urn).split(":", 4), *[""] * 5])[:5]
    if (service, found) != ("iam", kind) or not name:
        raise Refusal(behaviours.STS_MALFORMED)
    return request.cloud.accounts.of_domain({"id": domain_id}), name


def _is_long(text: Any, lengths: range) -> bool:
    return isinstance(text, str) and len(text) in lengths


def _sts_answer(request: Request, account: Account, body: Mapping[str, Any], allowed: range) -> Answer:
    key = _temporary_key(request, account, body.get("duration_seconds", LONGEST_CHAINED), allowed)
    credentials = {
        "access_key_id": key.access_key,
        "secret_access_key": key.secret_key,
        "security_token": key.security_token,
        "expiration": _moment(key.until),
    }
    return Answer(200, {"credentials": credentials, "assumed_agency": {"urn": body["agency_urn"]}})


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
