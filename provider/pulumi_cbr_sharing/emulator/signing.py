"""Verifies SDK-HMAC-SHA256. It is written from the vendor's description, and shares no code with the client."""

from __future__ import annotations

import hashlib
import hmac
import re

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.request import Sent


SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=(\w+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
# The Terraform provider signs neither Host nor X-Project-Id, and the service accepts that. (seen)
_ALWAYS_SIGNED = "x-sdk-date"


@dataclass(frozen=True)
class Claim:
    """The parts of an Authorization header."""

    access_key: str
    signed: tuple[str, ...]
    signature: str


def claim_of(request: Sent) -> Claim | None:
    """Parse the Authorization header of a request; None if there is none, or another kind."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return Claim(match[1], tuple(match[2].split(";")), match[3]) if match else None


def is_right(claim: Claim, request: Sent, secret: str) -> bool:
    """Whether the signature is right and recent, over the headers in the claim, in their order."""
    complete = _ALWAYS_SIGNED in claim.signed and set(claim.signed) <= request.headers.keys()
    if not complete or not _is_recent(request.headers["x-sdk-date"]):
        return False
    return hmac.compare_digest(claim.signature, _signature(claim, request, secret))


def _is_recent(date: str) -> bool:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return abs(datetime.now(timezone.utc) - signed_at) <= SKEW


def _signature(claim: Claim, request: Sent, secret: str) -> str:
    digest = hashlib.sha256(_canonical(claim, request).encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{request.headers['x-sdk-date']}\n{digest}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _canonical(claim: Claim, request: Sent) -> str:
    path, _, query = request.target.partition("?")
    uri = quote(unquote(path), safe="/~")
    lines = [request.method, uri if uri.endswith("/") else f"{uri}/", _canonical_query(query)]
    lines += [f"{name}:{request.headers[name].strip()}" for name in claim.signed]
    return "\n".join([*lines, "", ";".join(claim.signed), hashlib.sha256(request.data).hexdigest()])


def _canonical_query(query: str) -> str:
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    decoded = sorted((unquote(key), unquote(value)) for key, value in pairs)
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in decoded)
