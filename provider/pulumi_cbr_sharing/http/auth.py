"""Signs requests with an access key or a token, and hands out the signer of each credential.

The signature is SDK-HMAC-SHA256, as the vendor documents it under "AK/SK signing".
"""

from __future__ import annotations

import hashlib
import hmac
import threading

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pulumi_cbr_sharing.http.retry import REFUSED_FOR, Account, Clock, CredentialBreaker, RateLimit, held
from pulumi_cbr_sharing.settings.credentials import Password, Token


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from requests import PreparedRequest

    from pulumi_cbr_sharing.http.client import Client
    from pulumi_cbr_sharing.settings.credentials import AccessKey
    from pulumi_cbr_sharing.settings.resolve import Settings


ALGORITHM = "SDK-HMAC-SHA256"
RENEW_BEFORE = timedelta(minutes=5)
# Set by the transport after signing, or rewritten on the way: they would break the signature.
_NOT_SIGNED = {"user-agent", "accept", "accept-encoding", "connection", "content-length", "authorization", "cookie"}
_encode = partial(quote, safe="~")
utc_now = partial(datetime.now, timezone.utc)


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """The query string, as it is signed and must be sent."""
    return "&".join(f"{_encode(key)}={_encode(value)}" for key, value in sorted(pairs))


def canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Method, path, query, headers, header names and hash of the body, each on a line; URL and body as sent."""
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
        headers, url = r.headers, urlsplit(r.url or "")
        headers["X-Sdk-Date"] = self._now().strftime("%Y%m%dT%H%M%SZ")
        usual = ":80" if url.scheme == "http" else ":443"
        headers["Host"] = url.netloc.removesuffix(usual)  # as the transport sends it
        if self._key.security_token:
            headers["X-Security-Token"] = self._key.security_token.reveal()
        signed = {n: v for n, v in headers.items() if n.lower() not in _NOT_SIGNED and "_" not in n}
        body = r.body.encode() if isinstance(r.body, str) else r.body or b""
        canonical = canonical_request(r.method or "", r.url or "", signed, body)
        value = signature(self._key.secret_key.reveal(), string_to_sign(headers["X-Sdk-Date"], canonical))
        names = ";".join(sorted(name.lower() for name in signed))
        headers["Authorization"] = (
            f"{ALGORITHM} Access={self._key.access_key}, SignedHeaders={names}, Signature={value}"
        )
        return r


@dataclass(frozen=True, eq=False)
class HeaderSigner(Signer):
    """Adds headers, such as a token."""

    _headers: Mapping[str, str] = field(repr=False)

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Add them."""
        r.headers.update(self._headers)
        return r


class Accounts:
    """One `Account` for each credential; safe for many threads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._breakers, self._rate_limits = dict[Any, CredentialBreaker](), dict[Any, RateLimit]()
        self._lock = threading.Lock()

    def of(self, settings: Settings) -> Account:
        """The account of the credential in some settings, or of the agency that it assumes."""
        cloud = settings.cbr.replace(settings.region or "-", "")
        credential = (cloud, replace(settings.credential, source=""), settings.agencies)
        # An access key is good for all regions and projects of a cloud. A token or a user may be good for one project
        # only, so a refusal says nothing about the others.
        project = (settings.region, settings.project_id, settings.project_name)
        scope = project if isinstance(settings.credential, (Password, Token)) else ()
        with self._lock:
            return Account(
                self._breakers.setdefault((credential, scope), CredentialBreaker(self._clock)),
                self._rate_limits.setdefault(credential, RateLimit(self._clock)),
            )


class Auth:
    """Hands out the signer of one credential; safe for many threads.

    Args:
        account: what is known of the credential.
        fetch: issues a signer, and sends what is needed for that.
        refreshable: whether another signer can be issued when one is refused.
        now: the current time.

    Attributes:
        project_id: the project that was found for the credential; None until then.
    """

    project_id: str | None = None

    def __init__(
        self,
        account: Account,
        fetch: Callable[[Client], Signer],
        *,
        refreshable: bool = True,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.account, self._fetch, self._refreshable, self._now = account, fetch, refreshable, now
        self._signer: Signer | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def current(self, client: Client) -> Signer:
        """The signer to use now; a new one if there is none, or if it expires soon."""
        with held(self._lock, client.clock):
            if self._signer is None or (self._renew_at and self._now() > self._renew_at):
                # The cache is to remember a refusal only.
                self._signer = client.cache.get(self, partial(self._fetch, client), REFUSED_FOR)
                client.cache.drop(self)
                self._renew_at = self._signer.renew_at(self._now())
            return self._signer

    def renew(self, refused: Signer) -> bool:
        """Drop a refused signer, unless another thread has already replaced it; False if there can be no other."""
        with self._lock:
            if self._refreshable and self._signer is refused:
                self._signer = None
        return self._refreshable


def fixed(account: Account, signer: Signer) -> Auth:
    """An access key, or a token that the user fetched: it is signed with as it is."""
    return Auth(account, lambda _: signer, refreshable=False)
