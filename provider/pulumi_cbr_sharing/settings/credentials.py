"""The kinds of credentials, how one is read from a source of settings, and certificates."""

from __future__ import annotations

import os.path
import re

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pulumi_cbr_sharing.errors import SettingsError, one_line


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.sources import Source


_SENDABLE = re.compile(r"[!-~]+")
# The fields of which one tells that a source has a credential.
MARKS = ("provider_urn", "agency_urn", "idp_id", "token", "access_key", "secret_key", "password", "server")
PASSWORDS, TOKENS, KEYS, AGENCY = ("password", "v3password"), ("token", "v3token"), ("aksk",), ("agency",)


def expanded(path: str) -> str:
    """A path with the home directory for `~`; unlike `Path.expanduser` it does not fail for a user without a home."""
    return os.path.expanduser(path)  # noqa: PTH111


def trouble_with_key(text: str) -> str | None:
    """Why a key or token cannot be sent in a header, as the end of a sentence; None if it can."""
    return None if _SENDABLE.fullmatch(text) else "has a line break, a blank or another character that cannot be sent"


@dataclass(frozen=True, repr=False)
class Secret:
    """A text that `repr` and `str` mask, and that cannot be pickled, because pickles end up in the state of a stack."""

    __slots__ = ("_value",)
    _value: str

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled: it would end up in the state of a stack")


@dataclass(frozen=True)
class Certificate:
    """A certificate or key for TLS: a path or PEM text, and where it was set, for messages."""

    text: Secret
    setting: str

    @property
    def is_text(self) -> bool:
        """Whether it is PEM text."""
        return "-----BEGIN" in self.text.reveal()

    @property
    def path(self) -> str:
        """The path, `~` expanded."""
        return expanded(self.text.reveal())

    def __str__(self) -> str:
        return f"{self.setting} ({'PEM text' if self.is_text else one_line(self.path)})"


@dataclass(frozen=True)
class AccessKey:
    """An access key with its secret key; with a security token it is a temporary one.

    Attributes:
        source: where it was found, for messages, such as `stack config huaweicloud:accessKey`; so for all credentials.
        remedy: how to get a new one.
    """

    access_key: str
    secret_key: Secret
    security_token: Secret | None
    source: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{'temporary ' if self.security_token else ''}access key …{self.access_key[-4:]}"


@dataclass(frozen=True)
class Token:
    """A token that the user fetched; it cannot be renewed."""

    token: Secret
    source: str

    def __str__(self) -> str:
        return "token"


@dataclass(frozen=True)
class Password:
    """A user with password, by name in an account or by id; `project_domain` is the account of a project by name."""

    user_name: str | None
    user_id: str | None
    domain_name: str | None
    domain_id: str | None
    password: Secret
    source: str
    project_domain: str | None = None

    def __str__(self) -> str:
        return f"user {one_line(self.user_name or self.user_id, 60)}"


@dataclass(frozen=True)
class IdentityToken:
    """A token of a pipeline (OIDC), which IAM exchanges for a temporary key.

    Attributes:
        token, file: the token, or the file that has it and is read for each exchange.
        idp_id: the name of the identity provider in IAM.
        provider_urn, agency_urn, session_name: those of STS version 5, which are used instead of `idp_id`.
        duration: seconds that the temporary key lives, as digits; None means an hour.
    """

    token: Secret | None
    file: str | None
    source: str
    idp_id: str | None = None
    provider_urn: str | None = None
    agency_urn: str | None = None
    session_name: str | None = None
    duration: str | None = None

    def __str__(self) -> str:
        return f"identity token for {one_line(self.idp_id or self.agency_urn, 120)}"


@dataclass(frozen=True)
class ServerAgency:
    """The agency of the server that the program runs on.

    Attributes:
        otherwise: what else may be set, if it is only asked for because nothing else is; "" if a profile names it.
    """

    source: str
    otherwise: str = ""

    def __str__(self) -> str:
        return "the key of its agency"


Credential = AccessKey | Token | Password | IdentityToken | ServerAgency
OF_IAM = (Password, IdentityToken)  # IAM makes a token or a key of them


def secrets_of(credential: Credential) -> list[str]:
    """What no message may show."""
    return [value.reveal() for value in vars(credential).values() if isinstance(value, Secret)]


def credential_in(source: Source, prefix: str = "") -> Credential | None:
    """The credential in one source: an identity token, else a token, else an access key, else a user with password.

    `prefix` is what the environment variables of the connection begin with.

    Raises:
        SettingsError: the credential is incomplete, or cannot be used or sent. The rest is not taken from another
            source, which could be another account's.
    """
    if source.trouble:
        raise SettingsError(source.trouble)
    for name in ("access_key", "secret_key", "security_token", "token", "id_token"):
        if trouble := trouble_with_key(source.get(name) or "-"):
            raise SettingsError(f"{source.where(name)} {trouble}: give it on one line, as it was issued")
    if any(map(source.get, ("idp_id", "provider_urn", "agency_urn"))):
        return _identity(source)
    if token := source.get("token"):
        return Token(Secret(token), source.where("token"))
    if source.get("access_key") or source.get("secret_key"):
        key = [_needed(source, name, "secret_key", "access_key") for name in ("access_key", "secret_key")]
        token, remedy = source.get("security_token"), source.get("remedy") or ""
        return AccessKey(key[0], Secret(key[1]), Secret(token) if token else None, source.where("access_key"), remedy)
    if source.get("server"):
        return ServerAgency(source.label)
    return _password(source, prefix)


def unknown_kind(source: Source) -> str | None:
    """The type of sign-in that a source asks for, if it is none that can be used."""
    kind = source.get("auth_type")
    return kind if kind not in (None, *PASSWORDS, *TOKENS, *KEYS, *AGENCY) else None


def _needed(source: Source, name: str, *others: str) -> str:
    """A value without which the other ones, which are set, are of no use."""
    if value := source.get(name):
        return value
    raise SettingsError(f"{source.where(next(filter(source.get, others)))} is set without {source.where(name)}")


def _identity(source: Source) -> IdentityToken:
    mark = next(filter(source.get, ("idp_id", "provider_urn", "agency_urn")))
    for name in () if mark == "idp_id" else ("provider_urn", "agency_urn"):
        _needed(source, name, mark)
    token = source.get("id_token")
    file = None if token else _needed(source, "id_token_file", mark)
    more = map(source.get, ("idp_id", "provider_urn", "agency_urn", "session_name", "id_seconds"))
    return IdentityToken(Secret(token) if token else None, file, source.where(mark), *more)


def _password(source: Source, prefix: str) -> Password | None:
    named = f", without {source.named_by}" if source.named_by else ""
    instead = f"issue a token (`openstack token issue -f value -c id`) and set {prefix}OS_TOKEN{named}"
    if kind := unknown_kind(source):
        kind = f"{source.where('auth_type')} is {one_line(kind, 40)}"
        raise SettingsError(f"{kind}, which is not supported here: {instead}")
    if not (password := source.get("password")):
        return None
    if source.get("passcode"):
        code = source.where("passcode")
        raise SettingsError(f"{code} is a one-time password, but each command of a run signs in anew: {instead}")
    user, user_id, domain, domain_id = map(source.get, ("user_name", "user_id", "domain_name", "domain_id"))
    if not user_id:
        _needed(source, "user_name", "password")
    if not user_id and not domain_id:
        _needed(source, "domain_name", "user_name")
    owner = source.get("project_domain_name")
    return Password(user, user_id, domain, domain_id, Secret(password), source.where("password"), owner)
