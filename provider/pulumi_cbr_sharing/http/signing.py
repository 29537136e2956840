"""Signs requests: the signature SDK-HMAC-SHA256, as the vendor documents it under "AK/SK signing", or a token."""

from __future__ import annotations

import hashlib
import hmac

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from requests import PreparedRequest

    from pulumi_cbr_sharing.settings.credentials import AccessKey


ALGORITHM = "SDK-HMAC-SHA256"
RENEW_BEFORE = timedelta(minutes=5)

# Set by the transport after signing, or rewritten on the way: they would break the signature.
_NOT_SIGNED = {"user-agent", "accept", "accept-encoding", "connection", "content-length", "authorization", "cookie"}


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """The query string, as it is signed and must be sent."""
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in sorted(pairs))


def canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Method, path, query, headers, header names and hash of the body, each on a line.

    Args:
        method: in upper case.
        url: the whole URL, as sent.
        headers: the headers to sign, in any case.
        body: as sent; empty if there is none.
    """
    parts = urlsplit(url)
    path = "/".join(_encode(unquote(segment)) for segment in parts.path.split("/"))
    lowered = sorted((name.lower(), value.strip()) for name, value in headers.items())
    return "\n".join(
        (
            method,
            path if path.endswith("/") else path + "/",  # only here, not in the URL that is sent
            canonical_query(parse_qsl(parts.query, keep_blank_values=True)),
            "".join(f"{name}:{value}\n" for name, value in lowered),
            ";".join(name for name, _ in lowered),
            hashlib.sha256(body).hexdigest(),
        )
    )


def string_to_sign(date: str, canonical: str) -> str:
    """The algorithm, `X-Sdk-Date` and the hash of the canonical request, each on a line."""
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def signature(secret_key: str, text: str) -> str:
    """HMAC-SHA256 of the string to sign, in hex; the secret key is used as it is, not derived."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe="~")


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Adds a credential to a request that is otherwise complete. This one adds none, for signing in with a password.

    Attributes:
        expires_at: None if it does not expire, or if only the service knows when.
        project_id: the project that it is bound to, if any.
    """

    expires_at: datetime | None = None
    project_id: str | None = None

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add nothing."""
        return r

    def renew_at(self, now: datetime) -> datetime | None:
        """When to renew: five minutes before expiry, or after three quarters of a short life.

        None if it has already expired: then one of the two clocks is wrong, and the service's counts.
        """
        if self.expires_at is None or self.expires_at <= now:
            return None
        return self.expires_at - min(RENEW_BEFORE, (self.expires_at - now) / 4)


@dataclass(frozen=True)
class KeySigner(Signer):
    """Signs with an access key, permanent or temporary."""

    _key: AccessKey
    _now: Callable[[], datetime] = utc_now

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add date, host and signature."""
        headers, url = r.headers, r.url or ""
        headers["X-Sdk-Date"] = self._now().strftime("%Y%m%dT%H%M%SZ")
        headers["Host"] = _host(url)
        if self._key.security_token:
            headers["X-Security-Token"] = self._key.security_token.reveal()
        signed = {n: v for n, v in headers.items() if n.lower() not in _NOT_SIGNED and "_" not in n}
        body = r.body.encode() if isinstance(r.body, str) else r.body or b""
        canonical = canonical_request(r.method or "", url, signed, body)
        value = signature(self._key.secret_key.reveal(), string_to_sign(headers["X-Sdk-Date"], canonical))
        names = ";".join(sorted(name.lower() for name in signed))
        headers["Authorization"] = (
            f"{ALGORITHM} Access={self._key.access_key}, SignedHeaders={names}, Signature={value}"
        )
        return r


def _host(url: str) -> str:
    """The `Host` header as the transport would send it: with the port only if it is not the default one."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    name = parts.netloc.rpartition("@")[2]
    return name.removesuffix(f":{default}") if parts.port == default else name


@dataclass(frozen=True, eq=False)
class HeaderSigner(Signer):
    """Adds headers, such as a token."""

    _headers: Mapping[str, str] = field(repr=False)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add them."""
        r.headers.update(self._headers)
        return r
