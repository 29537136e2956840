"""Credentials as values: what they consist of, and where they came from. `http/auth.py` uses them."""

from __future__ import annotations

import re

from dataclasses import dataclass
from typing import NoReturn


_SENDABLE = re.compile(r"[!-~]+")


def trouble_with_key(text: str) -> str | None:
    """What keeps a key or token from being sent in a header, such as a line break; None if nothing does."""
    return None if _SENDABLE.fullmatch(text) else "has a line break, a blank or another character that cannot be sent"


class Secret:
    """A text that is masked in every repr and str, and cannot be pickled: what is pickled ends in a stack's state."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled: it would end in the state of a stack")


@dataclass(frozen=True)
class AccessKey:
    """An access key pair; with a security token it is a temporary one.

    Attributes:
        source: where it was found, for messages: `stack config (huaweicloud:accessKey)`.
    """

    access_key: str
    secret_key: Secret
    security_token: Secret | None
    source: str

    def secrets(self) -> list[str]:
        """The texts that no message may show."""
        return [secret.reveal() for secret in (self.secret_key, self.security_token) if secret]


@dataclass(frozen=True)
class Token:
    """A token that somebody else fetched; it cannot be renewed here."""

    token: Secret
    source: str

    def secrets(self) -> list[str]:
        """The texts that no message may show."""
        return [self.token.reveal()]


@dataclass(frozen=True)
class Password:
    """A user who signs in by password; by name in an account, or by id."""

    user_name: str | None
    user_id: str | None
    domain_name: str | None
    domain_id: str | None
    password: Secret
    source: str

    def secrets(self) -> list[str]:
        """The texts that no message may show."""
        return [self.password.reveal()]


Credential = AccessKey | Token | Password
