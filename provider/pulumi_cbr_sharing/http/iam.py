"""Calls of IAM: a token for a user and password, a temporary access key for an agency, the id of a project."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, SettingsError
from pulumi_cbr_sharing.http.auth import Auth, fixed
from pulumi_cbr_sharing.http.codes import Meaning
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.http.signing import KeySigner, Signer, TokenSigner
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password, Secret, trouble_with_key
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.auth import Accounts
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.connection import Agency
    from pulumi_cbr_sharing.settings.resolve import Settings


AGENCY_SECONDS = 3600
_WRONG_PASSWORD = Meaning(
    CredentialRefused,
    "the user or password is wrong",
    "check user, password, account and project; it is not sent again, because wrong passwords lock a user",
)
_NO_AGENCY = Meaning(
    ApiError,
    "there is no such agency",
    "check its name, the account that granted it, and huaweicloud:endpoints",
)
_sign_in = partial(Call, "POST", service="iam", expects=(201,), signs_in=True)


def auth_for(settings: Settings, accounts: Accounts) -> Auth:
    """The `Auth` of the credential in some settings, or of the agency that it assumes."""
    account, credential, agency = accounts.of(settings), settings.credential, settings.agency
    if agency:
        # The project is the other account's, so a user signs in to the own project of the region.
        own = auth_for(replace(settings, agency=None, project_id=None), accounts)
        return Auth(account, lambda client: assume(client, agency, own))
    if isinstance(credential, Password):
        return Auth(account, lambda client: get_token(client, credential, _scope(settings), fixed(account, Signer())))
    return fixed(account, KeySigner(credential) if isinstance(credential, AccessKey) else TokenSigner(credential.token))


# POST {iam}/auth/tokens {"auth": {"identity", "scope"}} → 201, the token in `X-Subject-Token`
def get_token(client: Client, user: Password, project: Mapping[str, str | None], auth: Auth) -> Signer:
    """Get a token for a user, bound to one project.

    Raises:
        CredentialRefused: the password is wrong, or the user may not use the project.
    """
    call = _sign_in(
        "/v3/auth/tokens",
        doing=f"signing in with the password from {user.source}",
        action="a correct user and password",
        body={"auth": {"identity": _identity(user), "scope": {"project": project}}},
        meanings={401: _WRONG_PASSWORD},
    )
    reply = client.send(call, auth=auth)
    token, value = reply.record("token"), reply.header("X-Subject-Token")
    if trouble_with_key(value):
        raise reply.unexpected("without a token in `X-Subject-Token` that can be sent")
    project_id = token.part("project").id_or_none("id", ids.PROJECT)
    return TokenSigner(Secret(value), expires_at=moment(token.fields.get("expires_at")), project_id=project_id)


def _identity(user: Password) -> dict[str, Any]:
    who: dict[str, Any] = {"password": user.password.reveal()}
    if user.user_id:
        who["id"] = user.user_id
    else:
        who |= {"name": user.user_name, "domain": _domain(user.domain_name, user.domain_id)}
    return {"methods": ["password"], "password": {"user": who}}


def _domain(name: str | None, domain_id: str | None) -> dict[str, str | None]:
    return {"name": name} if name else {"id": domain_id}


def _scope(settings: Settings) -> dict[str, str | None]:
    if settings.project_id:
        return {"id": settings.project_id}
    return {"name": settings.project_name or settings.region}


# POST {iam}.0/OS-CREDENTIAL/securitytokens → 201 {"credential": {"access", "secret", "securitytoken", "expires_at"}}
def assume(client: Client, agency: Agency, auth: Auth) -> Signer:
    """Get a temporary access key for an agency, signed with the user's own credential."""
    role = {"agency_name": agency.name, "duration_seconds": AGENCY_SECONDS}
    role |= {f"domain_{key}": text for key, text in _domain(agency.domain_name, agency.domain_id).items()}
    call = _sign_in(
        "/v3.0/OS-CREDENTIAL/securitytokens",
        doing=f"assuming the agency {agency.name} of {agency.domain_name or agency.domain_id}",
        action="iam:agencies:assume",
        body={"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}},
        meanings={404: _NO_AGENCY},
    )
    reply = client.send(call, auth=auth)
    credential = reply.record("credential").fields
    access, secret, token = (str(credential.get(key) or "") for key in ("access", "secret", "securitytoken"))
    if any(map(trouble_with_key, (access, secret, token))):
        raise reply.unexpected("without a whole temporary key (`access`, `secret`, `securitytoken`) that can be sent")
    key = AccessKey(access, Secret(secret), Secret(token), f"agency {agency.name}")
    return KeySigner(key, expires_at=moment(credential.get("expires_at")))


# GET {iam}/projects?name={name} → 200 {"projects": [{"id", "name", …}]}
def look_up_project(client: Client, name: str) -> str:
    """Find the caller's project by its name; the main project of a region has the name of the region.

    Raises:
        SettingsError: there is none, or there are several.
        UnexpectedAnswer: the id has another shape.
    """
    doing, query = f"looking up the project named {name}", (("name", name),)
    call = Call("GET", "/v3/projects", doing, action="iam:projects:list", query=query, service="iam")
    reply = client.send(call)
    found = reply.records("projects")
    if len(found) != 1:
        listed = reply.quote(", ".join(project.name("id") for project in found), 300) or "none"
        raise SettingsError(
            f"{doing}: expected one project, found {len(found)} ({listed}): "
            "set the project id (stack config huaweicloud:projectId, environment HW_PROJECT_ID)"
        )
    return found[0].id("id", ids.PROJECT)
