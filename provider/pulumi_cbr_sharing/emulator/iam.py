"""The part of IAM that users of CBR need: tokens, projects, agencies."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.emulator import catalogue
from pulumi_cbr_sharing.emulator.accounts import user_id
from pulumi_cbr_sharing.emulator.catalogue import Refusal
from pulumi_cbr_sharing.emulator.request import Answer


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.accounts import Account
    from pulumi_cbr_sharing.emulator.request import Request


AGENCY = "backup-admin"
DURATIONS = range(900, 86401)  # seconds, as documented


def show_version(request: Request) -> Answer:
    """The version document that OpenStack clients read first."""
    links = [{"rel": "self", "href": f"{request.cloud.iam_url}/"}]
    return Answer(200, {"version": {"id": "v3.6", "status": "stable", "links": links}})


def create_token(request: Request) -> Answer:
    """Issue a token for a project, by user and password: 201, the token in a header."""
    auth = _dict(_dict(request.body).get("auth"))
    user = _dict(_dict(_dict(auth.get("identity")).get("password")).get("user"))
    account = request.cloud.accounts.sign_in(user)
    if account is None or not _in_scope(account, _dict(_dict(auth.get("scope")).get("project"))):
        raise Refusal(catalogue.WRONG_PASSWORD)
    token, until = request.cloud.accounts.issue_token(account.name, request.cloud.token_seconds)
    return Answer(201, {"token": _token_body(request, account, until)}, {"X-Subject-Token": token})


def _in_scope(account: Account, project: dict[str, Any]) -> bool:
    return project.get("id") == account.project_id or project.get("name") == account.project_name


def _token_body(request: Request, account: Account, until: float) -> dict[str, Any]:
    domain = {"id": account.domain_id, "name": account.name}
    endpoint = {"interface": "public", "region": account.region, "region_id": account.region}
    catalog = [
        {
            "type": kind,
            "name": kind,
            "id": kind,
            "endpoints": [{**endpoint, "id": kind, "url": url}],
        }
        for kind, url in (("cbr", f"{request.cloud.url}/v3/{account.project_id}"), ("identity", request.cloud.iam_url))
    ]
    return {
        "expires_at": _moment(until),
        "issued_at": _moment(datetime.now(timezone.utc).timestamp()),
        "methods": ["password"],
        "project": {"id": account.project_id, "name": account.project_name, "domain": domain},
        "user": {"id": user_id(account), "name": account.user_name, "domain": domain},
        "roles": [{"id": "0", "name": "te_admin"}],
        "catalog": catalog,
    }


def list_projects(request: Request) -> Answer:
    """List the caller's projects, optionally by name."""
    caller = request.caller
    fits = caller and request.query.get("name") in (None, caller.project_name)
    found = [_project(caller)] if caller and fits else []
    return Answer(200, {"projects": found, "links": {}})


def projects_of_account(request: Request, domain_name: str) -> Answer:
    """List the projects of any account by its name; empty if there is no such account (inferred)."""
    named = [account for account in request.cloud.accounts.all() if account.name == domain_name]
    rows = [{"project_id": account.project_id, "project_name": account.project_name} for account in named]
    return Answer(200, {"projects": rows})


def assume_agency(request: Request) -> Answer:
    """Issue a temporary key for another account that has granted an agency: 201.

    Every account grants the agency `backup-admin` to every other; other agencies are refused. The key lives as long as
    was asked for, unless `temporary_key_seconds` of the cloud is set.
    """
    role = _dict(_dict(_dict(_dict(request.body).get("auth")).get("identity")).get("assume_role"))
    names = (role.get("domain_name"), role.get("domain_id"))
    account = next(
        (one for one in request.cloud.accounts.all() if one.name == names[0] or one.domain_id == names[1]), None
    )
    seconds = role.get("duration_seconds", DURATIONS.start)
    # Both errors, and the default duration. (inferred)
    if account is None or role.get("agency_name") != AGENCY:
        raise Refusal(catalogue.WRONG_PROJECT)
    if seconds not in DURATIONS:
        raise Refusal(catalogue.BAD_DURATION)
    lifetime = seconds if request.cloud.temporary_key_seconds is None else request.cloud.temporary_key_seconds
    access, secret, token, until = request.cloud.accounts.issue_temporary_key(account.name, lifetime)
    credential = {"access": access, "secret": secret, "securitytoken": token, "expires_at": _moment(until)}
    return Answer(201, {"credential": credential})


def _project(account: Account) -> dict[str, Any]:
    return {"id": account.project_id, "name": account.project_name, "domain_id": account.domain_id, "enabled": True}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
