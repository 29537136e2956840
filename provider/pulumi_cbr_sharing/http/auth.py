"""What signs requests: an access key or a token, fixed or refreshable.

A signer adds headers to a request that is otherwise complete. The signature itself is in `signing.py`; how a token or
temporary key is asked for is in `sign_in.py`.
"""

from __future__ import annotations

import threading

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pulumi_cbr_sharing.errors import ApiError
from pulumi_cbr_sharing.http.signing import ALGORITHM, canonical_request, signature, string_to_sign


if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from pulumi_cbr_sharing.http.account import Account
    from pulumi_cbr_sharing.http.messages import Call, Reply
    from pulumi_cbr_sharing.settings.credentials import AccessKey, Secret

    Signer = Callable[[PreparedRequest], PreparedRequest]


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


class KeySigner:
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


class TokenSigner:
    """Sends a token."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the token."""
        r.headers["X-Auth-Token"] = self._token.reveal()
        return r


def unsigned(r: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is: signing in with a password needs no signature."""
    return r


class Send(Protocol):
    """A way to send."""

    def __call__(self, call: Call, *, auth: Auth) -> Reply:
        """Send a call that is signed by `auth`."""


class Auth(Protocol):
    """Hands out signers; safe for many threads."""

    @property
    def account(self) -> Account:
        """Whose credential it is."""

    def signer(self, send: Send) -> Signer:
        """What signs the next request; asked for by `send` if there is none, or if it expires soon."""

    def renew(self, refused: Signer) -> bool:
        """Drop a signer that was refused; False if there can be no other."""

    def project_id(self, send: Send) -> str | None:
        """The project that the credential is bound to, if it is."""


@dataclass(frozen=True)
class Fixed:
    """The signer never changes: an access key, or a token that the user fetched."""

    _signer: Signer
    account: Account

    def signer(self, send: Send) -> Signer:  # noqa: ARG002
        """The one signer."""
        return self._signer

    def renew(self, refused: Signer) -> bool:  # noqa: ARG002
        """There is no other."""
        return False

    def project_id(self, send: Send) -> str | None:  # noqa: ARG002
        """Not bound to a project."""
        return None


@dataclass(frozen=True)
class Issued:
    """A signer that expires.

    Attributes:
        expires_at: None if only the service knows.
        project_id: the project that it is bound to, if any.
    """

    signer: Signer
    expires_at: datetime | None
    project_id: str | None = None

    def renew_at(self, now: datetime) -> datetime | None:
        """When to renew: five minutes before expiry, or after three quarters of a short life.

        None if it has expired when it comes: then one of the two clocks is wrong, and the service's counts.
        """
        if self.expires_at is None or self.expires_at <= now:
            return None
        return self.expires_at - min(RENEW_BEFORE, (self.expires_at - now) / 4)


class Refreshable:
    """The signer is fetched when it is needed, and again before it expires or when it is refused."""

    def __init__(
        self, fetch: Callable[[Send], Issued], account: Account, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.account = account
        self._fetch, self._now = fetch, now
        self._issued: Issued | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def signer(self, send: Send) -> Signer:
        """The signer that is valid now."""
        return self._current(send).signer

    def renew(self, refused: Signer) -> bool:
        """Drop the signer, unless another thread has replaced it already."""
        with self._lock:
            if self._issued and self._issued.signer is refused:
                self._issued = None
        return True

    def project_id(self, send: Send) -> str | None:
        """The project of the token; temporary keys have none."""
        return self._current(send).project_id

    def _current(self, send: Send) -> Issued:
        with self._lock:
            if self._issued is None or (self._renew_at and self._now() > self._renew_at):
                self._issued = self._fetched(send)
                self._renew_at = self._issued.renew_at(self._now())
            return self._issued

    def _fetched(self, send: Send) -> Issued:
        try:
            return self._fetch(send)
        except ApiError as error:
            self.account.breaker.record_sign_in(error)
            raise
