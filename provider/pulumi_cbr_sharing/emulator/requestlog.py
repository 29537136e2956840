"""What came in, without what is secret in it."""

from __future__ import annotations

import json

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping


MASK = "***"
_SECRET_HEADERS = frozenset({"authorization", "x-auth-token", "x-security-token", "cookie"})
_SECRET_KEYS = frozenset({"password", "secret", "access", "securitytoken", "token", "sk", "secret_key"})


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


def masked_body(body: bytes) -> Any:
    """A body without passwords."""
    try:
        return _masked(json.loads(body)) if body else None
    except ValueError:
        return body.decode(errors="replace")


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        key: MASK if key in _SECRET_KEYS and isinstance(text, str) else _masked(text) for key, text in value.items()
    }
