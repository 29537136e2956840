"""What came in, without what is secret in it."""

from __future__ import annotations

import json

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


MASK = "***"
_SECRET_HEADERS = frozenset({"authorization", "x-auth-token", "x-security-token", "x-subject-token", "cookie"})
_SECRET_KEYS = frozenset({"password", "secret", "access", "securitytoken", "token", "sk", "secret_key"})
_SIGN_IN = ("/auth/tokens", "/OS-CREDENTIAL/")


@dataclass(frozen=True)
class Recorded:
    """One request and how it was answered.

    Attributes:
        query: as sent, without `?`.
        body: as JSON where it is that, else as text; secrets masked.
        status: of the answer; 0 if the connection was cut instead.
        account: who sent it, or None.
        code: the error code of the answer, or "".
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int
    account: str | None
    code: str


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without credentials."""
    return {name: MASK if name.lower() in _SECRET_HEADERS else text for name, text in headers.items()}


def masked_body(body: bytes, path: str = "") -> Any:
    """A body without passwords; one to sign in with that cannot be read is masked as a whole."""
    try:
        return _masked(json.loads(body)) if body else None
    except ValueError:
        return MASK if any(part in path for part in _SIGN_IN) else body.decode(errors="replace")


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {key: MASK if _is_secret(key, entry) else _masked(entry) for key, entry in value.items()}


def _is_secret(key: str, value: Any) -> bool:
    # `password` is also the name of the part of a request for a token that has the user and the password in it.
    return key in _SECRET_KEYS and not (key == "password" and isinstance(value, dict))
