"""Calls that sign in: a token for a user, temporary keys for pipelines, agencies and servers; the project's id."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pulumi_cbr_sharing import ids
from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, PermissionDenied, SettingsError, Unreachable
from pulumi_cbr_sharing.http.auth import Auth, HeaderSigner, KeySigner, Signer, fixed
from pulumi_cbr_sharing.http.codes import Meaning
from pulumi_cbr_sharing.http.messages import Call
from pulumi_cbr_sharing.settings import credentials
from pulumi_cbr_sharing.settings.credentials import AccessKey, Secret, trouble_with_key
from pulumi_cbr_sharing.settings.endpoints import host_of, region_in
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.http.auth import Accounts
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.http.messages import Reply
    from pulumi_cbr_sharing.http.retry import Account
    from pulumi_cbr_sharing.settings.connection import Agency
    from pulumi_cbr_sharing.settings.credentials import IdentityToken, Password, ServerAgency, Token
    from pulumi_cbr_sharing.settings.resolve import Settings


KEY_SECONDS = 3600  # a temporary key lives, if nothing else is asked for
SERVER_CONNECT, SERVER_READ = 2.0, 5.0  # seconds; elsewhere, nothing answers at the address
_SPELLINGS = (("access", "accesskeyid"), ("secret", "secretaccesskey"), ("securitytoken", "sessiontoken"))
_WRONG_PASSWORD = Meaning(
    CredentialRefused,
    "the user or password is wrong",
    "check user, password, account and project; it is not sent again, because wrong passwords lock a user",
)
_NO_PROJECT = Meaning(ApiError, "there is no such project or account", "check the project, the account and the region")
_NO_AGENCY = Meaning(ApiError, "there is no such agency", "check its name, the account that granted it, and {endpoint}")
_NO_PROVIDER = Meaning(ApiError, "there is no such identity provider", "check its name and {endpoint}")
_sign_in = partial(Call, "POST", service="iam", expects=(201,), signs_in=True)


def auth_for(settings: Settings, accounts: Accounts) -> Auth:
    """The `Auth` of the credential in some settings, or of the agency that it assumes."""
    account, credential, project = accounts.of(settings), settings.credential, {"id": settings.project_id}
    if not settings.project_id:
        project = {"name": settings.project_name or settings.region}
    if settings.agencies:
        *before, agency = settings.agencies
        own, own_name = settings.own_project_id, settings.own_project_name
        caller = replace(settings, agencies=tuple(before), project_id=own, project_name=own_name)
        return Auth(account, partial(assume, agency=agency, auth=auth_for(caller, accounts)))
    nobody = fixed(account, Signer())
    if isinstance(credential, credentials.Password):
        return Auth(account, partial(sign_in, user=credential, project=project, auth=nobody))
    if isinstance(credential, credentials.IdentityToken):
        return Auth(account, partial(exchange, identity=credential, project=project, account=account))
    if isinstance(credential, credentials.ServerAgency):
        return Auth(account, partial(ask_server, agency=credential))
    if isinstance(credential, credentials.Token):
        return fixed(account, _by_token(credential.token.reveal()))
    return fixed(account, KeySigner(credential))


def _by_token(token: str, **more: Any) -> Signer:
    return HeaderSigner({"X-Auth-Token": token}, **more)


def sign_in(client: Client, user: Password, project: Mapping[str, Any], auth: Auth) -> Signer:
    """Get a token for a user, bound to one project."""
    who: dict[str, Any] = {"id": user.user_id}
    if not user.user_id:
        who = {"name": user.user_name, "domain": _domain(user.domain_name, user.domain_id)}
    who["password"] = user.password.reveal()
    owner = _domain(user.project_domain or user.domain_name, user.domain_id)
    if "name" in project and any(owner.values()):
        project = {**project, "domain": owner}
    identity = {"methods": ["password"], "password": {"user": who}}
    doing = f"signing in with the password from {user.source} at {host_of(client.settings.iam)}"
    return _get_token(client, identity, project, auth, doing)


def _domain(name: str | None, domain_id: str | None) -> dict[str, str | None]:
    return {"name": name} if name else {"id": domain_id}


# POST {iam}/auth/tokens {"auth": {"identity", "scope"}} → 201, the token in `X-Subject-Token`
def _get_token(client: Client, identity: Any, project: Mapping[str, Any], auth: Auth, doing: str) -> Signer:
    call = _sign_in(
        "/v3/auth/tokens",
        doing=doing,
        action="a correct user and password",
        body={"auth": {"identity": identity, "scope": {"project": project}}},
        meanings={401: _WRONG_PASSWORD, 404: _NO_PROJECT},
    )
    reply = client.send(call, auth=auth)
    token = reply.record("token")
    project_id = token.part("project").id_or_none("id", ids.PROJECT)
    return _by_token(_token_in(reply), expires_at=moment(token.fields.get("expires_at")), project_id=project_id)


def _token_in(reply: Reply) -> str:
    value = reply.header("X-Subject-Token")
    if trouble_with_key(value):
        raise reply.unexpected("without a token in `X-Subject-Token` that can be sent")
    return value


# POST {iam}.0/OS-CREDENTIAL/securitytokens → 201 {"credential": {"access", "secret", "securitytoken", "expires_at"}}
def assume(client: Client, agency: Agency, auth: Auth) -> Signer:
    """Get a temporary access key for an agency, signed with the user's own credential or the key of another agency."""
    role = {"agency_name": agency.name, "duration_seconds": agency.duration or KEY_SECONDS}
    role |= {f"domain_{key}": text for key, text in _domain(agency.domain_name, agency.domain_id).items()}
    call = _sign_in(
        "/v3.0/OS-CREDENTIAL/securitytokens",
        doing=f"assuming the agency {agency.name} of {agency.domain_name or agency.domain_id}",
        action="iam:agencies:assume",
        body={"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}},
        meanings={404: _NO_AGENCY},
    )
    return _key_in(client.send(call, auth=auth), f"agency {agency.name}")


def exchange(client: Client, identity: IdentityToken, project: Mapping[str, Any], account: Account) -> Signer:
    """Get a temporary access key, or a token, for a pipeline's identity token; its file is read each time."""
    token, seconds = _identity_token(identity), int(identity.duration or KEY_SECONDS)
    doing = f"signing in with the {identity} from {identity.source}"
    remedy = "check the identity provider, its audience and issuer, and that the token has not expired"
    if identity.token:
        remedy += "; a variable cannot be renewed in a long run: name a file instead"
    refused = {401: Meaning(CredentialRefused, "the identity token was refused", remedy), 404: _NO_PROVIDER}
    call = partial(_sign_in, doing=doing, action="trust of the agency in this token", meanings=refused)
    if not identity.idp_id:
        body = {
            "provider_urn": identity.provider_urn,
            "agency_urn": identity.agency_urn,
            "agency_session_name": identity.session_name or "pulumi-cbr-sharing",
            "id_token": token,
            "duration_seconds": seconds,
        }
        # POST {sts}/v5/agencies/assume-with-oidc → 200 {"credentials": {"access_key_id", …, "expiration"}}
        asked = call("/v5/agencies/assume-with-oidc", service="sts", body=body, expects=(200,))
        return _key_in(client.send(asked, auth=fixed(account, Signer())), identity.source)
    by_name = fixed(account, HeaderSigner({"X-Idp-Id": identity.idp_id}))
    # POST {iam}.0/OS-AUTH/id-token/tokens → 201, a token without project in `X-Subject-Token`
    asked = call("/v3.0/OS-AUTH/id-token/tokens", body={"auth": {"id_token": {"id": token}}})
    try:
        unscoped = _token_in(client.send(asked, auth=by_name))
    except ApiError as error:
        if error.status != 404:  # noqa: PLR2004
            raise
        path = f"/v3/OS-FEDERATION/identity_providers/{quote(identity.idp_id, safe='')}/protocols/oidc/auth"
        return _federated(client, call(path, expects=(200, 201)), token, project, account)
    who = {"methods": ["token"], "token": {"id": unscoped, "duration_seconds": seconds}}
    asked = call("/v3.0/OS-CREDENTIAL/securitytokens", body={"auth": {"identity": who}})
    return _key_in(client.send(asked, auth=fixed(account, _by_token(unscoped))), identity.source)


def _identity_token(identity: IdentityToken) -> str:
    if identity.token:
        return identity.token.reveal()
    path = credentials.expanded(identity.file or "")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"the identity token cannot be read from {path}: {type(error).__name__}") from None
    if trouble := trouble_with_key(text):
        raise SettingsError(f"the identity token in {path} {trouble if text else 'is empty'}")
    return text


# POST {iam}/OS-FEDERATION/identity_providers/{idp}/protocols/oidc/auth → 201, a token without project
def _federated(client: Client, call: Call, token: str, project: Mapping[str, Any], account: Account) -> Signer:
    """Open Telekom Cloud's way, for an IAM that does not know the other one (inferred)."""
    bearer = HeaderSigner({"Authorization": f"Bearer {token}"})
    unscoped = _token_in(client.send(call, auth=fixed(account, bearer)))
    identity = {"methods": ["token"], "token": {"id": unscoped}}
    return _get_token(client, identity, project, fixed(account, Signer()), call.doing)


# GET {metadata}/openstack/latest/securitykey → 200 {"credential": {"access", "secret", "securitytoken", "expires_at"}}
def ask_server(client: Client, agency: ServerAgency) -> Signer:
    """Get the temporary access key of the agency of this server; tried once, and not through a proxy."""
    doing, nothing = "asking for the agency of this server", f"; set {agency.otherwise}" if agency.otherwise else ""
    ask = partial(Call, doing=doing, action="an agency", service="metadata", signs_in=True)
    settings = replace(client.settings, connect_timeout=SERVER_CONNECT, read_timeout=SERVER_READ)
    send = partial(client.transport.send, project_id=None, settings=settings)
    key = ask("GET", "/openstack/latest/securitykey")
    try:
        reply = send(key, Signer())
        if reply.status == 401 and b"gency" not in reply.body:  # noqa: PLR2004 - it asks for a token of its own
            fresh = send(
                ask("PUT", "/meta-data/latest/api/token"), HeaderSigner({"X-Metadata-Token-Ttl-Seconds": "21600"})
            )
            text = fresh.body.decode("ascii", "replace").strip()
            reply = send(key, HeaderSigner({"X-Metadata-Token": "-" if trouble_with_key(text) else text}))
    except Unreachable:
        raise SettingsError(f"there are no credentials, and this machine has no agency{nothing}") from None
    if reply.status in (401, 404):
        raise SettingsError(f"this server has no agency: give it one in its settings{nothing}")
    reply.check()
    return _key_in(reply, agency.source)


def _key_in(reply: Reply, source: str) -> Signer:
    """The temporary key in an answer, in any of the spellings that were seen."""
    name = "credentials" if "credentials" in reply.payload else "credential"
    fields = {key.replace("_", "").lower(): text for key, text in reply.record(name).fields.items()}
    access, secret, token = (str(next(filter(None, map(fields.get, names)), "")) for names in _SPELLINGS)
    if any(map(trouble_with_key, (access, secret, token))):
        raise reply.unexpected("without a whole temporary key (`access`, `secret`, `securitytoken`) that can be sent")
    expires_at = moment(fields.get("expiresat") or fields.get("expiration"))
    return KeySigner(AccessKey(access, Secret(secret), Secret(token), source), expires_at=expires_at)


def find_project(client: Client, auth: Auth) -> str:
    """The id of the project to work in: that of the token, else looked up by its name, or by the region's."""
    settings = client.settings
    if known := auth.current(client).project_id:
        return known
    name = settings.project_name or settings.region or ""
    if isinstance(settings.credential, credentials.Token) and not settings.agencies:
        try:
            return _project_of_token(client, settings.credential, name, auth.account)
        except CredentialRefused:
            raise
        except ApiError:  # an IAM that does not tell
            pass
    return look_up_project(client, name)


# GET {iam}/auth/tokens → 200 {"token": {"project": {"id", "name"}, …}}
def _project_of_token(client: Client, token: Token, name: str, account: Account) -> str:
    doing = f"asking for the project of the token from {token.source} at {host_of(client.settings.iam)}"
    signer = HeaderSigner(dict.fromkeys(("X-Auth-Token", "X-Subject-Token"), token.token.reveal()))
    call = Call("GET", "/v3/auth/tokens", doing, "a valid token", service="iam", expects=(200, 203), signs_in=True)
    project = client.send(call, auth=fixed(account, signer)).record("token").part("project")
    found, is_called = project.id_or_none("id", ids.PROJECT), project.name("name")
    if found is None:
        raise SettingsError(f"{doing}: it is bound to no project: issue one for the project {name}")
    if name and name not in (is_called, region_in(is_called)):
        way = f"issue one for {name}, or set {client.settings.names['project_id']} to that of {is_called}"
        raise SettingsError(f"{doing}: it is bound to {is_called}, not to {name}: {way}")
    return found


# GET {iam}/projects?name={name} → 200 {"projects": [{"id", "name", …}]}
def look_up_project(client: Client, name: str) -> str:
    """Find the caller's project by its name; the main project of a region has the name of the region."""
    doing, query = f"looking up the project named {name}", (("name", name),)
    call = Call("GET", "/v3/projects", doing, action="iam:projects:list", query=query, service="iam")
    way = f"set {client.settings.names['project_id']}"
    try:
        reply = client.send(call)
    except PermissionDenied as error:
        raise error.again(remedy=f"{error.remedy}, or {way}, which makes this unnecessary") from None
    found = reply.records("projects")
    if len(found) != 1:
        listed = reply.quote(", ".join(project.name("id") for project in found), 300) or "none"
        raise SettingsError(f"{doing}: expected one project, found {len(found)} ({listed}): {way}")
    return found[0].id("id", ids.PROJECT)
