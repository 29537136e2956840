"""The keys and tokens of accounts, and who sent a request: by a token, or by a signature (SDK-HMAC-SHA256).

Verifying is written from the vendor's description, and shares no code with the client that signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal


if TYPE_CHECKING:
    from pulumi_cbr_sharing.emulator.accounts import Account, Accounts
    from pulumi_cbr_sharing.emulator.request import Sent


WRONG_SIGNATURES = 5  # one more locks the key
LOCK_SECONDS = 300.0
NEXT_PAIR = 600.0  # seconds before the end of a server's key, when the next one is given

SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=(\w+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
# The Terraform provider signs neither Host nor X-Project-Id, and the service accepts that. (seen)
_ALWAYS_SIGNED = "x-sdk-date"


class TemporaryKey(NamedTuple):
    """A temporary key with its security token; `until` is in seconds since the epoch."""

    access_key: str
    secret_key: str
    security_token: str
    until: float


class IssuedToken(NamedTuple):
    """A token of a project, or of none."""

    account: str
    project_id: str | None
    until: float
    methods: tuple[str, ...]


class Caller(NamedTuple):
    """Who sent a request: the account, the projects that its credential is good for, and the kind of that."""

    account: Account
    projects: frozenset[str]
    is_temporary: bool = False

    @property
    def name(self) -> str:
        """The account's name."""
        return self.account.name


@dataclass
class _Key:
    """A temporary key, or a permanent one, with the number of wrong signatures in a row."""

    account: str
    secret: str
    security_token: str | None = None
    until: float | None = None
    wrong: int = 0
    locked_until: float = 0.0


@dataclass
class Keys:
    """All keys and tokens."""

    accounts: Accounts
    _keys: dict[str, _Key] = field(default_factory=dict)
    _tokens: dict[str, IssuedToken] = field(default_factory=dict)
    _id_tokens: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    _server_keys: dict[str, TemporaryKey] = field(default_factory=dict)
    _metadata_tokens: dict[str, float] = field(default_factory=dict)

    def take(self, account: Account) -> None:
        """Take the access key of an account from now on."""
        self._keys[account.access_key] = _Key(account.name, account.secret_key)

    def refuse(self, access_key: str) -> None:
        """Refuse a key from now on."""
        self._keys.pop(access_key, None)

    def issue_token(
        self, account: str, project_id: str | None, seconds: float, methods: tuple[str, ...] = ("password",)
    ) -> str:
        """Issue a token for a project of an account, or an unscoped one."""
        token = secrets.token_urlsafe(48)
        self._tokens[token] = IssuedToken(account, project_id, time.time() + seconds, methods)
        return token

    def token(self, text: object) -> IssuedToken | None:
        """A token that was issued, also one that has ended; None if there is none."""
        return self._tokens.get(text) if isinstance(text, str) else None

    def revoke_tokens(self) -> None:
        """Revoke all tokens."""
        self._tokens = {text: token._replace(until=0.0) for text, token in self._tokens.items()}

    def issue_temporary_key(self, account: str, seconds: float) -> TemporaryKey:
        """Issue a temporary key for an account."""
        until = time.time() + seconds
        key = TemporaryKey(secrets.token_hex(10).upper(), secrets.token_hex(20), secrets.token_urlsafe(48), until)
        self._keys[key.access_key] = _Key(account, key.secret_key, key.security_token, until)
        return key

    def server_key(self, account: str, seconds: float) -> TemporaryKey:
        """The temporary key of a server: the last one, until ten minutes before its end."""
        last = self._server_keys.get(account)
        if last is None or last.until - NEXT_PAIR <= time.time():
            last = self._server_keys[account] = self.issue_temporary_key(account, seconds)
        return last

    def issue_metadata_token(self, seconds: float) -> str:
        """Issue a token of the metadata service."""
        token = secrets.token_urlsafe(40)
        self._metadata_tokens[token] = time.time() + seconds
        return token

    def is_metadata_token(self, text: str) -> bool:
        """Whether a token of the metadata service was issued, and has not ended."""
        return self._metadata_tokens.get(text, 0.0) > time.time()

    def issue_id_token(self, provider: str, audience: str, seconds: float) -> str:
        """Issue an identity token of an identity provider, in the form of a JWT."""
        until = int(time.time() + seconds)
        claims = {"iss": f"https://{provider}.example", "aud": audience, "sub": "pipeline", "exp": until}
        parts = [_coded({"alg": "RS256", "typ": "JWT"}), _coded(claims), secrets.token_urlsafe(32)]
        self._id_tokens[".".join(parts)] = (provider, audience, time.time() + seconds)
        return ".".join(parts)

    def audience_of(self, provider: str, id_token: object) -> str | None:
        """The audience of an identity token; None if it is not the provider's, or has ended."""
        whose, audience, until = self._id_tokens.get(str(id_token), ("", "", 0.0))
        return audience if whose == provider and until > time.time() else None

    def secrets(self) -> set[str]:
        """Every secret key and token that was issued."""
        keys = {text for key in self._keys.values() for text in (key.secret, key.security_token) if text}
        return keys.union(self._tokens, self._id_tokens, self._metadata_tokens)

    def caller(self, request: Sent) -> Caller:
        """The account that sent a request.

        Raises:
            Refusal: the credential is missing or wrong.
        """
        token = request.headers.get("x-auth-token")
        if token is not None:
            return self._by_token(token)
        return self._by_signature(request)

    def _by_token(self, text: str) -> Caller:
        token = self._tokens.get(text)
        if token is None:
            raise Refusal(behaviours.BAD_SIGNATURE)
        if token.until <= time.time():
            raise Refusal(behaviours.TOKEN_EXPIRED)
        return Caller(self.accounts.get(token.account), frozenset([token.project_id] if token.project_id else []))

    def _by_signature(self, request: Sent) -> Caller:
        claim = claim_of(request)
        key = self._keys.get(claim.access_key) if claim else None
        if claim is None or key is None:
            raise Refusal(behaviours.BAD_SIGNATURE)
        if key.locked_until > time.time():
            raise Refusal(behaviours.KEY_LOCKED)
        if key.until is not None and key.until <= time.time():
            raise Refusal(behaviours.BAD_SIGNATURE)
        token_fits = request.headers.get("x-security-token") == key.security_token
        if not token_fits or not is_right(claim, request, key.secret):
            _count_wrong(key)
            raise Refusal(behaviours.BAD_SIGNATURE)
        key.wrong = 0
        account = self.accounts.get(key.account)
        return Caller(account, frozenset(account.projects.values()), key.until is not None)


def _count_wrong(key: _Key) -> None:
    key.wrong += 1
    if key.wrong > WRONG_SIGNATURES:
        key.locked_until, key.wrong = time.time() + LOCK_SECONDS, 0


def _coded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


# -- Signatures --------------------------------------------------------------------------------------------------------


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
