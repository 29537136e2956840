"""The log of requests, with secrets masked."""

from __future__ import annotations

import json

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


MASK = "***"
# Parts of names of headers, parameters and properties that hold credentials; without dashes and underscores.
_SECRET = (
    "accesskey",
    "apikey",
    "authkey",
    "authorization",
    "cookie",
    "credential",
    "passw",
    "secret",
    "signature",
    "token",
)
_SECRET_WHOLE = ("access", "ak", "pwd", "sk")


@dataclass(frozen=True)
class Recorded:
    """A request and its answer.

    Attributes:
        query: as sent, without `?`.
        body: as JSON, or as text if it is not JSON; secrets masked.
        status: the status of the answer; 0 if the connection was cut instead.
        account: the account that sent it, or None.
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


def masked_text(text: str, known: Iterable[str]) -> str:
    """A text with all known secrets masked."""
    for secret in known:
        text = text.replace(secret, MASK)
    return text


def masked_headers(headers: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Headers with credentials masked."""
    return {name: MASK if _is_secret(name) else masked_text(text, known) for name, text in headers.items()}


def masked_query(query: str, known: Iterable[str]) -> str:
    """A query with credentials masked."""
    return "&".join(_masked_parameter(*text.partition("="), known) for text in query.split("&"))


def _masked_parameter(name: str, equals: str, value: str, known: Iterable[str]) -> str:
    hidden = _is_secret(unquote(name)) or masked_text(unquote(value), known) != unquote(value)
    return f"{masked_text(unquote(name), known)}{equals}{MASK if hidden else value}"


def masked_body(body: bytes, known: Iterable[str]) -> Any:
    """A body with credentials masked; if it is not JSON, all of it is masked."""
    try:
        return _masked(json.loads(body), known) if body else None
    except (ValueError, RecursionError):
        return MASK


def _masked(value: Any, known: Iterable[str]) -> Any:
    if isinstance(value, str):
        return masked_text(value, known)
    if isinstance(value, list):
        return [_masked(entry, known) for entry in value]
    if not isinstance(value, dict):
        return value
    return {masked_text(key, known): _masked_property(key, entry, known) for key, entry in value.items()}


def _masked_property(name: str, value: Any, known: Iterable[str]) -> Any:
    # In a token request `password` is also the name of an object, which has the user and the password.
    if name == "password" and isinstance(value, dict):
        return {key: _masked(entry, known) if key == "user" else MASK for key, entry in value.items()}
    return MASK if _is_secret(name) else _masked(value, known)


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return plain in _SECRET_WHOLE or any(part in plain for part in _SECRET)
