"""The accounts of the emulated cloud, and their access keys, tokens and temporary keys."""

from __future__ import annotations

import hashlib
import secrets
import time

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from pulumi_cbr_sharing.emulator import catalogue, signing
from pulumi_cbr_sharing.emulator.catalogue import Refusal


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator.request import Sent


REGION = "ap-southeast-1"
WRONG_SIGNATURES = 5  # one more locks the key
LOCK_SECONDS = 300.0
TOKEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Account:
    """An account with one project and one user; all ids are made from its name."""

    name: str
    domain_id: str
    region: str
    project_id: str
    project_name: str
    access_key: str
    secret_key: str
    user_name: str
    password: str


@dataclass
class _Key:
    """An access key, permanent or temporary, and the number of wrong signatures in a row."""

    account: str
    secret: str
    security_token: str | None = None
    until: float | None = None
    wrong: int = 0
    locked_until: float = 0.0


@dataclass(frozen=True)
class _Token:
    account: str
    until: float


class Accounts:
    """All accounts, with their keys and tokens."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, _Key] = {}
        self._tokens: dict[str, _Token] = {}

    def add(self, name: str) -> Account:
        """Create an account; the same name gives the same ids and keys."""
        account = Account(
            name=name,
            domain_id=made_up(name, "domain"),
            region=REGION,
            project_id=made_up(name, "project"),
            project_name=REGION,
            access_key=made_up(name, "access").upper()[:20],
            secret_key=made_up(name, "secret") + made_up(name, "more")[:8],
            user_name=f"{name}-user",
            password=f"Pw-{made_up(name, 'password')[:16]}",
        )
        self._accounts[name] = account
        self._keys[account.access_key] = _Key(name, account.secret_key)
        return account

    def get(self, name: str) -> Account:
        """An account by name; KeyError if there is none."""
        return self._accounts[name]

    def all(self) -> list[Account]:
        """Every account."""
        return list(self._accounts.values())

    def of_project(self, project_id: str) -> Account | None:
        """The account of a project."""
        return next((account for account in self._accounts.values() if account.project_id == project_id), None)

    def rotate(self, name: str) -> Account:
        """Give an account a new key, and refuse the old one."""
        old = self._accounts[name]
        self._keys.pop(old.access_key, None)
        fresh = replace(old, access_key=secrets.token_hex(10).upper(), secret_key=secrets.token_hex(20))
        self._accounts[name] = fresh
        self._keys[fresh.access_key] = _Key(name, fresh.secret_key)
        return fresh

    def issue_token(self, name: str, seconds: float = TOKEN_SECONDS) -> tuple[str, float]:
        """Issue a token for an account's project; returns it with its expiry (seconds since the epoch)."""
        token, until = secrets.token_urlsafe(48), time.time() + seconds
        self._tokens[token] = _Token(name, until)
        return token, until

    def revoke_tokens(self) -> None:
        """Revoke all tokens."""
        self._tokens = {token: _Token(known.account, 0.0) for token, known in self._tokens.items()}

    def issue_temporary_key(self, name: str, seconds: float) -> tuple[str, str, str, float]:
        """Issue a temporary key for an account: access key, secret key, security token, expiry."""
        access, secret, token = secrets.token_hex(10).upper(), secrets.token_hex(20), secrets.token_urlsafe(48)
        until = time.time() + seconds
        self._keys[access] = _Key(name, secret, token, until)
        return access, secret, token, until

    def secrets(self) -> set[str]:
        """Every password, secret key and token that is known."""
        keys = {text for key in self._keys.values() for text in (key.secret, key.security_token) if text}
        return {account.password for account in self._accounts.values()} | keys | set(self._tokens)

    def sign_in(self, user: Mapping[str, object]) -> Account | None:
        """The account of the user and password in a token request; None if they are wrong."""
        domain = user.get("domain")
        names = domain if isinstance(domain, dict) else {}
        for account in self._accounts.values():
            by_name = user.get("name") == account.user_name and (
                names.get("name") == account.name or names.get("id") == account.domain_id
            )
            if (by_name or user.get("id") == user_id(account)) and user.get("password") == account.password:
                return account
        return None

    def caller(self, request: Sent) -> Account:
        """The account that sent a request.

        Raises:
            Refusal: the credential is missing or wrong.
        """
        token = request.headers.get("x-auth-token")
        if token is not None:
            return self._by_token(token)
        return self._by_signature(request)

    def _by_token(self, token: str) -> Account:
        known = self._tokens.get(token)
        if known is None:
            raise Refusal(catalogue.BAD_SIGNATURE)
        if known.until <= time.time():
            raise Refusal(catalogue.TOKEN_EXPIRED)
        return self._accounts[known.account]

    def _by_signature(self, request: Sent) -> Account:
        claim = signing.claim_of(request)
        key = self._keys.get(claim.access_key) if claim else None
        if claim is None or key is None:
            raise Refusal(catalogue.BAD_SIGNATURE)
        if key.locked_until > time.time():
            raise Refusal(catalogue.KEY_LOCKED)
        if key.until is not None and key.until <= time.time():
            raise Refusal(catalogue.BAD_SIGNATURE)
        token_fits = request.headers.get("x-security-token") == key.security_token
        if not token_fits or not signing.is_right(claim, request, key.secret):
            self._count_wrong(key)
            raise Refusal(catalogue.BAD_SIGNATURE)
        key.wrong = 0
        return self._accounts[key.account]

    @staticmethod
    def _count_wrong(key: _Key) -> None:
        key.wrong += 1
        if key.wrong > WRONG_SIGNATURES:
            key.locked_until, key.wrong = time.time() + LOCK_SECONDS, 0


def user_id(account: Account) -> str:
    """The id of an account's user."""
    return made_up(account.name, "user")


def made_up(name: str, what: str) -> str:
    """An id of 32 hexadecimal digits, the same at each run."""
    return hashlib.sha256(f"{what} of {name}".encode()).hexdigest()[:32]


def made_up_uuid(name: str, what: str) -> str:
    """A UUID, the same at each run."""
    return str(UUID(made_up(name, what), version=4))
