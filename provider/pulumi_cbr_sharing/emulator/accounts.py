"""The accounts of the emulated cloud, whom they trust, what they may do, and how often."""

from __future__ import annotations

import hashlib
import secrets
import time

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal


if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_cbr_sharing.emulator.records import Dialect


REGIONS: Mapping[Dialect, str] = {"huawei": "ap-southeast-1", "otc": "eu-de"}
AGENCY = "backup-admin"  # every account grants it to every other
AUDIENCE = "cbr-sharing"  # that identity providers have, if no other is given


@dataclass(frozen=True)
class Account:
    """An account with one user; all ids are made from its name.

    Attributes:
        project_id, project_name: the main project, which is called like the region.
        projects: the ids of all projects by name.
    """

    name: str
    domain_id: str
    region: str
    project_id: str
    project_name: str
    access_key: str
    secret_key: str
    user_id: str
    user_name: str
    password: str
    projects: Mapping[str, str] = field(default_factory=dict, hash=False)


class IdentityProvider(NamedTuple):
    """An identity provider of an account, whose tokens are taken for one audience."""

    account: str
    audience: str


class Accounts:
    """All accounts, and what they trust."""

    def __init__(self, dialect: Dialect) -> None:
        self._region = REGIONS[dialect]
        self._accounts: dict[str, Account] = {}
        self._agencies: dict[tuple[str, str], str | None] = {}
        self._passcodes: dict[str, set[str]] = {}
        self.identity_providers: dict[str, IdentityProvider] = {}

    def add(self, name: str) -> Account:
        """Create an account; the same name gives the same ids and keys."""
        project_id = made_up(name, "project")
        account = Account(
            name=name,
            domain_id=made_up(name, "domain"),
            region=self._region,
            project_id=project_id,
            project_name=self._region,
            access_key=made_up(name, "access").upper()[:20],
            secret_key=made_up(name, "secret") + made_up(name, "more")[:8],
            user_id=made_up(name, "user"),
            user_name=f"{name}-user",
            password=f"Pw-{made_up(name, 'password')[:16]}",
            projects={self._region: project_id},
        )
        self._accounts[name] = account
        self._agencies[name, AGENCY] = None
        return account

    def add_project(self, name: str, project: str) -> str:
        """Give an account a project, such as that of another region, or a sub-project; returns its id."""
        old = self._accounts[name]
        project_id = old.projects.get(project) or made_up(f"{name}/{project}", "project")
        self._accounts[name] = replace(old, projects={**old.projects, project: project_id})
        return project_id

    def rotate(self, name: str) -> Account:
        """Give an account a new access key."""
        access, secret = secrets.token_hex(10).upper(), secrets.token_hex(20)
        self._accounts[name] = replace(self._accounts[name], access_key=access, secret_key=secret)
        return self._accounts[name]

    def get(self, name: str) -> Account:
        """An account by name; KeyError if there is none."""
        return self._accounts[name]

    def all(self) -> list[Account]:
        """Every account."""
        return list(self._accounts.values())

    def of_project(self, project_id: str) -> Account | None:
        """The account of a project."""
        return next((one for one in self._accounts.values() if project_id in one.projects.values()), None)

    def of_domain(self, named: Mapping[str, Any], prefix: str = "") -> Account | None:
        """The account with the `name` or `id` in a part of a request, both with the prefix."""
        wanted = (named.get(f"{prefix}name"), named.get(f"{prefix}id"))
        return next(
            (one for one in self._accounts.values() if wanted[0] == one.name or wanted[1] == one.domain_id), None
        )

    def of_user(self, user: Mapping[str, Any], domain: Mapping[str, Any]) -> Account | None:
        """The account of the user and password in a token request; None if they are wrong."""
        for account in self._accounts.values():
            by_name = user.get("name") == account.user_name and self.of_domain(domain) == account
            if (by_name or user.get("id") == account.user_id) and user.get("password") == account.password:
                return account
        return None

    def add_agency(self, account: str, name: str, trusts: str | None) -> None:
        """Let an account, or all if it is None, assume an agency."""
        self._agencies[self.get(account).name, name] = trusts

    def may_assume(self, caller: str, account: str, agency: object) -> bool:
        """Whether an account may assume an agency of another."""
        return (account, agency) in self._agencies and self._agencies[account, agency] in (None, caller)  # type: ignore[index]

    def add_identity_provider(self, account: str, name: str, audience: str) -> None:
        """Let an account take the identity tokens of a provider."""
        self.identity_providers[name] = IdentityProvider(self.get(account).name, audience)

    def add_passcode(self, account: str, passcode: str) -> None:
        """Demand a one-time password of an account from now on; each is right once."""
        self._passcodes.setdefault(self.get(account).name, set()).add(passcode)

    def is_passed(self, account: Account, totp: Mapping[str, Any]) -> bool:
        """Whether a sign-in needs no one-time password, or has a right one; that is used up."""
        codes, user = self._passcodes.get(account.name), totp.get("user")
        if codes is None:
            return True
        given = user.get("passcode") if isinstance(user, dict) and user.get("id") == account.user_id else None
        if not isinstance(given, str) or given not in codes:
            return False
        codes.remove(given)
        return True

    def secrets(self) -> set[str]:
        """Every password and secret key of accounts, and one-time passwords that are not used up."""
        own = {text for one in self._accounts.values() for text in (one.password, one.secret_key)}
        return own.union(*self._passcodes.values())


class Limit(NamedTuple):
    """A rate limit: the number of requests in any window of seconds, and the `Retry-After` of a 429."""

    requests: int
    window: float
    retry_after: float | None


class Permissions:
    """The IAM actions that accounts do not have, and the rate limit of each account; the gateway checks them last."""

    def __init__(self) -> None:
        self.limit: Limit | None = None
        self.confined: dict[str, str] = {}  # the only enterprise project that an account sees
        self.denied: dict[str, set[str]] = defaultdict(set)
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def throttle(self, limit: Limit | None) -> None:
        """Set the limit, and start counting again."""
        self.limit = limit
        self._calls.clear()

    def admit(self, account: str, action: str) -> None:
        """Check a request.

        Raises:
            Refusal: it is throttled, or not permitted.
        """
        if self.limit:
            self._count(self._calls[account], self.limit)
        if action in self.denied[account]:
            raise Refusal(behaviours.denied(action))

    @staticmethod
    def _count(calls: deque[float], limit: Limit) -> None:
        moment = time.monotonic()
        while calls and calls[0] <= moment - limit.window:
            calls.popleft()
        if len(calls) >= limit.requests:
            raise Refusal(behaviours.throttled(limit.requests, limit.window))
        calls.append(moment)


def made_up(name: str, what: str) -> str:
    """An id of 32 hexadecimal digits, the same at each run."""
    return hashlib.sha256(f"{what} of {name}".encode()).hexdigest()[:32]


def made_up_uuid(name: str, what: str) -> str:
    """A UUID, the same at each run."""
    return str(UUID(made_up(name, what), version=4))
