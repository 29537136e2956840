"""Signs requests with an access key or a token, and renews those that expire.

A signer adds headers to a request that is otherwise complete. The signature itself is in `signing.py`; `iam.py` asks
for tokens and temporary keys.
"""

from __future__ import annotations

import threading

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pulumi_cbr_sharing.http.breaker import REFUSED_FOR
from pulumi_cbr_sharing.http.signing import ALGORITHM, canonical_request, signature, string_to_sign


if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from pulumi_cbr_sharing.http.account import Account
    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.credentials import AccessKey, Secret

    Signer = Callable[[PreparedRequest], PreparedRequest]


RENEW_BEFORE = timedelta(minutes=5)

# Set by the transport after signing, or rewritten on the way: they would break the signature.
_NOT_SIGNED = {"user-agent", "accept", "accept-encoding", "connection", "content-length", "authorization", "cookie"}


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class KeySigner:
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


@dataclass(frozen=True)
class TokenSigner:
    """Sends a token."""

    _token: Secret

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add the token."""
        r.headers["X-Auth-Token"] = self._token.reveal()
        return r


def unsigned(r: PreparedRequest) -> PreparedRequest:
    """Leave a request as it is: signing in with a password needs no signature."""
    return r


@dataclass(frozen=True)
class Issued:
    """A signer, and how long it can be used.

    Attributes:
        signer: adds the credential to a request.
        expires_at: None if it does not expire, or if only the service knows when.
        project_id: the project that it is bound to, if any.
    """

    signer: Signer
    expires_at: datetime | None = None
    project_id: str | None = None

    def renew_at(self, now: datetime) -> datetime | None:
        """When to renew: five minutes before expiry, or after three quarters of a short life.

        None if it has already expired: then one of the two clocks is wrong, and the service's counts.
        """
        if self.expires_at is None or self.expires_at <= now:
            return None
        return self.expires_at - min(RENEW_BEFORE, (self.expires_at - now) / 4)


class Auth:
    """Hands out the signer of one credential; safe for many threads.

    Args:
        account: what is known of the credential.
        fetch: issues a signer, and sends what is needed for that.
        refreshable: whether another one can be issued when one is refused.
        now: the current time.

    Attributes:
        project_id: the project that was found for the credential; None until then.
    """

    def __init__(
        self,
        account: Account,
        fetch: Callable[[Client], Issued],
        *,
        refreshable: bool = True,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.account = account
        self._fetch, self._refreshable, self._now = fetch, refreshable, now
        self.project_id: str | None = None
        self._issued: Issued | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def current(self, client: Client) -> Issued:
        """The signer to use now; a new one if there is none, or if it expires soon."""
        with self._lock:
            if self._issued is None or (self._renew_at and self._now() > self._renew_at):
                # The cache is to remember a refusal only.
                self._issued = client.cache.get(self, lambda: self._fetch(client), REFUSED_FOR)
                client.cache.drop(self)
                self._renew_at = self._issued.renew_at(self._now())
            return self._issued

    def renew(self, refused: Issued) -> bool:
        """Drop a refused signer, unless another thread has already replaced it; False if there can be no other."""
        with self._lock:
            if self._refreshable and self._issued is refused:
                self._issued = None
        return self._refreshable


def fixed(account: Account, signer: Signer) -> Auth:
    """An access key, or a token that the user fetched: it is signed with as it is."""
    return Auth(account, lambda _: Issued(signer), refreshable=False)
