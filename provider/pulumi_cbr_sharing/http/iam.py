"""What IAM is asked for: a token, a role in another account, the id of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import ApiError, CredentialRefused, SettingsError, TokenExpired, one_line
from pulumi_cbr_sharing.http.auth import Fixed, KeySigner, Lease, Leased, TokenSigner
from pulumi_cbr_sharing.http.codes import Meaning
from pulumi_cbr_sharing.http.messages import Call, Reply, lacking, row, rows
from pulumi_cbr_sharing.http.timestamps import moment
from pulumi_cbr_sharing.settings.credentials import AccessKey, Credential, Password, Secret, Token, trouble_with_key


if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_cbr_sharing.http.auth import Send, Strategy
    from pulumi_cbr_sharing.settings.connection import Agency
    from pulumi_cbr_sharing.settings.resolve import Settings


AGENCY_SECONDS = 3600
# IAM's own reasons, which the general ones for these statuses do not name.
_WRONG_PASSWORD = Meaning(
    CredentialRefused,
    401,
    "user and password were refused",
    "check user, password, account and project; it is not tried again, because wrong passwords lock a user",
)
_NO_AGENCY = Meaning(
    ApiError,
    404,
    "there is no such agency",
    "check its name, the account that granted it, and huaweicloud:endpoints",
)


def strategy_for(settings: Settings) -> Strategy:
    """The strategy that the settings ask for."""
    base = _strategy_of(settings.credential, settings)
    return Leased(_AgencyFetch(settings.agency, base)) if settings.agency else base


def _strategy_of(credential: Credential, settings: Settings) -> Strategy:
    if isinstance(credential, AccessKey):
        return Fixed(KeySigner(credential))
    if isinstance(credential, Token):
        return Fixed(TokenSigner(credential.token))
    return Leased(_PasswordFetch(credential, settings))


class _PasswordFetch:
    """POST /v3/auth/tokens → 201, the token in `X-Subject-Token`."""

    def __init__(self, user: Password, settings: Settings) -> None:
        self._user, self._settings = user, settings

    def __call__(self, send: Send) -> Lease:
        call = Call(
            "POST",
            "/v3/auth/tokens",
            doing=f"signing in with the password from {self._user.source}",
            action="a correct user and password",
            body=self._body(),
            service="iam",
            expects=(201,),
            meanings=(_WRONG_PASSWORD,),
        )
        reply = send(call, None)
        token = row(call, reply, "token")
        value = next((text for name, text in reply.headers.items() if name.lower() == "x-subject-token"), "")
        if trouble_with_key(value):
            raise lacking(call, reply, "a token in `X-Subject-Token` that can be sent")
        project = token.get("project")
        project_id = project.get("id") if isinstance(project, dict) else None
        return Lease(TokenSigner(Secret(value)), moment(token.get("expires_at")), project_id)

    def _body(self) -> dict[str, Any]:
        user: dict[str, Any] = {"password": self._user.password.reveal()}
        if self._user.user_id:
            user["id"] = self._user.user_id
        else:
            domain = {"name": self._user.domain_name} if self._user.domain_name else {"id": self._user.domain_id}
            user |= {"name": self._user.user_name, "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": self._scope()}}}

    def _scope(self) -> dict[str, Any]:
        # Where a role is assumed, the project is the other account's: sign in to the region of one's own.
        if self._settings.project_id and not self._settings.agency:
            return {"id": self._settings.project_id}
        return {"name": self._settings.project_name or self._settings.region}


class _AgencyFetch:
    """POST /v3.0/OS-CREDENTIAL/securitytokens → 201, a temporary access key with its security token."""

    def __init__(self, agency: Agency, base: Strategy) -> None:
        self._agency, self._base = agency, base

    def __call__(self, send: Send) -> Lease:
        call = Call(
            "POST",
            "/v3.0/OS-CREDENTIAL/securitytokens",
            doing=f"assuming the agency {self._agency.name} of {self._agency.domain_name or self._agency.domain_id}",
            action="iam:agencies:assume",
            body=self._body(),
            service="iam",
            expects=(201,),
            meanings=(_NO_AGENCY,),
        )
        reply = self._sent(call, send)
        credential = row(call, reply, "credential")
        access, secret, token = (str(credential.get(key) or "") for key in ("access", "secret", "securitytoken"))
        if any(map(trouble_with_key, (access, secret, token))):
            raise lacking(call, reply, "a whole temporary key (`access`, `secret`, `securitytoken`) that can be sent")
        key = AccessKey(access, Secret(secret), Secret(token), f"agency {self._agency.name}")
        return Lease(KeySigner(key), moment(credential.get("expires_at")))

    def _sent(self, call: Call, send: Send) -> Reply:
        """With the credential at hand; if its token has ended since the role was assumed last, with a new one."""
        signer = self._base.signer(send)
        try:
            return send(call, signer)
        except TokenExpired:
            if not self._base.renew(signer):
                raise
        return send(call, self._base.signer(send))

    def _body(self) -> dict[str, Any]:
        role: dict[str, Any] = {"agency_name": self._agency.name, "duration_seconds": AGENCY_SECONDS}
        if self._agency.domain_name:
            role["domain_name"] = self._agency.domain_name
        else:
            role["domain_id"] = self._agency.domain_id
        return {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}


# GET {iam}/projects?name={name} → 200 {"projects": [{"id", "name", …}]}
def look_up_project(fetch: Callable[[Call], Reply], name: str) -> str:
    """The id of the caller's project of this name; a region's main project is called like the region.

    Raises:
        SettingsError: there is none, or there are several.
    """
    call = Call(
        "GET",
        "/v3/projects",
        doing=f"looking up the project named {name}",
        action="iam:projects:list",
        query=(("name", name),),
        service="iam",
    )
    found = rows(call, fetch(call), "projects")
    if len(found) != 1 or not isinstance(found[0].get("id"), str):
        ids = one_line(", ".join(str(row.get("id")) for row in found)) or "none"
        raise SettingsError(
            f"{call.doing}: one was expected, {len(found)} were found ({ids}): "
            "set the project id (stack config huaweicloud:projectId, environment HW_PROJECT_ID)"
        )
    return str(found[0]["id"])
