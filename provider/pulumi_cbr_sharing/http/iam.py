"""Calls of IAM: a token for a user and password, a temporary access key for an agency, the id of a project."""

from __future__ import annotations

import threading

from typing import TYPE_CHECKING, Any

from pulumi_cbr_sharing.errors import (
    ApiError,
    CbrSharingError,
    CredentialRefused,
    ServerFault,
    SettingsError,
    Throttled,
    one_line,
)
from pulumi_cbr_sharing.http.auth import Auth, Issued, KeySigner, TokenSigner, fixed, unsigned
from pulumi_cbr_sharing.http.codes import Meaning
from pulumi_cbr_sharing.http.messages import Call, lacking, row, rows
from pulumi_cbr_sharing.ids import PROJECT
from pulumi_cbr_sharing.settings.credentials import AccessKey, Password, Secret, Token, trouble_with_key
from pulumi_cbr_sharing.timestamps import moment


if TYPE_CHECKING:
    from pulumi_cbr_sharing.http.account import Account
    from pulumi_cbr_sharing.http.auth import Send
    from pulumi_cbr_sharing.http.retry import Clock
    from pulumi_cbr_sharing.settings.connection import Agency
    from pulumi_cbr_sharing.settings.resolve import Settings


AGENCY_SECONDS = 3600
REMEMBERED_FOR = 300.0  # seconds for which a failed project lookup is remembered
_NOT_REMEMBERED = (ServerFault, Throttled, CredentialRefused)  # the circuit breaker remembers a refused credential
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


def auth_for(settings: Settings, account: Account) -> Auth:
    """The `Auth` of the credential in some settings, or of the agency that it assumes."""
    if not settings.agency:
        return _auth_of_credential(settings, account)
    agency, base = settings.agency, _auth_of_credential(settings, account.base or account)
    return Auth(account, lambda send: assume(agency, base, send))


def _auth_of_credential(settings: Settings, account: Account) -> Auth:
    credential = settings.credential
    if isinstance(credential, AccessKey):
        return fixed(account, KeySigner(credential))
    if isinstance(credential, Token):
        return fixed(account, TokenSigner(credential.token))
    return Auth(account, lambda send: get_token(credential, settings, account, send))


# POST {iam}/auth/tokens {"auth": {"identity", "scope"}} → 201, the token in `X-Subject-Token`
def get_token(user: Password, settings: Settings, account: Account, send: Send) -> Issued:
    """Get a token for a user, bound to one project.

    Raises:
        CredentialRefused: the password is wrong, or the user may not use the project.
    """
    call = Call(
        "POST",
        "/v3/auth/tokens",
        doing=f"signing in with the password from {user.source}",
        action="a correct user and password",
        body={"auth": {"identity": _identity(user), "scope": {"project": _scope(settings)}}},
        service="iam",
        expects=(201,),
        meanings={401: _WRONG_PASSWORD},
        signs_in=True,
    )
    reply = send(call, auth=fixed(account, unsigned))
    token, value = row(call, reply, "token"), reply.header("X-Subject-Token")
    if trouble_with_key(value):
        raise lacking(call, reply, "a token in `X-Subject-Token` that can be sent")
    project = token.get("project")
    project_id = project.get("id") if isinstance(project, dict) else None
    if project_id is not None and not PROJECT.fits(project_id):
        raise lacking(call, reply, "a project id of 32 hexadecimal digits")
    return Issued(TokenSigner(Secret(value)), moment(token.get("expires_at")), project_id)


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
    # With an agency, the project is the other account's: use the user's own project of the region.
    if settings.project_id and not settings.agency:
        return {"id": settings.project_id}
    return {"name": settings.project_name or settings.region}


# POST {iam}.0/OS-CREDENTIAL/securitytokens → 201 {"credential": {"access", "secret", "securitytoken", "expires_at"}}
def assume(agency: Agency, base: Auth, send: Send) -> Issued:
    """Get a temporary access key for an agency, signed with the user's own credential."""
    role = {"agency_name": agency.name, "duration_seconds": AGENCY_SECONDS}
    role |= {f"domain_{key}": text for key, text in _domain(agency.domain_name, agency.domain_id).items()}
    call = Call(
        "POST",
        "/v3.0/OS-CREDENTIAL/securitytokens",
        doing=f"assuming the agency {agency.name} of {agency.domain_name or agency.domain_id}",
        action="iam:agencies:assume",
        body={"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}},
        service="iam",
        expects=(201,),
        meanings={404: _NO_AGENCY},
        signs_in=True,
    )
    reply = send(call, auth=base)
    credential = row(call, reply, "credential")
    access, secret, token = (str(credential.get(key) or "") for key in ("access", "secret", "securitytoken"))
    if any(map(trouble_with_key, (access, secret, token))):
        raise lacking(call, reply, "a whole temporary key (`access`, `secret`, `securitytoken`) that can be sent")
    key = AccessKey(access, Secret(secret), Secret(token), f"agency {agency.name}")
    return Issued(KeySigner(key), moment(credential.get("expires_at")))


class ProjectLookup:
    """Finds the id of the project, once; safe for many threads.

    Attributes:
        known: the project id; None until it has been found.
    """

    def __init__(self, settings: Settings, auth: Auth, clock: Clock) -> None:
        self.known = settings.project_id
        self._name = settings.project_name or settings.region or ""
        self._auth, self._clock = auth, clock
        self._failure: CbrSharingError | None = None
        self._failed_at, self._lock = 0.0, threading.Lock()

    def find(self, send: Send) -> str:
        """The project id from the settings, else from the token, else looked up by name.

        Raises:
            SettingsError: no project has the name, or several do.
        """
        with self._lock:
            if self._failure and self._clock.now() < self._failed_at + REMEMBERED_FOR:
                raise self._failure
            try:
                self.known = (
                    self.known or self._auth.current(send).project_id or look_up_project(send, self._auth, self._name)
                )
            except (SettingsError, ApiError) as error:
                if not isinstance(error, _NOT_REMEMBERED):
                    self._failure, self._failed_at = error, self._clock.now()
                raise
            return self.known


# GET {iam}/projects?name={name} → 200 {"projects": [{"id", "name", …}]}
def look_up_project(send: Send, auth: Auth, name: str) -> str:
    """Find the caller's project of this name; the main project of a region has the name of the region.

    Raises:
        SettingsError: there is none, or there are several.
        UnexpectedAnswer: the id has another shape.
    """
    call = Call(
        "GET",
        "/v3/projects",
        doing=f"looking up the project named {name}",
        action="iam:projects:list",
        query=(("name", name),),
        service="iam",
    )
    reply = send(call, auth=auth)
    ids = [row.get("id") for row in rows(call, reply, "projects")]
    if len(ids) != 1:
        listed = one_line(", ".join(map(str, ids))) or "none"
        raise SettingsError(
            f"{call.doing}: expected one project, found {len(ids)} ({listed}): "
            "set the project id (stack config huaweicloud:projectId, environment HW_PROJECT_ID)"
        )
    if not PROJECT.fits(ids[0]):
        raise lacking(call, reply, "a project id of 32 hexadecimal digits")
    return str(ids[0])
