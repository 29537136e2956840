"""How requests are signed, and how the means to sign are got: access key, token, password, agency.

A strategy hands out a signer (a `requests` AuthBase) for the next request, and can be told that the signer was
refused as expired. The signature itself is in `signing.py`.
"""

from __future__ import annotations

import threading

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from requests.auth import AuthBase

from pulumi_cbr_sharing.http.signing import ALGORITHM, canonical_request, signature, string_to_sign


if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from pulumi_cbr_sharing.http.messages import Call, Reply
    from pulumi_cbr_sharing.settings.credentials import AccessKey, Secret

    Send = Callable[[Call, AuthBase | None], Reply]


Signer = AuthBase
RENEW_BEFORE = timedelta(minutes=5)

# Set by the transport after signing, or rewritten on the way: they would break the signature.
_NOT_SIGNED = {
    "user-agent",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "authorization",
    "cookie",
}


def utc_now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(timezone.utc)


class KeySigner(AuthBase):
    """Signs with an access key, temporary or not."""

    def __init__(self, key: AccessKey, now: Callable[[], datetime] = utc_now) -> None:
        self._key, self._now = key, now

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add date, host and signature to a request that is otherwise complete."""
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
    """The `Host` header as the transport would send it: the port only where it is not the default one."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    name = parts.netloc.rpartition("@")[2]
    return name.removesuffix(f":{default}") if parts.port == default else name


class TokenSigner(AuthBase):
    """Shows a token."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the token."""
        r.headers["X-Auth-Token"] = self._token.reveal()
        return r


class Unsigned(AuthBase):
    """Adds nothing. Not the same as no AuthBase: then requests would look for a password in a .netrc file."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return r


class Strategy(Protocol):
    """A way to come by signers; safe for many threads.

    Attributes:
        signs_in: whether it asks the cloud for something before it can sign.
    """

    signs_in: bool

    def signer(self, send: Send) -> AuthBase:
        """What signs the next request; fetched by `send` where there is none that still holds."""

    def renew(self, refused: AuthBase) -> bool:
        """Throw away a signer that was refused as expired; False if there can be no other."""

    def project_id(self, send: Send) -> str | None:
        """The project that the credential itself is bound to, if it is."""


class Fixed:
    """The signer never changes: an access key, or a token that somebody else fetched."""

    signs_in = False

    def __init__(self, signer: AuthBase) -> None:
        self._signer = signer

    def signer(self, send: Send) -> AuthBase:  # noqa: ARG002 - nothing has to be fetched
        """The one signer."""
        return self._signer

    def renew(self, refused: AuthBase) -> bool:  # noqa: ARG002
        """There is no other."""
        return False

    def project_id(self, send: Send) -> str | None:  # noqa: ARG002
        """Not bound to a project."""
        return None


@dataclass(frozen=True)
class Lease:
    """A signer that ends.

    Attributes:
        until: when; None if only the service knows.
        project_id: the project that it is bound to, if any.
    """

    signer: AuthBase
    until: datetime | None
    project_id: str | None = None

    def renew_at(self, now: datetime) -> datetime | None:
        """When one that was fetched now is to be fetched anew: a while before it ends.

        A short life is used for the most part; of one that is over already, one of the two clocks is wrong, and the
        service's counts.
        """
        if self.until is None or self.until <= now:
            return None
        return self.until - min(RENEW_BEFORE, (self.until - now) / 4)


class Leased:
    """The signer is fetched, and fetched again before it ends or when it is refused as expired."""

    signs_in = True

    def __init__(self, fetch: Callable[[Send], Lease], now: Callable[[], datetime] = utc_now) -> None:
        self._fetch, self._now = fetch, now
        self._lease: Lease | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def signer(self, send: Send) -> AuthBase:
        """The signer that holds now."""
        return self._current(send).signer

    def renew(self, refused: AuthBase) -> bool:
        """Drop the lease, unless another thread has replaced it already."""
        with self._lock:
            if self._lease and self._lease.signer is refused:
                self._lease = None
        return True

    def project_id(self, send: Send) -> str | None:
        """The project of the token; temporary keys have none."""
        return self._current(send).project_id

    def _current(self, send: Send) -> Lease:
        with self._lock:
            if self._lease is None or (self._renew_at and self._now() > self._renew_at):
                self._lease = self._fetch(send)
                self._renew_at = self._lease.renew_at(self._now())
            return self._lease
