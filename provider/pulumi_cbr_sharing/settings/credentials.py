"""The kinds of credentials, and how one is read from a source of settings."""

from __future__ import annotations

import re

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from pulumi_cbr_sharing.errors import SettingsError


if TYPE_CHECKING:
    from pulumi_cbr_sharing.settings.sources import Source


_SENDABLE = re.compile(r"[!-~]+")


def trouble_with_key(text: str) -> str | None:
    """Why a key or token cannot be sent in a header, as the end of a sentence; None if it can."""
    return None if _SENDABLE.fullmatch(text) else "has a line break, a blank or another character that cannot be sent"


class Secret:
    """A text that `repr` and `str` mask, and that cannot be pickled, because pickles end up in the state of a stack."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled: it would end up in the state of a stack")


class _WithSecrets:
    def secrets(self) -> list[str]:
        """What no message may show."""
        return [value.reveal() for value in vars(self).values() if isinstance(value, Secret)]


@dataclass(frozen=True)
class AccessKey(_WithSecrets):
    """An access key with its secret key; with a security token it is a temporary one.

    Attributes:
        source: where it was found, for messages, such as `stack config huaweicloud:accessKey`.
    """

    access_key: str
    secret_key: Secret
    security_token: Secret | None
    source: str


@dataclass(frozen=True)
class Token(_WithSecrets):
    """A token that the user fetched; it cannot be renewed."""

    token: Secret
    source: str


@dataclass(frozen=True)
class Password(_WithSecrets):
    """A user with password: by name in an account, or by id."""

    user_name: str | None
    user_id: str | None
    domain_name: str | None
    domain_id: str | None
    password: Secret
    source: str


Credential = AccessKey | Token | Password


def credential_in(source: Source) -> Credential | None:
    """The credential in one source: an access key, else a token, else a user with password.

    Raises:
        SettingsError: the credential is incomplete, or cannot be sent. The rest is not taken from another source, which
            could be another account's.
    """
    for name in ("access_key", "secret_key", "security_token", "token"):
        if trouble := trouble_with_key(source.get(name) or "-"):
            raise SettingsError(f"{source.where(name)} {trouble}: give it on one line, as it was issued")
    if source.get("access_key") or source.get("secret_key"):
        return _access_key(source)
    if token := source.get("token"):
        return Token(Secret(token), source.where("token"))
    if password := source.get("password"):
        return _password(source, Secret(password))
    return None


def _access_key(source: Source) -> AccessKey:
    access, secret, token = (source.get(name) for name in ("access_key", "secret_key", "security_token"))
    if not access or not secret:
        have, lack = ("access_key", "secret_key") if access else ("secret_key", "access_key")
        raise SettingsError(f"{source.where(have)} is set without {source.where(lack)}: set both or none")
    return AccessKey(access, Secret(secret), Secret(token) if token else None, source.where("access_key"))


def _password(source: Source, password: Secret) -> Password:
    user, user_id, domain, domain_id = (
        source.get(name) for name in ("user_name", "user_id", "domain_name", "domain_id")
    )
    if not user and not user_id:
        raise SettingsError(f"{source.where('password')} is set without {source.where('user_name')}")
    if not user_id and not domain and not domain_id:
        raise SettingsError(
            f"{source.where('user_name')} is set without {source.where('domain_name')}, the account's name"
        )
    return Password(user, user_id, domain, domain_id, password, source.where("password"))
